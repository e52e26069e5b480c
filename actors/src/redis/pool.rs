//! The command pool: bb8-redis, with connections that live where the actor lives.

use std::{error::Error, fmt, sync::Arc, time::Duration};

use bb8::{ErrorSink, ManageConnection, Pool};
use bb8_redis::RedisConnectionManager;
use redis::{ConnectionInfo, ErrorKind, RedisError, aio::MultiplexedConnection};
use slog::{Logger, debug};
use tokio::runtime::Handle;

use super::{
    config::{BadUrl, Config},
    link::Link,
};

pub(super) type CommandPool = Pool<Home>;

/// What the pool is made from, for each outage anew.
#[derive(Clone)]
pub(super) struct Origin {
    connections: RedisConnectionManager,
    config: Config,
}

/// The pool as operators see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolReport {
    /// How many connections it may have.
    pub limit: u32,
    /// How many it has.
    pub connections: u32,
    /// How many of those nobody uses.
    pub idle: u32,
    /// How many callers wait for one.
    pub waiting: u64,
}

impl PoolReport {
    pub(super) fn of(pool: &CommandPool) -> Self {
        let state = pool.state();
        Self {
            limit: pool.config().max_size,
            connections: state.connections,
            idle: state.idle_connections,
            waiting: state.statistics.pending_gets(),
        }
    }
}

impl Origin {
    pub(super) fn new(server: &ConnectionInfo, config: &Config) -> Result<Self, BadUrl> {
        let connections = RedisConnectionManager::new(server.clone()).map_err(|_quotes_the_url| BadUrl)?;
        Ok(Self { connections, config: config.clone() })
    }

    /// A pool with its first connection. To be called on the actor's own thread.
    ///
    /// The test on check-out stays on, unlike that of the database's pool: `has_broken` of bb8-redis knows nothing.
    pub(super) async fn pool(&self, link: &Arc<Link>, log: &Logger) -> Result<CommandPool, RedisError> {
        let deadline = self.config.command_deadline;
        let home = Home {
            connections: self.connections.clone(),
            runtime: Handle::current(),
            response_timeout: deadline,
        };
        Pool::builder()
            .max_size(self.config.pool_size.get())
            .min_idle(1)
            .retry_connection(false)
            .connection_timeout(deadline)
            .error_sink(Box::new(Sink { link: Arc::clone(link), log: log.clone() }))
            .build(home)
            .await
    }
}

/// Makes connections on the actor's runtime, whoever asks: they die with the runtime that made them, and a caller's
/// may end first.
pub(super) struct Home {
    connections: RedisConnectionManager,
    runtime: Handle,
    response_timeout: Duration,
}

impl ManageConnection for Home {
    type Connection = MultiplexedConnection;
    type Error = RedisError;

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let connections = self.connections.clone();
        let made = self.runtime.spawn(async move { connections.connect().await }).await;
        let mut connection = made.unwrap_or_else(|_the_thread_ended| {
            Err(RedisError::from((ErrorKind::Io, "the actor's thread has ended")))
        })?;
        connection.set_response_timeout(self.response_timeout);
        Ok(connection)
    }

    async fn is_valid(&self, connection: &mut MultiplexedConnection) -> Result<(), RedisError> {
        self.connections.is_valid(connection).await
    }

    fn has_broken(&self, connection: &mut MultiplexedConnection) -> bool {
        self.connections.has_broken(connection)
    }
}

/// What went wrong behind the callers' backs; without it every failure reads "timed out".
#[derive(Clone)]
struct Sink {
    link: Arc<Link>,
    log: Logger,
}

impl ErrorSink<RedisError> for Sink {
    fn sink(&self, error: RedisError) {
        debug!(self.log, "Redis connection failed"; "error" => &error as &(dyn Error + 'static));
        self.link.doubt();
    }

    fn boxed_clone(&self) -> Box<dyn ErrorSink<RedisError>> {
        Box::new(self.clone())
    }
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sink")
    }
}
