//! Who hears what of a party.

use crate::{
    domain::{
        access::{Act, Openness, Standing},
        caller::Caller,
        event::EventKind,
    },
    realtime::Audience,
};

/// Whoever may read the party only as long as it is public.
const PUBLIC: Audience = Audience(1);
/// Whoever may read it even when it is private.
const MEMBERS: Audience = Audience(2);
/// Attendees, for comments.
const COMMENTS: Audience = Audience(4);
/// Attendees, for the chat.
const CHAT: Audience = Audience(8);

/// For whom an event is. A party that turns private is silent to strangers from then on, wherever they are.
pub(super) fn of_event(kind: EventKind, openness: Openness) -> Audience {
    if kind.is_chat() {
        CHAT
    } else if kind.is_for_attendees() {
        COMMENTS
    } else if openness.is_private || openness.is_draft {
        MEMBERS
    } else {
        MEMBERS.and(PUBLIC)
    }
}
