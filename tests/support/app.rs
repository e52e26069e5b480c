//! A pod in the test's own process, on a port of its own. Two of them are two pods.

use std::{net::SocketAddr, path::Path, thread};

use party_gallery::{
    app::{App, Exit},
    config::Config,
    telemetry::Metrics,
};
use slog::Logger;
use tokio::sync::{mpsc, oneshot};

use super::{client, logs::Logs, servers};

/// A running pod. It is drained when it is asked to, or when this is dropped.
pub struct TestApp {
    address: SocketAddr,
    signal: mpsc::Sender<()>,
    ended: Option<oneshot::Receiver<Exit>>,
    panics: mpsc::Sender<Victim>,
    logs: Logs,
}

impl TestApp {
    /// Starts one on these servers; `more` are further variables.
    pub async fn start(database_url: &str, redis_url: &str, more: &[(&str, &str)]) -> Self {
        Self::start_as(config(database_url, redis_url, more)).await
    }

    /// Starts one that keeps servers of its own in `data_dir`; `more` are further variables.
    pub async fn start_alone(data_dir: &Path, more: &[(&str, &str)]) -> Self {
        let data_dir = data_dir.to_str().expect("a path in UTF-8");
        let variables = [("APP_ENV", "test"), ("PORT", "0"), ("DATA_DIR", data_dir)];
        Self::start_as(parse(&variables, more)).await
    }

    async fn start_as(config: Config) -> Self {
        let (logs, log) = Logs::record();
        let (started, address) = oneshot::channel();
        let (signal, signals) = mpsc::channel(4);
        let (end, ended) = oneshot::channel();
        let (panics, inbox) = mpsc::channel(16);
        thread::spawn(move || {
            let exit = actix_web::rt::System::new().block_on(serve(config, log, started, signals, inbox));
            let _ = end.send(exit);
        });
        let address = address.await.expect("the pod starts");
        Self { address, signal, ended: Some(ended), panics, logs }
    }

    /// Where one of its pages is.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Status and body of a page.
    pub async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let answer = client::get(self.url(path)).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// What it has logged.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Makes one of its actors panic.
    pub async fn panic(&self, victim: Victim) {
        self.panics.send(victim).await.unwrap();
    }

    /// Drains it and gives how it ended.
    pub async fn stop(&mut self) -> Exit {
        self.signal().await;
        self.ended().await
    }

    /// Asks it to stop, as a signal does.
    pub async fn signal(&self) {
        self.signal.send(()).await.expect("the pod runs");
    }

    /// Waits until it has ended by itself and gives how.
    pub async fn ended(&mut self) -> Exit {
        self.ended.take().expect("not stopped before").await.expect("the pod ends")
    }
}

/// Which actor is to panic.
#[derive(Debug, Clone, Copy)]
pub enum Victim {
    /// The owner of the PostgreSQL pool.
    Database,
    /// The owner of the Redis pool.
    Redis,
    /// Who keeps the snapshot.
    Health,
    /// Who sweeps the sessions.
    Hub,
}

async fn serve(
    config: Config,
    log: Logger,
    started: oneshot::Sender<SocketAddr>,
    signals: mpsc::Receiver<()>,
    mut panics: mpsc::Receiver<Victim>,
) -> Exit {
    let app = App::start(config, log, Metrics::new()).await.expect("the pod starts");
    started.send(app.address()).expect("the test waits for the address");
    let (database, hub) = (app.database().clone(), app.hub().clone());
    let (redis, health) = (app.redis().clone(), app.health().clone());
    let hurt = async {
        while let Some(victim) = panics.recv().await {
            match victim {
                Victim::Database => database.inject_panic().await,
                Victim::Redis => redis.inject_panic().await,
                Victim::Health => health.inject_panic().await,
                Victim::Hub => hub.inject_panic().await,
            }
        }
        std::future::pending::<Exit>().await
    };
    tokio::select! {
        exit = app.run(signals) => exit,
        exit = hurt => exit,
    }
}

fn config(database_url: &str, redis_url: &str, more: &[(&str, &str)]) -> Config {
    let unix = redis_url.strip_prefix("redis+unix://").map(std::path::PathBuf::from);
    let redis = if unix.is_some() { "redis://127.0.0.1:1" } else { redis_url };
    // One for all pods of this process, as pods that serve the same parties have it
    let storage = format!("file://{}", servers::directory("storage").display());
    let variables = [
        ("APP_ENV", "test"),
        ("PORT", "0"),
        ("DATABASE_URL", database_url),
        ("REDIS_URL", redis),
        ("STORAGE_URL", &storage),
    ];
    let mut config = parse(&variables, more);
    if let Some(path) = unix {
        config.redis_url = Some(party_gallery::config::RedisUrl::Socket(path));
    }
    config
}

fn parse(variables: &[(&str, &str)], more: &[(&str, &str)]) -> Config {
    let lookup = |name: &str| {
        more.iter().chain(variables).find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned())
    };
    Config::parse(lookup).expect("the test's own configuration")
}
