//! What is said in a party's chat.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use serde_json::Value;
use uuid::Uuid;

use super::{
    fields::{Fields, Wrong, id, word},
    media::{Media, MediaStatus, MediaType},
    moment::Moment,
    person::Person,
    revision,
    text::{Line, MessageText},
};

/// How long a message can be edited, in minutes.
const EDITED_WITHIN: i64 = 15;
/// The most different emojis at one message.
pub const EMOJIS: usize = 20;

/// What sort of message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Words.
    Text,
    /// A picture, with or without words.
    Image,
    /// A clip.
    Video,
    /// A sound.
    Audio,
    /// Said by the service itself.
    System,
}

impl MessageType {
    const ALL: [Self; 5] = [Self::Text, Self::Image, Self::Video, Self::Audio, Self::System];

    /// The word on the wire and on disk.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "TEXT",
            Self::Image => "IMAGE",
            Self::Video => "VIDEO",
            Self::Audio => "AUDIO",
            Self::System => "SYSTEM",
        }
    }

    /// The value of that word.
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// What a message that shows such a media is, where its sender does not say.
    pub fn showing(media: MediaType) -> Self {
        match media {
            MediaType::Photo => Self::Image,
            MediaType::Video => Self::Video,
            MediaType::Audio => Self::Audio,
        }
    }
}

/// The sender's own name for a message, which makes a resend harmless.
pub type ClientId = Line<1, 128>;

/// What somebody wants to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The words; empty only beside a media.
    pub content: MessageText,
    /// What sort; never [`MessageType::System`].
    pub kind: Option<MessageType>,
    /// What it shows.
    pub media_id: Option<Uuid>,
    /// What it answers.
    pub reply_to_id: Option<Uuid>,
    /// The sender's own name for it.
    pub client_id: Option<ClientId>,
}

impl Draft {
    /// Reads one. `None`: something is wrong, which [`Fields::finish`] tells.
    pub fn read(fields: &mut Fields) -> Option<Self> {
        let content = fields.required("content", MessageText::read);
        let kind = fields.optional("type", kind);
        let media_id = fields.optional("mediaId", id);
        let reply_to_id = fields.optional("replyToId", id);
        let client_id = fields.optional("clientId", ClientId::read);
        let draft = Self {
            content: content?,
            kind: kind?,
            media_id: media_id?,
            reply_to_id: reply_to_id?,
            client_id: client_id?,
        };
        if draft.content.as_str().is_empty() && draft.media_id.is_none() {
            fields.refuse("content", &NOTHING);
            return None;
        }
        Some(draft)
    }
}

fn kind(value: &Value) -> Result<MessageType, Wrong> {
    match word(MessageType::named)(value)? {
        MessageType::System => Err(Wrong::new("NOT_ALLOWED", "is for the service's own messages")),
        kind => Ok(kind),
    }
}

/// A message as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// UUIDv7.
    pub id: Uuid,
    /// Where it was said.
    pub party_id: Uuid,
    /// Who said it.
    pub sender: Person,
    /// What sort.
    pub kind: MessageType,
    /// The words.
    pub content: String,
    /// What it shows, unless that is deleted.
    pub media_id: Option<Uuid>,
    /// What it answers.
    pub reply_to_id: Option<Uuid>,
    /// How often which emoji.
    pub reactions: BTreeMap<String, i64>,
    /// When.
    pub created_at: Moment,
    /// When it was edited last.
    pub edited_at: Option<Moment>,
    /// When it was taken back: of its words nothing is shown any more.
    pub deleted_at: Option<Moment>,
    /// That of its `chat:new_message`.
    pub seq: i64,
}

impl Message {
    /// Another when its words are others: what `If-Match` compares.
    pub fn revision(&self) -> i32 {
        revision::of([self.content.as_str()])
    }

    /// Whether its words may still be changed at `now`.
    pub fn takes_edits(&self, now: Moment) -> bool {
        now.0.duration_since(self.created_at.0) <= SignedDuration::from_mins(EDITED_WITHIN)
    }
}

/// Reads other words for `message`. `None`: something is wrong, which [`Fields::finish`] tells.
pub fn edit(fields: &mut Fields, message: &Message) -> Option<MessageText> {
    let content = fields.required("content", MessageText::read)?;
    if content.as_str().is_empty() && message.media_id.is_none() {
        fields.refuse("content", &NOTHING);
        return None;
    }
    Some(content)
}

const NOTHING: Wrong = Wrong::new("TOO_SHORT", "must say something, or show a media");

/// Whether that person may show that media in that party: what everybody sees there, or what is theirs and on its way.
pub fn may_show(person: Uuid, media: &Media, party: Uuid) -> bool {
    let is_on_its_way = matches!(media.status, MediaStatus::Pending | MediaStatus::Processing);
    media.party_id == party && (media.is_shown() || (is_on_its_way && media.is_of(Some(person))))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(value: &Value) -> Result<Draft, Vec<(String, &'static str)>> {
        let mut fields = Fields::new(value.as_object().unwrap().clone());
        let draft = Draft::read(&mut fields);
        fields
            .finish(draft)
            .map_err(|invalid| invalid.0.into_iter().map(|error| (error.path, error.code)).collect())
    }

    #[test]
    fn what_may_be_said() {
        let media = Uuid::nil().to_string();
        for value in [
            json!({ "content": "hi" }),
            json!({ "content": "hi", "type": null, "mediaId": null, "replyToId": null, "clientId": null }),
            json!({ "content": "x".repeat(2000), "type": "TEXT", "clientId": "1" }),
            json!({ "content": "", "mediaId": media, "type": "IMAGE", "more": 1 }),
        ] {
            assert!(read(&value).is_ok(), "{value}");
        }
        let long = "x".repeat(2001);
        for (value, path, code) in [
            (json!({}), "content", "REQUIRED"),
            (json!({ "content": null }), "content", "INVALID_TYPE"),
            (json!({ "content": "" }), "content", "TOO_SHORT"),
            (json!({ "content": "  \n" }), "content", "TOO_SHORT"),
            (json!({ "content": long }), "content", "TOO_LONG"),
            (json!({ "content": "a\u{0}" }), "content", "INVALID_CHARACTERS"),
            (json!({ "content": "hi", "type": "SYSTEM" }), "type", "NOT_ALLOWED"),
            (json!({ "content": "hi", "type": "text" }), "type", "UNKNOWN_VALUE"),
            (json!({ "content": "hi", "mediaId": "7" }), "mediaId", "INVALID_ID"),
            (json!({ "content": "hi", "replyToId": 7 }), "replyToId", "INVALID_ID"),
            (json!({ "content": "hi", "clientId": "" }), "clientId", "TOO_SHORT"),
            (json!({ "content": "hi", "clientId": "x".repeat(129) }), "clientId", "TOO_LONG"),
        ] {
            assert_eq!(read(&value).unwrap_err(), [(path.to_owned(), code)], "{value}");
        }
    }
}
