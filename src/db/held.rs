//! A media's row while nobody else changes it.

use uuid::Uuid;

use super::{Connection, DatabaseError};
use crate::domain::{
    labels::Labels,
    media::{MediaStatus, Mood},
};

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

/// Writes what stands beside it.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn edit(connection: &mut Connection, id: Uuid, labels: &Labels) -> Result<(), DatabaseError> {
    const EDIT: &str = include_str!("queries/media/edit.sql");
    let mood = labels.mood.map(Mood::as_str);
    connection.execute(EDIT, &[&id, &labels.caption, &mood, &labels.tags]).await.map(drop)
}

/// Hides it or shows it again, if it has been READY; where a host says so, for good.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn turn(
    connection: &mut Connection,
    id: Uuid,
    status: MediaStatus,
    by_host: bool,
) -> Result<(), DatabaseError> {
    const TURN: &str = include_str!("queries/media/turn.sql");
    connection.execute(TURN, &[&id, &status.as_str(), &by_host]).await.map(drop)
}
