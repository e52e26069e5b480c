//! Who reacts to which message, and how.

use std::collections::{BTreeMap, HashMap};

use tokio_postgres::Row;
use uuid::Uuid;

use super::{Connection, DatabaseError};
use crate::domain::emoji::Emoji;

/// How often which emoji stands at messages.
pub(super) const COUNTS: &str = include_str!("queries/reactions/counts.sql");

/// How often which emoji stands at these messages; those without one are left out.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn counts(
    connection: &mut Connection,
    messages: &[Uuid],
) -> Result<HashMap<Uuid, BTreeMap<String, i64>>, DatabaseError> {
    if messages.is_empty() {
        return Ok(HashMap::new());
    }
    Ok(counted(&connection.query(COUNTS, &[&messages]).await?))
}

/// The counts in rows of [`COUNTS`].
pub(super) fn counted(rows: &[Row]) -> HashMap<Uuid, BTreeMap<String, i64>> {
    let mut counts: HashMap<Uuid, BTreeMap<String, i64>> = HashMap::new();
    for row in rows {
        counts.entry(row.get("message_id")).or_default().insert(row.get("emoji"), row.get("count"));
    }
    counts
}

/// Adds somebody's reaction. `false`: it is there already.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn add(
    connection: &mut Connection,
    message: Uuid,
    person: Uuid,
    emoji: &Emoji,
) -> Result<bool, DatabaseError> {
    const ADD: &str = include_str!("queries/reactions/add.sql");
    Ok(connection.execute(ADD, &[&message, &person, &emoji.as_str()]).await? > 0)
}

/// Takes somebody's reaction back. `false`: there is none.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn remove(
    connection: &mut Connection,
    message: Uuid,
    person: Uuid,
    emoji: &Emoji,
) -> Result<bool, DatabaseError> {
    const REMOVE: &str = include_str!("queries/reactions/remove.sql");
    Ok(connection.execute(REMOVE, &[&message, &person, &emoji.as_str()]).await? > 0)
}
