//! The composition root: builds the parts, starts the tree, binds, serves, drains.

mod checks;
mod drain;
mod embedded;
mod gauges;
mod services;

use std::{
    io,
    net::SocketAddr,
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use actix_web::{
    App as Web, HttpServer,
    dev::{Server, ServerHandle},
    middleware::from_fn,
    web::Data,
};
use party_gallery_actors::{
    database::{self, Database},
    health::{Board, Health, Probe, Rhythm, wall_clock},
    kernel::{Handle, Refused, Supervisor},
    realtime::{self, Hub, Registry},
    redis::{self, BadUrl},
};
use slog::{Logger, info, warn};
use tokio::sync::mpsc;

use self::{
    checks::{DatabaseCheck, RealtimeCheck, RedisCheck},
    embedded::Embedded,
    services::Services,
};
use crate::{
    config::{Config, Dependency, JwtSecrets, RedisUrl},
    http::{
        self,
        access::Access,
        metrics::Scrape,
        probes::{Probes, Sources},
        trace::{Trace, trace},
        ws::Sockets,
    },
    realtime::Authenticator,
    service::tokens::Tokens,
    telemetry::Metrics,
};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was drained.
    Clean,
    /// The deadline passed, or a second signal came.
    Forced,
    /// An essential actor failed too often.
    GaveUp,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Forced => 1,
            Self::GaveUp => 70,
        }
    }
}

/// Why the service did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken, or there is no thread to be had.
    #[error("the system refused a socket or a thread")]
    Io(#[from] io::Error),
    /// The supervisor ended while the tree was being started.
    #[error("the tree was not started")]
    Tree(#[from] Refused),
    /// PostgreSQL or Redis of our own.
    #[error("no private server")]
    Local(#[from] crate::local::Error),
    /// The Redis URL names what this version does not speak.
    #[error("REDIS_URL is not one of a single server")]
    Redis(#[from] BadUrl),
}

/// One pod. Two in one process do not know of each other.
pub struct App {
    address: SocketAddr,
    server: Server,
    handle: ServerHandle,
    supervisor: Supervisor,
    database: Database,
    registry: Arc<Registry>,
    hub: Handle<Hub>,
    draining: Arc<AtomicBool>,
    embedded: Embedded,
    config: Config,
    log: Logger,
}

impl App {
    /// Builds everything and listens. Neither PostgreSQL nor Redis has to be there yet.
    ///
    /// # Errors
    ///
    /// [`StartError`].
    pub async fn start(config: Config, log: Logger, metrics: Metrics) -> Result<Self, StartError> {
        let started = Instant::now();
        for warning in &config.warnings {
            warn!(log, "Configuration"; "variable" => warning.variable, "warning" => %warning);
        }
        let embedded = Embedded::start(&config, &log).await?;
        let supervisor = Supervisor::start(log.clone())?;

        let connection = embedded.database(&config);
        let pool_size = NonZeroU32::new(config.database_pool_size).unwrap_or(NonZeroU32::MIN);
        let database =
            Database::start(&supervisor, database::Config::new(connection, pool_size), &log).await?;
        let (redis, child) = redis::build(&redis::Config::new(redis_url(&config, &embedded)), None)?;
        let owner = supervisor.add(child).await?;
        let registry = Registry::new(realtime::Config::default());
        let hub = supervisor.add(Hub::child(Arc::clone(&registry))).await?;

        let probes: Vec<Arc<dyn Probe>> = vec![
            Arc::new(DatabaseCheck(database.clone())),
            Arc::new(RedisCheck { redis: redis.clone(), owner }),
            Arc::new(RealtimeCheck(hub.clone())),
        ];
        let board = Board::awaiting(&probes, Instant::now(), wall_clock());
        let rhythm = Rhythm::every(config.health_interval);
        supervisor.add(Health::child(&probes, board.clone(), rhythm, wall_clock)).await?;
        gauges::register(&metrics, &supervisor, &database, &redis, &registry, started);

        let draining = Arc::new(AtomicBool::new(false));
        let access = Access::new(
            config.trusted_proxies.clone(),
            config.metrics_allow.clone(),
            config.operator_token.as_ref(),
        );
        let pages = Data::new(Probes::new(Sources {
            board,
            supervision: Arc::new(supervisor.clone()),
            required: config.ready_requires.iter().copied().map(check_of).collect(),
            stale_after: rhythm.stale_after(),
            schema_fits: Arc::new(AtomicBool::new(true)),
            draining: Arc::clone(&draining),
            access: access.clone(),
            clock: wall_clock,
            started,
        }));
        let scrape = Data::new(Scrape { metrics: metrics.clone(), access, log: log.clone() });
        let secrets = match &config.jwt_secrets {
            Some(secrets) => secrets.clone(),
            None => JwtSecrets::kept_in(&config.data_dir)?,
        };
        let authenticator: Arc<dyn Authenticator> = Arc::new(Tokens::new(&secrets, wall_clock));
        let services = Services::new(Arc::clone(&authenticator));
        let mut origins = config.cors_origins.clone();
        origins.push(config.public_url.origin());
        let sockets = Data::new(Sockets {
            registry: Arc::clone(&registry),
            authenticator,
            rooms: None,
            origins,
            trusted_proxies: config.trusted_proxies.clone(),
            log: log.clone(),
        });
        let edge =
            Data::new(Trace { log: log.clone(), metrics, trusted_proxies: config.trusted_proxies.clone() });
        let server = HttpServer::new(move || {
            Web::new()
                .app_data(pages.clone())
                .app_data(scrape.clone())
                .app_data(edge.clone())
                .app_data(sockets.clone())
                .configure(|table| services.register(table))
                .wrap(from_fn(trace))
                .configure(http::routes)
        })
        .on_connect(realtime::on_connect)
        .disable_signals()
        .workers(std::thread::available_parallelism().map_or(2, usize::from))
        .bind((config.host, config.port))?;
        let address = server.addrs().first().copied().unwrap_or_else(|| (config.host, config.port).into());
        let server = server.run();
        info!(log, "Started"; "address" => %address, "environment" => config.environment.as_str(),
            "startMs" => u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX));
        let handle = server.handle();
        Ok(Self {
            address,
            server,
            handle,
            supervisor,
            database,
            registry,
            hub,
            draining,
            embedded,
            config,
            log,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The way to PostgreSQL.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The way to the realtime hub.
    pub fn hub(&self) -> &Handle<Hub> {
        &self.hub
    }

    /// Who keeps the actors alive.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// Serves until `signals` has something or the supervisor gives up, then drains in order. One more signal cuts
    /// the drain: private servers are stopped, and that is all.
    pub async fn run(self, mut signals: mpsc::Receiver<()>) -> Exit {
        let Self { server, handle, supervisor, registry, draining, embedded, config, log, .. } = self;
        let mut gave_up = supervisor.gave_up();
        let drain = async {
            let escalated = tokio::select! {
                // Whoever could have asked is gone: the same as being asked
                _ = signals.recv() => false,
                _ = gave_up.wait_for(Option::is_some) => true,
            };
            draining.store(true, Ordering::Release);
            let _watchdog = drain::watchdog(config.shutdown_timeout);
            let clean = tokio::select! {
                clean = drain::drain(&config, &log, &handle, &supervisor, &registry) => clean,
                Some(()) = signals.recv() => drain::cut(&log, &handle, "asked again"),
            };
            match (escalated, clean) {
                (true, _) => Exit::GaveUp,
                (false, true) => Exit::Clean,
                (false, false) => Exit::Forced,
            }
        };
        // The server is polled here until it has ended
        let (served, exit) = tokio::join!(server, drain);
        if let Err(error) = served {
            warn!(log, "Server ended"; "error" => %error);
        }
        embedded.stop(&log).await;
        exit
    }
}

fn check_of(dependency: Dependency) -> &'static str {
    match dependency {
        Dependency::Database => "database",
        Dependency::Redis => "redis",
        Dependency::Realtime => "realtime",
        Dependency::Storage => "storage",
    }
}

fn redis_url(config: &Config, embedded: &Embedded) -> String {
    match &config.redis_url {
        Some(RedisUrl::Server(url)) => url.expose().to_string(),
        // Not spoken yet: refused by the actor's own configuration, which knows single servers only
        Some(RedisUrl::Cluster(_)) => "redis+cluster://".to_owned(),
        Some(RedisUrl::Socket(path)) => format!("redis+unix://{}", path.display()),
        None => embedded.redis().to_owned(),
    }
}
