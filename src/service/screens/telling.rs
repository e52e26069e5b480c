//! Puts one logged event into the words of `/ws`.
//!
//! *Invariant:* every event is told or passed over, none is left out: numbers that nobody hears are still numbers.

use serde::Serialize;
use serde_json::Value;
use uuid::Uuid;

use super::{audience, subjects::Subjects};
use crate::{
    db::events::Event,
    domain::{
        attendance::{Attendance, Attendee, Presence, Role},
        event::EventKind,
        media::{Media, MediaStatus},
        party::Status,
    },
    realtime::{Audience, Close, Frame, Kind, Logged, Removal},
    service::{chat::Said, links::Links},
    view::{AttendeeView, PartyView, media::MediaView, message::MessageView},
};

/// Who is sent away for good: the socket of a guest is of no more use.
const SENT_AWAY: Close = Close::new(4010, "removed");

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Sent<'a> {
    event: &'static str,
    data: Data<'a>,
    party_id: Uuid,
    seq: i64,
}

#[derive(Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Data<'a> {
    Status { party_id: Uuid, status: &'a str },
    Party { party_id: Uuid, party: PartyView<'a> },
    Attendee { party_id: Uuid, attendee: AttendeeView<'a> },
    Erased { party_id: Uuid, attendee: OnlyId },
    Media { party_id: Uuid, media: MediaView<'a> },
    MediaRemoved { party_id: Uuid, media_id: Uuid, reason: &'a str },
    CommentRemoved { party_id: Uuid, media_id: Value, comment_id: Uuid },
    Message(MessageView<'a>),
    MessageRemoved { party_id: Uuid, message_id: Uuid },
    Reaction { party_id: Uuid, message_id: Uuid, emoji: Value, count: Value },
}

#[derive(Serialize)]
struct OnlyId {
    id: Uuid,
}

/// The event as it is sent now.
pub(super) fn tell(event: &Event, subjects: &Subjects, links: &Links) -> Logged {
    let told = event.kind.and_then(|kind| {
        let frame = frame(event, kind, subjects, links)?;
        Some((audience::of_event(kind, subjects.party.openness()), frame))
    });
    let (audience, frame) = told.unwrap_or_else(|| (Audience::default(), Frame::text("")));
    Logged { seq: event.seq, audience, frame, removal: removal(event, subjects) }
}

fn frame(event: &Event, kind: EventKind, subjects: &Subjects, links: &Links) -> Option<Frame> {
    let party_id = subjects.party.id;
    let subject = event.subject_id.unwrap_or_default();
    let is_private = subjects.party.plan.is_private;
    let fact = |name: &str| event.facts.get(name).cloned().unwrap_or_default();
    let encode = |kind: EventKind, data: Data<'_>| {
        let sent = Sent { event: kind.name(), data, party_id, seq: event.seq };
        serde_json::to_string(&sent).map(Frame::text).ok()
    };
    let attendee = |kind: EventKind| match subjects.attendees.get(&subject) {
        Some((attendee, presence)) => {
            let is_in = *presence == Presence::In;
            let kind = if is_in { kind } else { EventKind::AttendeeLeft };
            encode(kind, Data::Attendee { party_id, attendee: attendee.into() })
        }
        None => encode(EventKind::AttendeeLeft, Data::Erased { party_id, attendee: OnlyId { id: subject } }),
    };
    let media = |look: &dyn Fn(&Media) -> Option<Frame>| match subjects.media.get(&subject) {
        Some(media) if media.status == MediaStatus::Failed => removed(party_id, subject, "FAILED", &encode),
        Some(media) if media.status == MediaStatus::Hidden => removed(party_id, subject, "HIDDEN", &encode),
        Some(media) => look(media),
        None => removed(party_id, subject, "DELETED", &encode),
    };
    match kind {
        EventKind::StatusChanged => {
            let status = event.facts.get("status").and_then(Value::as_str);
            let status = status.and_then(Status::named).unwrap_or(subjects.party.status);
            encode(kind, Data::Status { party_id, status: status.name() })
        }
        EventKind::PartyUpdated => {
            encode(kind, Data::Party { party_id, party: PartyView::from(&subjects.party) })
        }
        EventKind::AttendeeJoined | EventKind::AttendeeLeft | EventKind::AttendeeUpdated => attendee(kind),
        EventKind::NewMedia => media(&|media| {
            // As it was then: what has become of it is told by events that follow
            let then = Media { status: MediaStatus::Processing, seq: event.seq, ..media.clone() };
            encode(kind, Data::Media { party_id, media: MediaView::new(&then, None, None) })
        }),
        EventKind::MediaReady | EventKind::MediaUpdated => media(&|media| {
            let view = MediaView::new(media, links.urls(media, is_private), None);
            encode(kind, Data::Media { party_id, media: view })
        }),
        EventKind::MediaRemoved => {
            let reason = event.facts.get("reason").and_then(Value::as_str).unwrap_or("DELETED");
            removed(party_id, subject, reason, &encode)
        }
        // Nothing keeps comments yet: whatever one was, it is gone
        EventKind::CommentAdded | EventKind::CommentRemoved => {
            let data = Data::CommentRemoved { party_id, media_id: fact("mediaId"), comment_id: subject };
            encode(EventKind::CommentRemoved, data)
        }
        EventKind::NewMessage | EventKind::MessageUpdated => {
            let message = subjects.messages.get(&subject).filter(|message| message.deleted_at.is_none());
            let said = message.map(|message| Said::new(message.clone(), &subjects.media, links, is_private));
            match &said {
                Some(said) => encode(kind, Data::Message(said.view())),
                None => {
                    let data = Data::MessageRemoved { party_id, message_id: subject };
                    encode(EventKind::MessageRemoved, data)
                }
            }
        }
        EventKind::MessageRemoved => encode(kind, Data::MessageRemoved { party_id, message_id: subject }),
        EventKind::Reaction => {
            let (emoji, count) = (fact("emoji"), fact("count"));
            encode(kind, Data::Reaction { party_id, message_id: subject, emoji, count })
        }
    }
}

fn removed(
    party_id: Uuid,
    media_id: Uuid,
    reason: &str,
    encode: &impl Fn(EventKind, Data<'_>) -> Option<Frame>,
) -> Option<Frame> {
    encode(EventKind::MediaRemoved, Data::MediaRemoved { party_id, media_id, reason })
}

/// Whom an event puts out: who left hears nothing any more, whose place became another one no more than that allows.
fn removal(event: &Event, subjects: &Subjects) -> Option<Removal> {
    let id = event.subject_id?;
    let known = subjects.attendees.get(&id);
    let from = match event.kind? {
        EventKind::AttendeeLeft => audience::EVERYTHING,
        EventKind::AttendeeUpdated => {
            let standing = known.map(|(Attendee { role, rsvp, .. }, presence)| {
                Attendance { role: *role, presence: *presence, rsvp: *rsvp }.standing()
            });
            audience::EVERYTHING.without(audience::of_standing(standing?, subjects.party.openness()))
        }
        _ => return None,
    };
    // Of somebody who was erased only the log knows what they were
    let was_guest = event.facts.get("isGuest").and_then(Value::as_bool);
    let is_guest = known.map_or(was_guest != Some(false), |(attendee, _)| attendee.role == Role::Guest);
    let reason = event.facts.get("reason").and_then(Value::as_str);
    let close = (is_guest && matches!(reason, Some("REMOVED" | "BANNED" | "ERASED"))).then_some(SENT_AWAY);
    let kind = if is_guest { Kind::Guest } else { Kind::User };
    Some(Removal { subject: kind.subject(id), from, close })
}
