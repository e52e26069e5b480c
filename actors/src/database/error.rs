//! What PostgreSQL's users are told, and whether a repeat is safe.

use std::time::Duration;

/// Why a piece of work was not done, or may not have been.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// Not done, safe to repeat: PostgreSQL is away, too slow, or all connections are in use.
    #[error("the database is unavailable")]
    Unavailable {
        /// When to try again.
        retry_after: Duration,
        /// What the driver said, if anything.
        source: Option<tokio_postgres::Error>,
    },
    /// A commit whose answer was not seen: it may have taken effect.
    #[error("the outcome of the transaction is unknown")]
    OutcomeUnknown {
        /// What the driver said, if anything.
        source: Option<tokio_postgres::Error>,
    },
    /// PostgreSQL's own answer to a statement, with its SQLSTATE. Not done.
    #[error("the database refused the statement")]
    Statement(#[source] tokio_postgres::Error),
    /// A transaction that was to be committed although one of its statements had failed. Not done.
    #[error("the transaction had failed before its commit")]
    Aborted,
}

impl DatabaseError {
    /// Whether nothing was written, so that a repeat is safe.
    pub fn is_undone(&self) -> bool {
        !matches!(self, Self::OutcomeUnknown { .. })
    }
}
