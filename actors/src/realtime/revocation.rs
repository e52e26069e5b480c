//! Whether who speaks in a session may still do so: asked of whoever knows.
//!
//! *Invariant:* the answer is the truth. A hint only says that it is worth asking; what hints miss, the next question of
//! all sessions finds.

use futures_util::future::BoxFuture;

use super::{close::Close, log::Unreadable, protocol::Subject};

/// How many credentials one question is about.
pub const QUESTION: usize = 500;

/// By what a session is somebody's: its subject, and what that was granted by, if it can be taken back apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Credential {
    /// Whose session it is.
    pub subject: Subject,
    /// What lets it be theirs: an id that is the caller's own, such as that of a sign-in.
    pub grant: Option<u128>,
}

/// Knows which credentials are worth nothing any more.
pub trait Revocation: Send + Sync + 'static {
    /// Those of these, at most [`QUESTION`], whose sessions are over, and how they are closed.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], in a few seconds at most; it is asked again then.
    fn revoked<'a>(
        &'a self,
        credentials: &'a [Credential],
    ) -> BoxFuture<'a, Result<Vec<(Credential, Close)>, Unreadable>>;
}
