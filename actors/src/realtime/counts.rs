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
    /// Logged events that the tails of topics have told.
    pub events: u64,
    /// Frames that came of these.
    pub fanned_out: u64,
    /// Joins that had to read the log.
    pub replays: u64,
    /// Frames that came of these.
    pub replayed: u64,
    /// Topics that only the comparison with the log showed to be behind: their hints were lost.
    pub reconciled: u64,
    /// Times that the tail of a topic has caught up, and how long it was behind in all of them together.
    pub catch_ups: u64,
    /// See `catch_ups`; in microseconds.
    pub lag_micros: u64,
    /// Reads of the log that were begun, and those that go on now.
    pub reads: u64,
    /// See `reads`.
    pub reading: u64,
    /// Reads of the log that failed.
    pub unreadable: u64,
    /// Hints and words that other pods were not told.
    pub unpublished: u64,
    /// Sessions that were closed because their credential was worth nothing any more.
    pub revoked: u64,
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
    pub(super) events: AtomicU64,
    pub(super) fanned_out: AtomicU64,
    pub(super) replays: AtomicU64,
    pub(super) replayed: AtomicU64,
    pub(super) reconciled: AtomicU64,
    pub(super) catch_ups: AtomicU64,
    pub(super) lag_micros: AtomicU64,
    pub(super) reads: AtomicU64,
    pub(super) reading: AtomicU64,
    pub(super) unreadable: AtomicU64,
    pub(super) unpublished: AtomicU64,
    pub(super) revoked: AtomicU64,
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
            events: read(&self.events),
            fanned_out: read(&self.fanned_out),
            replays: read(&self.replays),
            replayed: read(&self.replayed),
            reconciled: read(&self.reconciled),
            catch_ups: read(&self.catch_ups),
            lag_micros: read(&self.lag_micros),
            reads: read(&self.reads),
            reading: read(&self.reading),
            unreadable: read(&self.unreadable),
            unpublished: read(&self.unpublished),
            revoked: read(&self.revoked),
        }
    }
}

/// A read of the log, counted until this is dropped, however it ends.
pub(super) struct Reading<'a>(&'a Counters);

impl<'a> Reading<'a> {
    pub(super) fn begin(counters: &'a Counters) -> Self {
        count(&counters.reads);
        count(&counters.reading);
        Self(counters)
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        self.0.reading.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One more.
pub(super) fn count(counter: &AtomicU64) {
    add(counter, 1);
}

/// So many more.
pub(super) fn add(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Ordering::Relaxed);
}
