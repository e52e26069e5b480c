//! Where the snapshot hangs: outside every life of the actor, so that it stays when the actor does not.

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use arc_swap::{ArcSwap, Guard};

use super::{
    probe::Probe,
    snapshot::{Check, Memory, Round, Snapshot},
};

/// The latest snapshot, for everybody to read.
///
/// *Invariant:* only the present life of the Health actor writes.
#[derive(Clone, Debug)]
pub struct Board(Arc<ArcSwap<Snapshot>>);

impl Board {
    /// A board that shows `snapshot`.
    pub fn new(snapshot: Snapshot) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(snapshot)))
    }

    /// A board for these probes that has heard of none: all are unhealthy, `starting`.
    pub fn awaiting(probes: &[Arc<dyn Probe>], now: Instant, now_at: SystemTime) -> Self {
        let checks =
            probes.iter().map(|probe| Arc::new(Check::starting(probe.name(), now, now_at))).collect();
        Self::new(Snapshot { checks, memory: Memory { rss: None, read: now } })
    }

    /// The latest snapshot. No waiting; another pointer means another content.
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.0.load()
    }

    /// Notes how a probe of the check of that name went.
    pub(super) fn record(&self, name: &'static str, round: &Round) {
        self.0.rcu(|snapshot| {
            let mut next = Snapshot::clone(snapshot);
            if let Some(check) = next.checks.iter_mut().find(|check| check.name == name) {
                *check = Arc::new(check.after(round));
            }
            next
        });
    }

    /// Notes what the process takes.
    pub(super) fn record_memory(&self, memory: Memory) {
        self.0.rcu(|snapshot| Snapshot { memory, checks: snapshot.checks.clone() });
    }
}
