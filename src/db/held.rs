//! A media's row while nobody else changes it.

use uuid::Uuid;

use super::{Connection, DatabaseError};
use crate::domain::media::MediaStatus;

/// What was found of a media whose row is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// Where it is on its way.
    pub status: MediaStatus,
    /// Whether a host has decided if it is shown.
    pub is_decided: bool,
}

/// Holds a media's row until the transaction ends. `None`: it is gone. Who also changes the party's row does so after this.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn lock(connection: &mut Connection, id: Uuid) -> Result<Option<Held>, DatabaseError> {
    const LOCK: &str = include_str!("queries/media/lock.sql");
    let row = connection.query_opt(LOCK, &[&id]).await?;
    Ok(row.and_then(|row| {
        let status = MediaStatus::named(row.get("status"))?;
        Some(Held { status, is_decided: row.get("is_decided") })
    }))
}
