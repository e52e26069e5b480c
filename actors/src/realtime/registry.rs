//! All sessions of this pod: who they are, what waits for them, and how they are ended.
//!
//! *Invariant:* it lives outside of every actor, so that none that dies takes a session along; its lock is held only
//! for arithmetic.

use std::{
    collections::HashSet,
    fmt,
    net::IpAddr,
    sync::{Arc, OnceLock, Weak, atomic::AtomicBool},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::sync::watch;

use super::{
    announcer::Announcer,
    close::Close,
    config::Config,
    counts::{Counters, Counts, count},
    cut::Cut,
    desk::Desk,
    engine::Lines,
    entry::{Entry, SessionId},
    outbox::Outbox,
    protocol::{Identity, Notices},
    sessions::{Refused, Sessions},
    subjects::Subjects,
    topics::Topics,
    vitals::Vitals,
    watcher::Watcher,
};
use crate::redis::Inbox;

/// What a drain has left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drained {
    /// Sessions that had not ended in time.
    pub left: usize,
}

/// All sessions of this pod.
pub struct Registry {
    config: Config,
    sessions: Mutex<Sessions>,
    open: watch::Sender<usize>,
    counters: Arc<Counters>,
    last_sweep: Mutex<Option<Instant>>,
    pub(super) topics: Arc<Topics>,
    pub(super) subjects: Arc<Subjects>,
    pub(super) desk: Arc<Desk>,
    pub(super) lines: Lines,
}

impl Registry {
    /// A registry without sessions.
    pub fn new(config: Config) -> Arc<Self> {
        let counters = Arc::<Counters>::default();
        let topics = Arc::new(Topics::new(config.rooms_per_session, Arc::clone(&counters)));
        let subjects = Arc::new(Subjects::new(Arc::clone(&topics)));
        Arc::new(Self {
            config,
            sessions: Mutex::new(Sessions::new(Arc::clone(&subjects))),
            open: watch::Sender::new(0),
            topics,
            subjects,
            desk: Arc::default(),
            lines: Lines::default(),
            counters,
            last_sweep: Mutex::default(),
        })
    }

    /// Its limits and times.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// Enters a session; in a strict one only the answer to a ping is a sign of life. One whose subject has too many is
    /// entered as well, with its close.
    pub(super) fn open(
        self: &Arc<Self>,
        address: IpAddr,
        identity: Option<Identity>,
        (cut, is_strict): (Weak<Cut>, bool),
        notices: Arc<dyn Notices>,
        now: Instant,
    ) -> Result<Membership, Refused> {
        let mut sessions = self.sessions.lock();
        let id = sessions
            .admit(address, identity.is_some(), &self.config)
            .inspect_err(|_| count(&self.counters.refused))?;
        let entry = Arc::new(Entry {
            id,
            address,
            outbox: Outbox::new(&self.config),
            cut: Mutex::new(cut),
            is_strict,
            notices,
            return_after: self.return_after(id),
            vitals: Mutex::new(Vitals::new(now)),
            counters: Arc::clone(&self.counters),
            goodbye: AtomicBool::new(false),
            dialogue: OnceLock::new(),
            rooms: Mutex::new(HashSet::new()),
        });
        sessions.enter(&entry);
        if let Some(identity) = identity
            && !sessions.identify(&entry, identity, &self.config)
        {
            entry.outbox.close(Close::TOO_MANY, now);
        }
        self.open.send_replace(sessions.len());
        count(&self.counters.opened);
        Ok(Membership { registry: Arc::clone(self), entry })
    }

    /// Gives a session to its subject; `false` when that has too many.
    pub(super) fn identify(&self, entry: &Arc<Entry>, identity: Identity) -> bool {
        self.sessions.lock().identify(entry, identity, &self.config)
    }

    /// All sessions, as they are now.
    pub fn entries(&self) -> Vec<Arc<Entry>> {
        self.sessions.lock().entries()
    }

    /// Looks at all sessions and does what is due for each.
    pub(super) fn sweep(&self, now: Instant) {
        for entry in self.entries() {
            self.look_at(&entry, now);
        }
        self.lines.sweep(now);
        let overdue = self.sessions.lock().take_overdue(now, self.config.close_within);
        for cut in overdue {
            count(&self.counters.cut);
            cut.cut();
        }
        *self.last_sweep.lock() = Some(now);
    }

    /// Does what is due for one session.
    pub(super) fn look_at(&self, entry: &Entry, now: Instant) {
        entry.sweep(now, &self.config);
    }

    /// When the client of a session is to come back: spread by the golden ratio, which leaves no two sessions of
    /// near numbers close together and needs no dice.
    fn return_after(&self, id: SessionId) -> Duration {
        let thousandths = id.0.wrapping_mul(618) % 1000;
        let millis = u64::try_from(self.config.return_within.as_millis()).unwrap_or(u64::MAX);
        Duration::from_millis(millis.saturating_mul(thousandths) / 1000)
    }

    /// Opens no more sessions from now on.
    pub fn close_door(&self) {
        self.sessions.lock().draining = true;
    }

    /// Opens no more sessions and closes all that are open, evenly over `spread`; waits for their end until
    /// `deadline` from now.
    ///
    /// It does its own sweeps, so that it needs no actor to be alive.
    pub async fn drain(&self, spread: Duration, deadline: Duration) -> Drained {
        let start = Instant::now();
        self.begin_drain(spread, start);
        let mut open = self.open.subscribe();
        loop {
            self.sweep(Instant::now());
            let wait = self.config.sweep_every.min(deadline.saturating_sub(start.elapsed()));
            let gone = tokio::time::timeout(wait, open.wait_for(|open| *open == 0)).await;
            if gone.is_ok() || start.elapsed() >= deadline {
                return Drained { left: *self.open.borrow() };
            }
        }
    }

    fn begin_drain(&self, spread: Duration, now: Instant) {
        let entries = {
            let mut sessions = self.sessions.lock();
            sessions.draining = true;
            sessions.entries()
        };
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX).max(1);
        for (nth, entry) in (0..count).zip(entries) {
            entry.drain_at(now + spread.mul_f64(f64::from(nth) / f64::from(count)));
        }
    }

    /// Whether it opens no more sessions.
    pub fn is_draining(&self) -> bool {
        self.sessions.lock().draining
    }

    /// When all sessions were last looked at.
    pub fn last_sweep(&self) -> Option<Instant> {
        *self.last_sweep.lock()
    }

    /// What takes what Redis delivers on the channels of topics and subjects.
    pub fn inbox(&self) -> Arc<dyn Inbox> {
        Arc::clone(&self.subjects) as Arc<dyn Inbox>
    }

    /// The way to tell sessions on all pods something.
    pub fn announcer(&self) -> Announcer {
        Announcer(Arc::clone(&self.subjects))
    }

    /// Tells `watcher` of all hints that this pod gives or hears; only the first one.
    pub fn watch(&self, watcher: Weak<dyn Watcher>) {
        self.topics.watch(watcher);
    }

    /// What metrics tell of it.
    pub fn counts(&self) -> Counts {
        self.counters.read(*self.open.borrow())
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

/// A session's place in the registry; it leaves when this is dropped.
#[derive(Debug)]
pub(super) struct Membership {
    pub(super) registry: Arc<Registry>,
    pub(super) entry: Arc<Entry>,
}

impl Drop for Membership {
    fn drop(&mut self) {
        if self.entry.outbox.has_overflowed() {
            count(&self.registry.counters.evicted);
        }
        self.entry.end_reading();
        let now = Instant::now();
        // Who waits for room in the outbox hears of the end
        self.entry.outbox.close_at_once(Close::AWAY, now);
        self.registry.topics.leave_all(&self.entry, now);
        let mut sessions = self.registry.sessions.lock();
        sessions.leave(&self.entry, now);
        self.registry.open.send_replace(sessions.len());
    }
}
