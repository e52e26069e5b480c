//! People without an account, each of one party.

use uuid::Uuid;

use super::{Connection, DatabaseError};
use crate::domain::text::DisplayName;

/// Adds a guest of a party; `from` marks the address that they join from. Their attendance is added apart.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn insert(
    connection: &mut Connection,
    id: Uuid,
    party: Uuid,
    name: &DisplayName,
    from: &[u8],
) -> Result<(), DatabaseError> {
    const INSERT: &str = include_str!("queries/guests/insert.sql");
    connection.execute(INSERT, &[&id, &party, &name.as_str(), &from]).await?;
    Ok(())
}
