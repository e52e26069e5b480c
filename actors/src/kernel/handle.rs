//! The only way to an actor: a bounded call with a deadline, whose errors say whether a repeat is safe.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, Handler, Message, dev::ToEnvelope};
use tokio::{sync::watch, time::timeout};

use super::{
    shared::Shared,
    status::{State, Status},
    tree::ChildReport,
};

/// What a refused caller is told to wait when nothing better is known.
const RETRY_SOON: Duration = Duration::from_millis(100);

/// Why a call was not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// Not sent: the actor is being restarted.
    #[error("the actor is restarting")]
    Unavailable {
        /// When it will be tried again.
        retry_after: Duration,
    },
    /// Not sent: as many calls as it takes are waiting already.
    #[error("the actor has too many calls waiting")]
    Overloaded {
        /// When to try again.
        retry_after: Duration,
    },
    /// Sent, and the actor failed before it answered: the outcome is unknown.
    #[error("the actor failed before it answered")]
    Interrupted,
    /// Sent, and not answered within the caller's deadline: the outcome is unknown.
    #[error("the actor did not answer in time")]
    Timeout,
    /// Not sent: the actor has ended for good.
    #[error("the actor has ended")]
    Down,
}

impl CallError {
    /// Whether the message certainly had no effect, so that a repeat is safe.
    pub fn is_unsent(self) -> bool {
        matches!(self, Self::Unavailable { .. } | Self::Overloaded { .. } | Self::Down)
    }
}

/// A way to call an actor, whichever life it is in.
pub struct Handle<A: Actor> {
    pub(super) shared: Arc<Shared<A>>,
}

impl<A: Actor> Handle<A> {
    /// Sends `message` and waits for the answer, at most until `deadline` from now.
    ///
    /// # Errors
    ///
    /// [`CallError`]; [`CallError::is_unsent`] tells whether a repeat is safe.
    pub async fn call<M>(&self, message: M, deadline: Duration) -> Result<M::Result, CallError>
    where
        A: Handler<M>,
        A::Context: ToEnvelope<A, M>,
        M: Message + Send + 'static,
        M::Result: Send,
    {
        // The permit first: a drain that holds all of them knows that nobody is still between gate and mailbox
        let permit = self.shared.calls.try_acquire();
        let generation = self.gate()?;
        let Ok(_permit) = permit else {
            return Err(CallError::Overloaded { retry_after: RETRY_SOON });
        };
        let Some(address) = self.shared.address.load_full() else {
            return Err(CallError::Unavailable { retry_after: RETRY_SOON });
        };
        let mut watch = self.shared.watch();
        let answer = async {
            tokio::select! {
                biased;
                answer = address.send(message) => answer.map_err(|_closed| CallError::Interrupted),
                _ = watch.wait_for(|now| now.generation != generation) => Err(CallError::Interrupted),
            }
        };
        timeout(deadline, answer).await.unwrap_or(Err(CallError::Timeout))
    }

    /// Refuses callers that the actor would not serve now. Gives the mailbox that it serves.
    fn gate(&self) -> Result<u64, CallError> {
        let status = self.status();
        match status.state {
            State::Starting | State::Running => Ok(status.generation),
            State::Restarting { until } => {
                let retry_after = until.saturating_duration_since(Instant::now());
                Err(CallError::Unavailable { retry_after })
            }
            State::Stopping | State::Stopped | State::GaveUp => Err(CallError::Down),
        }
    }

    /// Where the actor is in its life, now.
    pub fn status(&self) -> Status {
        self.shared.status()
    }

    /// Where the actor is in its life, as it changes.
    pub fn watch(&self) -> watch::Receiver<Status> {
        self.shared.watch()
    }

    /// The actor as operators see it.
    pub fn report(&self) -> ChildReport {
        self.shared.report()
    }

    /// Makes the actor panic before its next message, as a bug in it would. For tests.
    #[cfg(feature = "chaos")]
    pub async fn inject_panic(&self) {
        if let Some(orders) = self.shared.orders.load_full() {
            // A full or closed queue means that it is being stopped: nothing left to hurt
            _ = orders.send(super::caretaker::Order::Panic).await;
        }
    }
}

impl<A: Actor> Clone for Handle<A> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<A: Actor> fmt::Debug for Handle<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle").field("name", &self.shared.name).field("status", &self.status()).finish()
    }
}
