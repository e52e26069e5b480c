//! Users and guests, to others and to themselves.

use serde::Serialize;
use uuid::Uuid;

use super::{Addresses, person::UserSummary};
use crate::domain::{
    account::{Account, Guest},
    caller::Caller,
    moment::Moment,
};

/// A user.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserView<'a> {
    #[serde(flatten)]
    summary: UserSummary<'a>,
    bio: Option<&'a str>,
    interests: &'a [String],
    followers_count: i32,
    following_count: i32,
    created_at: Moment,
    #[serde(flatten)]
    own: Option<Own<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    viewer: Option<Viewer>,
}

/// What nobody sees but they themselves.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Own<'a> {
    email: &'a str,
    notifications_enabled: bool,
}

/// What the viewer is to them.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Viewer {
    is_following: bool,
}

impl<'a> UserView<'a> {
    /// As `caller` sees them, for whom the account was read.
    pub fn new(account: &'a Account, caller: Caller, at: &dyn Addresses) -> Self {
        let is_own = caller.user() == Some(account.person.id);
        Self {
            summary: UserSummary::new(&account.person, at),
            bio: account.bio.as_deref(),
            interests: &account.interests,
            followers_count: account.followers_count,
            following_count: account.following_count,
            created_at: account.created_at,
            own: is_own
                .then(|| Own { email: &account.email, notifications_enabled: account.notifications_enabled }),
            viewer: caller.is_known().then_some(Viewer { is_following: account.is_followed }),
        }
    }

    /// As they see themselves.
    pub fn own(account: &'a Account, at: &dyn Addresses) -> Self {
        Self::new(account, Caller::User(account.person.id), at)
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
