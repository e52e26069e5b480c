//! Why a command was not answered; the variants say whether a repeat is safe.

use std::time::Duration;

use redis::{ErrorKind, ServerErrorKind};

/// Why a command was not answered.
#[derive(Debug, thiserror::Error)]
pub enum RedisError {
    /// Not sent: Redis is away.
    #[error("Redis is away: {reason}")]
    Unavailable {
        /// When it will be tried again.
        retry_after: Duration,
        /// Why, in words that are fit for the public.
        reason: &'static str,
    },
    /// Not sent: no connection of the pool was free in time.
    #[error("no connection to Redis was free in time")]
    Busy,
    /// Sent, and the connection ended or Redis went away before the answer: the outcome is unknown.
    #[error("Redis went away before it answered")]
    Interrupted,
    /// Sent, and not answered in time: the outcome is unknown.
    #[error("Redis did not answer in time")]
    Timeout,
    /// Redis answered that it will not, or something else than was asked for.
    #[error("Redis refused the command")]
    Refused(#[source] redis::RedisError),
}

impl RedisError {
    /// Whether the command certainly had no effect, so that a repeat is safe.
    pub fn is_unsent(&self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Busy)
    }
}

/// What came back from a connection to which a command was given.
impl From<redis::RedisError> for RedisError {
    fn from(error: redis::RedisError) -> Self {
        if error.is_timeout() {
            Self::Timeout
        } else if error.is_io_error()
            || error.is_unrecoverable_error()
            || error.kind() == ErrorKind::ClusterConnectionNotFound
        {
            Self::Interrupted
        } else {
            Self::Refused(error)
        }
    }
}

/// A connection's trouble in words that are fit for the public: no host, no port, no user.
pub(super) fn public_reason(error: &redis::RedisError) -> &'static str {
    match error.kind() {
        _ if error.is_connection_refusal() => "connection refused",
        _ if error.is_timeout() => "no answer",
        ErrorKind::AuthenticationFailed => "authentication failed",
        ErrorKind::Server(ServerErrorKind::BusyLoading) => "loading its data",
        ErrorKind::Server(ServerErrorKind::ClusterDown) => "a part of the cluster is down",
        _ if is_moved(error) => "the cluster moves its slots",
        ErrorKind::Io => "connection closed",
        _ => "an unexpected answer",
    }
}

/// Whether a node of a cluster no longer has what it was asked for.
pub(super) fn is_moved(error: &redis::RedisError) -> bool {
    use ServerErrorKind::{Ask, Moved, TryAgain};
    matches!(error.kind(), ErrorKind::Server(Moved | Ask | TryAgain))
}
