//! Devices that pushes go to.

use uuid::Uuid;

use super::{Connection, DatabaseError, moment::moment};
use crate::domain::device::{Address, Device, Platform};

/// Makes the device with that token the person's: a new one, called `id`, unless it is theirs already. `hash` is the
/// token's.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn keep(
    connection: &mut Connection,
    id: Uuid,
    person: Uuid,
    address: &Address,
    hash: &[u8],
) -> Result<Option<Device>, DatabaseError> {
    const KEEP: &str = include_str!("queries/devices/keep.sql");
    let platform = address.platform.as_str();
    let row = connection.query_opt(KEEP, &[&id, &person, &address.token, &hash, &platform]).await?;
    Ok(row.and_then(|row| {
        Some(Device {
            id: row.get("id"),
            platform: Platform::named(row.get("platform"))?,
            created_at: moment(&row, "created_at"),
        })
    }))
}

/// Leaves a person their newest `most` devices.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn trim(connection: &mut Connection, person: Uuid, most: i64) -> Result<(), DatabaseError> {
    const TRIM: &str = include_str!("queries/devices/trim.sql");
    connection.execute(TRIM, &[&person, &most]).await.map(drop)
}

/// Forgets a device. `false`: that person has no such device.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn delete(connection: &mut Connection, id: Uuid, person: Uuid) -> Result<bool, DatabaseError> {
    const DELETE: &str = include_str!("queries/devices/delete.sql");
    Ok(connection.execute(DELETE, &[&id, &person]).await? > 0)
}
