//! Why a request of Engine.IO is refused.

use crate::realtime::{Refused, UpgradeError};

/// Why a request of Engine.IO is refused. What it says of the session has been done.
#[derive(Debug, thiserror::Error)]
pub(super) enum EngineError {
    /// There is no session of that id, or none any more.
    #[error("no such session")]
    Unknown,
    /// The session is carried by a socket.
    #[error("the session is carried by a socket")]
    Elsewhere,
    /// Another such request of the session is not through: it has ended.
    #[error("another request of the session is not through")]
    Overlap,
    /// What came is not the protocol: the session has ended.
    #[error("not a payload of packets")]
    Malformed,
    /// A payload or one packet in it is above its limit: the session has ended.
    #[error("above the limit")]
    TooBig,
    /// There is no room for it.
    #[error("no room for a session")]
    Refused(#[source] Refused),
    /// It became no socket.
    #[error("no socket")]
    Upgrade(#[source] UpgradeError),
}
