//! The shutdown: step after step, each told, all within one deadline.

use std::time::{Duration, Instant};

use actix_web::dev::ServerHandle;
use party_gallery_actors::kernel::Supervisor;
use slog::{Logger, error, info};
use tokio::time::{sleep, timeout};

use crate::config::Config;

/// The actors in the order in which nobody needs them any more.
const ACTORS: [&str; 3] = ["redis", "database", "health"];

/// Drains the pod, which already tells that it is not ready. False: the deadline passed with something still open.
pub(super) async fn drain(
    config: &Config,
    log: &Logger,
    server: &ServerHandle,
    supervisor: &Supervisor,
) -> bool {
    let mut step = "ready";
    let steps = async {
        let began = Instant::now();
        sleep(config.drain_delay).await;
        tell(log, step, began.elapsed());

        step = "requests";
        let began = Instant::now();
        server.stop(true).await;
        tell(log, step, began.elapsed());

        let mut clean = true;
        for name in ACTORS {
            step = name;
            if let Some(stopped) = supervisor.stop(name).await {
                tell(log, name, stopped.took);
                clean &= stopped.clean;
            }
        }
        clean
    };
    let done = timeout(config.shutdown_timeout, steps).await;
    match done {
        Ok(clean) => clean,
        Err(_elapsed) => {
            error!(log, "Drain was cut"; "step" => step);
            // What is still open is closed, so that the server's own future ends
            drop(server.stop(false));
            false
        }
    }
}

fn tell(log: &Logger, step: &'static str, took: Duration) {
    info!(log, "Drain"; "step" => step, "duration" => took.as_secs_f64() * 1000.0);
}
