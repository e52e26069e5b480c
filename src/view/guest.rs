//! Guests as they see themselves.

use serde::Serialize;
use uuid::Uuid;

use crate::domain::{guest::Guest, moment::Moment};

/// A guest.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GuestView<'a> {
    id: Uuid,
    display_name: &'a str,
    party_id: Uuid,
    created_at: Moment,
}

impl<'a> From<&'a Guest> for GuestView<'a> {
    fn from(guest: &'a Guest) -> Self {
        Self {
            id: guest.person.id,
            display_name: &guest.person.display_name,
            party_id: guest.party_id,
            created_at: guest.created_at,
        }
    }
}
