//! The contract's shapes.

use serde_json::{Map, Value, json};

use super::schema::{
    body, count, flag, id, line, link, list, moment, nullable, number, one_of, re, shape, with, word,
};
use crate::domain::limits as l;

const STATUSES: [&str; 5] = ["DRAFT", "PLANNED", "LIVE", "ENDED", "CANCELLED"];
pub(super) const MEDIA_TYPES: [&str; 3] = ["PHOTO", "VIDEO", "AUDIO"];
pub(super) const MEDIA_STATUSES: [&str; 5] = ["PENDING", "PROCESSING", "READY", "FAILED", "HIDDEN"];
pub(super) const MOODS: [&str; 6] = ["HYPE", "CHILL", "WILD", "ROMANTIC", "CRAZY", "ELEGANT"];
pub(super) const RSVPS: [&str; 3] = ["GOING", "MAYBE", "NOT_GOING"];
const ROLES: [&str; 5] = ["host", "cohost", "attendee", "guest", "display"];
pub(super) const MESSAGE_TYPES: [&str; 4] = ["TEXT", "IMAGE", "VIDEO", "AUDIO"];
pub(super) const PLATFORMS: [&str; 6] =
    ["instagram", "tiktok", "twitter", "facebook", "pinterest", "spotify"];
pub(super) const DEVICES: [&str; 3] = ["ios", "android", "web"];
const NOTIFICATIONS: [&str; 13] = [
    "FOLLOW",
    "LIKE",
    "COMMENT",
    "NEW_RSVP",
    "NEW_PARTY",
    "PARTY_INVITE",
    "PARTY_START",
    "PARTY_END",
    "PARTY_CANCELLED",
    "PARTY_REMINDER",
    "NEW_MEDIA",
    "TAGGED_IN_MEDIA",
    "SYSTEM",
];

/// Every shape by its name.
pub(super) fn shapes() -> Map<String, Value> {
    let shapes = [
        ("UserSummary", shape(summary(), &[])),
        ("User", shape(user(), &["email", "notificationsEnabled", "viewer"])),
        ("Guest", guest()),
        ("Venue", venue()),
        ("Party", shape(party(), &["accessCode", "joinUrl", "viewer"])),
        ("Preview", preview()),
        ("Attendee", attendee()),
        ("Display", display()),
        ("Media", shape(media(), &["failure", "viewer"])),
        ("Comment", comment()),
        ("Message", message()),
        ("Notification", notification()),
        ("Device", device()),
        ("SocialLink", social_link()),
        ("Tag", tag()),
        ("Meta", meta()),
        ("Problem", problem()),
    ];
    shapes.into_iter().map(|(name, schema)| (name.to_owned(), schema)).collect()
}

fn tags() -> Value {
    list(word("summer"))
}

fn summary() -> Value {
    json!({
        "id": id(),
        "username": nullable(word("ada")),
        "displayName": word("Ada"),
        "firstName": nullable(word("Ada")),
        "lastName": nullable(word("Lovelace")),
        "avatarUrl": nullable(link()),
        "isGuest": flag(),
    })
}

fn user() -> Value {
    let mut user = summary();
    let more = json!({
        "bio": nullable(word("Numbers, and dances.")),
        "interests": tags(),
        "followersCount": count(0),
        "followingCount": count(0),
        "createdAt": moment(),
        "email": { "type": "string", "format": "email" },
        "notificationsEnabled": flag(),
        "viewer": shape(json!({ "isFollowing": flag() }), &[]),
    });
    if let (Some(user), Value::Object(more)) = (user.as_object_mut(), more) {
        user.extend(more);
    }
    user
}

fn guest() -> Value {
    shape(json!({ "id": id(), "displayName": word("Grace"), "partyId": id(), "createdAt": moment() }), &[])
}

fn venue() -> Value {
    let degrees = |most: i64| json!({ "type": "number", "minimum": -most, "maximum": most });
    let there = json!({
        "required": ["latitude", "longitude"],
        "properties": { "latitude": degrees(90), "longitude": degrees(180) },
    });
    let nowhere =
        json!({ "properties": { "latitude": { "type": "null" }, "longitude": { "type": "null" } } });
    let fields = json!({
        "name": line(1, 200, "The old mill"),
        "address": nullable(line(0, 500, "Mill Lane 1")),
        "city": nullable(line(0, 500, "Rye")),
        "country": nullable(line(0, 500, "England")),
        "latitude": nullable(with(degrees(90), "examples", json!([50.95]))),
        "longitude": nullable(with(degrees(180), "examples", json!([0.73]))),
        "placeId": nullable(line(0, 500, "mill")),
    });
    with(body(&["name"], fields), "anyOf", json!([there, nowhere]))
}

fn party() -> Value {
    json!({
        "id": id(),
        "title": word("Summer night"),
        "description": nullable(word("Bring a lamp.")),
        "coverImageUrl": nullable(link()),
        "startsAt": moment(),
        "endsAt": nullable(moment()),
        "startedAt": nullable(moment()),
        "endedAt": nullable(moment()),
        "status": one_of(&STATUSES),
        "isPrivate": flag(),
        "maxAttendees": nullable(number(*l::ATTENDEES.start(), *l::ATTENDEES.end())),
        "attendeesCount": count(0),
        "mediaCount": count(0),
        "tags": tags(),
        "host": re("UserSummary"),
        "venue": nullable(re("Venue")),
        "createdAt": moment(),
        "updatedAt": moment(),
        "seq": count(0),
        "accessCode": nullable(word("PQRS-2345")),
        "joinUrl": nullable(link()),
        "viewer": shape(
            json!({
                "role": nullable(one_of(&ROLES)),
                "rsvp": nullable(one_of(&RSVPS)),
                "isFavorite": flag(),
            }),
            &[],
        ),
    })
}

fn preview() -> Value {
    let fields = json!({
        "title": word("Summer night"),
        "coverUrl": nullable(link()),
        "startsAt": moment(),
        "status": one_of(&STATUSES),
        "host": re("UserSummary"),
    });
    shape(fields, &[])
}

fn attendee() -> Value {
    let fields = json!({
        "id": id(),
        "user": re("UserSummary"),
        "role": one_of(&ROLES),
        "status": one_of(&RSVPS),
        "joinedAt": moment(),
        "checkedInAt": nullable(moment()),
    });
    shape(fields, &[])
}

fn display() -> Value {
    shape(json!({ "id": id(), "name": nullable(word("Dance floor")), "createdAt": moment() }), &[])
}

fn media() -> Value {
    let urls = json!({ "file": link(), "preview": nullable(link()), "thumb": nullable(link()) });
    let viewer = json!({ "isLiked": flag(), "isFavorite": flag(), "canDelete": flag() });
    json!({
        "id": id(),
        "partyId": id(),
        "type": one_of(&MEDIA_TYPES),
        "status": one_of(&MEDIA_STATUSES),
        "mood": nullable(one_of(&MOODS)),
        "caption": nullable(word("On the roof")),
        "tags": tags(),
        "width": nullable(count(1)),
        "height": nullable(count(1)),
        "duration": nullable(json!({ "type": "number", "minimum": 0 })),
        "size": count(0),
        "contentType": word("image/jpeg"),
        "thumbhash": nullable(word("1QcSHQRnh493V4dIh4eXh1h4kJUI")),
        "urls": nullable(shape(urls, &[])),
        "likesCount": count(0),
        "commentsCount": count(0),
        "viewsCount": count(0),
        "uploader": re("UserSummary"),
        "createdAt": moment(),
        "seq": count(0),
        "failure": word("it could not be decoded"),
        "viewer": shape(viewer, &[]),
    })
}

fn comment() -> Value {
    let fields = json!({
        "id": id(),
        "mediaId": id(),
        "author": re("UserSummary"),
        "content": word("What a night!"),
        "createdAt": moment(),
    });
    shape(fields, &[])
}

fn message() -> Value {
    let fields = json!({
        "id": id(),
        "partyId": id(),
        "sender": re("UserSummary"),
        "type": one_of(&["TEXT", "IMAGE", "VIDEO", "AUDIO", "SYSTEM"]),
        "content": word("See you there"),
        "media": nullable(re("Media")),
        "replyToId": nullable(id()),
        "reactions": { "type": "object", "additionalProperties": count(1), "examples": [{ "🎉": 2 }] },
        "createdAt": moment(),
        "editedAt": nullable(moment()),
        "deletedAt": nullable(moment()),
        "seq": count(1),
    });
    shape(fields, &[])
}

fn notification() -> Value {
    let data = json!({ "partyId": id(), "mediaId": id(), "userId": id(), "commentId": id() });
    let fields = json!({
        "id": id(),
        "type": one_of(&NOTIFICATIONS),
        "title": word("Ada follows you"),
        "body": word(""),
        "data": shape(data, &["partyId", "mediaId", "userId", "commentId"]),
        "read": flag(),
        "createdAt": moment(),
    });
    shape(fields, &[])
}

fn device() -> Value {
    shape(json!({ "id": id(), "platform": one_of(&DEVICES), "createdAt": moment() }), &[])
}

fn social_link() -> Value {
    let fields = json!({
        "platform": one_of(&PLATFORMS),
        "url": { "type": "string", "format": "uri", "maxLength": 300, "examples": ["https://www.instagram.com/ada"] },
    });
    shape(fields, &[])
}

fn tag() -> Value {
    shape(json!({ "tag": word("summer"), "count": count(1) }), &[])
}

fn meta() -> Value {
    let fields = json!({
        "limit": number(1, 100),
        "nextCursor": nullable(word("WzcsImEiXQ")),
        "hasMore": flag(),
        "seq": count(0),
        "unread": count(0),
    });
    shape(fields, &["seq", "unread"])
}

fn problem() -> Value {
    let error = json!({ "path": word("title"), "message": word("is required"), "code": word("REQUIRED") });
    let fields = json!({
        "type": word("urn:party-gallery:problem:not_found"),
        "title": word("Not found"),
        "status": number(400, 599),
        "detail": word("There is nothing here for you"),
        "instance": word("urn:uuid:0190f3c2-7c1a-7d2e-8a4b-1c2d3e4f5a6b"),
        "code": word("NOT_FOUND"),
        "requestId": word("0190f3c2-7c1a-7d2e-8a4b-1c2d3e4f5a6b"),
        "success": { "type": "boolean", "const": false },
        "message": word("There is nothing here for you"),
        "errors": list(shape(error, &[])),
    });
    shape(fields, &["errors"])
}
