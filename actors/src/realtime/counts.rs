//! What metrics tell of sockets.

use std::sync::atomic::{AtomicU64, Ordering};

/// What metrics tell of sockets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions that are open now.
    pub open: u64,
    /// Sessions that were ever opened.
    pub opened: u64,
    /// Upgrades that were refused.
    pub refused: u64,
    /// Frames that sockets have taken.
    pub delivered: u64,
    /// Sessions that were closed for being too slow (4008).
    pub evicted: u64,
    /// Connections that were cut because a close was not taken in time.
    pub cut: u64,
    /// Connections that were cut because their peer gave no sign of life.
    pub lost: u64,
}

/// The counters behind them.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) opened: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) delivered: AtomicU64,
    pub(super) evicted: AtomicU64,
    pub(super) cut: AtomicU64,
    pub(super) lost: AtomicU64,
}

impl Counters {
    pub(super) fn read(&self, open: usize) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Counts {
            open: open as u64,
            opened: read(&self.opened),
            refused: read(&self.refused),
            delivered: read(&self.delivered),
            evicted: read(&self.evicted),
            cut: read(&self.cut),
            lost: read(&self.lost),
        }
    }
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}
