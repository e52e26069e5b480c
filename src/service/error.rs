//! Why a use case was refused, by meaning.

use std::time::Duration;

use super::rates::Standing;
use crate::{
    blob,
    db::DatabaseError,
    domain::{
        access::Denied,
        fields::{Invalid, Wrong},
    },
};

/// Why a use case was refused.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// What was asked for breaks a rule; all of them are named.
    #[error(transparent)]
    Invalid(#[from] Invalid),
    /// The caller has to say who they are.
    #[error("not authenticated: {0}")]
    Unauthenticated(&'static str),
    /// Known, and not allowed.
    #[error("forbidden: {0}")]
    Forbidden(&'static str),
    /// Not there, or nothing that the caller may know of.
    #[error("not found")]
    NotFound,
    /// It does not go together with what is there.
    #[error("conflict: {0:?}")]
    Conflict(Conflict),
    /// What was to be edited was edited by somebody else.
    #[error("edited meanwhile")]
    Precondition,
    /// More bytes or pixels than are taken.
    #[error("too large: {0}")]
    TooLarge(&'static str),
    /// Nothing that is taken.
    #[error("unsupported: {0}")]
    Unsupported(&'static str),
    /// The key was used for another request.
    #[error("the idempotency key belongs to another request")]
    KeyReused,
    /// More often than is allowed.
    #[error("too often")]
    TooOften {
        /// When to try again.
        retry_after: Duration,
        /// The limits, as they stand.
        standings: Vec<Standing>,
    },
    /// Not done, safe to repeat.
    #[error("unavailable: {reason}")]
    Unavailable {
        /// What is away, in public words.
        reason: &'static str,
        /// When to try again.
        retry_after: Duration,
        /// Why.
        #[source]
        source: Option<Cause>,
    },
    /// It may have been done.
    #[error("the outcome is unknown")]
    OutcomeUnknown(#[source] Cause),
    /// No room for more bytes.
    #[error("the storage is full")]
    StorageFull,
    /// Not the caller's fault.
    #[error("internal")]
    Internal(#[source] Cause),
}

/// What the log is told.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// What something does not go together with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conflict {
    /// The name is somebody's.
    UsernameTaken,
    /// The address has an account.
    EmailTaken,
    /// No seat is left.
    PartyFull,
    /// Not in this state.
    InvalidStatus,
    /// As much as one may have.
    QuotaExceeded,
    /// Everything else, in words for people.
    Other(&'static str),
}

impl Error {
    /// One field is wrong.
    pub fn field(path: &str, wrong: &Wrong) -> Self {
        Self::Invalid(Invalid::one(path, wrong))
    }

    /// Nothing that should happen; `cause` is for the log.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }
}

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        match error {
            DatabaseError::Unavailable { retry_after, .. } => {
                Self::Unavailable { reason: "the database is away", retry_after, source: Some(error.into()) }
            }
            DatabaseError::OutcomeUnknown { .. } => Self::OutcomeUnknown(error.into()),
            DatabaseError::Statement(_) | DatabaseError::Aborted => Self::Internal(error.into()),
        }
    }
}

impl From<blob::Error> for Error {
    fn from(error: blob::Error) -> Self {
        match error {
            blob::Error::TooLarge { .. } => Self::TooLarge("The file is larger than its type may be"),
            blob::Error::StorageFull(_) => Self::StorageFull,
            blob::Error::Unavailable(_) => Self::Unavailable {
                reason: "the storage is away",
                retry_after: Duration::from_secs(1),
                source: Some(error.into()),
            },
        }
    }
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Hidden => Self::NotFound,
            Denied::Unauthenticated => Self::Unauthenticated("a token is needed for this"),
            Denied::Forbidden => Self::Forbidden("your place in this party does not allow this"),
        }
    }
}
