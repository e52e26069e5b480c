//! Makes the pool's connections on the actor's own runtime, whoever asks for one.
//!
//! A connection's driver runs where the connection was made and dies with it: made by an HTTP worker, it would
//! stall with that worker.

use std::{
    fmt,
    sync::{Arc, Weak},
};

use bb8::{ErrorSink, ManageConnection};
use bb8_postgres::PostgresConnectionManager;
use slog::{Logger, warn};
use tokio::{runtime, sync::oneshot, time::timeout};
use tokio_postgres_rustls::MakeRustlsConnect;

use super::{actor::POOL_WAIT, connection::Connection, shared::Shared};

pub(super) struct Connector {
    inner: Arc<PostgresConnectionManager<MakeRustlsConnect>>,
    runtime: runtime::Handle,
    shared: Weak<Shared>,
}

impl Connector {
    /// For the runtime that this is called on.
    pub(super) fn here(config: tokio_postgres::Config, tls: MakeRustlsConnect, shared: &Arc<Shared>) -> Self {
        Self {
            inner: Arc::new(PostgresConnectionManager::new(config, tls)),
            runtime: runtime::Handle::current(),
            shared: Arc::downgrade(shared),
        }
    }
}

/// Why the pool got no connection.
#[derive(Debug, thiserror::Error)]
pub(super) enum ConnectError {
    #[error("PostgreSQL took no connection")]
    Refused(#[from] tokio_postgres::Error),
    #[error("PostgreSQL took a connection and did not answer on it")]
    Silent,
    #[error("the actor that makes connections has ended")]
    Gone,
    #[error("PostgreSQL closed a connection that nobody used")]
    Closed,
}

impl ManageConnection for Connector {
    type Connection = Connection;
    type Error = ConnectError;

    async fn connect(&self) -> Result<Connection, ConnectError> {
        let inner = Arc::clone(&self.inner);
        let (give, client) = oneshot::channel();
        self.runtime.spawn(async move {
            // Who does not wait any more gets nothing: the connection is closed by being dropped
            let made =
                timeout(POOL_WAIT, async { inner.connect().await.map_err(ConnectError::Refused) }).await;
            _ = give.send(made.unwrap_or_else(|_elapsed| Err(ConnectError::Silent)));
        });
        let client = client.await.map_err(|_ended| ConnectError::Gone)??;
        let shared = self.shared.upgrade().ok_or(ConnectError::Gone)?;
        Ok(Connection::new(client, &shared))
    }

    /// Asked before each lease. A look at what its driver knows already: a question to PostgreSQL would cost a round
    /// trip per lease.
    async fn is_valid(&self, connection: &mut Connection) -> Result<(), ConnectError> {
        if connection.is_broken() { Err(ConnectError::Closed) } else { Ok(()) }
    }

    fn has_broken(&self, connection: &mut Connection) -> bool {
        connection.is_broken()
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}

/// Tells why connections cannot be made; without it bb8 says only that it timed out.
#[derive(Debug)]
pub(super) struct Failures(pub(super) Logger);

impl ErrorSink<ConnectError> for Failures {
    fn sink(&self, error: ConnectError) {
        let cause = std::error::Error::source(&error).map(ToString::to_string);
        warn!(self.0, "Database connection failed"; "error" => %error, "cause" => cause);
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<ConnectError>> {
        Box::new(Self(self.0.clone()))
    }
}
