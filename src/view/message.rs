//! Messages as clients see them.

use std::{borrow::Cow, collections::BTreeMap};

use serde::Serialize;
use uuid::Uuid;

use super::{Addresses, UserSummary, media::MediaView};
use crate::domain::{chat::Message, moment::Moment};

/// A message; of one that was taken back only that it was there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MessageView<'a> {
    id: Uuid,
    party_id: Uuid,
    sender: UserSummary<'a>,
    #[serde(rename = "type")]
    kind: &'static str,
    content: &'a str,
    media: Option<MediaView<'a>>,
    reply_to_id: Option<Uuid>,
    reactions: Cow<'a, BTreeMap<String, i64>>,
    created_at: Moment,
    edited_at: Option<Moment>,
    deleted_at: Option<Moment>,
    seq: i64,
}

impl<'a> MessageView<'a> {
    /// With the media that it shows, as far as everybody in the party may see it.
    pub fn new(message: &'a Message, media: Option<MediaView<'a>>, at: &dyn Addresses) -> Self {
        let is_there = message.deleted_at.is_none();
        Self {
            id: message.id,
            party_id: message.party_id,
            sender: UserSummary::new(&message.sender, at),
            kind: message.kind.as_str(),
            content: if is_there { &message.content } else { "" },
            media: media.filter(|_| is_there),
            reply_to_id: message.reply_to_id,
            reactions: if is_there { Cow::Borrowed(&message.reactions) } else { Cow::default() },
            created_at: message.created_at,
            edited_at: message.edited_at,
            deleted_at: message.deleted_at,
            seq: message.seq,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        domain::{chat::MessageType, person::Person},
        view::addresses::Nowhere,
    };

    #[test]
    fn of_a_message_that_was_taken_back_no_word_is_shown() {
        let at = |second| Moment(jiff::Timestamp::from_second(second).unwrap());
        let mut message = Message {
            id: Uuid::from_u128(1),
            party_id: Uuid::from_u128(2),
            sender: Person {
                id: Uuid::from_u128(3),
                username: None,
                display_name: "Ada".to_owned(),
                first_name: None,
                last_name: None,
                avatar_id: Some(Uuid::from_u128(4)),
            },
            kind: MessageType::Text,
            content: "hello".to_owned(),
            media_id: None,
            reply_to_id: None,
            reactions: BTreeMap::from([("🎉".to_owned(), 2)]),
            created_at: at(0),
            edited_at: None,
            deleted_at: None,
            seq: 7,
        };
        let view = serde_json::to_value(MessageView::new(&message, None, &Nowhere)).unwrap();
        let expected = json!({
            "id": Uuid::from_u128(1),
            "partyId": Uuid::from_u128(2),
            "sender": {
                "id": Uuid::from_u128(3), "username": null, "displayName": "Ada", "firstName": null,
                "lastName": null, "avatarUrl": "avatar 4", "isGuest": true,
            },
            "type": "TEXT",
            "content": "hello",
            "media": null,
            "replyToId": null,
            "reactions": { "🎉": 2 },
            "createdAt": "1970-01-01T00:00:00.000Z",
            "editedAt": null,
            "deletedAt": null,
            "seq": 7,
        });
        assert_eq!(view, expected);
        message.deleted_at = Some(at(1));
        let view = serde_json::to_value(MessageView::new(&message, None, &Nowhere)).unwrap();
        assert_eq!((&view["content"], &view["deletedAt"]), (&json!(""), &json!("1970-01-01T00:00:01.000Z")));
        assert_eq!(view["reactions"], json!({}));
    }
}
