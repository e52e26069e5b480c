//! How often media were looked at.

use uuid::Uuid;

use super::{Connection, DatabaseError};

/// Adds looks to the media that are READY; the others and those that are gone are passed over.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn count(connection: &mut Connection, looks: &[(Uuid, i32)]) -> Result<(), DatabaseError> {
    const COUNT: &str = include_str!("queries/views/count.sql");
    let (media, looks): (Vec<Uuid>, Vec<i32>) = looks.iter().copied().unzip();
    connection.execute(COUNT, &[&media, &looks]).await.map(drop)
}
