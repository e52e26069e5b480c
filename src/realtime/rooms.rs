//! The rooms of a party: who is let in, what is heard there, and who decides.

use std::{sync::Arc, time::Instant};

use futures_util::future::BoxFuture;
use party_gallery_actors::realtime::{Audience, Grant, Topic};
use serde_json::value::RawValue;
use uuid::Uuid;

use super::{presence::Seen, principal::Principal, recovery::Recoveries, refusal::Refusal};
use crate::domain::{event::EventKind, presence::Status};

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
    pub fn number(self) -> u8 {
        match self {
            Self::Live => 0,
            Self::Chat => 1,
        }
    }

    /// The room that the mechanism knows so.
    pub fn numbered(number: u8) -> Option<Self> {
        [Self::Live, Self::Chat].into_iter().find(|room| room.number() == number)
    }
}

/// Those who may read the party only as long as it is public.
pub const ONLOOKERS: Audience = Audience(1);
/// Those who may read it even when it is private.
const MEMBERS: Audience = Audience(8);
/// Those who may read it.
const READERS: Audience = ONLOOKERS.and(MEMBERS);
/// Those who take part in it.
const ATTENDEES: Audience = Audience(2);
/// Those who hear the chat.
const CHAT: Audience = Audience(4);

/// Those who are in the chat's own room.
const IN_CHAT: Audience = Audience(16);

/// All of a party: what somebody hears no more who is put out of it.
pub const EVERYTHING: Audience = READERS.and(ATTENDEES).and(CHAT).and(IN_CHAT);

/// What somebody is to a party, as far as it decides what they hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// May read it as long as it is public.
    Onlooker,
    /// May read it even when it is private.
    Member,
    /// Takes part: host, cohost, user GOING or guest.
    Attendee,
}

impl Place {
    /// All that is heard from there.
    pub fn hears(self) -> Audience {
        match self {
            Self::Onlooker => ONLOOKERS,
            Self::Member => READERS,
            Self::Attendee => EVERYTHING,
        }
    }
}

/// Who gets a logged event.
pub fn audience_of(kind: EventKind) -> Audience {
    match kind {
        _ if kind.is_chat() => CHAT,
        _ if kind.is_for_attendees() => ATTENDEES,
        _ => READERS,
    }
}

/// What is heard in a room.
pub(super) fn heard_in(room: Room, place: Place) -> Audience {
    match room {
        Room::Chat => CHAT.and(IN_CHAT),
        Room::Live => place.hears().without(IN_CHAT),
    }
}

/// What somebody hears in [`Room::Live`] once that is their place.
pub fn grant(place: Place) -> Grant {
    Grant { whom: READERS, to: heard_in(Room::Live, place) }
}

/// Who is told of who is in a room: typing and who is there belong to the chat alone, viewers to `party:`.
pub(super) fn told_of(room: Room) -> Audience {
    match room {
        Room::Chat => IN_CHAT,
        Room::Live => READERS,
    }
}

/// The topic of a party's stream.
pub fn topic(party: Uuid) -> Topic {
    Topic(party.as_u128())
}

/// The party of a topic.
pub fn party(topic: Topic) -> Uuid {
    Uuid::from_u128(topic.0)
}

/// Somebody who was let in. All of it is of one moment: read in one statement, perhaps with that of others.
#[derive(Clone, Debug)]
pub struct Admission {
    /// The party's last number.
    pub seq: i64,
    /// The log's line of history.
    pub epoch: Uuid,
    /// What they are to the party.
    pub place: Place,
    /// Their UserSummary, JSON; displays have none and are no viewers.
    pub face: Option<Box<RawValue>>,
}

/// Somebody who was let into the chat.
#[derive(Clone, Debug)]
pub struct ChatAdmission {
    /// The party's last number when the messages were read, in the same statement.
    pub seq: i64,
    /// The last 50 messages as REST lists them, or fewer so that twice their bytes leave an outbox half empty: a JSON
    /// array of Message, newest first.
    pub messages: Box<RawValue>,
    /// Their UserSummary, JSON.
    pub face: Option<Box<RawValue>>,
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
    /// Whether the good token of `caller` is still worth something. Who cannot be looked up now is let in: they are
    /// judged again.
    ///
    /// # Errors
    ///
    /// `UNAUTHENTICATED`.
    fn recognize(&self, caller: Principal) -> BoxFuture<'static, Result<(), Refusal>>;

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

    /// Notes how the person `caller` wants to be seen, `now`.
    fn be_seen(&self, caller: Uuid, status: Status, now: Instant);

    /// Who of these people is there, in their order, as far as the person `caller` may know.
    ///
    /// # Errors
    ///
    /// `UNAVAILABLE`, `INTERNAL`.
    fn check(
        &self,
        caller: Uuid,
        people: Vec<Uuid>,
        now: Instant,
    ) -> BoxFuture<'static, Result<Vec<Seen>, Refusal>>;

    /// Who keeps what it takes to recover sessions; without there is no recovery.
    fn recoveries(&self) -> Option<Arc<dyn Recoveries>> {
        None
    }

    /// Marks as read what `caller` was told; of what they were not told nothing is said.
    ///
    /// # Errors
    ///
    /// `FORBIDDEN` but to users, `UNAVAILABLE`, `INTERNAL`.
    fn mark_read(&self, caller: Principal, told: Vec<Uuid>) -> BoxFuture<'static, Result<(), Refusal>>;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract's "One stream per party", as a table.
    #[test]
    fn who_hears_what() {
        let hears = |room, place| {
            let audience = heard_in(room, place);
            EventKind::ALL.into_iter().filter(|kind| audience.meets(audience_of(*kind))).collect::<Vec<_>>()
        };
        assert_eq!(hears(Room::Live, Place::Attendee), EventKind::ALL);
        for (room, told) in [(Room::Live, Room::Live), (Room::Chat, Room::Chat)] {
            for other in [Room::Live, Room::Chat] {
                let is_told = heard_in(other, Place::Attendee).meets(told_of(told));
                assert_eq!(is_told, room == other, "of who is in {told:?}, in {other:?}");
            }
        }
        let chat: Vec<_> = EventKind::ALL.into_iter().filter(|kind| kind.is_chat()).collect();
        assert_eq!(hears(Room::Chat, Place::Attendee), chat);
        let public: Vec<_> = EventKind::ALL.into_iter().filter(|kind| !kind.is_for_attendees()).collect();
        for place in [Place::Member, Place::Onlooker] {
            assert_eq!(hears(Room::Live, place), public);
        }
    }
}
