//! Reports of media.

use uuid::Uuid;

use super::{Connection, DatabaseError};
use crate::domain::report::{GUEST_MINUTES, Tally};

/// Enters a report. `false`: the same person has reported it before.
///
/// # Errors
///
/// [`DatabaseError`]; `reports_reporter_id_fkey` is violated when the person is gone.
pub async fn insert(
    connection: &mut Connection,
    media: Uuid,
    reporter: Uuid,
    reason: Option<&str>,
) -> Result<bool, DatabaseError> {
    const INSERT: &str = include_str!("queries/reports/insert.sql");
    Ok(connection.execute(INSERT, &[&media, &reporter, &reason]).await? > 0)
}

/// Whether that person has reported it.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn exists(connection: &mut Connection, media: Uuid, reporter: Uuid) -> Result<bool, DatabaseError> {
    const FIND: &str = include_str!("queries/reports/find.sql");
    Ok(connection.query_opt(FIND, &[&media, &reporter]).await?.is_some())
}

/// Who has reported it. Exact while the media's row is held.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn tally(connection: &mut Connection, media: Uuid) -> Result<Tally, DatabaseError> {
    const TALLY: &str = include_str!("queries/reports/tally.sql");
    let row = connection.query_opt(TALLY, &[&media, &GUEST_MINUTES]).await?;
    let tally = row.map(|row| Tally { accounts: row.get("accounts"), addresses: row.get("addresses") });
    Ok(tally.unwrap_or_default())
}
