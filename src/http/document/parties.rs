//! Parties and who is in them.

use serde_json::{Value, json};

use super::{
    operation::{Described, delete, get, patch, post, put},
    people::picture,
    schema::{
        body, flag, id, line, moment, nullable, number, one_of, prose, re, shape, tags, text, under, with,
        word,
    },
    shapes::RSVPS,
};
use crate::{
    domain::limits as l,
    http::problem::Code::{
        Conflict, Forbidden, InvalidStatus, NotFound, PartyFull, QuotaExceeded, Validation,
    },
};

fn plan() -> Value {
    json!({
        "title": line(3, 100, "Summer night"),
        "description": nullable(prose(0, 2000, "Bring a lamp.")),
        "startsAt": moment(),
        "endsAt": nullable(with(moment(), "examples", json!(["2026-05-02T04:00:00Z"]))),
        "isPrivate": flag(),
        "maxAttendees": nullable(number(*l::ATTENDEES.start(), *l::ATTENDEES.end())),
        "venue": nullable(re("Venue")),
        "tags": tags(),
    })
}

fn new_party() -> Value {
    let plan = with(plan(), "status", nullable(one_of(&["PLANNED", "DRAFT"])));
    body(&["title", "startsAt"], with(plan, "isPrivate", nullable(flag())))
}

fn code() -> Value {
    line(1, 64, "PQRS2345")
}

fn point() -> Value {
    with(word("50.95,0.73"), "pattern", json!("^-?[0-9]{1,2}([.][0-9]+)?,-?[0-9]{1,3}([.][0-9]+)?$"))
}

fn radius() -> Value {
    json!({ "type": "number", "exclusiveMinimum": 0, "maximum": 100, "examples": [10] })
}

fn party() -> Value {
    under("party", re("Party"))
}

pub(super) fn parties() -> Vec<Described> {
    let reason = || body(&[], json!({ "reason": nullable(prose(0, 500, "It rains.")) }));
    vec![
        post("/parties", "Make a party").user().once().takes(new_party()).creates(party()),
        get("/parties", "Public parties, or one's own")
            .asks("status", one_of(&["DRAFT", "PLANNED", "LIVE", "ENDED", "CANCELLED"]), "In this status")
            .asks(
                "hostId",
                json!({ "anyOf": [{ "const": "me" }, id()] }),
                "Of this host; `me`: one's own, drafts too",
            )
            .asks("tag", text(1, l::TAG_LENGTH, "summer"), "With this tag")
            .asks("upcoming", one_of(&["true", "false"]), "That have not begun")
            .asks("live", one_of(&["true", "false"]), "That are going on")
            .asks("near", point(), "Around a latitude and a longitude, in degrees")
            .asks("radiusKm", radius(), "How far around, up to 100 km; 10 where it is not said")
            .asks("q", line(1, 100, "summer"), "With these words")
            .pages(re("Party"))
            .refuses(&[Forbidden]),
        get("/parties/live", "Parties that are going on, the fullest first").pages(re("Party")),
        get("/parties/{id}", "A party").answers(party()),
        patch("/parties/{id}", "Edit a party")
            .known()
            .if_unchanged()
            .takes(body(&[], plan()))
            .answers(party())
            .refuses(&[Forbidden, Conflict]),
        put("/parties/{id}", "Edit a party likewise")
            .known()
            .if_unchanged()
            .takes(body(&[], plan()))
            .answers(party())
            .refuses(&[Forbidden, Conflict]),
        delete("/parties/{id}", "Delete a party").known().says_nothing().refuses(&[Forbidden]),
        post("/parties/{id}/publish", "Publish a draft")
            .known()
            .answers(party())
            .refuses(&[Forbidden, InvalidStatus]),
        post("/parties/{id}/start", "Begin a party")
            .known()
            .answers(party())
            .refuses(&[Forbidden, InvalidStatus]),
        post("/parties/{id}/end", "End a party")
            .known()
            .answers(party())
            .refuses(&[Forbidden, InvalidStatus]),
        post("/parties/{id}/cancel", "Cancel a party")
            .known()
            .takes(reason())
            .answers(party())
            .refuses(&[Forbidden, InvalidStatus]),
        post("/parties/{id}/access-code", "Draw another access code")
            .known()
            .once()
            .answers(party())
            .refuses(&[Forbidden]),
        get("/parties/{id}/invite.svg", "The way in as a QR code")
            .known()
            .answers_with("image/svg+xml")
            .refuses(&[Forbidden, Conflict]),
        get("/parties/{id}/invite.png", "The way in as a QR code in pixels")
            .known()
            .answers_with("image/png")
            .refuses(&[Forbidden, Conflict]),
        put("/parties/{id}/cover", "Show another picture of a party")
            .known()
            .takes_form(picture())
            .answers(party())
            .refuses(&[Forbidden]),
        get("/parties/{id}/cover/{pictureId}", "The picture of a party").answers_with("image/*").in_parts(),
        post("/parties/{id}/displays", "Let a screen show the gallery")
            .known()
            .once()
            .takes(body(&[], json!({ "name": nullable(line(1, 50, "Dance floor")) })))
            .creates(shape(json!({ "display": re("Display"), "token": word("a display token") }), &[]))
            .refuses(&[Forbidden, QuotaExceeded]),
        delete("/parties/{id}/displays/{displayId}", "Let a screen show no more")
            .known()
            .says_nothing()
            .refuses(&[Forbidden]),
        put("/parties/{id}/favorite", "Make a party a favourite").user().says_nothing(),
        delete("/parties/{id}/favorite", "Make a party no favourite").user().says_nothing(),
    ]
}

pub(super) fn attendance() -> Vec<Described> {
    let attendee = || under("attendee", re("Attendee"));
    let joined = || {
        let fields = json!({
            "party": re("Party"),
            "attendee": re("Attendee"),
            "guest": re("Guest"),
            "accessToken": word("an access token"),
            "refreshToken": word("a refresh token"),
            "expiresIn": { "type": "integer", "minimum": 1, "examples": [900] },
        });
        shape(fields, &["guest", "accessToken", "refreshToken", "expiresIn"])
    };
    let refused = [PartyFull, InvalidStatus, Forbidden];
    vec![
        post("/parties/by-code", "What one sees before joining")
            .takes(body(&["accessCode"], json!({ "accessCode": code() })))
            .answers(under("party", re("Preview")))
            .refuses(&[NotFound]),
        post("/parties/join-by-code", "Join by a code")
            .once()
            .takes(body(
                &["accessCode"],
                json!({ "accessCode": code(), "displayName": nullable(line(1, 50, "Grace")) }),
            ))
            .answers(joined())
            .creates(joined())
            .refuses(&refused)
            .refuses(&[NotFound]),
        post("/parties/{id}/join", "Join a party")
            .user()
            .once()
            .takes(body(&[], json!({ "accessCode": nullable(code()) })))
            .answers(joined())
            .creates(joined())
            .refuses(&refused),
        post("/parties/{id}/leave", "Leave a party").known().says_nothing().refuses(&[Forbidden]),
        put("/parties/{id}/rsvp", "Say whether one comes")
            .user()
            .takes(body(&["status"], json!({ "status": one_of(&RSVPS) })))
            .answers(attendee())
            .refuses(&refused),
        post("/parties/{id}/check-in", "Say that one has arrived")
            .known()
            .answers(attendee())
            .refuses(&[Forbidden, InvalidStatus]),
        get("/parties/{id}/attendees", "Who is in a party").pages(re("Attendee")).refuses(&[Forbidden]),
        put("/parties/{id}/cohosts/{userId}", "Make somebody a cohost")
            .known()
            .says_nothing()
            .refuses(&refused)
            .refuses(&[QuotaExceeded, Conflict]),
        delete("/parties/{id}/cohosts/{userId}", "Make somebody a cohost no more")
            .known()
            .says_nothing()
            .refuses(&[Forbidden]),
        delete("/parties/{id}/attendees/{userOrGuestId}", "Send somebody away")
            .known()
            .says_nothing()
            .refuses(&[Forbidden]),
        post("/parties/{id}/attendees/{userOrGuestId}/ban", "Send somebody away for good")
            .known()
            .takes(body(&[], json!({ "rotateCode": nullable(flag()) })))
            .says_nothing()
            .refuses(&[Forbidden]),
        delete("/parties/{id}/bans/{userOrGuestId}", "Let somebody come again")
            .known()
            .says_nothing()
            .refuses(&[Forbidden, Validation]),
    ]
}
