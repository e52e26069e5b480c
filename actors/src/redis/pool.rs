//! The command pool, with connections that live where the actor lives: bb8-redis for one server, the driver's own
//! client for a cluster.

use std::{
    error::Error,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use bb8::{ErrorSink, ManageConnection, Pool};
use bb8_redis::RedisConnectionManager;
use redis::{ConnectionInfo, ErrorKind, RedisError, cluster::ClusterClient};
use slog::{Logger, debug};
use tokio::runtime::Handle;

use super::{
    config::{BadUrl, Config, Hosts},
    connection::Connection,
    lines::Lines,
    link::{Link, STALL},
    subscriber::at,
};

pub(super) type CommandPool = Pool<Home>;

/// How long a connection that has answered is taken for one that does: a test costs as much as a command.
const TRUSTED_FOR: Duration = Duration::from_millis(250);

/// How often the cluster's client asks again, and how soon, in milliseconds: it has the time of one command.
const RETRIES: u32 = 4;
const RETRY_AFTER: u64 = 10;
const RETRY_WITHIN: u64 = 100;

/// What the pool is made from, for each outage anew.
#[derive(Clone)]
pub(super) struct Origin {
    source: Source,
    config: Config,
}

/// Where connections come from.
#[derive(Clone)]
enum Source {
    Server(Box<RedisConnectionManager>),
    Cluster(Vec<ConnectionInfo>),
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
    pub(super) fn new(hosts: &Hosts, config: &Config) -> Result<Self, BadUrl> {
        let source = match hosts {
            Hosts::Server(server) => {
                let connections = RedisConnectionManager::new(server.as_ref().clone());
                Source::Server(connections.map_err(|_quotes_the_url| BadUrl)?.into())
            }
            Hosts::Cluster(seeds) => Source::Cluster(seeds.clone()),
        };
        Ok(Self { source, config: config.clone() })
    }

    /// How long a trial may take. A cluster's client also looks at replicas, which may be frozen.
    pub(super) fn patience(&self) -> Duration {
        match self.source {
            Source::Server(_) => STALL,
            Source::Cluster(_) => 2 * STALL,
        }
    }

    /// A pool with its first connection, on a cluster to the masters of `lines`. To be called on the actor's own
    /// thread.
    ///
    /// The test on check-out stays on, unlike that of the database's pool: `has_broken` of bb8-redis knows nothing. Who has
    /// just answered is not tested.
    pub(super) async fn pool(
        &self,
        lines: &Lines,
        link: &Arc<Link>,
        log: &Logger,
    ) -> Result<CommandPool, RedisError> {
        let deadline = self.config.command_deadline;
        let client = match (&self.source, lines) {
            (Source::Cluster(seeds), Lines::Cluster(_, slots)) => {
                let masters = slots.masters.iter().filter_map(|node| at(seeds, node));
                Client::Cluster(cluster(masters, deadline)?.into())
            }
            (Source::Cluster(seeds), Lines::Server(_)) => {
                Client::Cluster(cluster(seeds.iter().cloned(), deadline)?.into())
            }
            (Source::Server(connections), _) => Client::Server(connections.clone()),
        };
        let home = Home { client, runtime: Handle::current(), response_timeout: deadline };
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
    client: Client,
    runtime: Handle,
    response_timeout: Duration,
}

#[derive(Clone)]
enum Client {
    Server(Box<RedisConnectionManager>),
    Cluster(Box<ClusterClient>),
}

fn cluster(
    nodes: impl Iterator<Item = ConnectionInfo>,
    deadline: Duration,
) -> Result<ClusterClient, RedisError> {
    ClusterClient::builder(nodes)
        .connection_timeout(STALL)
        .response_timeout(deadline)
        .retries(RETRIES)
        .min_retry_wait(RETRY_AFTER)
        .max_retry_wait(RETRY_WITHIN)
        .build()
}

/// A connection of the pool.
pub(super) struct Pooled {
    connection: Connection,
    /// When it last answered, unless something was asked since.
    answered: Option<Instant>,
}

impl Pooled {
    /// Something is asked: nobody knows whether it is answered.
    pub(super) fn ask(&mut self) -> &mut Connection {
        self.answered = None;
        &mut self.connection
    }

    /// It has answered.
    pub(super) fn answered(&mut self) {
        self.answered = Some(Instant::now());
    }

    fn is_trusted(&self) -> bool {
        self.answered.is_some_and(|at| at.elapsed() < TRUSTED_FOR)
    }
}

impl ManageConnection for Home {
    type Connection = Pooled;
    type Error = RedisError;

    async fn connect(&self) -> Result<Pooled, RedisError> {
        let (client, response_timeout) = (self.client.clone(), self.response_timeout);
        let made = self.runtime.spawn(async move {
            Ok(match client {
                Client::Server(connections) => {
                    let mut connection = connections.connect().await?;
                    connection.set_response_timeout(response_timeout);
                    Connection::Server(connection)
                }
                Client::Cluster(client) => Connection::Cluster(client.get_async_connection().await?),
            })
        });
        let connection = made.await.unwrap_or_else(|_the_thread_ended| {
            Err(RedisError::from((ErrorKind::Io, "the actor's thread has ended")))
        })?;
        Ok(Pooled { connection, answered: None })
    }

    async fn is_valid(&self, pooled: &mut Pooled) -> Result<(), RedisError> {
        if pooled.is_trusted() {
            return Ok(());
        }
        match (&self.client, &mut pooled.connection) {
            (Client::Server(connections), Connection::Server(connection)) => {
                connections.is_valid(connection).await
            }
            // That of a cluster mends itself, and one node that does not answer is no reason to throw it away
            _ => Ok(()),
        }
    }

    fn has_broken(&self, _: &mut Pooled) -> bool {
        false
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
