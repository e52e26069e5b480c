//! What is measured by looking, at the moment of a scrape.

use std::{sync::Arc, time::Instant};

use party_gallery_actors::{database::Database, kernel::Supervisor, realtime::Registry, redis::Redis};

use crate::telemetry::{
    Metrics,
    metrics::{Kind, Sample},
};

/// Lets a scrape see the actors, the pool and the breakers.
pub(super) fn register(
    metrics: &Metrics,
    supervisor: &Supervisor,
    database: &Database,
    redis: &Redis,
    registry: &Arc<Registry>,
    started: Instant,
) {
    metrics.observe(Kind::Gauge, "uptime_seconds", "Since the process began", move || {
        vec![Sample::alone(started.elapsed().as_secs_f64())]
    });
    let seen = supervisor.clone();
    metrics.observe(Kind::Counter, "actor_restarts", "How often an actor was made anew", move || {
        seen.tree().iter().map(|child| Sample::of("actor", child.name, as_f64(child.restarts))).collect()
    });
    let seen = supervisor.clone();
    metrics.observe(Kind::Gauge, "actor_calls", "Calls that an actor has not answered yet", move || {
        seen.tree().iter().map(|child| Sample::of("actor", child.name, as_f64(child.calls as u64))).collect()
    });
    let seen = database.clone();
    metrics.observe(Kind::Gauge, "database_connections", "Connections of the pool", move || {
        let pool = seen.pool();
        vec![
            Sample::of("state", "open", f64::from(pool.connections)),
            Sample::of("state", "idle", f64::from(pool.idle)),
        ]
    });
    let seen = Arc::clone(registry);
    metrics.observe(Kind::Gauge, "realtime_sessions", "WebSocket sessions that are open", move || {
        vec![Sample::alone(as_f64(seen.counts().open))]
    });
    let seen = Arc::clone(registry);
    metrics.observe(Kind::Counter, "realtime_deliveries", "Frames that sockets have taken", move || {
        vec![Sample::alone(as_f64(seen.counts().delivered))]
    });
    let seen = Arc::clone(registry);
    metrics.observe(
        Kind::Counter,
        "realtime_evictions",
        "Sessions that were closed for being too slow",
        move || vec![Sample::alone(as_f64(seen.counts().evicted))],
    );
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
