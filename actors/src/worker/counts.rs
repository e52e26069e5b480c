//! What metrics tell of a worker.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// What metrics tell of a worker, over all its lives.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Jobs that were claimed, each as often as it was.
    pub claimed: u64,
    /// Jobs that were done.
    pub completed: u64,
    /// Attempts that failed and are to be repeated.
    pub retried: u64,
    /// Jobs that were given back untried.
    pub released: u64,
    /// Jobs that became dead letters.
    pub buried: u64,
    /// Jobs whose lease was lost.
    pub lost: u64,
    /// Jobs that are held now.
    pub running: u64,
    /// How long the oldest job of the last claim had been due.
    pub waited: Duration,
}

/// The counters behind them: outside of the actor, to be read without a hop.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<Counters>);

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) claimed: AtomicU64,
    pub(super) completed: AtomicU64,
    pub(super) retried: AtomicU64,
    pub(super) released: AtomicU64,
    pub(super) buried: AtomicU64,
    pub(super) lost: AtomicU64,
    running: AtomicU64,
    waited_millis: AtomicU64,
}

impl Tally {
    /// The counts, now.
    pub fn read(&self) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            claimed: read(&self.0.claimed),
            completed: read(&self.0.completed),
            retried: read(&self.0.retried),
            released: read(&self.0.released),
            buried: read(&self.0.buried),
            lost: read(&self.0.lost),
            running: read(&self.0.running),
            waited: Duration::from_millis(read(&self.0.waited_millis)),
        }
    }

    pub(super) fn count(&self, counter: impl FnOnce(&Counters) -> &AtomicU64) {
        counter(&self.0).fetch_add(1, Ordering::Relaxed);
    }

    /// Notes what a claim brought.
    pub(super) fn claimed(&self, jobs: usize, waited: Duration) {
        self.0.claimed.fetch_add(jobs as u64, Ordering::Relaxed);
        let millis = u64::try_from(waited.as_millis()).unwrap_or(u64::MAX);
        self.0.waited_millis.store(millis, Ordering::Relaxed);
    }

    /// One more is running until what this gives is dropped.
    pub(super) fn running(&self) -> impl Drop + use<> {
        struct Running(Tally);

        impl Drop for Running {
            fn drop(&mut self) {
                self.0.0.running.fetch_sub(1, Ordering::Relaxed);
            }
        }

        self.0.running.fetch_add(1, Ordering::Relaxed);
        Running(self.clone())
    }
}
