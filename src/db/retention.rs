//! Parties whose erasure was asked for: what is left of them, part by part.

use uuid::Uuid;

use super::{Connection, DatabaseError};

/// Notes that the erasure of a party was asked for; the first time counts.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn request(connection: &mut Connection, party: Uuid) -> Result<(), DatabaseError> {
    const REQUEST: &str = include_str!("queries/retention/request.sql");
    connection.execute(REQUEST, &[&party]).await.map(drop)
}

/// A party whose erasure was asked for `days` ago or before, and that nobody works on; nobody else will until this
/// transaction ends.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn due(connection: &mut Connection, days: u16) -> Result<Option<Uuid>, DatabaseError> {
    const DUE: &str = include_str!("queries/retention/due.sql");
    let row = connection.query_opt(DUE, &[&i32::from(days)]).await?;
    Ok(row.map(|row| row.get("id")))
}

/// Erases at most `limit` notifications of a party. Gives how many.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn notifications(
    connection: &mut Connection,
    party: Uuid,
    limit: i64,
) -> Result<i64, DatabaseError> {
    const NOTIFICATIONS: &str = include_str!("queries/retention/notifications.sql");
    let erased = connection.execute(NOTIFICATIONS, &[&party, &limit]).await?;
    Ok(i64::try_from(erased).unwrap_or(limit))
}

/// Erases the rows of at most `limit` media of a party. Gives which.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn media(connection: &mut Connection, party: Uuid, limit: i64) -> Result<Vec<Uuid>, DatabaseError> {
    const MEDIA: &str = include_str!("queries/retention/media.sql");
    let rows = connection.query(MEDIA, &[&party, &limit]).await?;
    Ok(rows.iter().map(|row| row.get("id")).collect())
}

/// Erases at most `limit` rows of what else was kept of a party that has no media any more, its guests too. Gives how many:
/// fewer than `limit` when nothing is left of it but its own row.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn traces(connection: &mut Connection, party: Uuid, limit: i64) -> Result<i64, DatabaseError> {
    // Guests after what they have said: it names them
    const TRACES: [&str; 6] = [
        include_str!("queries/retention/party_favorites.sql"),
        include_str!("queries/retention/chat_reads.sql"),
        include_str!("queries/retention/messages.sql"),
        include_str!("queries/retention/events.sql"),
        include_str!("queries/retention/guests.sql"),
        include_str!("queries/retention/attendances.sql"),
    ];
    let mut erased = 0;
    for traces in TRACES {
        let left = limit - erased;
        erased += i64::try_from(connection.execute(traces, &[&party, &left]).await?).unwrap_or(left);
        if erased >= limit {
            break;
        }
    }
    Ok(erased)
}

/// Erases the row of a party of which nothing else is left but perhaps a cover. Gives that.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn party(connection: &mut Connection, party: Uuid) -> Result<Option<Uuid>, DatabaseError> {
    const PARTY: &str = include_str!("queries/retention/party.sql");
    let row = connection.query_opt(PARTY, &[&party]).await?;
    Ok(row.and_then(|row| row.get("cover_id")))
}
