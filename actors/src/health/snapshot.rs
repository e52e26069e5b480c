//! What was last heard of every part.

use std::{
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use super::{probe::Heard, window::Window};
use crate::kernel::{ChildReport, State};

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CheckStatus {
    /// It answered well.
    Healthy,
    /// It answered badly or not in time, or has not answered yet.
    Unhealthy,
    /// Its actor failed and is being made anew.
    Restarting,
}

impl CheckStatus {
    /// The word for the health page and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
            Self::Restarting => "restarting",
        }
    }
}

/// What was last heard of one part.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its name.
    pub name: &'static str,
    /// How it is.
    pub status: CheckStatus,
    /// Why it is not healthy, fit for the public.
    pub error: Option<&'static str>,
    /// Since when it has this status.
    pub since: SystemTime,
    /// How long its last probe took; `None` while it is not healthy.
    pub latency: Option<Duration>,
    /// When its last probe ended; `None` before the first one did.
    pub checked_at: Option<SystemTime>,
    /// The same on the clock that ages are measured with; before the first probe, when the wait for it began.
    pub heard: Instant,
    /// How often its actor was made anew.
    pub restarts: u64,
    /// Latencies of its last probes.
    pub window: Window,
}

/// How one probe went.
#[derive(Clone, Debug)]
pub(super) struct Round {
    pub(super) heard: Heard,
    pub(super) took: Duration,
    pub(super) owner: Option<ChildReport>,
    pub(super) ended: Instant,
    pub(super) ended_at: SystemTime,
}

impl Check {
    /// A part that nothing was heard of yet: unhealthy, since nothing says otherwise.
    pub fn starting(name: &'static str, now: Instant, now_at: SystemTime) -> Self {
        Self {
            name,
            status: CheckStatus::Unhealthy,
            error: Some("starting"),
            since: now_at,
            latency: None,
            checked_at: None,
            heard: now,
            restarts: 0,
            window: Window::default(),
        }
    }

    /// The check after one more probe.
    pub(super) fn after(&self, round: &Round) -> Self {
        let (status, error) = judge(round);
        let healthy = status == CheckStatus::Healthy;
        let mut window = self.window.clone();
        if healthy {
            window.push(round.took);
        }
        Self {
            name: self.name,
            status,
            error,
            since: if status == self.status { self.since } else { round.ended_at },
            latency: healthy.then_some(round.took),
            checked_at: Some(round.ended_at),
            heard: round.ended,
            restarts: round.owner.as_ref().map_or(self.restarts, |owner| owner.restarts),
            window,
        }
    }
}

/// What the part said counts only while its actor is there to say it.
fn judge(round: &Round) -> (CheckStatus, Option<&'static str>) {
    match round.owner.as_ref().map(|owner| owner.status) {
        Some(owner) if owner.state == State::GaveUp => (CheckStatus::Unhealthy, Some("gave up")),
        Some(owner) if matches!(owner.state, State::Restarting { .. }) && owner.exhausted => {
            (CheckStatus::Unhealthy, Some("gave up"))
        }
        Some(owner) if matches!(owner.state, State::Restarting { .. }) => {
            (CheckStatus::Restarting, Some("restarting"))
        }
        Some(owner) if matches!(owner.state, State::Stopping | State::Stopped) => {
            (CheckStatus::Unhealthy, Some("stopped"))
        }
        _ => match round.heard {
            Ok(()) => (CheckStatus::Healthy, None),
            Err(reason) => (CheckStatus::Unhealthy, Some(reason)),
        },
    }
}

/// What the process takes.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// Resident set in bytes; `None` where the system does not tell.
    pub rss: Option<u64>,
    /// When it was read.
    pub read: Instant,
}

/// What was last heard of everything. Each write makes another one.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// One for each probe, in the order in which they were given.
    pub checks: Vec<Arc<Check>>,
    /// What the process takes.
    pub memory: Memory,
}

impl Snapshot {
    /// The age of the oldest part: one loop that stands still makes all of it old.
    pub fn age(&self, now: Instant) -> Duration {
        let heard = self.checks.iter().map(|check| check.heard);
        let oldest = heard.fold(self.memory.read, Instant::min);
        now.saturating_duration_since(oldest)
    }

    /// The check of that name.
    pub fn check(&self, name: &str) -> Option<&Check> {
        self.checks.iter().find(|check| check.name == name).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Status;

    const AT: SystemTime = SystemTime::UNIX_EPOCH;

    fn owner(state: State, exhausted: bool) -> ChildReport {
        let status = Status { state, epoch: 3, generation: 1, exhausted };
        ChildReport { name: "database", status, restarts: 2, last_failure: None, calls: 0, calls_limit: 1 }
    }

    fn round(heard: Heard, owner: Option<ChildReport>, second: u64) -> Round {
        let ended = Instant::now();
        let ended_at = AT + Duration::from_secs(second);
        Round { heard, took: Duration::from_millis(3), owner, ended, ended_at }
    }

    #[test]
    fn the_owner_outweighs_the_answer() {
        let until = Instant::now();
        let restarting = State::Restarting { until };
        let refused = Err("refused");
        use CheckStatus::{Healthy, Restarting, Unhealthy};
        for (state, exhausted, heard, status, error) in [
            (None, false, Ok(()), Healthy, None),
            (None, false, refused, Unhealthy, Some("refused")),
            (Some(State::Starting), false, refused, Unhealthy, Some("refused")),
            (Some(State::Running), false, Ok(()), Healthy, None),
            (Some(State::Running), true, Ok(()), Healthy, None),
            (Some(State::Running), false, refused, Unhealthy, Some("refused")),
            (Some(restarting), false, Ok(()), Restarting, Some("restarting")),
            (Some(restarting), false, refused, Restarting, Some("restarting")),
            (Some(restarting), true, refused, Unhealthy, Some("gave up")),
            (Some(State::Stopping), false, Ok(()), Unhealthy, Some("stopped")),
            (Some(State::Stopped), false, Ok(()), Unhealthy, Some("stopped")),
            (Some(State::GaveUp), true, Ok(()), Unhealthy, Some("gave up")),
        ] {
            let round = round(heard, state.map(|state| owner(state, exhausted)), 0);
            let check = Check::starting("database", Instant::now(), AT).after(&round);
            assert_eq!((check.status, check.error), (status, error), "{state:?} {exhausted} {heard:?}");
            assert_eq!(check.latency.is_some(), status == Healthy, "{state:?} {exhausted} {heard:?}");
        }
    }

    #[test]
    fn since_is_when_the_status_began() {
        let starting = Check::starting("redis", Instant::now(), AT);
        let refused = starting.after(&round(Err("refused"), None, 5));
        assert_eq!((refused.since, refused.error), (AT, Some("refused")));
        let healthy = refused.after(&round(Ok(()), Some(owner(State::Running, false)), 7));
        assert_eq!((healthy.since, healthy.restarts), (AT + Duration::from_secs(7), 2));
        let again = healthy.after(&round(Ok(()), None, 9));
        assert_eq!((again.since, again.restarts), (AT + Duration::from_secs(7), 2));
        assert_eq!(again.checked_at, Some(AT + Duration::from_secs(9)));
        assert_eq!(again.window.percentile(50), Some(Duration::from_millis(3)));
    }

    #[test]
    fn a_snapshot_is_as_old_as_its_oldest_part() {
        let start = Instant::now();
        let second = Duration::from_secs(1);
        let at = |seconds| Arc::new(Check::starting("one", start + seconds * second, AT));
        for (checks, read, age) in
            [(vec![], 4, 6), (vec![at(9)], 4, 6), (vec![at(9), at(2)], 4, 8), (vec![at(20)], 20, 0)]
        {
            let memory = Memory { rss: None, read: start + read * second };
            assert_eq!(Snapshot { checks, memory }.age(start + 10 * second), age * second);
        }
    }
}
