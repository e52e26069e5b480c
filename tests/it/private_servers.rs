//! A pod that was given neither PostgreSQL nor Redis, and keeps its own.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use party_gallery::app::Exit;

use crate::support::{DEADLINE, app::TestApp, database::connected, poll::eventually, servers};

/// What a pod alone keeps, removed at the end.
struct DataDir(PathBuf);

impl DataDir {
    fn new(name: &str) -> Self {
        Self(servers::directory(name))
    }

    fn postgres(&self) -> u32 {
        pid(&self.0.join("postgres/pg/postmaster.pid")).expect("PostgreSQL runs")
    }

    fn redis(&self) -> u32 {
        pid(&self.0.join("redis/redis.pid")).expect("Redis runs")
    }

    fn database_url(&self) -> String {
        let directory = self.0.join("postgres").display().to_string().replace('/', "%2F");
        format!("postgres://party_gallery@/party_gallery?host={directory}")
    }
}

impl Drop for DataDir {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn pid(file: &Path) -> Option<u32> {
    fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok()
}

fn runs(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

fn kill9(pid: u32) {
    assert!(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
}

async fn is(app: &TestApp, path: &str, status: u16) {
    eventually(DEADLINE, path, async || app.get(path).await.0 == status).await;
}

#[tokio::test]
async fn a_pod_alone_lives_before_it_is_ready_and_leaves_no_process_behind() {
    let data = DataDir::new("alone");
    let mut app = TestApp::start_alone(&data.0, &[]).await;
    assert_eq!(app.get("/health/live").await.0, 200);
    assert_eq!(app.get("/health/ready").await.0, 503, "a data directory is not made that fast");
    is(&app, "/health/ready", 200).await;

    let (postgres, redis) = (data.postgres(), data.redis());
    assert!(runs(postgres) && runs(redis));
    assert_eq!(app.stop().await, Exit::Clean);
    assert!(!runs(postgres) && !runs(redis), "{postgres} or {redis} runs");
    let lines = app.logs().lines();
    let steps = lines.iter().filter(|line| line.message == "Drain").map(|line| line.values["step"].as_str());
    let last: Vec<_> = steps.skip_while(|step| *step != "health").collect();
    assert_eq!(last, ["health", "redis-server", "postgres-server"]);
}

#[tokio::test]
async fn a_private_server_that_is_killed_is_started_again_with_what_was_committed() {
    let data = DataDir::new("killed");
    let mut app = TestApp::start_alone(&data.0, &[]).await;
    is(&app, "/health/ready", 200).await;
    connected(&data.database_url(), async |client| {
        client.batch_execute("CREATE TABLE kept AS SELECT 'still here'::text AS word").await.unwrap();
    })
    .await;

    let killed = data.postgres();
    kill9(killed);
    is(&app, "/health/ready", 503).await;
    is(&app, "/health/ready", 200).await;
    assert_ne!(data.postgres(), killed);
    let word: String = connected(&data.database_url(), async |client| {
        client.query_one("SELECT word FROM kept", &[]).await.unwrap().get(0)
    })
    .await;
    assert_eq!(word, "still here");

    kill9(data.redis());
    is(&app, "/health/ready", 503).await;
    is(&app, "/health/ready", 200).await;
    assert_eq!(app.stop().await, Exit::Clean);
}

#[tokio::test]
async fn a_private_server_that_ends_during_a_drain_is_not_started_again() {
    let data = DataDir::new("drained");
    let mut app = TestApp::start_alone(&data.0, &[("DRAIN_DELAY", "2s")]).await;
    is(&app, "/health/ready", 200).await;
    app.signal().await;
    is(&app, "/health/ready", 503).await;
    let killed = data.redis();
    kill9(killed);
    app.logs().wait_for("Private server ended", DEADLINE).await;
    assert_eq!(app.ended().await, Exit::Clean);
    let started = |line: &&crate::support::logs::Line| {
        line.message == "Private server started" && line.values["server"] == "redis-server"
    };
    assert_eq!(app.logs().lines().iter().filter(started).count(), 1, "once, and not again");
}

#[tokio::test]
async fn a_second_signal_stops_the_private_servers_too() {
    let data = DataDir::new("cut");
    let mut app = TestApp::start_alone(&data.0, &[("DRAIN_DELAY", "20s")]).await;
    is(&app, "/health/ready", 200).await;
    let (postgres, redis) = (data.postgres(), data.redis());
    app.signal().await;
    is(&app, "/health/ready", 503).await;
    app.signal().await;
    assert_eq!(app.ended().await, Exit::Forced);
    assert!(!runs(postgres) && !runs(redis), "{postgres} or {redis} runs");
}

#[tokio::test]
async fn a_private_server_that_cannot_start_is_told_and_tried_again() {
    let data = DataDir::new("blocked");
    // A file where the directory has to be
    fs::write(data.0.join("redis"), "").unwrap();
    let mut app = TestApp::start_alone(&data.0, &[("READY_REQUIRES", "database,redis")]).await;
    let told = app.logs().wait_for("Private server did not start", DEADLINE).await;
    assert_eq!(told.values["server"], "redis-server");
    assert_eq!(app.get("/health/live").await.0, 200);
    fs::remove_file(data.0.join("redis")).unwrap();
    is(&app, "/health/ready", 200).await;
    assert_eq!(app.stop().await, Exit::Clean);
}
