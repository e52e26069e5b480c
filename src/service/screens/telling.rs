//! Puts one logged event into the words of `/ws`.
//!
//! *Invariant:* every event is told or passed over, none is left out: numbers that nobody hears are still numbers.

use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{place, subjects::Subjects};
use crate::{
    db::events::Event,
    domain::{
        access::Standing,
        attendance::{Attendance, Attendee, Presence, Role},
        chat::Message,
        comment::Comment,
        event::EventKind,
        media::{Media, MediaStatus},
        party::Status,
    },
    realtime::{
        Audience, Close, EVERYTHING, Frame, Logged, ONLOOKERS, Place, Removal, audience_of, grant, logged,
    },
    service::{chat::Said, links::Links},
    view::{AttendeeView, PartyView, comment::CommentView, media::MediaView, message::MessageView},
};

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Data<'a> {
    Status { party_id: Uuid, status: &'static str },
    Party { party_id: Uuid, party: PartyView<'a> },
    Attendee { party_id: Uuid, attendee: AttendeeView<'a> },
    Erased { party_id: Uuid, attendee: OnlyId },
    Media { party_id: Uuid, media: MediaView<'a> },
    MediaRemoved { party_id: Uuid, media_id: Uuid, reason: &'a str },
    Comment { party_id: Uuid, comment: CommentView<'a> },
    CommentRemoved { party_id: Uuid, media_id: &'a Value, comment_id: Uuid },
    Message(Box<MessageView<'a>>),
    MessageRemoved { party_id: Uuid, message_id: Uuid },
    Reaction { party_id: Uuid, message_id: Uuid, emoji: &'a Value, count: &'a Value },
}

#[derive(Serialize)]
struct OnlyId {
    id: Uuid,
}

/// An event, and what there is to tell of it.
pub(super) struct Telling<'a> {
    pub(super) event: &'a Event,
    pub(super) subjects: &'a Subjects,
    pub(super) links: &'a Arc<Links>,
}

impl Telling<'_> {
    /// The event as it is sent now.
    pub(super) fn logged(&self) -> Logged {
        let (audience, frame) = match self.event.kind {
            // Words of a private party reach no onlooker, also those that were logged while it was public
            Some(kind) if self.subjects.party.plan.is_private => {
                (audience_of(kind).without(ONLOOKERS), self.tell(kind))
            }
            Some(kind) => (audience_of(kind), self.tell(kind)),
            None => (Audience::default(), Frame::text("")),
        };
        Logged { seq: self.event.seq, audience, frame, removal: self.removal() }
    }

    fn tell(&self, kind: EventKind) -> Frame {
        let party_id = self.subjects.party.id;
        match kind {
            EventKind::StatusChanged => {
                let status = self.fact("status").as_str().and_then(Status::named);
                let status = status.unwrap_or(self.subjects.party.status).name();
                self.say(kind, &Data::Status { party_id, status })
            }
            EventKind::PartyUpdated => {
                let party = PartyView::new(&self.subjects.party, &**self.links);
                self.say(kind, &Data::Party { party_id, party })
            }
            EventKind::AttendeeJoined | EventKind::AttendeeLeft | EventKind::AttendeeUpdated => {
                self.tell_of_attendee(kind)
            }
            EventKind::NewMedia | EventKind::MediaReady | EventKind::MediaUpdated => self.tell_of_media(kind),
            EventKind::MediaRemoved => {
                self.say_media_removed(self.fact("reason").as_str().unwrap_or("DELETED"))
            }
            EventKind::CommentAdded => self.tell_of_comment(kind),
            EventKind::CommentRemoved => self.say_comment_removed(),
            EventKind::NewMessage | EventKind::MessageUpdated => self.tell_of_message(kind),
            EventKind::MessageRemoved => self.say_message_removed(),
            EventKind::Reaction if self.message().is_none() => self.say_message_removed(),
            EventKind::Reaction => {
                let (emoji, count) = (self.fact("emoji"), self.fact("count"));
                self.say(kind, &Data::Reaction { party_id, message_id: self.subject(), emoji, count })
            }
        }
    }

    fn tell_of_attendee(&self, kind: EventKind) -> Frame {
        let party_id = self.subjects.party.id;
        match self.subjects.attendees.get(&self.subject()) {
            Some((attendee, presence)) => {
                let kind = if *presence == Presence::In { kind } else { EventKind::AttendeeLeft };
                self.say(
                    kind,
                    &Data::Attendee { party_id, attendee: AttendeeView::new(attendee, &**self.links) },
                )
            }
            None => {
                let attendee = OnlyId { id: self.subject() };
                self.say(EventKind::AttendeeLeft, &Data::Erased { party_id, attendee })
            }
        }
    }

    fn tell_of_media(&self, kind: EventKind) -> Frame {
        let Some(media) = self.subjects.media.get(&self.subject()) else {
            return self.say_media_removed("DELETED");
        };
        if matches!(media.status, MediaStatus::Failed | MediaStatus::Hidden) {
            return self.say_media_removed(media.status.as_str());
        }
        let (party_id, at) = (media.party_id, &**self.links);
        if kind == EventKind::NewMedia {
            // As it was then: what has become of it is told by an event that follows
            let then = Media { status: MediaStatus::Processing, seq: self.event.seq, ..media.clone() };
            return self.say(kind, &Data::Media { party_id, media: MediaView::new(&then, None, None, at) });
        }
        let urls = self.links.urls(media, self.subjects.party.signed_for());
        self.say(kind, &Data::Media { party_id, media: MediaView::new(media, urls, None, at) })
    }

    /// Of what is below a media that nobody sees any more nothing is shown either.
    fn tell_of_comment(&self, kind: EventKind) -> Frame {
        let comment = self.subjects.comments.get(&self.subject());
        let is_seen = |comment: &&Comment| {
            let media = self.subjects.media.get(&comment.media_id);
            media.is_some_and(|media| media.is_visible(Standing::Going, None))
        };
        match comment.filter(is_seen) {
            Some(comment) => {
                let party_id = self.subjects.party.id;
                self.say(kind, &Data::Comment { party_id, comment: CommentView::new(comment, &**self.links) })
            }
            None => self.say_comment_removed(),
        }
    }

    fn tell_of_message(&self, kind: EventKind) -> Frame {
        let Some(message) = self.message() else { return self.say_message_removed() };
        let signed_for = self.subjects.party.signed_for();
        let said = Said::new(message.clone(), &self.subjects.media, self.links, signed_for);
        self.say(kind, &Data::Message(Box::new(said.view())))
    }

    /// The message that it tells of, unless that was taken back.
    fn message(&self) -> Option<&Message> {
        self.subjects.messages.get(&self.subject()).filter(|message| message.deleted_at.is_none())
    }

    fn say_media_removed(&self, reason: &str) -> Frame {
        let (party_id, media_id) = (self.subjects.party.id, self.subject());
        self.say(EventKind::MediaRemoved, &Data::MediaRemoved { party_id, media_id, reason })
    }

    fn say_comment_removed(&self) -> Frame {
        let (party_id, media_id) = (self.subjects.party.id, self.fact("mediaId"));
        let data = Data::CommentRemoved { party_id, media_id, comment_id: self.subject() };
        self.say(EventKind::CommentRemoved, &data)
    }

    fn say_message_removed(&self) -> Frame {
        let (party_id, message_id) = (self.subjects.party.id, self.subject());
        self.say(EventKind::MessageRemoved, &Data::MessageRemoved { party_id, message_id })
    }

    fn say(&self, kind: EventKind, data: &Data<'_>) -> Frame {
        logged(kind, self.subjects.party.id, self.event.seq, data)
    }

    fn subject(&self) -> Uuid {
        self.event.subject_id.unwrap_or_default()
    }

    fn fact(&self, name: &str) -> &Value {
        self.event.facts.get(name).unwrap_or(&Value::Null)
    }

    /// Whom the event puts out or moves: who left hears nothing any more, nor does a display that was revoked; who has another
    /// place now, what that place allows, be it less or more; and a party that is private now leaves its members alone with each other.
    fn removal(&self) -> Option<Removal> {
        let party = &self.subjects.party;
        let known = self.event.subject_id.and_then(|id| self.subjects.attendees.get(&id));
        let (from, place) = match self.event.kind? {
            EventKind::PartyUpdated if self.fact("displayRevoked") == true => {
                let id = self.event.subject_id.map(|id| id.as_u128());
                return Some(Removal { id, from: EVERYTHING, grant: None, close: Some(Close::REMOVED) });
            }
            EventKind::PartyUpdated if party.plan.is_private => {
                return Some(Removal { id: None, from: ONLOOKERS, grant: None, close: None });
            }
            EventKind::AttendeeLeft => (EVERYTHING, None),
            EventKind::AttendeeJoined | EventKind::AttendeeUpdated => {
                let (Attendee { role, rsvp, .. }, presence) = known?;
                let now = Attendance { role: *role, presence: *presence, rsvp: *rsvp }.standing();
                let place = place(now, party.openness());
                (EVERYTHING.without(place.map_or(Audience::default(), Place::hears)), place)
            }
            _ => return None,
        };
        // Who was erased, and a guest who was sent away, have no other party to listen to
        let is_over = known.is_none_or(|(attendee, _)| {
            attendee.role == Role::Guest && matches!(self.fact("reason").as_str(), Some("REMOVED" | "BANNED"))
        });
        let id = self.event.subject_id?.as_u128();
        Some(Removal {
            id: Some(id),
            from,
            grant: place.map(grant),
            close: is_over.then_some(Close::REMOVED),
        })
    }
}
