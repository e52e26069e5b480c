//! What is measured by looking, at the moment of a scrape.

mod realtime;
mod work;

use std::{sync::Arc, time::Instant};

use actix_web::web::Data;
use party_gallery_actors::{database::Database, kernel::Supervisor, realtime::Registry, redis::Redis};

use super::work::Work;
use crate::{
    http::admission::Admission,
    service::{pages::Pages, views::Views},
    telemetry::{
        Metrics,
        metrics::{Kind, Sample},
    },
};

/// What a scrape looks at. None of it waits or does I/O.
pub(super) struct Seen<'a> {
    pub(super) supervisor: &'a Supervisor,
    pub(super) database: &'a Database,
    pub(super) redis: &'a Redis,
    pub(super) registry: &'a Arc<Registry>,
    pub(super) admission: &'a Data<Admission>,
    pub(super) work: &'a Work,
    pub(super) views: &'a Arc<Views>,
    pub(super) pages: &'a Arc<Pages>,
    pub(super) started: Instant,
}

/// Lets a scrape see all of it.
pub(super) fn register(metrics: &Metrics, seen: &Seen<'_>) {
    let started = seen.started;
    metrics.observe(Kind::Gauge, "uptime_seconds", "Since the process began", move || {
        vec![Sample::alone(started.elapsed().as_secs_f64())]
    });
    actors(metrics, seen.supervisor);
    dependencies(metrics, seen.database, seen.redis);
    let admission = seen.admission.clone();
    let help = "Places for requests: all of them, and those that are taken";
    metrics.observe(Kind::Gauge, "http_places", help, move || {
        let (taken, all) = admission.places();
        vec![
            Sample::of("state", "taken", as_f64(taken as u64)),
            Sample::of("state", "all", as_f64(all as u64)),
        ]
    });
    realtime::register(metrics, seen.registry);
    work::register(metrics, seen.work);
    work::views(metrics, seen.views);
    work::pages(metrics, seen.pages);
}

fn actors(metrics: &Metrics, supervisor: &Supervisor) {
    let seen = supervisor.clone();
    metrics.observe(Kind::Counter, "actor_restarts", "How often an actor was made anew", move || {
        seen.tree().iter().map(|child| Sample::of("actor", child.name, as_f64(child.restarts))).collect()
    });
    let seen = supervisor.clone();
    let help = "Calls that an actor was sent and has not answered yet";
    metrics.observe(Kind::Gauge, "actor_mailbox_depth", help, move || {
        seen.tree().iter().map(|child| Sample::of("actor", child.name, as_f64(child.calls as u64))).collect()
    });
}

fn dependencies(metrics: &Metrics, database: &Database, redis: &Redis) {
    let seen = database.clone();
    metrics.observe(Kind::Gauge, "database_connections", "Connections of the pool", move || {
        let pool = seen.pool();
        vec![
            Sample::of("state", "open", f64::from(pool.connections)),
            Sample::of("state", "idle", f64::from(pool.idle)),
        ]
    });
    let seen = database.clone();
    let help = "Pieces of work that have a connection or wait for one";
    metrics.observe(Kind::Gauge, "database_outstanding", help, move || {
        vec![Sample::alone(as_f64(seen.pool().outstanding as u64))]
    });
    let seen = redis.clone();
    metrics.observe(Kind::Gauge, "redis_connections", "Connections of the pool", move || {
        let pool = seen.pool();
        let (open, idle) = pool.map(|pool| (pool.connections, pool.idle)).unwrap_or_default();
        vec![Sample::of("state", "open", f64::from(open)), Sample::of("state", "idle", f64::from(idle))]
    });
    let (database, redis) = (database.clone(), redis.clone());
    metrics.observe(Kind::Gauge, "breaker_open", "1 while a dependency is held to be away", move || {
        let database = database.outage().borrow().is_some();
        let redis = redis.outage().is_some();
        vec![
            Sample::of("dependency", "database", f64::from(u8::from(database))),
            Sample::of("dependency", "redis", f64::from(u8::from(redis))),
        ]
    });
}

#[expect(clippy::cast_precision_loss, reason = "a counter that passes 2^53 may lose its last digit")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
