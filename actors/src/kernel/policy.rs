//! What a failure leads to: pure arithmetic over times, decided once.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{
    backoff::Backoff,
    child::{Exhausted, Restart},
};

/// How many restarts in which time are still normal.
#[derive(Clone, Copy, Debug)]
pub struct Intensity {
    /// Restarts that are tolerated within `within`; one more exhausts the child.
    pub restarts: usize,
    /// The sliding window in which restarts are counted.
    pub within: Duration,
}

impl Default for Intensity {
    /// 5 in 30 s: the sixth is one too many.
    fn default() -> Self {
        Self { restarts: 5, within: Duration::from_secs(30) }
    }
}

/// How an actor's run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It stopped by itself.
    Stopped,
    /// It panicked, hung, or lost its thread.
    Failed,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Make it anew after the delay.
    Restart { after: Duration },
    /// It failed too often, but may go on trying at the longest delay.
    Degrade { after: Duration },
    /// It failed too often and the service is not whole without it.
    Escalate,
    /// It was not meant to be restarted.
    Finish,
}

/// The restart policy of one child, with what it remembers.
#[derive(Debug)]
pub(super) struct Policy {
    restart: Restart,
    intensity: Intensity,
    on_exhausted: Exhausted,
    backoff: Backoff,
    stable_after: Duration,
    recent: VecDeque<Instant>,
    exhausted: bool,
    born: Instant,
}

impl Policy {
    pub(super) fn new(
        restart: Restart,
        intensity: Intensity,
        on_exhausted: Exhausted,
        backoff: Backoff,
        stable_after: Duration,
        now: Instant,
    ) -> Self {
        Self {
            restart,
            intensity,
            on_exhausted,
            backoff,
            stable_after,
            recent: VecDeque::new(),
            exhausted: false,
            born: now,
        }
    }

    /// Decides what follows a run that ended `now`.
    pub(super) fn judge(&mut self, end: End, now: Instant) -> Verdict {
        let due = match self.restart {
            Restart::Permanent => true,
            Restart::Transient => end == End::Failed,
            Restart::Temporary => false,
        };
        if !due {
            return Verdict::Finish;
        }
        self.settle(now);
        while self.recent.front().is_some_and(|at| now.duration_since(*at) > self.intensity.within) {
            self.recent.pop_front();
        }
        self.exhausted |= self.recent.len() >= self.intensity.restarts;
        let verdict = match (self.exhausted, self.on_exhausted) {
            (true, Exhausted::Degrade) => Verdict::Degrade { after: self.backoff.longest() },
            (true, Exhausted::Escalate) => Verdict::Escalate,
            (false, _) => {
                self.recent.push_back(now);
                Verdict::Restart { after: self.backoff.next_delay() }
            }
        };
        if let Verdict::Restart { after } | Verdict::Degrade { after } = verdict {
            // No run until then, and none at all where the making fails: neither counts as a stable one
            self.began(now + after);
        }
        verdict
    }

    /// Forgets former failures if the run has lasted long enough: only that ends an exhaustion, not the mere passing
    /// of the window while it fails on. Whether it did.
    pub(super) fn settle(&mut self, now: Instant) -> bool {
        let stable = now.duration_since(self.born) >= self.stable_after;
        if stable {
            self.backoff.reset();
            self.exhausted = false;
        }
        stable
    }

    /// Notes when the run began that the next verdict is about.
    pub(super) fn began(&mut self, now: Instant) {
        self.born = now;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::kernel::BackoffConfig;

    fn policy(restart: Restart, on_exhausted: Exhausted, now: Instant) -> Policy {
        let backoff = Backoff::new(BackoffConfig { jitter: 0.0, ..BackoffConfig::default() });
        Policy::new(restart, Intensity::default(), on_exhausted, backoff, Duration::from_secs(60), now)
    }

    #[test]
    fn who_is_restarted_after_what() {
        let now = Instant::now();
        for (restart, end, restarted) in [
            (Restart::Permanent, End::Stopped, true),
            (Restart::Permanent, End::Failed, true),
            (Restart::Transient, End::Stopped, false),
            (Restart::Transient, End::Failed, true),
            (Restart::Temporary, End::Stopped, false),
            (Restart::Temporary, End::Failed, false),
        ] {
            let verdict = policy(restart, Exhausted::Escalate, now).judge(end, now);
            assert_eq!(verdict != Verdict::Finish, restarted, "{restart:?} after {end:?}");
        }
    }

    #[test]
    fn the_sixth_failure_in_thirty_seconds_exhausts() {
        let start = Instant::now();
        for (on_exhausted, expected) in [
            (Exhausted::Escalate, Verdict::Escalate),
            (Exhausted::Degrade, Verdict::Degrade { after: Duration::from_secs(10) }),
        ] {
            let mut policy = policy(Restart::Permanent, on_exhausted, start);
            for n in 0..5 {
                let verdict = policy.judge(End::Failed, start + Duration::from_secs(n));
                assert!(matches!(verdict, Verdict::Restart { .. }), "{n}: {verdict:?}");
            }
            assert_eq!(policy.judge(End::Failed, start + Duration::from_secs(29)), expected);
        }
    }

    #[test]
    fn a_stable_minute_makes_the_delay_short_again() {
        let mut now = Instant::now();
        let mut policy = policy(Restart::Permanent, Exhausted::Degrade, now);
        for millis in [50, 100, 200] {
            now += Duration::from_secs(40);
            let after = Duration::from_millis(millis);
            assert_eq!(policy.judge(End::Failed, now), Verdict::Restart { after });
            policy.began(now);
        }
        now += Duration::from_secs(60);
        let after = Duration::from_millis(50);
        assert_eq!(policy.judge(End::Failed, now), Verdict::Restart { after });
    }

    #[test]
    fn an_exhausted_child_goes_on_at_the_longest_delay_until_it_was_stable() {
        let mut now = Instant::now();
        let mut policy = policy(Restart::Permanent, Exhausted::Degrade, now);
        for _ in 0..5 {
            assert!(matches!(policy.judge(End::Failed, now), Verdict::Restart { .. }));
        }
        for _ in 0..10 {
            let after = Duration::from_secs(10);
            assert_eq!(policy.judge(End::Failed, now), Verdict::Degrade { after });
            now += after;
            policy.began(now);
        }
        assert!(!policy.settle(now + Duration::from_secs(59)));
        assert!(policy.settle(now + Duration::from_secs(60)));
        let after = Duration::from_millis(50);
        assert_eq!(policy.judge(End::Failed, now + Duration::from_secs(61)), Verdict::Restart { after });
    }

    #[test]
    fn minutes_of_failed_makings_are_no_stable_run() {
        let mut now = Instant::now();
        let mut policy = policy(Restart::Permanent, Exhausted::Degrade, now);
        for _ in 0..5 {
            assert!(matches!(policy.judge(End::Failed, now), Verdict::Restart { .. }));
        }
        for n in 0..30 {
            // No life began meanwhile
            let after = Duration::from_secs(10);
            assert_eq!(policy.judge(End::Failed, now), Verdict::Degrade { after }, "{n}");
            now += after;
        }
    }

    proptest! {
        /// However failures fall, no window of 30 s holds more than 5 restarts.
        #[test]
        fn no_window_holds_more_restarts_than_allowed(gaps in prop::collection::vec(0_u64..20_000, 1..80)) {
            let mut now = Instant::now();
            let mut policy = policy(Restart::Permanent, Exhausted::Degrade, now);
            let mut restarts: Vec<Instant> = Vec::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                if let Verdict::Restart { .. } = policy.judge(End::Failed, now) {
                    restarts.push(now);
                }
            }
            for window in restarts.windows(6) {
                let span = window.last().unwrap().duration_since(*window.first().unwrap());
                prop_assert!(span > Duration::from_secs(30), "{span:?}");
            }
        }
    }
}
