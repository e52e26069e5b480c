//! A pod in the test's own process, on a port of its own. Two of them are two pods.

use std::{net::SocketAddr, thread};

use party_gallery::{
    app::{App, Exit},
    config::Config,
    telemetry::Metrics,
};
use slog::Logger;
use tokio::sync::oneshot;

use super::logs::Logs;

/// A running pod. It is drained when it is asked to, or when this is dropped.
pub struct TestApp {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    ended: Option<oneshot::Receiver<Exit>>,
    panics: tokio::sync::mpsc::Sender<()>,
    logs: Logs,
}

impl TestApp {
    /// Starts one on these servers; `more` are further variables.
    pub async fn start(database_url: &str, redis_url: &str, more: &[(&str, &str)]) -> Self {
        let (logs, log) = Logs::record();
        let config = config(database_url, redis_url, more);
        let (started, address) = oneshot::channel();
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel();
        let (panics, inbox) = tokio::sync::mpsc::channel(16);
        thread::spawn(move || {
            let exit = actix_web::rt::System::new().block_on(serve(config, log, started, stopped, inbox));
            let _ = end.send(exit);
        });
        let address = address.await.expect("the pod starts");
        Self { address, stop: Some(stop), ended: Some(ended), panics, logs }
    }

    /// Where one of its pages is.
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Status and body of a page.
    pub async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let answer = reqwest::get(self.url(path)).await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// What it has logged.
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// Makes its Database actor panic.
    pub async fn panic_database(&self) {
        self.panics.send(()).await.unwrap();
    }

    /// Drains it and gives how it ended.
    pub async fn stop(&mut self) -> Exit {
        let _ = self.stop.take().expect("not stopped before").send(());
        self.ended.take().expect("not stopped before").await.expect("the pod ends")
    }
}

async fn serve(
    config: Config,
    log: Logger,
    started: oneshot::Sender<SocketAddr>,
    stopped: oneshot::Receiver<()>,
    mut panics: tokio::sync::mpsc::Receiver<()>,
) -> Exit {
    let app = App::start(config, log, Metrics::new()).await.expect("the pod starts");
    started.send(app.address()).expect("the test waits for the address");
    let database = app.database().clone();
    app.run(async move {
        let hurt = async {
            while panics.recv().await.is_some() {
                database.inject_panic().await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            // Dropped with the TestApp: stopped as well
            _ = stopped => {}
            () = hurt => {}
        }
    })
    .await
}

fn config(database_url: &str, redis_url: &str, more: &[(&str, &str)]) -> Config {
    let unix = redis_url.strip_prefix("redis+unix://").map(std::path::PathBuf::from);
    let redis = if unix.is_some() { "redis://127.0.0.1:1" } else { redis_url };
    let variables =
        [("APP_ENV", "test"), ("PORT", "0"), ("DATABASE_URL", database_url), ("REDIS_URL", redis)];
    let lookup = |name: &str| {
        more.iter().chain(&variables).find(|(given, _)| *given == name).map(|(_, value)| (*value).to_owned())
    };
    let mut config = Config::parse(lookup).expect("the test's own configuration");
    if let Some(path) = unix {
        config.redis_url = Some(party_gallery::config::RedisUrl::Socket(path));
    }
    config
}
