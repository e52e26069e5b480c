//! The rooms of a party: who is let in, what is heard there, and who decides.

use futures_util::future::BoxFuture;
use party_gallery_actors::realtime::{Audience, Topic};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{principal::Principal, refusal::Refusal};
use crate::domain::event::EventKind;

/// What of a party may be listened to. Both are parts of the party's one stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Room {
    /// `party:`: what happens, and who watches.
    Live,
    /// `chat:`: what is said.
    Chat,
}

impl Room {
    /// Under what the mechanism knows it.
    pub(super) fn number(self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Chat => 1,
        }
    }
}

/// Those who may read the party.
const READERS: Audience = Audience(1);
/// Those who take part in it.
const ATTENDEES: Audience = Audience(2);
/// Those who hear the chat.
const CHAT: Audience = Audience(4);

/// All of a party: what somebody hears no more who is put out of it.
pub const EVERYTHING: Audience = READERS.and(ATTENDEES).and(CHAT);

/// Who gets a logged event.
pub fn audience_of(kind: EventKind) -> Audience {
    match kind {
        _ if kind.is_chat() => CHAT,
        _ if kind.is_for_attendees() => ATTENDEES,
        _ => READERS,
    }
}

/// What is heard in a room.
pub(super) fn heard_in(room: Room, is_attendee: bool) -> Audience {
    match (room, is_attendee) {
        (Room::Chat, _) => CHAT,
        (Room::Live, true) => EVERYTHING,
        (Room::Live, false) => READERS,
    }
}

/// Who is told of viewers.
pub(super) const TOLD_OF_VIEWERS: Audience = READERS;

/// The topic of a party's stream.
pub fn topic(party: Uuid) -> Topic {
    Topic(party.as_u128())
}

/// The party of a topic.
pub fn party(topic: Topic) -> Uuid {
    Uuid::from_u128(topic.0)
}

/// Somebody who was let in. All of it is of one moment: read in one statement.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The party's last number.
    pub seq: i64,
    /// The log's line of history.
    pub epoch: Uuid,
    /// Whether they take part: host, cohost, user GOING or guest.
    pub is_attendee: bool,
    /// Their UserSummary, JSON; displays have none and are no viewers.
    pub face: Option<Box<RawValue>>,
}

/// Somebody who was let into the chat.
#[derive(Clone, Debug)]
pub struct ChatAdmission {
    /// The party's last number when the messages were read, in the same statement.
    pub seq: i64,
    /// The last 50 messages as REST lists them: a JSON array of Message, newest first.
    pub messages: Box<RawValue>,
}

/// Something to be said in the chat, as the client sent it; what is wrong with its text is told by who says it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Utterance {
    /// Where.
    pub party_id: Uuid,
    /// What.
    pub content: String,
    /// A MessageType; TEXT where there is none.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// The media that it shows.
    pub media_id: Option<Uuid>,
    /// The message that it answers.
    pub reply_to_id: Option<Uuid>,
    /// Makes a resend harmless.
    pub client_id: Option<String>,
}

/// Decides who is let in and does what needs data. Each answer is waited for at most `Config::answer_deadline`.
pub trait Rooms: Send + Sync + 'static {
    /// Lets `caller` follow a party: who may read it, and the display of its gallery.
    ///
    /// # Errors
    ///
    /// `NOT_FOUND` (also for what the caller may not know of), `UNAVAILABLE`, `INTERNAL`.
    fn watch(&self, caller: Principal, party: Uuid) -> BoxFuture<'static, Result<Admission, Refusal>>;

    /// Lets `caller` into a party's chat: attendees.
    ///
    /// # Errors
    ///
    /// As [`Rooms::watch`], and `FORBIDDEN`.
    fn talk(&self, caller: Principal, party: Uuid) -> BoxFuture<'static, Result<ChatAdmission, Refusal>>;

    /// Says something in a party's chat, as POST of REST does. Gives the Message, JSON.
    ///
    /// # Errors
    ///
    /// As [`Rooms::talk`], `VALIDATION_ERROR`, `INVALID_STATUS`, `RATE_LIMITED`, `OUTCOME_UNKNOWN`.
    fn say(&self, caller: Principal, said: Utterance) -> BoxFuture<'static, Result<Box<RawValue>, Refusal>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract's "One stream per party", as a table.
    #[test]
    fn who_hears_what() {
        let hears = |room, is_attendee| {
            let audience = heard_in(room, is_attendee);
            EventKind::ALL.into_iter().filter(|kind| audience.meets(audience_of(*kind))).collect::<Vec<_>>()
        };
        assert_eq!(hears(Room::Live, true), EventKind::ALL);
        let chat: Vec<_> = EventKind::ALL.into_iter().filter(|kind| kind.is_chat()).collect();
        assert_eq!(hears(Room::Chat, true), chat);
        let public: Vec<_> = EventKind::ALL.into_iter().filter(|kind| !kind.is_for_attendees()).collect();
        assert_eq!(hears(Room::Live, false), public);
    }
}
