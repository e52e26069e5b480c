//! Users and guests as they see themselves.

use serde::Serialize;
use uuid::Uuid;

use super::person::UserSummary;
use crate::domain::{
    account::{Account, Guest},
    moment::Moment,
};

/// A user, to themselves.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnUser<'a> {
    #[serde(flatten)]
    summary: UserSummary<'a>,
    bio: Option<&'a str>,
    interests: &'a [String],
    followers_count: u32,
    following_count: u32,
    created_at: Moment,
    email: &'a str,
    notifications_enabled: bool,
    viewer: Viewer,
}

/// What the viewer is to them.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Viewer {
    is_following: bool,
}

impl<'a> From<&'a Account> for OwnUser<'a> {
    fn from(account: &'a Account) -> Self {
        Self {
            summary: UserSummary::from(&account.person),
            bio: account.bio.as_deref(),
            // Nobody can name any yet, nor follow anybody
            interests: &[],
            followers_count: 0,
            following_count: 0,
            created_at: account.created_at,
            email: &account.email,
            notifications_enabled: account.notifications_enabled,
            // Nobody follows themselves
            viewer: Viewer { is_following: false },
        }
    }
}

/// A guest, to themselves.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OwnGuest<'a> {
    id: Uuid,
    display_name: &'a str,
    party_id: Uuid,
    created_at: Moment,
}

impl<'a> From<&'a Guest> for OwnGuest<'a> {
    fn from(guest: &'a Guest) -> Self {
        Self {
            id: guest.person.id,
            display_name: &guest.person.display_name,
            party_id: guest.party_id,
            created_at: guest.created_at,
        }
    }
}
