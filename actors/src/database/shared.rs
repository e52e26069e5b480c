//! What the actor publishes and its clients read, without a hop between threads.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use bb8::Pool;
use slog::Logger;
use tokio::sync::Notify;

use super::{Config, actor, connect::Connector};
use crate::breaker::Breaker;

pub(super) struct Shared {
    pub(super) config: Config,
    pub(super) log: Logger,
    pub(super) breaker: Breaker,
    /// Published while the breaker is closed.
    pub(super) pool: ArcSwapOption<Pool<Connector>>,
    /// The actor's own connection, outside the pool.
    pub(super) own: ArcSwapOption<tokio_postgres::Client>,
    /// Somebody has reason to believe that PostgreSQL is gone.
    pub(super) doubt: Notify,
    outstanding: AtomicUsize,
    began: Instant,
    heard_millis: AtomicU64,
}

impl Shared {
    pub(super) fn new(config: Config, log: Logger) -> Self {
        Self {
            config,
            log,
            breaker: Breaker::opened(actor::CONNECTING),
            pool: ArcSwapOption::empty(),
            own: ArcSwapOption::empty(),
            doubt: Notify::new(),
            outstanding: AtomicUsize::new(0),
            began: Instant::now(),
            heard_millis: AtomicU64::new(0),
        }
    }

    /// Counts a piece of work until the guard is dropped.
    pub(super) fn enter(self: &Arc<Self>) -> Outstanding {
        if self.outstanding.fetch_add(1, Ordering::Relaxed) == 0 {
            // Silence counts from when there is somebody to answer
            self.heard();
        }
        Outstanding(Arc::clone(self))
    }

    pub(super) fn outstanding(&self) -> usize {
        self.outstanding.load(Ordering::Relaxed)
    }

    /// PostgreSQL gave an answer, on whichever connection.
    pub(super) fn heard(&self) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.heard_millis.store(millis, Ordering::Relaxed);
    }

    pub(super) fn silent_for(&self) -> Duration {
        let last = Duration::from_millis(self.heard_millis.load(Ordering::Relaxed));
        self.began.elapsed().saturating_sub(last)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("breaker", &self.breaker).finish_non_exhaustive()
    }
}

/// A piece of work that waits for PostgreSQL.
pub(super) struct Outstanding(Arc<Shared>);

impl Drop for Outstanding {
    fn drop(&mut self) {
        self.0.outstanding.fetch_sub(1, Ordering::Relaxed);
    }
}
