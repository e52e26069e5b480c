//! What does a job.

use std::{
    borrow::Cow,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::future::{BoxFuture, ready};

/// Why a job was not done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Another attempt may do better.
    #[error("{0}")]
    Retry(Cow<'static, str>),
    /// No attempt will ever do better.
    #[error("{0}")]
    Permanent(Cow<'static, str>),
    /// Something that it depends on is away: not the job's fault, and not counted as an attempt.
    #[error("{0}")]
    Unavailable(Cow<'static, str>),
}

/// Does jobs.
pub trait Run<J>: Send + Sync {
    /// Does `job`. The future is dropped when the lease is lost or time is up, and the job may begin again elsewhere:
    /// what it does must come to the same when it is done twice. It must not block: see [`super::Crew`].
    ///
    /// # Errors
    ///
    /// [`Failure`], which says what is to become of the job.
    fn run<'a>(&'a self, job: &'a J, cancel: Cancel) -> BoxFuture<'a, Result<(), Failure>>;

    /// Told before `job` is buried, so that nothing waits for it any more. May be told twice.
    ///
    /// # Errors
    ///
    /// [`Failure::Unavailable`] puts the burial off; after any other failure it takes place all the same.
    fn give_up<'a>(&'a self, job: &'a J, reason: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        let _unused = (job, reason);
        Box::pin(ready(Ok(())))
    }
}

/// Tells work that went to another thread that nobody waits for it any more.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    /// Whether the result would be thrown away.
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Cancels when what this gives is dropped: at the end, however it comes.
    pub(super) fn on_drop(&self) -> impl Drop + use<> {
        struct Cancelling(Cancel);

        impl Drop for Cancelling {
            fn drop(&mut self) {
                self.0.0.store(true, Ordering::Relaxed);
            }
        }

        Cancelling(self.clone())
    }
}
