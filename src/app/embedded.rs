//! The private servers of a pod that was given none: started before everything that uses them, stopped after it.

use std::{env, time::Duration};

use slog::{Logger, info, warn};

use super::StartError;
use crate::{
    config::Config,
    local::{Launcher, PostgresConfig, PostgresPrograms, RedisConfig, RedisProgram, Server},
};

/// How long a first start may take: initdb alone takes seconds on a slow disk.
const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// What was started, if anything.
pub(super) struct Embedded {
    postgres: Option<Server>,
    redis: Option<Server>,
}

impl Embedded {
    /// Starts what the configuration leaves to the service itself.
    pub(super) async fn start(config: &Config, log: &Logger) -> Result<Self, StartError> {
        let mut embedded = Self { postgres: None, redis: None };
        if config.database_url.is_some() && config.redis_url.is_some() {
            return Ok(embedded);
        }
        #[expect(
            clippy::disallowed_methods,
            reason = "PATH is the machine's, not the service's configuration"
        )]
        let path = env::var_os("PATH").unwrap_or_default();
        let launcher = Launcher::start()?;
        if config.database_url.is_none() {
            let postgres = PostgresConfig {
                directory: config.data_dir.join("postgres"),
                programs: PostgresPrograms::find(&path)?,
                fsync: true,
                settings: Vec::new(),
            };
            let server = postgres.start(&launcher, START_WITHIN).await?;
            info!(log, "Private PostgreSQL started"; "socket" => %server.socket().display());
            embedded.postgres = Some(server);
        }
        if config.redis_url.is_none() {
            let redis = RedisConfig {
                directory: config.data_dir.join("redis"),
                program: RedisProgram::find(&path)?,
                settings: Vec::new(),
            };
            let server = redis.start(&launcher, START_WITHIN).await?;
            info!(log, "Private Redis started"; "socket" => %server.socket().display());
            embedded.redis = Some(server);
        }
        Ok(embedded)
    }

    /// How to connect to PostgreSQL: what was configured, else what was started.
    pub(super) fn database(&self, config: &Config) -> tokio_postgres::Config {
        match (&config.database_url, &self.postgres) {
            (Some(url), _) => url.expose().clone(),
            (None, Some(server)) => server.url().parse().unwrap_or_default(),
            (None, None) => tokio_postgres::Config::default(),
        }
    }

    /// The URL of the Redis that was started.
    pub(super) fn redis(&self) -> &str {
        self.redis.as_ref().map_or("", Server::url)
    }

    /// Stops what was started.
    pub(super) async fn stop(self, log: &Logger) {
        for (name, server) in [("redis", self.redis), ("postgres", self.postgres)] {
            let Some(mut server) = server else { continue };
            match server.stop(STOP_WITHIN).await {
                Ok(stopped) => info!(log, "Drain"; "step" => name, "killed" => stopped.killed),
                Err(error) => {
                    warn!(log, "Private server was not stopped"; "server" => name, "error" => %error)
                }
            }
        }
    }
}
