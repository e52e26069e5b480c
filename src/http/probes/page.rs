//! The words of `/health`: what a verdict looks like as JSON.

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use party_gallery_actors::{
    health::{Check, Snapshot, Verdict},
    kernel::ChildReport,
};
use serde::{Serialize, Serializer};

/// What the page shows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shown<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) verdict: &'a Verdict,
    pub(super) at: SystemTime,
    pub(super) uptime: Duration,
    /// The actors and the present, for operators only.
    pub(super) tree: Option<(&'a [ChildReport], Instant)>,
}

impl Shown<'_> {
    pub(super) fn encode(&self) -> serde_json::Result<Vec<u8>> {
        serde_json::to_vec(&Page {
            status: self.verdict.overall.word(),
            reasons: &self.verdict.reasons,
            timestamp: timestamp(self.at),
            uptime: thousandths(self.uptime.as_secs_f64()),
            version: env!("CARGO_PKG_VERSION"),
            memory: Memory { rss: self.snapshot.memory.rss },
            checks: Checks { snapshot: self.snapshot, verbose: self.tree.is_some() },
            supervision: self.tree.map(|(tree, now)| tree.iter().map(|child| actor(child, now)).collect()),
        })
    }
}

#[derive(Serialize)]
struct Page<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    reasons: &'a [&'static str],
    timestamp: String,
    uptime: f64,
    version: &'static str,
    memory: Memory,
    checks: Checks<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    supervision: Option<Vec<Actor<'a>>>,
}

#[derive(Serialize)]
struct Memory {
    #[serde(skip_serializing_if = "Option::is_none")]
    rss: Option<u64>,
}

/// An object with a field for each check, in the order of the probes.
struct Checks<'a> {
    snapshot: &'a Snapshot,
    verbose: bool,
}

impl Serialize for Checks<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer
            .collect_map(self.snapshot.checks.iter().map(|check| (check.name, part(check, self.verbose))))
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    latency: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<String>,
    restarts: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    p50: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    p99: Option<f64>,
}

fn part(check: &Check, verbose: bool) -> Part {
    let percentile = |percent| check.window.percentile(percent).filter(|_| verbose).map(millis);
    Part {
        status: check.status.word(),
        latency: check.latency.map(millis),
        checked_at: check.checked_at.map(timestamp),
        error: check.error,
        since: check.error.map(|_| timestamp(check.since)),
        restarts: check.restarts,
        p50: percentile(50),
        p99: percentile(99),
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Actor<'a> {
    name: &'static str,
    state: &'static str,
    epoch: u64,
    restarts: u64,
    last_failure: Option<Failure<'a>>,
    mailbox: usize,
}

#[derive(Serialize)]
struct Failure<'a> {
    reason: &'a str,
    /// Seconds ago.
    age: f64,
}

fn actor(child: &ChildReport, now: Instant) -> Actor<'_> {
    Actor {
        name: child.name,
        state: child.status.state.word(),
        epoch: child.status.epoch,
        restarts: child.restarts,
        last_failure: child.last_failure.as_ref().map(|(reason, at)| Failure {
            reason,
            age: thousandths(now.saturating_duration_since(*at).as_secs_f64()),
        }),
        mailbox: child.calls,
    }
}

/// RFC 3339 in UTC with milliseconds. A clock that is set beyond the year 9999 shows the epoch.
fn timestamp(at: SystemTime) -> String {
    format!("{:.3}", Timestamp::try_from(at).unwrap_or_default())
}

fn millis(duration: Duration) -> f64 {
    thousandths(duration.as_secs_f64() * 1000.0)
}

fn thousandths(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}
