//! First answers to requests that may come again, kept in the transaction of their effect.

use super::{Connection, DatabaseError};

/// What is known of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is ours now, until this transaction ends.
    New,
    /// The answer, sealed, and the digest of the request that it was given to.
    Answered {
        /// Of operation and body.
        digest: Vec<u8>,
        /// Sealed.
        answer: Vec<u8>,
    },
}

/// Claims `key` for this transaction. A concurrent second waits here for the first to end.
///
/// # Errors
///
/// [`DatabaseError`]; unavailable when the first takes longer than a statement may.
pub async fn claim(
    connection: &mut Connection,
    caller: &str,
    key: &str,
    digest: &[u8],
) -> Result<Known, DatabaseError> {
    const CLAIM: &str = include_str!("queries/idempotency/claim.sql");
    const FIND: &str = include_str!("queries/idempotency/find.sql");
    if connection.execute(CLAIM, &[&caller, &key, &digest]).await? > 0 {
        return Ok(Known::New);
    }
    let row = connection.query_opt(FIND, &[&caller, &key]).await?;
    // One without an answer is never committed; one that was swept since is as good as new
    let answered = row.and_then(|row| {
        Some(Known::Answered { digest: row.get("digest"), answer: row.get::<_, Option<Vec<u8>>>("answer")? })
    });
    Ok(answered.unwrap_or(Known::New))
}

/// Keeps the answer to the request that claimed `key`.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn keep(
    connection: &mut Connection,
    caller: &str,
    key: &str,
    answer: &[u8],
) -> Result<(), DatabaseError> {
    const KEEP: &str = include_str!("queries/idempotency/keep.sql");
    connection.execute(KEEP, &[&caller, &key, &answer]).await?;
    Ok(())
}

/// Forgets at most 1,000 keys that are older than a day; gives how many.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn sweep(connection: &mut Connection) -> Result<u64, DatabaseError> {
    const SWEEP: &str = include_str!("queries/idempotency/sweep.sql");
    connection.execute(SWEEP, &[]).await
}
