//! People in a party, as whoever may see the party sees them.

use serde::Serialize;
use uuid::Uuid;

use super::{Addresses, UserSummary};
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

impl<'a> AttendeeView<'a> {
    /// With the address of their face.
    pub fn new(attendee: &'a Attendee, at: &dyn Addresses) -> Self {
        Self {
            id: attendee.person.id,
            user: UserSummary::new(&attendee.person, at),
            role: attendee.role,
            status: attendee.rsvp,
            joined_at: attendee.joined_at,
            checked_in_at: attendee.checked_in_at,
        }
    }
}
