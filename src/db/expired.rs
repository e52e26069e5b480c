//! What is kept for a while only. Each of these forgets a bounded part and gives how much that was.

use std::time::Duration;

use super::{Connection, DatabaseError};

/// Forgets events that are older than `retention`, each party's oldest first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn events(connection: &mut Connection, retention: Duration) -> Result<u64, DatabaseError> {
    const EVENTS: &str = include_str!("queries/expired/events.sql");
    connection.execute(EVENTS, &[&retention.as_secs_f64()]).await
}

/// Forgets what people were told more than 90 days ago, but likes: of those nothing is shown any more.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn notifications(connection: &mut Connection) -> Result<u64, DatabaseError> {
    const NOTIFICATIONS: &str = include_str!("queries/expired/notifications.sql");
    connection.execute(NOTIFICATIONS, &[]).await
}

/// Forgets sockets that nobody has come back to for a week.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn recoveries(connection: &mut Connection) -> Result<u64, DatabaseError> {
    const RECOVERIES: &str = include_str!("queries/expired/recoveries.sql");
    connection.execute(RECOVERIES, &[]).await
}

/// Forgets refresh tokens that are good for nothing any more, and sign-ins that have no other.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn refresh_tokens(connection: &mut Connection) -> Result<u64, DatabaseError> {
    const REFRESH_TOKENS: &str = include_str!("queries/expired/refresh_tokens.sql");
    let row = connection.query_opt(REFRESH_TOKENS, &[]).await?;
    Ok(row.map(|row| row.get::<_, i64>("gone").unsigned_abs()).unwrap_or_default())
}
