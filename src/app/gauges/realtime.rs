//! What sockets and the log's tails have counted.

use std::sync::Arc;

use party_gallery_actors::realtime::{Counts, Registry};

use super::as_f64;
use crate::telemetry::{
    Metrics,
    metrics::{Kind, Sample},
};

/// A counter's name, its help, and where it is read.
type Row = (&'static str, &'static str, fn(&Counts) -> u64);

const COUNTERS: [Row; 16] = [
    ("sessions_opened", "Sessions that were ever opened", |counts| counts.opened),
    ("upgrades_refused", "Upgrades that were refused", |counts| counts.refused),
    ("deliveries", "Frames that sockets have taken", |counts| counts.delivered),
    ("evictions", "Sessions that were closed for being too slow", |counts| counts.evicted),
    ("cuts", "Connections that did not take their close in time", |counts| counts.cut),
    ("losses", "Connections whose peer gave no sign of life", |counts| counts.lost),
    ("events", "Logged events that the tails of topics have told", |counts| counts.events),
    ("fanned_out", "Frames that came of these events", |counts| counts.fanned_out),
    ("replays", "Joins that had to read the log", |counts| counts.replays),
    ("replayed", "Frames that came of these joins", |counts| counts.replayed),
    ("reconciled", "Topics whose hints were lost", |counts| counts.reconciled),
    ("catch_ups", "Times that a tail has caught up with its log", |counts| counts.catch_ups),
    ("log_reads", "Pages of logs that were asked for", |counts| counts.reads),
    ("unreadable", "Reads of the log that failed", |counts| counts.unreadable),
    ("revoked", "Sessions that were closed because their token was worth nothing any more", |counts| {
        counts.revoked
    }),
    ("unpublished", "Hints and words that other pods were not told", |counts| counts.unpublished),
];

/// Names are below `realtime_`.
pub(super) fn register(metrics: &Metrics, registry: &Arc<Registry>) {
    let seen = Arc::clone(registry);
    metrics.observe(Kind::Gauge, "realtime_sessions", "Sessions that are open", move || {
        vec![Sample::alone(as_f64(seen.counts().open))]
    });
    let seen = Arc::clone(registry);
    metrics.observe(Kind::Gauge, "realtime_log_reads_running", "Reads of logs that go on now", move || {
        vec![Sample::alone(as_f64(seen.counts().reading))]
    });
    for (name, help, read) in COUNTERS {
        let seen = Arc::clone(registry);
        metrics.observe(Kind::Counter, format!("realtime_{name}"), help, move || {
            vec![Sample::alone(as_f64(read(&seen.counts())))]
        });
    }
    // By the number of catch-ups it is the mean lag
    let seen = Arc::clone(registry);
    let help = "How long tails were behind their logs, in all catch-ups together";
    metrics.observe(Kind::Counter, "realtime_event_lag_seconds", help, move || {
        vec![Sample::alone(as_f64(seen.counts().lag_micros) / 1_000_000.0)]
    });
}
