//! People in a party, as whoever may see the party sees them.

use serde::Serialize;
use uuid::Uuid;

use super::UserSummary;
use crate::domain::{
    attendance::{Attendee, Role, Rsvp},
    moment::Moment,
};

/// Somebody in a party.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AttendeeView<'a> {
    id: Uuid,
    user: UserSummary<'a>,
    role: Role,
    status: Rsvp,
    joined_at: Moment,
    checked_in_at: Option<Moment>,
}

impl<'a> From<&'a Attendee> for AttendeeView<'a> {
    fn from(attendee: &'a Attendee) -> Self {
        Self {
            id: attendee.person.id,
            user: UserSummary::from(&attendee.person),
            role: attendee.role,
            status: attendee.rsvp,
            joined_at: attendee.joined_at,
            checked_in_at: attendee.checked_in_at,
        }
    }
}
