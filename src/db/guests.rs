//! People without an account, each of one party.

use uuid::Uuid;

use super::{Connection, DatabaseError, moment::moment, person::person};
use crate::domain::{guest::Guest, text::DisplayName};

/// Adds a guest of a party. Their attendance is added apart.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn insert(
    connection: &mut Connection,
    id: Uuid,
    party: Uuid,
    name: &DisplayName,
) -> Result<(), DatabaseError> {
    const INSERT: &str = include_str!("queries/guests/insert.sql");
    connection.execute(INSERT, &[&id, &party, &name.as_str()]).await?;
    Ok(())
}

/// A guest, if there is one of that id.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(connection: &mut Connection, id: Uuid) -> Result<Option<Guest>, DatabaseError> {
    const FIND: &str = include_str!("queries/guests/find.sql");
    let row = connection.query_opt(FIND, &[&id]).await?;
    Ok(row.map(|row| Guest {
        person: person(&row),
        party_id: row.get("party_id"),
        created_at: moment(&row, "created_at"),
    }))
}
