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

/// All there is to hear.
pub(super) const EVERYTHING: Audience = Audience(0xff);

/// What somebody with that place hears of a party that they may read.
pub(super) fn of_standing(standing: Standing, openness: Openness) -> Audience {
    // What only members may see tells members from others
    let closed = Openness { is_private: true, ..openness };
    let is_member = standing.may(Act::Read, closed, Caller::Anonymous).is_ok();
    match (standing.is_attendee(), is_member) {
        (true, _) => PUBLIC.and(MEMBERS).and(COMMENTS).and(CHAT),
        (false, true) => PUBLIC.and(MEMBERS),
        (false, false) => PUBLIC,
    }
}
