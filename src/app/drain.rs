//! The shutdown: step after step, each told, all within one deadline.

use std::{
    process,
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread,
    time::{Duration, Instant},
};

use actix_web::dev::{Server, ServerHandle};
use futures_util::future::join_all;
use party_gallery_actors::{
    kernel::{Stopped, Supervisor},
    realtime::Registry,
};
use slog::{Logger, error, info, warn};
use tokio::time::{sleep, timeout};

use super::{schema, work};
use crate::{config::Config, demo};

/// The actors in the order in which nobody needs them any more.
const ACTORS: [&str; 4] = ["realtime", "redis", "database", "health"];

/// Who does what sessions wait for; there are none any more.
const CLERK: &str = "clerk";

/// What the drain is given beyond its deadline until the process is ended from outside of it.
const OVERTIME: Duration = Duration::from_secs(5);

/// How long the server may take to end when it has stopped.
const LAST_POLLS: Duration = Duration::from_millis(500);

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
        let jobs = work::CHILDREN.into_iter().chain([schema::KEEPER, CLERK, demo::CHILD]);
        let stopped = join_all(jobs.map(|name| supervisor.stop(name))).await;
        tell(log, step, began.elapsed());
        for stopped in stopped.into_iter().flatten() {
            clean &= is_clean(log, &stopped);
        }

        for name in ACTORS {
            step = name;
            if let Some(stopped) = supervisor.stop(name).await {
                tell(log, name, stopped.took);
                clean &= is_clean(log, &stopped);
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

/// Whether it ended by itself, in its time.
fn is_clean(log: &Logger, stopped: &Stopped) -> bool {
    if !stopped.clean {
        warn!(log, "Actor was left behind"; "actor" => stopped.name, "tookMs" => stopped.took.as_secs_f64() * 1e3);
    }
    stopped.clean
}

/// Polls the server until the drain is over. The server of a drain that was cut may wait for its requests for long yet,
/// deaf to further orders: it is left behind.
pub(super) async fn beside<T>(log: &Logger, server: Server, drain: impl Future<Output = T>) -> T {
    let served = async {
        if let Err(error) = server.await {
            warn!(log, "Server ended"; "error" => %error);
        }
    };
    tokio::pin!(served, drain);
    tokio::select! {
        outcome = &mut drain => {
            // One that has stopped ends a moment later
            _ = timeout(LAST_POLLS, served).await;
            outcome
        }
        () = &mut served => drain.await,
    }
}

/// Leaves the drain as it is and closes what is still open. Always false: nothing was clean.
pub(super) fn cut(log: &Logger, server: &ServerHandle, step: &'static str) -> bool {
    error!(log, "Drain was cut"; "step" => step);
    // The order is given by the call; its answer is not waited for. One that stops gracefully already does not hear it
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

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use actix_web::{App, HttpResponse, HttpServer, web};
    use futures_util::future::join_all;
    use party_gallery_actors::realtime;
    use slog::{Discard, o};
    use tokio::sync::{Semaphore, watch};

    use super::*;

    const REQUESTS: usize = 20;
    const PATIENCE: Duration = Duration::from_secs(20);

    /// Where requests wait until they are let go, and tell that they do.
    struct Gate {
        waiting: Semaphore,
        open: watch::Sender<bool>,
    }

    async fn waits(gate: web::Data<Gate>) -> HttpResponse {
        gate.waiting.add_permits(1);
        match gate.open.subscribe().wait_for(|open| *open).await {
            Ok(_open) => HttpResponse::Ok().finish(),
            Err(_closed) => HttpResponse::InternalServerError().finish(),
        }
    }

    fn config(shutdown_timeout: &str) -> Config {
        Config::parse(|name| match name {
            "APP_ENV" => Some("test".to_owned()),
            "SHUTDOWN_TIMEOUT" => Some(shutdown_timeout.to_owned()),
            _ => None,
        })
        .unwrap()
    }

    /// A server with 20 requests in flight, drained while `during` goes on. Gives whether it ended clean, and how many
    /// requests were answered within `patience`.
    async fn drained(config: &Config, patience: Duration, during: impl AsyncFnOnce(&Gate)) -> (bool, usize) {
        let log = Logger::root(Discard, o!());
        let supervisor = Supervisor::start(log.clone()).unwrap();
        let registry = Registry::new(realtime::Config::default());
        let gate = web::Data::new(Gate { waiting: Semaphore::new(0), open: watch::Sender::new(false) });
        let shown = gate.clone();
        let server =
            HttpServer::new(move || App::new().app_data(shown.clone()).route("/", web::get().to(waits)))
                .workers(2)
                .disable_signals()
                .bind("127.0.0.1:0")
                .unwrap();
        let url = format!("http://{}/", server.addrs()[0]);
        let server = server.run();
        let handle = server.handle();
        let answered = AtomicUsize::new(0);
        let requests = join_all((0..REQUESTS).map(|_| async {
            if reqwest::get(&url).await.is_ok_and(|answer| answer.status() == 200) {
                answered.fetch_add(1, Ordering::Relaxed);
            }
        }));
        let drain = async {
            _ = gate.waiting.acquire_many(u32::try_from(REQUESTS).unwrap()).await.unwrap();
            let drain = drain(config, &log, &handle, &supervisor, &registry);
            tokio::join!(drain, during(&gate)).0
        };
        let ended = timeout(PATIENCE, beside(&log, server, drain));
        let (clean, _) = tokio::join!(ended, timeout(patience, requests));
        (clean.unwrap(), answered.load(Ordering::Relaxed))
    }

    #[actix_web::test]
    async fn requests_in_flight_are_waited_for_and_answered() {
        let (clean, answered) = drained(&config("20s"), PATIENCE, async |gate| {
            sleep(Duration::from_millis(300)).await;
            gate.open.send_replace(true);
        })
        .await;
        assert_eq!((clean, answered), (true, REQUESTS));
    }

    #[actix_web::test]
    async fn requests_that_do_not_end_are_left_behind_at_the_deadline() {
        let began = Instant::now();
        let (clean, answered) = drained(&config("500ms"), Duration::from_secs(2), async |_gate| {}).await;
        assert_eq!((clean, answered), (false, 0));
        assert!(began.elapsed() < Duration::from_secs(10), "after {:?}", began.elapsed());
    }
}
