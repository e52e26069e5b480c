//! Users and guests as they see themselves, and what a user signs in with.

use uuid::Uuid;

use super::{Connection, DatabaseError, moment::moment, person::person};
use crate::domain::{
    account::{Account, Guest},
    person::Person,
};

/// A new user.
#[derive(Clone, Copy, Debug)]
pub struct NewAccount<'a> {
    /// Their face.
    pub person: &'a Person,
    /// What they say of themselves.
    pub bio: Option<&'a str>,
    /// Where they are written to.
    pub email: &'a str,
    /// Of their password.
    pub password_hash: &'a str,
}

/// What a user signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Credentials {
    /// Who they are.
    pub person: Uuid,
    /// Of their password.
    pub password_hash: String,
}

/// Makes an account.
///
/// # Errors
///
/// [`DatabaseError`]; it violates [`USERNAME`] or [`EMAIL`] when one of them is somebody's.
pub async fn create(connection: &mut Connection, new: NewAccount<'_>) -> Result<Account, DatabaseError> {
    const CREATE: &str = include_str!("queries/accounts/create.sql");
    let NewAccount { person, bio, email, password_hash } = new;
    let Person { id, username, display_name, first_name, last_name, avatar_id: _ } = person;
    let rows = connection
        .query(CREATE, &[id, username, display_name, first_name, last_name, &bio, &email, &password_hash])
        .await?;
    // An insert that succeeds gives its row
    let row = rows.first().ok_or(DatabaseError::Aborted)?;
    Ok(Account {
        person: person.clone(),
        bio: bio.map(str::to_owned),
        interests: Vec::new(),
        followers_count: 0,
        following_count: 0,
        is_followed: false,
        email: email.to_owned(),
        notifications_enabled: row.get("notifications_enabled"),
        created_at: moment(row, "created_at"),
    })
}

/// The unique index of usernames.
pub const USERNAME: &str = "people_username";
/// The unique index of addresses.
pub const EMAIL: &str = "accounts_email";

/// What the user with that address signs in with.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn credentials(
    connection: &mut Connection,
    email: &str,
) -> Result<Option<Credentials>, DatabaseError> {
    const CREDENTIALS: &str = include_str!("queries/accounts/credentials.sql");
    let row = connection.query_opt(CREDENTIALS, &[&email]).await?;
    Ok(row.map(|row| Credentials { person: row.get("person_id"), password_hash: row.get("password_hash") }))
}

/// The address of a user and the hash of their password.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn email(connection: &mut Connection, id: Uuid) -> Result<Option<(String, String)>, DatabaseError> {
    const EMAIL: &str = include_str!("queries/accounts/email.sql");
    let row = connection.query_opt(EMAIL, &[&id]).await?;
    Ok(row.map(|row| (row.get("email"), row.get("password_hash"))))
}

/// Whether that is still the hash of a user's password; it is not changed until this transaction ends.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn still_has(connection: &mut Connection, id: Uuid, hash: &str) -> Result<bool, DatabaseError> {
    const STILL_HAS: &str = include_str!("queries/accounts/still_has.sql");
    Ok(connection.query_opt(STILL_HAS, &[&id, &hash]).await?.is_some())
}

/// Gives a user another password, if `before` is still the hash of theirs. `false`: it is not.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn change_password(
    connection: &mut Connection,
    id: Uuid,
    before: &str,
    after: &str,
) -> Result<bool, DatabaseError> {
    const CHANGE_PASSWORD: &str = include_str!("queries/accounts/change_password.sql");
    Ok(connection.execute(CHANGE_PASSWORD, &[&id, &before, &after]).await? > 0)
}

/// A user, as `viewer` finds them.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn user(
    connection: &mut Connection,
    id: Uuid,
    viewer: Option<Uuid>,
) -> Result<Option<Account>, DatabaseError> {
    const USER: &str = include_str!("queries/accounts/user.sql");
    let row = connection.query_opt(USER, &[&id, &viewer]).await?;
    Ok(row.map(|row| Account {
        person: person(&row),
        bio: row.get("bio"),
        interests: row.get("interests"),
        followers_count: row.get("followers_count"),
        following_count: row.get("following_count"),
        is_followed: row.get("is_followed"),
        email: row.get("email"),
        notifications_enabled: row.get("notifications_enabled"),
        created_at: moment(&row, "created_at"),
    }))
}

/// A guest as they see themselves.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn guest(connection: &mut Connection, id: Uuid) -> Result<Option<Guest>, DatabaseError> {
    const GUEST: &str = include_str!("queries/accounts/guest.sql");
    let row = connection.query_opt(GUEST, &[&id]).await?;
    Ok(row.map(|row| Guest {
        person: person(&row),
        party_id: row.get("party_id"),
        created_at: moment(&row, "created_at"),
    }))
}
