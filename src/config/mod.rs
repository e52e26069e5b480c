//! Reads the environment, once, into one value.
//!
//! *Invariant:* whoever holds a [`Config`] holds values that fit together; nothing is checked again later, and
//! nobody else looks at the environment.

mod accounts;
mod database_url;
mod duration;
mod environment;
mod jwt_secrets;
mod keepsake;
mod limits;
mod list;
mod networks;
mod problem;
mod public_url;
mod rate;
mod reader;
mod redis_url;
mod secret;
mod size;
mod storage_url;
#[cfg(test)]
mod tests;
pub mod variables;

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

pub use accounts::{Auth, ServiceAccount};
pub use database_url::DatabaseUrl;
pub use environment::Environment;
pub use jwt_secrets::JwtSecrets;
pub use keepsake::keepsake;
pub use limits::{Quotas, Rates};
pub use networks::Networks;
pub use problem::{Expected, Problem, Problems, Warning};
pub use public_url::{Origin, PublicUrl};
pub use rate::Rate;
pub use redis_url::RedisUrl;
pub use secret::Secret;
pub use storage_url::StorageUrl;

use reader::Reader;
use variables as v;

/// Everything that an operator decides. Each field says its variable in [`variables`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Where the process runs.
    pub environment: Environment,
    /// The address to listen on.
    pub host: IpAddr,
    /// The port to listen on; 0 lets the system choose.
    pub port: u16,
    /// What links are made from.
    pub public_url: PublicUrl,
    /// Where the service keeps what it makes by itself.
    pub data_dir: PathBuf,
    /// The least level that is logged.
    pub log_level: slog::Level,
    /// PostgreSQL; `None`, in development and test only, asks for an embedded one.
    pub database_url: Option<DatabaseUrl>,
    /// Database connections of this pod.
    pub database_pool_size: u32,
    /// Redis; `None`, in development and test only, asks for an embedded one.
    pub redis_url: Option<RedisUrl>,
    /// Where photos are kept.
    pub storage_url: StorageUrl,
    /// Who vouches for callers.
    pub auth: Auth,
    /// Who sends pushes, if anyone.
    pub push: Option<ServiceAccount>,
    /// What tokens are signed with; `None`, in development and test only, asks for [`JwtSecrets::kept_in`].
    pub jwt_secrets: Option<JwtSecrets>,
    /// Origins beside the public one whose pages may call the service.
    pub cors_origins: Vec<Origin>,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// Who, beside loopback, may read metrics and verbose health.
    pub metrics_allow: Networks,
    /// The bearer token that may do so from anywhere.
    pub operator_token: Option<Secret<String>>,
    /// What must be healthy for the service to be ready.
    pub ready_requires: BTreeSet<Dependency>,
    /// Between two probes of a dependency.
    pub health_interval: Duration,
    /// Between saying "not ready" and closing; shorter than `shutdown_timeout`.
    pub drain_delay: Duration,
    /// For the whole shutdown.
    pub shutdown_timeout: Duration,
    /// Requests in flight before the rest is shed.
    pub max_in_flight: usize,
    /// How long events stay in the log.
    pub event_retention: Duration,
    /// Days from a party's deletion to its erasure.
    pub retention_days: u16,
    /// How often callers may do what.
    pub rates: Rates,
    /// How much people and parties may keep.
    pub quotas: Quotas,
    /// What an operator should know, for the log.
    pub warnings: Vec<Warning>,
}

/// A part whose health `READY_REQUIRES` can name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dependency {
    /// PostgreSQL.
    Database,
    /// Redis.
    Redis,
    /// The hub and its broker.
    Realtime,
    /// Where photos are kept.
    Storage,
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    ///
    /// Every problem at once; the process exits 64.
    #[expect(clippy::disallowed_methods, reason = "this is the place where the environment is read, once")]
    pub fn from_env() -> Result<Self, Problems> {
        Self::parse(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    /// Reads variables from wherever they are.
    ///
    /// # Errors
    ///
    /// Every problem at once, by name and without any value.
    pub fn parse(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, Problems> {
        let mut reader = Reader::new(&lookup);
        let config = read(&mut reader);
        reader.finish(config)
    }
}

/// Reads everything first and asks for it then, so that no problem hides another.
fn read(reader: &mut Reader<'_>) -> Option<Config> {
    let host = reader.value(&v::HOST, address);
    let port = reader.value(&v::PORT, port);
    let public_url = match port {
        Some(port) if reader.environment().is_local() && !reader.is_set(&v::PUBLIC_URL) => {
            format!("http://localhost:{port}").parse().ok()
        }
        _ => reader.value(&v::PUBLIC_URL, str::parse),
    };
    let data_dir = reader.value(&v::DATA_DIR, |text| Ok(PathBuf::from(text)));
    let log_level = reader.value(&v::LOG_LEVEL, log_level);
    let database_url = reader.optional(&v::DATABASE_URL, DatabaseUrl::from_str);
    let database_pool_size = reader.value(&v::DATABASE_POOL_SIZE, number(1, 1_000));
    let redis_url = reader.optional(&v::REDIS_URL, RedisUrl::from_str);
    let beside = data_dir.clone().unwrap_or_default();
    let storage_url = reader.value(&v::STORAGE_URL, StorageUrl::relative_to(&beside));
    let accounts = accounts::read(reader);
    let jwt_secrets = reader.optional(&v::JWT_SECRET, JwtSecrets::from_str);
    let cors_origins = reader.optional(&v::CORS_ORIGIN, |text| list::read(text, str::parse));
    let trusted_proxies = reader.optional(&v::TRUSTED_PROXIES, Networks::from_str);
    let metrics_allow = reader.optional(&v::METRICS_ALLOW, Networks::from_str);
    let operator_token = reader.optional(&v::OPERATOR_TOKEN, operator_token);
    let ready_requires = reader.value(&v::READY_REQUIRES, |text| list::read(text, dependency));
    let health_interval = reader.value(&v::HEALTH_INTERVAL, duration::within(TENTH..=MINUTE));
    let drain_delay = reader.value(&v::DRAIN_DELAY, duration::within(Duration::ZERO..=5 * MINUTE));
    let shutdown_timeout = reader.value(&v::SHUTDOWN_TIMEOUT, duration::within(TENTH..=10 * MINUTE));
    let max_in_flight = reader.value(&v::MAX_IN_FLIGHT, number(1, 65_536));
    let event_retention = reader.value(&v::EVENT_RETENTION, duration::within(SECOND..=365 * DAY));
    let retention_days = reader.value(&v::RETENTION_DAYS, number(0, 3_650));
    let rates = Rates::read(reader);
    let quotas = Quotas::read(reader);
    if let (Some(delay), Some(timeout)) = (drain_delay, shutdown_timeout)
        && delay >= timeout
    {
        reader.unfit(&v::DRAIN_DELAY, Expected::new("less than SHUTDOWN_TIMEOUT"));
    }

    let (database_url, redis_url) = (database_url?, redis_url?);
    let (auth, push) = accounts?;
    Some(Config {
        environment: reader.environment(),
        host: host?,
        port: port?,
        public_url: public_url?,
        data_dir: data_dir?,
        log_level: log_level?,
        warnings: warnings(database_url.as_ref(), redis_url.as_ref()),
        database_url,
        database_pool_size: database_pool_size?,
        redis_url,
        storage_url: storage_url?,
        auth,
        push,
        jwt_secrets: jwt_secrets?,
        cors_origins: cors_origins?.unwrap_or_default(),
        trusted_proxies: trusted_proxies?.unwrap_or_default(),
        metrics_allow: metrics_allow?.unwrap_or_default(),
        operator_token: operator_token?,
        ready_requires: ready_requires?.into_iter().collect(),
        health_interval: health_interval?,
        drain_delay: drain_delay?,
        shutdown_timeout: shutdown_timeout?,
        max_in_flight: max_in_flight?,
        event_retention: event_retention?,
        retention_days: retention_days?,
        rates: rates?,
        quotas: quotas?,
    })
}

const TENTH: Duration = Duration::from_millis(100);
const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);

fn warnings(database: Option<&DatabaseUrl>, redis: Option<&RedisUrl>) -> Vec<Warning> {
    let database = database.filter(|url| url.is_plain_beyond_loopback()).map(|_| Warning {
        variable: v::DATABASE_URL.name,
        meaning: "not encrypted beyond this machine; sslmode=require is",
    });
    let redis = redis.filter(|url| url.is_plain_beyond_loopback()).map(|_| Warning {
        variable: v::REDIS_URL.name,
        meaning: "not encrypted beyond this machine; rediss:// is",
    });
    database.into_iter().chain(redis).collect()
}

fn address(text: &str) -> Result<IpAddr, Expected> {
    text.parse().ok().ok_or(Expected::new("an IP address such as 127.0.0.1 or ::"))
}

fn port(text: &str) -> Result<u16, Expected> {
    text.parse().ok().ok_or(Expected::new("a port number from 0 to 65535"))
}

fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    least: T,
    most: T,
) -> impl FnOnce(&str) -> Result<T, Expected> {
    move |text| {
        let fits = |number: &T| (&least..=&most).contains(&number);
        text.parse()
            .ok()
            .filter(fits)
            .ok_or_else(|| Expected::new(format!("a whole number from {least} to {most}")))
    }
}

fn log_level(text: &str) -> Result<slog::Level, Expected> {
    match text {
        "trace" => Ok(slog::Level::Trace),
        "debug" => Ok(slog::Level::Debug),
        "info" => Ok(slog::Level::Info),
        "warn" => Ok(slog::Level::Warning),
        "error" => Ok(slog::Level::Error),
        "critical" => Ok(slog::Level::Critical),
        _ => Err(Expected::new("trace, debug, info, warn, error or critical")),
    }
}

/// A bearer token: what fits in a header, long enough not to be guessed.
fn operator_token(text: &str) -> Result<Secret<String>, Expected> {
    let fits = text.len() >= 16 && text.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| Secret::new(text.to_owned())).ok_or(Expected::new("at least 16 printable ASCII characters"))
}

fn dependency(text: &str) -> Result<Dependency, Expected> {
    match text {
        "database" => Ok(Dependency::Database),
        "redis" => Ok(Dependency::Redis),
        "realtime" => Ok(Dependency::Realtime),
        "storage" => Ok(Dependency::Storage),
        _ => Err(Expected::new("a comma list of database, redis, realtime and storage")),
    }
}
