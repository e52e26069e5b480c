//! Lets a few through at once.

use std::time::Duration;

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::timeout,
};

use super::error::Error;

/// Those who change one party, or follow one user, wait for each other in PostgreSQL, each with a connection: more than a few at once would only
/// take them away from everything else.
const AT_ONCE: usize = 4;
/// How long one waits for one's turn.
const TURN: Duration = Duration::from_secs(5);

const CROWDED: Error =
    Error::Unavailable { reason: "too many come at once", retry_after: Duration::from_secs(1), source: None };

/// Lets a few through at once; who waits too long is told to come again.
#[derive(Debug)]
pub(super) struct Turnstile(Semaphore);

impl Turnstile {
    /// One through which nobody has gone yet.
    pub(super) fn new() -> Self {
        Self(Semaphore::new(AT_ONCE))
    }

    /// A turn, which lasts until it is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub(super) async fn turn(&self) -> Result<SemaphorePermit<'_>, Error> {
        // It is never closed: only waiting too long has no turn
        let Ok(Ok(turn)) = timeout(TURN, self.0.acquire()).await else { return Err(CROWDED) };
        Ok(turn)
    }
}
