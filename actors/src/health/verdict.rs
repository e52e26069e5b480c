//! What a snapshot amounts to, decided purely at the moment of reading.

use std::time::{Duration, Instant};

use super::snapshot::{CheckStatus, Snapshot};
use crate::kernel::{ChildReport, State};

/// How the service is as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overall {
    /// All is well.
    Healthy,
    /// Something that readiness does not require is not.
    Degraded,
    /// It should get no traffic.
    Unhealthy,
}

impl Overall {
    /// The word for the health page and metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Healthy => "healthy",
            Self::Degraded => "degraded",
            Self::Unhealthy => "unhealthy",
        }
    }
}

/// What a verdict rests on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// What was last heard.
    pub snapshot: &'a Snapshot,
    /// The actors as the supervisor sees them.
    pub tree: &'a [ChildReport],
    /// The checks that readiness requires.
    pub required: &'a [&'static str],
    /// The age from which the snapshot says nothing any more.
    pub stale_after: Duration,
    /// Whether the database's schema is one that this program can serve.
    pub schema_fits: bool,
    /// Whether the service is being shut down.
    pub draining: bool,
    /// The time of the verdict.
    pub now: Instant,
}

/// How the service is, and why it is not better: names of checks and of actors, `draining`, `schema`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// How it is as a whole.
    pub overall: Overall,
    /// Why it is unhealthy; empty otherwise.
    pub reasons: Vec<&'static str>,
    /// Why it is not ready; empty when it is.
    pub unready: Vec<&'static str>,
}

impl Verdict {
    /// Comes to a verdict.
    pub fn of(facts: &Facts<'_>) -> Self {
        let mut reasons = Vec::new();
        if facts.draining {
            reasons.push("draining");
        }
        if is_unknown(facts) {
            reasons.push("health");
        }
        let required = facts.required.iter().copied();
        reasons.extend(required.filter(|name| !is_healthy(facts.snapshot, name)));

        let mut unready = reasons.clone();
        if !facts.schema_fits {
            unready.push("schema");
        }
        for child in facts.tree.iter().filter(|child| child.status.state == State::GaveUp) {
            if !reasons.contains(&child.name) {
                reasons.push(child.name);
            }
        }
        let all_well = facts.snapshot.checks.iter().all(|check| check.status == CheckStatus::Healthy);
        let overall = match (reasons.is_empty(), all_well) {
            (false, _) => Overall::Unhealthy,
            (true, false) => Overall::Degraded,
            (true, true) => Overall::Healthy,
        };
        Self { overall, reasons, unready }
    }

    /// Whether traffic is welcome.
    pub fn is_ready(&self) -> bool {
        self.unready.is_empty()
    }
}

/// Whether nobody keeps the snapshot. A short restart of the Health actor is none of it: its age tells a long one.
fn is_unknown(facts: &Facts<'_>) -> bool {
    let down =
        facts.tree.iter().filter(|child| child.name == "health").any(|child| match child.status.state {
            State::Starting | State::Running => false,
            State::Restarting { .. } => child.status.exhausted,
            State::Stopping | State::Stopped | State::GaveUp => true,
        });
    down || facts.snapshot.age(facts.now) > facts.stale_after
}

fn is_healthy(snapshot: &Snapshot, name: &str) -> bool {
    snapshot.check(name).is_some_and(|check| check.status == CheckStatus::Healthy)
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, time::SystemTime};

    use super::*;
    use crate::{
        health::{Check, Memory},
        kernel::Status,
    };

    use CheckStatus::{Healthy, Restarting, Unhealthy};

    const STALE: Duration = Duration::from_secs(17);

    fn snapshot(database: CheckStatus, redis: CheckStatus, now: Instant) -> Snapshot {
        let check =
            |name, status| Arc::new(Check { status, ..Check::starting(name, now, SystemTime::UNIX_EPOCH) });
        let checks = vec![check("database", database), check("redis", redis)];
        Snapshot { checks, memory: Memory { rss: None, read: now } }
    }

    fn child(name: &'static str, state: State, exhausted: bool) -> ChildReport {
        let status = Status { state, epoch: 1, generation: 1, exhausted };
        ChildReport { name, status, restarts: 0, last_failure: None, calls: 0, calls_limit: 1 }
    }

    /// A case in which all is well and the database is required.
    fn well(snapshot: &Snapshot, now: Instant) -> Facts<'_> {
        let required: &[&'static str] = &["database"];
        Facts { snapshot, tree: &[], required, stale_after: STALE, schema_fits: true, draining: false, now }
    }

    fn assert_verdict(facts: &Facts<'_>, overall: Overall, reasons: &[&str], unready: &[&str]) {
        let verdict = Verdict::of(facts);
        assert_eq!(verdict.overall, overall, "{facts:?}");
        assert_eq!(verdict.reasons, reasons, "{facts:?}");
        assert_eq!(verdict.unready, unready, "{facts:?}");
        assert_eq!(verdict.is_ready(), unready.is_empty());
    }

    #[test]
    fn only_what_is_required_makes_it_unhealthy() {
        let now = Instant::now();
        let neither: &[&'static str] = &[];
        let both: &[&'static str] = &["database", "redis"];
        for (database, redis, required, overall, reasons) in [
            (Healthy, Healthy, both, Overall::Healthy, vec![]),
            (Healthy, Unhealthy, both, Overall::Unhealthy, vec!["redis"]),
            (Restarting, Unhealthy, both, Overall::Unhealthy, vec!["database", "redis"]),
            (Healthy, Unhealthy, &["database"], Overall::Degraded, vec![]),
            (Healthy, Restarting, &["database"], Overall::Degraded, vec![]),
            (Unhealthy, Healthy, &["database"], Overall::Unhealthy, vec!["database"]),
            (Restarting, Healthy, &["database"], Overall::Unhealthy, vec!["database"]),
            (Unhealthy, Unhealthy, neither, Overall::Degraded, vec![]),
            (Healthy, Healthy, &["storage"], Overall::Unhealthy, vec!["storage"]),
        ] {
            let snapshot = snapshot(database, redis, now);
            let facts = Facts { required, ..well(&snapshot, now) };
            assert_verdict(&facts, overall, &reasons, &reasons);
        }
    }

    #[test]
    fn draining_closes_both_and_a_strange_schema_closes_readiness_only() {
        let now = Instant::now();
        let snapshot = snapshot(Healthy, Healthy, now);
        let draining = Facts { draining: true, ..well(&snapshot, now) };
        assert_verdict(&draining, Overall::Unhealthy, &["draining"], &["draining"]);
        let strange = Facts { schema_fits: false, ..well(&snapshot, now) };
        assert_verdict(&strange, Overall::Healthy, &[], &["schema"]);
    }

    #[test]
    fn a_snapshot_that_is_too_old_says_nothing() {
        let now = Instant::now();
        let snapshot = snapshot(Healthy, Healthy, now);
        let fresh = Facts { now: now + STALE, ..well(&snapshot, now) };
        assert_verdict(&fresh, Overall::Healthy, &[], &[]);
        let old = Facts { now: now + STALE + Duration::from_millis(1), ..well(&snapshot, now) };
        assert_verdict(&old, Overall::Unhealthy, &["health"], &["health"]);
    }

    #[test]
    fn a_health_actor_that_is_down_leaves_everything_unknown() {
        let now = Instant::now();
        let snapshot = snapshot(Healthy, Healthy, now);
        let restarting = State::Restarting { until: now };
        for (state, exhausted, known) in [
            (State::Starting, false, true),
            (State::Running, false, true),
            (State::Running, true, true),
            (restarting, false, true),
            (restarting, true, false),
            (State::Stopping, false, false),
            (State::Stopped, false, false),
            (State::GaveUp, true, false),
        ] {
            let tree = [child("health", state, exhausted)];
            let verdict = Verdict::of(&Facts { tree: &tree, ..well(&snapshot, now) });
            assert_eq!(verdict.overall == Overall::Healthy, known, "{state:?} {exhausted}");
            assert_eq!(verdict.is_ready(), known, "{state:?} {exhausted}");
        }
    }

    #[test]
    fn an_essential_actor_that_gave_up_is_unhealthy_whatever_is_required() {
        let now = Instant::now();
        let snapshot = snapshot(Healthy, Healthy, now);
        let tree = [child("hub", State::GaveUp, true), child("redis", State::Running, true)];
        let facts = Facts { tree: &tree, required: &[], ..well(&snapshot, now) };
        assert_verdict(&facts, Overall::Unhealthy, &["hub"], &[]);
    }
}
