//! Chat, what people are told of, and the service itself.

use serde_json::json;

use super::{
    operation::{Described, delete, get, patch, post, put},
    schema::{body, id, line, nullable, number, one_of, printable, prose, re, shape, text, under, word},
    shapes::{DEVICES, MESSAGE_TYPES},
};
use crate::http::problem::Code::{Conflict, Forbidden, InvalidStatus, QuotaExceeded, Validation};

pub(super) fn chat() -> Vec<Described> {
    let message = || under("message", re("Message"));
    vec![
        get("/parties/{id}/chat/messages", "What was said in a party")
            .known()
            .pages(re("Message"))
            .refuses(&[Forbidden]),
        post("/parties/{id}/chat/messages", "Say something in a party")
            .known()
            .once()
            .takes(body(
                &["content"],
                json!({
                    "content": prose(0, 2000, "See you there"),
                    "type": nullable(one_of(&MESSAGE_TYPES)),
                    "mediaId": nullable(id()),
                    "replyToId": nullable(id()),
                    "clientId": nullable(line(1, 128, "m-1")),
                }),
            ))
            .answers(message())
            .creates(message())
            .refuses(&[Forbidden, InvalidStatus, Conflict]),
        patch("/parties/{id}/chat/messages/{messageId}", "Edit a message")
            .known()
            .if_unchanged()
            .takes(body(&["content"], json!({ "content": prose(0, 2000, "See you here") })))
            .answers(message())
            .refuses(&[Forbidden, InvalidStatus]),
        delete("/parties/{id}/chat/messages/{messageId}", "Take a message back")
            .known()
            .says_nothing()
            .refuses(&[Forbidden]),
        put("/parties/{id}/chat/messages/{messageId}/reactions/{emoji}", "React to a message")
            .known()
            .says_nothing()
            .refuses(&[Forbidden, InvalidStatus, Validation, QuotaExceeded]),
        delete("/parties/{id}/chat/messages/{messageId}/reactions/{emoji}", "Take a reaction back")
            .known()
            .says_nothing()
            .refuses(&[Forbidden, InvalidStatus, Validation]),
        put("/parties/{id}/chat/read", "Say how far one has read")
            .known()
            .takes(body(&["messageId"], json!({ "messageId": id() })))
            .says_nothing()
            .refuses(&[Forbidden]),
    ]
}

pub(super) fn notifications() -> Vec<Described> {
    vec![
        get("/notifications", "What one is told of")
            .user()
            .asks(
                "unread",
                one_of(&["true", "false"]),
                "Only those that were not read, or only those that were",
            )
            .pages(re("Notification")),
        put("/notifications/read-all", "Have read everything").user().says_nothing(),
        put("/notifications/{id}/read", "Have read one").user().says_nothing(),
        post("/devices", "Be told on a device")
            .user()
            .once()
            .takes(body(
                &["token", "platform"],
                json!({ "token": printable(1, 4096, "a push token"), "platform": one_of(&DEVICES) }),
            ))
            .answers(under("device", re("Device")))
            .creates(under("device", re("Device"))),
        delete("/devices/{deviceId}", "Be told on a device no more").user().says_nothing(),
    ]
}

pub(super) fn service() -> Vec<Described> {
    let bytes = || number(1, 1_000_000_000);
    vec![
        get("/config", "The limits of the service").answers(shape(
            json!({
                "version": word("0.1.0"),
                "photo": shape(
                    json!({
                        "types": { "type": "array", "items": word("image/jpeg") },
                        "maxBytes": bytes(),
                        "maxPixels": bytes(),
                    }),
                    &[],
                ),
                "party": shape(
                    json!({ "minAttendees": bytes(), "maxAttendees": bytes(), "maxHours": bytes() }),
                    &[],
                ),
                "tags": shape(json!({ "max": bytes(), "maxLength": bytes() }), &[]),
                "json": shape(json!({ "maxBytes": bytes() }), &[]),
            }),
            &[],
        )),
        get("/tags", "Tags that begin so").asks("q", text(0, 50, "sum"), "How they begin").pages(re("Tag")),
        get("/tags/popular", "Tags that are used most").pages(re("Tag")),
    ]
}
