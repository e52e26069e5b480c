//! The actor: one connection of its own, whose driver it polls, and from it the pool's life and the breaker.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, AsyncContext as _, Context, Supervised, WrapFuture as _};
use bb8::Pool;
use slog::{info, warn};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tokio_postgres::Client;
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{
    connect::{Connector, Failures},
    hosts,
    shared::Shared,
    tls,
};
use crate::kernel::Life;

pub(super) const CONNECTING: &str = "connecting";
pub(super) const CLOSED: &str = "connection closed";
const REFUSED: &str = "no connection";
const SILENT: &str = "no answer";

/// How long the actor's own connection may take to be made or to answer.
pub(super) const TRIAL: Duration = Duration::from_millis(500);

/// How long bb8 itself waits for a connection; the lease's deadline lies below it.
pub(super) const POOL_WAIT: Duration = Duration::from_secs(2);

/// How often the actor looks whether all connections have fallen silent.
const WATCH: Duration = Duration::from_millis(50);

#[derive(Debug)]
pub(crate) struct DatabaseActor {
    life: Life<Self>,
    shared: Arc<Shared>,
}

impl DatabaseActor {
    pub(super) fn new(life: Life<Self>, shared: Arc<Shared>) -> Self {
        Self { life, shared }
    }
}

impl Actor for DatabaseActor {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Context<Self>) {
        context.spawn(keep(self.life.clone(), Arc::clone(&self.shared)).into_actor(self));
    }
}

impl Supervised for DatabaseActor {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = self.life.reborn();
    }
}

/// Connects, publishes a pool, watches until PostgreSQL is gone, and begins again.
async fn keep(life: Life<DatabaseActor>, shared: Arc<Shared>) {
    let config = session_config(&shared);
    let tls = tls::connector(&config);
    let hosts = hosts::each(&config);
    let mut last_error = None;
    while life.is_current() {
        let reason = match hosts::reach(&hosts, &tls).await {
            Ok((host, client, driver)) => {
                last_error = None;
                let client = Arc::new(client);
                publish(&shared, Arc::clone(&client), host, &tls);
                tokio::select! {
                    // Polled here and not spawned: its end is how a closed socket is heard of at once
                    _end = driver => CLOSED,
                    reason = watch_over(&client, &shared) => reason,
                }
            }
            Err(refusal) => {
                let text = refusal.as_ref().map_or_else(|| SILENT.to_owned(), told);
                // Once per kind of failure: trials come ten times a second
                if last_error.as_ref() != Some(&text) {
                    warn!(shared.log, "Database does not take a connection"; "error" => &text);
                    last_error = Some(text);
                }
                refusal.map_or(SILENT, |_error| REFUSED)
            }
        };
        if !life.is_current() {
            return;
        }
        // Also where a life finds PostgreSQL away: the former one has left the breaker closed
        if shared.breaker.open(reason) {
            warn!(shared.log, "Database is away"; "reason" => reason);
        }
        shared.pool.store(None);
        shared.own.store(None);
        let wait = shared.breaker.outage().map(|outage| outage.next_trial(Instant::now()));
        sleep(wait.unwrap_or_default()).await;
    }
}

fn told(error: &tokio_postgres::Error) -> String {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    format!("{error}: {}", cause.unwrap_or_default())
}

/// A new pool for each time that PostgreSQL comes back: the former one's attempts may be in a long delay. All of it
/// goes to the `host` that answered.
fn publish(shared: &Arc<Shared>, client: Arc<Client>, host: tokio_postgres::Config, tls: &MakeRustlsConnect) {
    let connector = Connector::here(host, tls.clone(), shared);
    let pool = Pool::builder()
        .max_size(shared.config.pool_size.get())
        .min_idle(Some(1))
        .test_on_check_out(true)
        .connection_timeout(POOL_WAIT)
        .error_sink(Box::new(Failures(shared.log.clone())))
        .build_unchecked(connector);
    shared.heard();
    shared.own.store(Some(client));
    shared.pool.store(Some(Arc::new(pool)));
    if let Some(outage) = shared.breaker.close() {
        let outage = outage.since.elapsed();
        info!(shared.log, "Database answers"; "afterMs" => u64::try_from(outage.as_millis()).unwrap_or(u64::MAX));
    }
}

/// Asks on the own connection whenever there is reason to doubt. Gives why PostgreSQL is held to be gone.
async fn watch_over(client: &Client, shared: &Shared) -> &'static str {
    let mut ticks = interval(WATCH);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shared.doubt.notified() => {}
            _ = ticks.tick() => {
                if shared.outstanding() == 0 || shared.silent_for() < shared.config.stall {
                    continue;
                }
            }
        }
        match ask(client).await {
            Ok(()) => shared.heard(),
            Err(reason) => return reason,
        }
    }
}

/// One question of life. Why there was no answer, in words that are fit for the public.
pub(super) async fn ask(client: &Client) -> Result<(), &'static str> {
    match timeout(TRIAL, client.simple_query("SELECT 1")).await {
        Ok(Ok(_row)) => Ok(()),
        Ok(Err(_broken)) => Err(CLOSED),
        Err(_elapsed) => Err(SILENT),
    }
}

/// The caller's configuration with the server's own deadline for statements.
fn session_config(shared: &Shared) -> tokio_postgres::Config {
    let mut config = shared.config.connection.clone();
    let options = config.get_options().unwrap_or_default();
    let limit = shared.config.statement.as_millis();
    let options =
        format!("{options} -c statement_timeout={limit} -c idle_in_transaction_session_timeout=10000");
    config.options(options.trim_start());
    if config.get_application_name().is_none() {
        config.application_name("party-gallery");
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(TRIAL);
    }
    config
}
