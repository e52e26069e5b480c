//! The queue between those who log and the thread that writes.
//!
//! *Invariant:* logging never waits. A full queue loses the line and counts it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use slog::{BorrowedKV, Drain, Level, Never, OwnedKVList, Record, RecordStatic, SingleKV, b, o, record};
use slog_async::AsyncCore;

use super::clean::STAMP;
use super::log::now;
use super::metrics::Counter;

/// Lines that may wait. At about a kilobyte each this bounds the memory to a few megabytes.
pub(super) const CAPACITY: usize = 2_048;

/// `Log lines dropped` comes at most this often.
const REPORT_EVERY: Duration = Duration::from_secs(5);

/// The side of those who log.
pub(super) struct Queue {
    core: AsyncCore,
    accepted: AtomicU64,
    written: Arc<Written>,
    dropped: Counter,
    /// Dropped and not yet told.
    untold: AtomicU64,
    told_at: Mutex<Option<Instant>>,
}

impl Queue {
    pub(super) fn new(core: AsyncCore, written: Arc<Written>, dropped: Counter) -> Self {
        let (accepted, untold) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { core, accepted, written, dropped, untold, told_at: Mutex::new(None) }
    }

    /// Waits until all that was logged before is written; false when the deadline passes first.
    pub(super) fn wait_written(&self, deadline: Duration) -> bool {
        self.tell_dropped();
        self.written.reaches(self.accepted.load(Ordering::SeqCst), deadline)
    }

    fn push(&self, record: &Record<'_>, values: &OwnedKVList) -> bool {
        let accepted = self.core.log(record, values).is_ok();
        if accepted {
            self.accepted.fetch_add(1, Ordering::SeqCst);
        }
        accepted
    }

    /// Says how many lines are missing, once there is room to say it.
    fn tell_dropped(&self) {
        let count = self.untold.swap(0, Ordering::Relaxed);
        if count == 0 {
            return;
        }
        let stamp = now();
        let message = format_args!("Log lines dropped");
        let fields = b!("count" => count, STAMP => &stamp);
        if !self.push(&record!(Level::Warning, "", &message, fields), &OwnedKVList::from(o!())) {
            self.untold.fetch_add(count, Ordering::Relaxed);
        }
    }

    fn may_tell(&self) -> bool {
        // Who finds it taken leaves it to the other
        let Ok(mut told_at) = self.told_at.try_lock() else { return false };
        let due = told_at.is_none_or(|at| at.elapsed() >= REPORT_EVERY);
        if due {
            *told_at = Some(Instant::now());
        }
        due
    }
}

impl Drain for Queue {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        let location = record.location();
        let parts = RecordStatic { location, tag: record.tag(), level: record.level() };
        // The time of the event, not of its turn in the queue
        let stamped = (SingleKV(STAMP, now()), record.kv());
        let accepted = self.push(&Record::new(&parts, record.msg(), BorrowedKV(&stamped)), values);
        if !accepted {
            self.dropped.inc();
            self.untold.fetch_add(1, Ordering::Relaxed);
        } else if self.untold.load(Ordering::Relaxed) > 0 && self.may_tell() {
            self.tell_dropped();
        }
        Ok(())
    }
}

/// How many lines the writing thread is done with.
#[derive(Default)]
pub(super) struct Written {
    count: Mutex<u64>,
    grown: Condvar,
}

impl Written {
    fn reaches(&self, target: u64, deadline: Duration) -> bool {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.grown.wait_timeout_while(count, deadline, |count| *count < target);
        let (count, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *count >= target
    }

    fn grow(&self) {
        *self.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.grown.notify_all();
    }
}

/// The side of the thread that writes: a line that cannot be written is a dropped one.
pub(super) struct Writing<D> {
    pub(super) inner: D,
    pub(super) written: Arc<Written>,
    pub(super) dropped: Counter,
}

impl<D: Drain> Drain for Writing<D> {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, values: &OwnedKVList) -> Result<(), Never> {
        if self.inner.log(record, values).is_err() {
            self.dropped.inc();
        }
        self.written.grow();
        Ok(())
    }
}
