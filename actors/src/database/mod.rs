//! The Database actor: owns the PostgreSQL pool, lends connections, tells when it is gone.
//!
//! *Invariant:* no SQL but `SELECT 1` and a transaction's own words; a dependency that is away opens the breaker
//! and is never a crash.

mod actor;
mod connect;
mod connection;
mod error;
mod hosts;
mod shared;
mod tls;

use std::{
    fmt,
    num::NonZeroU32,
    sync::Arc,
    time::{Duration, Instant},
};

use slog::{Logger, o};
use tokio::{sync::watch, time::timeout};

use self::{actor::DatabaseActor, connect::ConnectError, shared::Shared};
pub use self::{connection::Connection, error::DatabaseError};
use crate::{
    breaker::Outage,
    kernel::{Child, ChildReport, Exhausted, Handle, Refused, Supervisor},
};

/// Where PostgreSQL is, and how long anything about it may take. The defaults are the contract's.
#[derive(Clone)]
pub struct Config {
    /// How to connect; several hosts are allowed.
    pub connection: tokio_postgres::Config,
    /// The most connections in the pool; the actor's own comes on top.
    pub pool_size: NonZeroU32,
    /// How long a caller waits for a connection.
    pub lease: Duration,
    /// How long a statement may run, for the server (`statement_timeout`) and for the client.
    pub statement: Duration,
    /// How long all connections may be silent with work outstanding before the actor asks on its own.
    pub stall: Duration,
}

impl Config {
    /// The contract's deadlines: 500 ms for a lease, 2 s for a statement, 500 ms of silence.
    pub fn new(connection: tokio_postgres::Config, pool_size: NonZeroU32) -> Self {
        Self {
            connection,
            pool_size,
            lease: Duration::from_millis(500),
            statement: Duration::from_secs(2),
            stall: Duration::from_millis(500),
        }
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Config").field("pool_size", &self.pool_size).finish_non_exhaustive()
    }
}

/// One connection of its own, for work that outlasts a statement's deadline, and its driver, which has to be polled.
///
/// # Errors
///
/// PostgreSQL took no connection. There is no deadline in here.
pub async fn dial(
    config: &tokio_postgres::Config,
) -> Result<
    (tokio_postgres::Client, impl Future<Output = Result<(), tokio_postgres::Error>> + use<>),
    tokio_postgres::Error,
> {
    let (hosts, tls) = (hosts::each(config), tls::connector(config));
    loop {
        match hosts::reach(&hosts, &tls).await {
            Ok((_host, client, driver)) => return Ok((client, driver)),
            Err(Some(error)) => return Err(error),
            // Silent, for as long as a trial takes: asked again
            Err(None) => {}
        }
    }
}

/// What the pool holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PoolState {
    /// Connections that are open.
    pub connections: u32,
    /// Those that nobody uses.
    pub idle: u32,
    /// Pieces of work that have a connection or wait for one.
    pub outstanding: usize,
}

/// A way to PostgreSQL that outlives every life of its actor.
#[derive(Clone, Debug)]
pub struct Database {
    shared: Arc<Shared>,
    handle: Handle<DatabaseActor>,
}

impl Database {
    /// Starts the actor under `supervisor`. Does not wait for PostgreSQL: until it answers, work is refused.
    ///
    /// # Errors
    ///
    /// The supervisor has ended.
    pub async fn start(supervisor: &Supervisor, config: Config, log: &Logger) -> Result<Self, Refused> {
        let shared = Arc::new(Shared::new(config, log.new(o!("actor" => "database"))));
        let parts = Arc::clone(&shared);
        let child = Child::new("database", move |life| DatabaseActor::new(life, Arc::clone(&parts)))
            .on_exhausted(Exhausted::Degrade);
        let handle = supervisor.add(child).await?;
        Ok(Self { shared, handle })
    }

    /// Lends a connection to `work`, which reads. Every statement commits by itself: what writes goes through
    /// [`Database::transaction`], so that a failure says whether it took effect.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`], or what `work` makes of one; when PostgreSQL is away at once, when it falls silent after
    /// about a second.
    pub async fn run<T, E>(&self, work: impl AsyncFnOnce(&mut Connection) -> Result<T, E>) -> Result<T, E>
    where
        E: From<DatabaseError>,
    {
        let mut outage = self.shared.breaker.watch();
        if let Some(outage) = *outage.borrow_and_update() {
            return Err(unavailable(outage).into());
        }
        let _outstanding = self.shared.enter();
        let Some(pool) = self.shared.pool.load_full() else {
            return Err(
                DatabaseError::Unavailable { retry_after: Duration::from_millis(100), source: None }.into()
            );
        };
        let lease = async {
            match timeout(self.shared.config.lease, pool.get()).await {
                Ok(Ok(lease)) => Ok(lease),
                Ok(Err(error)) => Err(self.refused_lease(Some(error))),
                Err(_elapsed) => Err(self.refused_lease(None)),
            }
        };
        let mut lease = tokio::select! {
            biased;
            lease = lease => lease?,
            outage = opened(&mut outage) => return Err(unavailable(outage).into()),
        };
        let connection = &mut *lease;
        let done = tokio::select! {
            biased;
            done = work(connection) => Some(done),
            _ = opened(&mut outage) => None,
        };
        let Some(done) = done else {
            // The statement may still run there: nobody may wait behind it
            lease.spoil();
            let outcome = lease.interrupted();
            return Err(outcome.into());
        };
        if lease.is_spoilt() {
            self.shared.doubt.notify_one();
        }
        done
    }

    /// Runs `work` in a transaction: commits when it succeeds, rolls back when it fails.
    ///
    /// # Errors
    ///
    /// As [`Database::run`]; [`DatabaseError::OutcomeUnknown`] when the answer to the commit was not seen, and only
    /// then may anything have been written.
    pub async fn transaction<T, E>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, E>,
    ) -> Result<T, E>
    where
        E: From<DatabaseError>,
    {
        self.run(async |connection: &mut Connection| {
            connection.begin();
            match work(connection).await {
                Ok(value) => {
                    connection.commit().await?;
                    Ok(value)
                }
                Err(error) => {
                    connection.roll_back().await;
                    Err(error)
                }
            }
        })
        .await
    }

    /// Asks PostgreSQL once, on the actor's own connection.
    ///
    /// # Errors
    ///
    /// Why it does not answer, in words that are fit for the public.
    pub async fn check(&self) -> Result<(), &'static str> {
        if let Some(outage) = self.shared.breaker.outage() {
            return Err(outage.reason);
        }
        let Some(client) = self.shared.own.load_full() else { return Err(actor::CONNECTING) };
        actor::ask(&client).await.inspect_err(|_gone| self.shared.doubt.notify_one())
    }

    /// Asks the actor to look at its own connection now.
    pub fn doubt(&self) {
        self.shared.doubt.notify_one();
    }

    /// The outage as it begins and ends.
    pub fn outage(&self) -> watch::Receiver<Option<Outage>> {
        self.shared.breaker.watch()
    }

    /// The actor as operators see it.
    pub fn report(&self) -> ChildReport {
        self.handle.report()
    }

    /// What the pool holds.
    pub fn pool(&self) -> PoolState {
        let state = self.shared.pool.load_full().map(|pool| pool.state());
        PoolState {
            connections: state.as_ref().map_or(0, |state| state.connections),
            idle: state.as_ref().map_or(0, |state| state.idle_connections),
            outstanding: self.shared.outstanding(),
        }
    }

    /// Makes the actor panic. For tests.
    #[cfg(feature = "chaos")]
    pub async fn inject_panic(&self) {
        self.handle.inject_panic().await;
    }

    /// No connection was to be had: either all are in use or none can be made. The actor finds out which.
    fn refused_lease(&self, error: Option<bb8::RunError<ConnectError>>) -> DatabaseError {
        self.shared.doubt.notify_one();
        let source = match error {
            Some(bb8::RunError::User(ConnectError::Refused(error))) => Some(error),
            _ => None,
        };
        DatabaseError::Unavailable { retry_after: self.shared.config.lease, source }
    }
}

fn unavailable(outage: Outage) -> DatabaseError {
    DatabaseError::Unavailable { retry_after: outage.next_trial(Instant::now()), source: None }
}

/// Resolves when the breaker opens.
async fn opened(outage: &mut watch::Receiver<Option<Outage>>) -> Outage {
    // Copied out, so that no lock is held in a future that may change threads
    match outage.wait_for(Option::is_some).await.map(|outage| *outage) {
        Ok(outage) => outage.unwrap_or(Outage { since: Instant::now(), reason: actor::CLOSED }),
        // The breaker lives as long as its Database
        Err(_closed) => std::future::pending().await,
    }
}
