//! Media and what people do with them.

use serde_json::{Value, json};

use super::{
    operation::{Described, delete, get, patch, post, put},
    schema::{body, count, id, nullable, one_of, prose, re, tags, text, under},
    shapes::{MEDIA_STATUSES, MEDIA_TYPES, MOODS},
};
use crate::{
    domain::limits as l,
    http::problem::Code::{Conflict, Forbidden, InvalidStatus, QuotaExceeded},
};

fn words() -> Value {
    json!({
        "caption": nullable(prose(0, 500, "On the roof")),
        "mood": nullable(one_of(&MOODS)),
        "tags": tags(),
    })
}

fn form() -> Value {
    body(
        &["file"],
        json!({
            "file": { "type": "string", "contentMediaType": "image/*", "format": "binary" },
            "caption": prose(0, 500, "On the roof"),
            "mood": one_of(&MOODS),
            "tags": { "type": "string", "description": "With commas between them", "examples": ["summer,night"] },
        }),
    )
}

fn one() -> Value {
    under("media", re("Media"))
}

pub(super) fn media() -> Vec<Described> {
    let file = |path, summary| get(path, summary).answers_with("image/*").in_parts();
    vec![
        get("/parties/{id}/media", "The gallery of a party")
            .asks("type", one_of(&MEDIA_TYPES), "Of this sort")
            .asks("mood", one_of(&MOODS), "With this mood")
            .asks("uploaderId", id(), "Of this person")
            .asks("tag", text(1, l::TAG_LENGTH, "summer"), "With this tag")
            .asks("status", one_of(&MEDIA_STATUSES), "In this status; READY where it is not said")
            .asks("since", count(0), "With a higher seq")
            .asks("sort", one_of(&["newest", "oldest", "top"]), "In this order; newest where it is not said")
            .pages(re("Media")),
        post("/parties/{id}/media", "Bring a photo")
            .known()
            .once()
            .takes_form(form())
            .answers(one())
            .creates(one())
            .refuses(&[Forbidden, InvalidStatus, QuotaExceeded]),
        get("/media/{id}", "A media").answers(one()),
        patch("/media/{id}", "Edit the words of a media")
            .known()
            .if_unchanged()
            .takes(body(&[], words()))
            .answers(one())
            .refuses(&[Forbidden, InvalidStatus]),
        delete("/media/{id}", "Delete a media").known().says_nothing().refuses(&[Forbidden]),
        file("/media/{id}/file", "The file of a media"),
        file("/media/{id}/preview", "A media for a screen"),
        file("/media/{id}/thumb", "A media for a tile"),
        put("/media/{id}/like", "Like a media").known().says_nothing().refuses(&[
            Forbidden,
            InvalidStatus,
            Conflict,
        ]),
        delete("/media/{id}/like", "Like a media no more").known().says_nothing().refuses(&[Forbidden]),
        put("/media/{id}/favorite", "Make a media a favourite").user().says_nothing().refuses(&[Conflict]),
        delete("/media/{id}/favorite", "Make a media no favourite").user().says_nothing(),
        get("/media/{id}/comments", "What is said below a media")
            .known()
            .pages(re("Comment"))
            .refuses(&[Forbidden]),
        post("/media/{id}/comments", "Say something below a media")
            .known()
            .once()
            .takes(body(&["content"], json!({ "content": prose(1, 500, "What a night!") })))
            .creates(under("comment", re("Comment")))
            .refuses(&[Forbidden, InvalidStatus, Conflict]),
        delete("/media/{id}/comments/{commentId}", "Take a comment back")
            .known()
            .says_nothing()
            .refuses(&[Forbidden]),
        post("/media/{id}/report", "Report a media")
            .known()
            .takes(body(&[], json!({ "reason": nullable(prose(0, 500, "Not for children")) })))
            .says_nothing()
            .refuses(&[Forbidden, Conflict]),
        post("/media/{id}/hide", "Hide a media").known().answers(one()).refuses(&[Forbidden, Conflict]),
        post("/media/{id}/unhide", "Show a media again")
            .known()
            .answers(one())
            .refuses(&[Forbidden, Conflict]),
    ]
}
