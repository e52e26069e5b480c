//! The private servers of a pod that was given none: started before everything that uses them, stopped after it.

use std::{
    env,
    sync::{Arc, atomic::AtomicBool},
    time::Instant,
};

use party_gallery_actors::{
    kernel::{CallError, Handle, Supervisor},
    redis::Place,
};
use slog::{Logger, warn};

use super::{StartError, drain};
use crate::{
    config::{Config, Environment, RedisUrl},
    local::{
        self, Keeper, Kept, Launcher, PostgresConfig, PostgresPrograms, RedisConfig, RedisProgram, StopServer,
    },
};

/// What the configuration leaves to the service itself. *Invariant:* the programs of all that it holds are there.
pub(super) struct Embedded {
    postgres: Option<PostgresConfig>,
    redis: Option<RedisConfig>,
}

impl Embedded {
    /// Looks for what is needed and starts nothing.
    ///
    /// # Errors
    ///
    /// What is not installed, with the words that install it; a `DATA_DIR` that the servers cannot come to.
    pub(super) fn find(config: &Config) -> Result<Self, local::Error> {
        #[expect(
            clippy::disallowed_methods,
            reason = "PATH is the machine's, not the service's configuration"
        )]
        let path = env::var_os("PATH").unwrap_or_default();
        let postgres = match config.database_url {
            Some(_) => None,
            None => Some(PostgresConfig {
                directory: config.data_dir.join("postgres"),
                programs: PostgresPrograms::find(&path)?,
                // What a test writes need not survive the machine
                fsync: config.environment != Environment::Test,
                settings: Vec::new(),
            }),
        };
        let redis = match config.redis_url {
            Some(_) => None,
            None => Some(RedisConfig {
                directory: config.data_dir.join("redis"),
                program: RedisProgram::find(&path)?,
                settings: Vec::new(),
            }),
        };
        if postgres.is_some() || redis.is_some() {
            local::reachable(&config.data_dir)?;
        }
        Ok(Self { postgres, redis })
    }

    /// How to connect to PostgreSQL: what was configured, else where the private one is.
    pub(super) fn database(&self, config: &Config) -> Result<tokio_postgres::Config, local::Error> {
        Ok(match (&config.database_url, &self.postgres) {
            (Some(url), _) => url.expose().clone(),
            // A URL of our own making parses
            (None, Some(postgres)) => postgres.url()?.parse().unwrap_or_default(),
            (None, None) => tokio_postgres::Config::default(),
        })
    }

    /// How to connect to Redis: what was configured, else where the private one is.
    pub(super) fn redis(&self, config: &Config) -> Result<Place, local::Error> {
        Ok(match (&config.redis_url, &self.redis) {
            (Some(RedisUrl::Server(url)), _) => Place::Server(url.expose().to_string()),
            (Some(RedisUrl::Cluster(urls)), _) => {
                Place::Cluster(urls.iter().map(|url| url.expose().to_string()).collect())
            }
            (Some(RedisUrl::Socket(path)), _) => Place::Server(format!("redis+unix://{}", path.display())),
            (None, Some(redis)) => Place::Server(redis.url()?),
            (None, None) => Place::Server(String::new()),
        })
    }

    /// Gives each a keeper, which starts it; none is waited for.
    pub(super) async fn start(
        self,
        supervisor: &Supervisor,
        draining: &Arc<AtomicBool>,
    ) -> Result<Servers, StartError> {
        let postgres = self.postgres.map(|postgres| ("postgres-server", Kept::Postgres(postgres)));
        let redis = self.redis.map(|redis| ("redis-server", Kept::Redis(redis)));
        let launcher = Launcher::start()?;
        let mut keepers = Vec::new();
        for (name, kept) in postgres.into_iter().chain(redis) {
            let child = Keeper::child(name, kept, &launcher, draining);
            keepers.push((name, supervisor.add(child).await?));
        }
        Ok(Servers(keepers))
    }
}

/// The private servers as they are kept, in the order of their start.
pub(super) struct Servers(Vec<(&'static str, Handle<Keeper>)>);

impl Servers {
    /// Stops them, last started first, whatever became of the drain: without the supervisor, who may be busy with an
    /// actor that does not end. Nothing starts them again, for the service is draining.
    pub(super) async fn stop(self, log: &Logger) {
        for (name, keeper) in self.0.into_iter().rev() {
            let began = Instant::now();
            match keeper.call(StopServer, StopServer::WITHIN).await {
                // Between two lives there is no server
                Ok(_) | Err(CallError::Unavailable { .. }) => drain::tell(log, name, began.elapsed()),
                Err(error) => {
                    warn!(log, "Private server was not stopped"; "server" => name, "error" => %error);
                }
            }
        }
    }
}
