//! A whole pod from outside, while what it needs is killed, frozen and started again.

use std::time::{Duration, Instant};

use party_gallery::app::Exit;

use crate::support::{
    DEADLINE,
    app::{TestApp, Victim},
    client,
    logs::Line,
    own::{OwnPostgres, OwnRedis},
    poll::eventually,
};

/// What the contract's limits are given on a busy machine.
const NOISE: Duration = Duration::from_millis(500);

async fn is(app: &TestApp, path: &str, status: u16) {
    eventually(DEADLINE, path, async || app.get(path).await.0 == status).await;
}

async fn check_is(app: &TestApp, name: &str, status: &str) {
    eventually(DEADLINE, name, async || app.get("/health").await.1["checks"][name]["status"] == status).await;
}

#[tokio::test]
async fn a_killed_database_is_told_within_a_second_and_its_return_as_well() {
    let (mut postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[]).await;
    is(&app, "/health/ready", 200).await;

    postgres.kill9();
    let killed = Instant::now();
    is(&app, "/health/ready", 503).await;
    assert!(killed.elapsed() < Duration::from_secs(1) + NOISE, "told after {:?}", killed.elapsed());
    let (status, health) = app.get("/health").await;
    assert_eq!((status, &health["checks"]["database"]["status"]), (503, &"unhealthy".into()));
    assert!(health["checks"]["database"]["latency"].is_null(), "{health}");
    assert_eq!(app.get("/health/live").await.0, 200);

    postgres.start_again().await;
    let back = Instant::now();
    is(&app, "/health/ready", 200).await;
    assert!(back.elapsed() < Duration::from_secs(1) + NOISE, "told after {:?}", back.elapsed());
    assert_eq!(app.stop().await, Exit::Clean);
}

#[tokio::test]
async fn readiness_is_told_each_time_it_begins_and_ends() {
    let (mut postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[]).await;
    app.logs().wait_for("Ready", DEADLINE).await;
    postgres.kill9();
    let line = app.logs().wait_for("Not ready", DEADLINE).await;
    assert_eq!(line.values["reasons"], "database");
    postgres.start_again().await;
    let told = async || app.logs().lines().iter().filter(|line| line.message == "Ready").count() == 2;
    eventually(DEADLINE, "it is told again", told).await;
    assert_eq!(app.stop().await, Exit::Clean);
}

#[tokio::test]
async fn a_redis_that_is_not_required_costs_health_and_not_readiness() {
    let (postgres, mut redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[("READY_REQUIRES", "database")]).await;
    check_is(&app, "redis", "healthy").await;
    is(&app, "/health/ready", 200).await;

    redis.kill9();
    check_is(&app, "redis", "unhealthy").await;
    let (status, health) = app.get("/health").await;
    assert_eq!((status, &health["status"]), (200, &"degraded".into()));
    assert_eq!(app.get("/health/ready").await.0, 200);

    redis.start_again().await;
    check_is(&app, "redis", "healthy").await;
    assert_eq!(app.stop().await, Exit::Clean);
}

#[tokio::test]
async fn a_frozen_database_is_told_within_an_interval_and_two_seconds() {
    let (mut postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[("HEALTH_INTERVAL", "1s")]).await;
    is(&app, "/health/ready", 200).await;

    postgres.freeze();
    let frozen = Instant::now();
    is(&app, "/health/ready", 503).await;
    assert!(frozen.elapsed() < Duration::from_secs(3) + NOISE, "told after {:?}", frozen.elapsed());

    postgres.thaw();
    is(&app, "/health/ready", 200).await;
    assert_eq!(app.stop().await, Exit::Clean);
}

#[tokio::test]
async fn an_actor_that_panics_is_restarted_and_told() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[]).await;
    is(&app, "/health/ready", 200).await;
    app.panic(Victim::Database).await;
    app.logs().wait_for("Actor restarted", DEADLINE).await;
    is(&app, "/health/ready", 200).await;
    assert_eq!(app.stop().await, Exit::Clean);
}

/// Makes an actor panic as often as it may, and once more. Gives when that was.
async fn exhaust(app: &TestApp, victim: Victim, name: &str) -> Instant {
    for restarts in 1..=5 {
        app.panic(victim).await;
        let again = |line: &&Line| line.message == "Actor restarted" && line.values["actor"] == name;
        eventually(DEADLINE, "it is restarted", async || {
            app.logs().lines().iter().filter(again).count() == restarts
        })
        .await;
    }
    app.panic(victim).await;
    let exhausted = app.logs().wait_for("Actor gave up", DEADLINE).await;
    assert_eq!((&*exhausted.values["actor"], &*exhausted.values["escalates"]), (name, "false"));
    Instant::now()
}

#[tokio::test]
async fn a_database_or_redis_actor_that_panics_too_often_is_unhealthy_and_goes_on() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let goes_on = async |victim, name| {
        let mut app = TestApp::start(postgres.url(), redis.url(), &[("HEALTH_INTERVAL", "100ms")]).await;
        is(&app, "/health/ready", 200).await;
        let exhausted = exhaust(&app, victim, name).await;
        // Before its supervisor has told, its connections may have ended
        eventually(DEADLINE, "it is told", async || {
            let check = &app.get("/health").await.1["checks"][name];
            check["status"] == "unhealthy" && check["error"] == "gave up"
        })
        .await;
        assert_eq!(app.get("/health/live").await.0, 200);
        // At the longest delay, 10 s less its jitter
        check_is(&app, name, "healthy").await;
        assert!(exhausted.elapsed() > Duration::from_secs(7), "after {:?}", exhausted.elapsed());
        assert_eq!(app.stop().await, Exit::Clean);
    };
    tokio::join!(goes_on(Victim::Database, "database"), goes_on(Victim::Redis, "redis"));
}

#[tokio::test]
async fn a_health_actor_that_panics_too_often_makes_health_unhealthy_and_goes_on() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[]).await;
    is(&app, "/health/ready", 200).await;
    exhaust(&app, Victim::Health, "health").await;
    is(&app, "/health", 503).await;
    assert_eq!(app.get("/health/ready").await.1["reasons"][0], "health");
    assert_eq!(app.get("/health/live").await.0, 200);
    is(&app, "/health/ready", 200).await;
    assert_eq!(app.stop().await, Exit::Clean);
}

#[tokio::test]
async fn two_pods_in_one_process_do_not_know_of_each_other() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut first = TestApp::start(postgres.url(), redis.url(), &[]).await;
    let mut second = TestApp::start(postgres.url(), redis.url(), &[]).await;
    is(&first, "/health/ready", 200).await;
    is(&second, "/health/ready", 200).await;
    assert_eq!(first.stop().await, Exit::Clean);
    assert_eq!(second.get("/health/ready").await.0, 200);
    assert_eq!(second.stop().await, Exit::Clean);
}

#[tokio::test]
async fn a_drain_tells_each_step_in_order() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[]).await;
    is(&app, "/health/ready", 200).await;
    assert_eq!(app.stop().await, Exit::Clean);
    let steps: Vec<String> = app
        .logs()
        .lines()
        .iter()
        .filter(|line| line.message == "Drain")
        .filter_map(|line| line.values.get("step").cloned())
        .collect();
    assert_eq!(steps, ["ready", "sockets", "requests", "jobs", "realtime", "redis", "database", "health"]);
}

#[tokio::test]
async fn answers_of_a_pod_that_drains_close_their_connections() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[("DRAIN_DELAY", "20s")]).await;
    let connection = async || {
        let answer = client::get(app.url("/health/live")).await.unwrap();
        answer.headers().get("connection").map(|value| value.to_str().unwrap().to_lowercase())
    };
    assert_ne!(connection().await.as_deref(), Some("close"));
    app.signal().await;
    eventually(DEADLINE, "it says close", async || connection().await.as_deref() == Some("close")).await;
    app.signal().await;
    assert_eq!(app.ended().await, Exit::Forced);
}

#[tokio::test]
async fn a_second_signal_cuts_the_drain() {
    let (postgres, redis) = (OwnPostgres::start().await, OwnRedis::start().await);
    let mut app = TestApp::start(postgres.url(), redis.url(), &[("DRAIN_DELAY", "20s")]).await;
    is(&app, "/health/ready", 200).await;
    app.signal().await;
    eventually(DEADLINE, "it drains", async || app.get("/health/ready").await.1["reasons"][0] == "draining")
        .await;
    assert_eq!(app.get("/health/live").await.0, 200);
    app.signal().await;
    let asked = Instant::now();
    assert_eq!(app.ended().await, Exit::Forced);
    assert!(asked.elapsed() < Duration::from_secs(10), "ended after {:?}", asked.elapsed());
}
