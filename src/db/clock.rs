//! Parties whose time has come, by the database's clock: moved and logged in one statement.

use uuid::Uuid;

use super::{Connection, DatabaseError};
use crate::domain::event::EventKind;

/// What time does with a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// PLANNED goes LIVE when it is to begin.
    Start,
    /// LIVE becomes ENDED when it is to end, or 24 hours after it began.
    End,
}

/// Moves at most `limit` parties whose time has come and that nobody works on; which, and the number of each one's event.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn move_due(
    connection: &mut Connection,
    turn: Turn,
    limit: i64,
) -> Result<Vec<(Uuid, i64)>, DatabaseError> {
    const START: &str = include_str!("queries/clock/start_due.sql");
    const END: &str = include_str!("queries/clock/end_due.sql");
    let statement = match turn {
        Turn::Start => START,
        Turn::End => END,
    };
    let rows = connection.query(statement, &[&EventKind::StatusChanged.name(), &limit]).await?;
    Ok(rows.iter().map(|row| (row.get("party_id"), row.get("seq"))).collect())
}

/// Moves the party that is late the longest, by 2 seconds or more, and waits for whoever works on it. One at a time:
/// who holds one and waits for another may wait for ever.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn move_late(
    connection: &mut Connection,
    turn: Turn,
) -> Result<Option<(Uuid, i64)>, DatabaseError> {
    const START: &str = include_str!("queries/clock/start_late.sql");
    const END: &str = include_str!("queries/clock/end_late.sql");
    let statement = match turn {
        Turn::Start => START,
        Turn::End => END,
    };
    let row = connection.query_opt(statement, &[&EventKind::StatusChanged.name()]).await?;
    Ok(row.map(|row| (row.get("party_id"), row.get("seq"))))
}

/// Notes that the people of at most `limit` parties, which begin within an hour and which nobody works on, are reminded;
/// of which. Those that were made or moved so late are not among them.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn remind(connection: &mut Connection, limit: i64) -> Result<Vec<Uuid>, DatabaseError> {
    const REMIND: &str = include_str!("queries/clock/remind.sql");
    let rows = connection.query(REMIND, &[&limit]).await?;
    Ok(rows.iter().map(|row| row.get("id")).collect())
}
