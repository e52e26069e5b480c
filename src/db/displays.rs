//! Screens of parties, and whether their tokens are still good.

use std::time::Duration;

use uuid::Uuid;

use super::{Connection, DatabaseError, moment::moment};
use crate::domain::display::Display;

/// Adds a screen of a party, which `host` makes.
///
/// # Errors
///
/// [`DatabaseError`]; `displays_created_by_fkey` is violated when the host is gone.
pub async fn insert(
    connection: &mut Connection,
    id: Uuid,
    party: Uuid,
    host: Uuid,
    name: Option<&str>,
) -> Result<Option<Display>, DatabaseError> {
    const INSERT: &str = include_str!("queries/displays/insert.sql");
    let row = connection.query_opt(INSERT, &[&id, &party, &host, &name]).await?;
    Ok(row.map(|row| Display {
        id: row.get("id"),
        name: row.get("name"),
        created_at: moment(&row, "created_at"),
    }))
}

/// How many screens of a party are not revoked, and were made within `age`.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn living(connection: &mut Connection, party: Uuid, age: Duration) -> Result<i64, DatabaseError> {
    const LIVING: &str = include_str!("queries/displays/living.sql");
    let row = connection.query_opt(LIVING, &[&party, &age.as_secs_f64()]).await?;
    Ok(row.map(|row| row.get("living")).unwrap_or_default())
}

/// Whether a screen of a party is not revoked. `None`: the party never had it.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn is_living(
    connection: &mut Connection,
    party: Uuid,
    id: Uuid,
) -> Result<Option<bool>, DatabaseError> {
    const IS_LIVING: &str = include_str!("queries/displays/is_living.sql");
    let row = connection.query_opt(IS_LIVING, &[&party, &id]).await?;
    Ok(row.map(|row| row.get("is_living")))
}

/// Revokes a screen of a party.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn revoke(connection: &mut Connection, party: Uuid, id: Uuid) -> Result<(), DatabaseError> {
    const REVOKE: &str = include_str!("queries/displays/revoke.sql");
    connection.execute(REVOKE, &[&party, &id]).await.map(drop)
}
