//! Who is in which party, and as what.

use tokio_postgres::Row;

use crate::domain::attendance::{Attendance, Presence, Role, Rsvp};

/// The place in the columns `role, state, rsvp`, if there is one.
pub(super) fn place(row: &Row) -> Option<Attendance> {
    Some(Attendance {
        role: Role::named(row.get::<_, Option<&str>>("role")?)?,
        presence: Presence::named(row.get::<_, Option<&str>>("state")?)?,
        rsvp: Rsvp::named(row.get::<_, Option<&str>>("rsvp")?)?,
    })
}
