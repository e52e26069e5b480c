//! The shutdown: step after step, each told, all within one deadline.

use std::{
    process,
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use actix_web::dev::ServerHandle;
use futures_util::future::join_all;
use party_gallery_actors::{kernel::Supervisor, realtime::Registry};
use slog::{Logger, error, info};
use tokio::time::{sleep, timeout};

use super::{schema, work};
use crate::config::Config;

/// The actors in the order in which nobody needs them any more.
const ACTORS: [&str; 4] = ["realtime", "redis", "database", "health"];

/// Who does what sessions wait for; there are none any more.
const CLERK: &str = "clerk";

/// What the drain is given beyond its deadline until the process is ended from outside of it.
const OVERTIME: Duration = Duration::from_secs(5);

/// Over how long sockets are told to go, so that they do not come back all at once; a third of the time at most.
const SPREAD: Duration = Duration::from_secs(1);

/// Drains the pod, which already tells that it is not ready. False: the deadline passed with something still open.
pub(super) async fn drain(
    config: &Config,
    log: &Logger,
    server: &ServerHandle,
    supervisor: &Supervisor,
    registry: &Registry,
) -> bool {
    let mut step = "ready";
    let steps = async {
        let began = Instant::now();
        sleep(config.drain_delay).await;
        tell(log, step, began.elapsed());

        // Together: to the server an open socket is a request that has not ended
        step = "sockets and requests";
        let began = Instant::now();
        let sockets = async {
            let spread = SPREAD.min(config.shutdown_timeout / 3);
            let drained = registry.drain(spread, config.shutdown_timeout).await;
            tell(log, "sockets", began.elapsed());
            drained.left == 0
        };
        let requests = async {
            server.stop(true).await;
            tell(log, "requests", began.elapsed());
        };
        let (mut clean, ()) = tokio::join!(sockets, requests);

        // Together: none waits for another
        step = "jobs";
        let began = Instant::now();
        let jobs = work::CHILDREN.into_iter().chain([schema::KEEPER, CLERK]);
        let stopped = join_all(jobs.map(|name| supervisor.stop(name))).await;
        tell(log, step, began.elapsed());
        clean &= stopped.into_iter().flatten().all(|stopped| stopped.clean);

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
        Err(_elapsed) => cut(log, server, step),
    }
}

/// Leaves the drain as it is and closes what is still open. Always false: nothing was clean.
pub(super) fn cut(log: &Logger, server: &ServerHandle, step: &'static str) -> bool {
    error!(log, "Drain was cut"; "step" => step);
    // The order is given by the call; its answer is not waited for
    drop(server.stop(false));
    false
}

/// Ends the process when the drain neither ends nor is cut: a runtime whose threads are all blocked does neither.
/// Dropping what this gives calls it off.
#[expect(clippy::disallowed_methods, reason = "main does not get to return any more")]
pub(super) fn watchdog(deadline: Duration) -> SyncSender<()> {
    let (called_off, wait) = sync_channel::<()>(1);
    let watch = move || {
        if wait.recv_timeout(deadline + OVERTIME) == Err(RecvTimeoutError::Timeout) {
            process::exit(1);
        }
    };
    // Without a thread to be had the drain goes on unwatched
    _ = thread::Builder::new().name("watchdog".to_owned()).spawn(watch);
    called_off
}

/// One step of the shutdown is over.
pub(super) fn tell(log: &Logger, step: &'static str, took: Duration) {
    info!(log, "Drain"; "step" => step, "duration" => took.as_secs_f64() * 1000.0);
}
