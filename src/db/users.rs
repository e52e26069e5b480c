//! Users: what they edit of themselves, and which names are taken.

use uuid::Uuid;

use super::{Connection, DatabaseError};
use crate::domain::profile::Profile;

/// Keeps the user as they are until this transaction ends. What is read before may be out of date, what is read after is
/// not. `false`: there is none.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn lock(connection: &mut Connection, id: Uuid) -> Result<bool, DatabaseError> {
    const LOCK: &str = include_str!("queries/users/lock.sql");
    Ok(connection.query_opt(LOCK, &[&id]).await?.is_some())
}

/// Replaces what a user says of themselves, and what they are called.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn update(
    connection: &mut Connection,
    id: Uuid,
    display_name: &str,
    profile: &Profile,
) -> Result<(), DatabaseError> {
    const UPDATE: &str = include_str!("queries/users/update.sql");
    let Profile { first_name, last_name, bio, interests, notifications_enabled } = profile;
    connection
        .execute(UPDATE, &[&id, &display_name, first_name, last_name, bio, interests, notifications_enabled])
        .await
        .map(drop)
}

/// Which of these usernames, in lower case, are somebody's.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn taken(connection: &mut Connection, names: &[String]) -> Result<Vec<String>, DatabaseError> {
    const TAKEN: &str = include_str!("queries/users/taken.sql");
    let rows = connection.query(TAKEN, &[&names]).await?;
    Ok(rows.iter().map(|row| row.get("username")).collect())
}
