//! What runs without a request: jobs as this pod's worker counts them, and as they wait in the table; looks at media; pages that are kept.

use std::sync::Arc;

use party_gallery_actors::worker::Counts;

use super::as_f64;
use crate::{
    app::work::Work,
    service::{pages::Pages, views::Views},
    telemetry::{
        Metrics,
        metrics::{Kind, Sample},
    },
};

/// An outcome's word, and where it is read.
type Outcome = (&'static str, fn(&Counts) -> u64);

const OUTCOMES: [Outcome; 6] = [
    ("claimed", |counts| counts.claimed),
    ("completed", |counts| counts.completed),
    ("retried", |counts| counts.retried),
    ("released", |counts| counts.released),
    ("buried", |counts| counts.buried),
    ("lost", |counts| counts.lost),
];

/// What the worker has done is this pod's own; what waits is everybody's, as the last sweep has seen it.
pub(super) fn register(metrics: &Metrics, work: &Work) {
    let tally = work.tally.clone();
    metrics.observe(Kind::Counter, "jobs", "Jobs by what became of them on this pod", move || {
        let counts = tally.read();
        OUTCOMES
            .iter()
            .map(|(outcome, read)| Sample::of("outcome", *outcome, as_f64(read(&counts))))
            .collect()
    });
    let tally = work.tally.clone();
    metrics.observe(Kind::Gauge, "jobs_running", "Jobs that this pod holds now", move || {
        vec![Sample::alone(as_f64(tally.read().running))]
    });
    let tally = work.tally.clone();
    let help = "How long the oldest job of the last claim had been due";
    metrics.observe(Kind::Gauge, "jobs_lag_seconds", help, move || {
        vec![Sample::alone(tally.read().waited.as_secs_f64())]
    });
    let backlog = work.backlog.clone();
    let help = "Jobs that are due and held by nobody, on all pods, as the last sweep has seen them";
    metrics.observe(Kind::Gauge, "jobs_due", help, move || vec![Sample::alone(as_f64(backlog.due()))]);
    let backlog = work.backlog.clone();
    let help = "Jobs that were given up and wait for an operator, as the last sweep has seen them";
    metrics.observe(Kind::Gauge, "jobs_dead", help, move || vec![Sample::alone(as_f64(backlog.dead()))]);
}

/// What became of looks at media.
pub(super) fn views(metrics: &Metrics, views: &Arc<Views>) {
    let seen = Arc::clone(views);
    metrics.observe(Kind::Counter, "views", "Looks at media, by what became of them", move || {
        let (counted, dropped) = seen.counts();
        vec![
            Sample::of("outcome", "counted", as_f64(counted)),
            Sample::of("outcome", "dropped", as_f64(dropped)),
        ]
    });
}

/// What of galleries is kept: each caller's own, to be shown without PostgreSQL, and what is shown to everybody.
pub(super) fn pages(metrics: &Metrics, pages: &Arc<Pages>) {
    type Read = fn(&Pages) -> usize;
    let gauges: [(_, _, Read); 4] = [
        ("gallery_pages", "Gallery pages that are kept for their callers", |pages| pages.counts().0),
        ("gallery_pages_bytes", "What these take", |pages| pages.counts().1),
        ("gallery_hot_pages", "Gallery pages that are kept for everybody", |pages| pages.hot_counts().0),
        ("gallery_hot_pages_bytes", "What these take", |pages| pages.hot_counts().1),
    ];
    for (name, help, read) in gauges {
        let seen = Arc::clone(pages);
        metrics.observe(Kind::Gauge, name, help, move || vec![Sample::alone(as_f64(read(&seen) as u64))]);
    }
    let seen = Arc::clone(pages);
    let help = "Gallery pages that were asked for, by whether one was kept";
    metrics.observe(Kind::Counter, "gallery_page_lookups", help, move || {
        let (hits, misses) = seen.lookups();
        vec![Sample::of("outcome", "hit", as_f64(hits)), Sample::of("outcome", "miss", as_f64(misses))]
    });
}
