//! The circuit breaker that the Database and the Redis actor share: whether their dependency is away, since when,
//! and when to try it again.
//!
//! *Invariant:* only the owning actor opens and closes it; everybody may read and watch it.

use std::time::{Duration, Instant};

use tokio::sync::watch;

/// How often an outage is tried while it is young, and later.
const EAGER: Duration = Duration::from_millis(100);
const PATIENT: Duration = Duration::from_millis(500);
/// Until what age an outage is young.
const YOUNG: Duration = Duration::from_secs(10);

/// A dependency that is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// Since when.
    pub since: Instant,
    /// Why, in words that are fit for the public: no host, no port, no user.
    pub reason: &'static str,
}

impl Outage {
    /// How long to wait from `now` until the next trial: 100 ms in the first 10 s, then 500 ms.
    pub fn next_trial(&self, now: Instant) -> Duration {
        if now.duration_since(self.since) < YOUNG { EAGER } else { PATIENT }
    }
}

/// Whether a dependency is away. Open means away: calls are refused at once instead of waiting.
#[derive(Debug)]
pub struct Breaker {
    outage: watch::Sender<Option<Outage>>,
}

impl Breaker {
    /// A breaker that is open, since nothing has answered yet.
    pub fn opened(reason: &'static str) -> Self {
        let outage = Outage { since: Instant::now(), reason };
        Self { outage: watch::Sender::new(Some(outage)) }
    }

    /// Opens it; the first reason and time of an outage stay. Tells whether it was closed before.
    pub fn open(&self, reason: &'static str) -> bool {
        self.outage.send_if_modified(|outage| {
            let closed = outage.is_none();
            if closed {
                *outage = Some(Outage { since: Instant::now(), reason });
            }
            closed
        })
    }

    /// Closes it. Tells the outage that ended.
    pub fn close(&self) -> Option<Outage> {
        let mut ended = None;
        self.outage.send_if_modified(|outage| {
            ended = outage.take();
            ended.is_some()
        });
        ended
    }

    /// The present outage, if any.
    pub fn outage(&self) -> Option<Outage> {
        *self.outage.borrow()
    }

    /// The outage as it begins and ends.
    pub fn watch(&self) -> watch::Receiver<Option<Outage>> {
        self.outage.subscribe()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trials_are_eager_for_ten_seconds_and_patient_afterwards() {
        let outage = Outage { since: Instant::now(), reason: "refused" };
        for (age, expected) in [(0, 100), (9_999, 100), (10_000, 500), (600_000, 500)] {
            let wait = outage.next_trial(outage.since + Duration::from_millis(age));
            assert_eq!(wait, Duration::from_millis(expected), "at {age} ms");
        }
    }

    #[test]
    fn an_outage_keeps_its_first_reason_until_it_ends() {
        let breaker = Breaker::opened("starting");
        assert!(!breaker.open("refused"));
        assert_eq!(breaker.close().map(|outage| outage.reason), Some("starting"));
        assert_eq!(breaker.close(), None);
        assert!(breaker.open("refused"));
        assert!(!breaker.open("frozen"));
        assert_eq!(breaker.outage().map(|outage| outage.reason), Some("refused"));
    }
}
