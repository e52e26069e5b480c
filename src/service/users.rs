//! Users: found, edited, and whether a name is to be had.

use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{door::user, error::Error};
use crate::{
    db::{Connection, Database, accounts, users},
    domain::{
        account::{Account, Username},
        caller::Caller,
        fields::Fields,
        profile::{Edit, Profile},
        suggestion::Suggestions,
    },
    view::{Addresses, UserView},
};

/// The use cases of users.
#[derive(Clone, Debug)]
pub struct Users {
    pub(super) database: Database,
}

/// A user for the eyes of one caller.
#[derive(Clone, Debug)]
pub struct Seen {
    account: Account,
    caller: Caller,
}

impl Seen {
    /// Another for everything that can be edited.
    pub fn revision(&self) -> i32 {
        revision(&Profile::of(&self.account))
    }

    /// Whether the caller follows them.
    pub fn is_followed(&self) -> bool {
        self.account.is_followed
    }

    /// The picture of their face, if they show one.
    pub(super) fn avatar_id(&self) -> Option<Uuid> {
        self.account.person.avatar_id
    }

    /// What they see, with the addresses of pictures.
    pub fn view(&self, at: &dyn Addresses) -> UserView<'_> {
        UserView::new(&self.account, self.caller, at)
    }
}

/// Whether a username is to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Why it cannot be anybody's.
    pub error: Option<String>,
    /// Whether nobody has it.
    pub is_available: bool,
    /// One like it that is to be had.
    pub suggestion: Option<String>,
}

impl Users {
    /// Kept in `database`.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// The user, as the caller sees them.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`], also for guests.
    pub async fn find(&self, caller: Caller, id: Uuid) -> Result<Seen, Error> {
        self.database.run(async |connection| look(connection, caller, id).await).await
    }

    /// Edits the user by `fields`. With `expected`, only while its revision is one of them.
    ///
    /// # Errors
    ///
    /// They themselves only; [`Error::Precondition`], [`Error::Invalid`].
    pub async fn edit(
        &self,
        caller: Caller,
        id: Uuid,
        fields: Fields,
        expected: Option<&[i32]>,
    ) -> Result<Seen, Error> {
        self.database
            .transaction(async |connection| {
                let before = own(connection, caller, id).await?;
                if expected.is_some_and(|revisions| !revisions.contains(&before.revision())) {
                    return Err(Error::Precondition);
                }
                let profile = Profile::of(&before.account);
                let after = Edit::read(fields)?.apply(&profile);
                if after == profile {
                    return Ok(before);
                }
                let username = before.account.person.username.as_deref().unwrap_or_default();
                users::update(connection, id, &after.display_name(username), &after).await?;
                look(connection, caller, id).await
            })
            .await
    }

    /// Whether `name` may be a username and is nobody's yet; if not, one like it.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn check_username(&self, name: &str) -> Result<Checked, Error> {
        let read = Username::read(&name.into());
        let wanted = read.as_ref().ok().map(|name| name.as_str().to_owned());
        let others = Suggestions::like(name, rand::random());
        let all: Vec<_> = wanted.iter().chain(&others.0).map(|name| name.to_ascii_lowercase()).collect();
        let taken = self.database.run(async |connection| users::taken(connection, &all).await);
        let taken = taken.await.map_err(Error::from)?;
        let is_free = |name: &String| !taken.contains(&name.to_ascii_lowercase());
        let is_available = wanted.as_ref().is_some_and(is_free);
        let suggestion = others.0.into_iter().find(is_free).filter(|_| !is_available);
        let error = read.err().map(|wrong| format!("A username {}", wrong.message));
        Ok(Checked { error, is_available, suggestion })
    }
}

/// The user, as the caller sees them.
pub(super) async fn look(connection: &mut Connection, caller: Caller, id: Uuid) -> Result<Seen, Error> {
    let account = accounts::user(connection, id, caller.person()).await?.ok_or(Error::NotFound)?;
    Ok(Seen { account, caller })
}

/// The caller's own account, which nobody else changes until this transaction ends.
pub(super) async fn own(connection: &mut Connection, caller: Caller, id: Uuid) -> Result<Seen, Error> {
    look(connection, caller, id).await?;
    if user(caller)? != id {
        return Err(Error::Forbidden("this is somebody else's"));
    }
    users::lock(connection, id).await?;
    // Again: what was true before the wait need not be after it
    look(connection, caller, id).await
}

/// The same for the same profile, and hardly ever for another.
fn revision(profile: &Profile) -> i32 {
    // Strings and a flag: it can be written
    let written = serde_json::to_vec(profile).unwrap_or_default();
    let [a, b, c, d, ..] = <[u8; 32]>::from(Sha256::digest(written));
    // Not negative: a hyphen ends it where it is read again
    i32::from_be_bytes([a & 0x7f, b, c, d])
}
