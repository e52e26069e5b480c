//! The composition root: builds the parts, starts the tree, binds, serves, drains.

mod checks;
mod drain;
mod embedded;
mod gauges;
mod readiness;
mod schema;
mod services;
mod storage;
mod work;

use std::{
    io,
    net::SocketAddr,
    num::NonZeroU32,
    path::PathBuf,
    sync::{
        Arc, Weak,
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
    realtime::{self, Clerk, Feed, Hub, Log, Registry, Revocation, Watcher},
    redis::{self, BadUrl, RedisActor},
};
use slog::{Logger, info, warn};
use tokio::sync::mpsc;
use uuid::Uuid;

use self::{
    checks::{DatabaseCheck, RealtimeCheck, RedisCheck, StorageCheck},
    embedded::{Embedded, Servers},
    schema::Fitness,
    services::{Parts, Services},
    work::Bell,
};
use crate::{
    blob::Unspoken,
    cache::Roster,
    config::{Config, Dependency, JwtSecrets},
    demo::Show,
    http::{
        self,
        access::Access,
        admission::Admission,
        connection,
        metrics::Scrape,
        probes::{Probes, Sources},
        trace::{Trace, trace},
        ws::Sockets,
    },
    realtime::JsonVoice,
    service::{
        announce::{Announce, Reach},
        pages::Pages,
        presence::Presences,
        tokens::Tokens,
    },
    telemetry::Metrics,
};

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Everything was drained.
    Clean,
    /// The deadline passed, or a second signal came.
    Forced,
    /// The schema is for newer binaries.
    Unfit,
    /// An essential actor failed too often.
    GaveUp,
}

impl Exit {
    /// The process's exit code.
    pub fn code(self) -> u8 {
        match self {
            Self::Clean => 0,
            Self::Forced => 1,
            Self::Unfit => 64,
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
    /// The Redis URL names what the driver does not take.
    #[error("REDIS_URL is not one of a server or a cluster")]
    Redis(#[from] BadUrl),
    /// The storage URL names what this version does not speak.
    #[error("STORAGE_URL is not one of a directory")]
    Storage(#[from] Unspoken),
}

/// One pod. Two in one process do not know of each other.
pub struct App {
    address: SocketAddr,
    server: Server,
    handle: ServerHandle,
    supervisor: Supervisor,
    database: Database,
    redis: Handle<RedisActor>,
    health: Handle<Health>,
    registry: Arc<Registry>,
    hub: Handle<Hub>,
    draining: Arc<AtomicBool>,
    fitness: Fitness,
    servers: Servers,
    pages: Data<Probes>,
    services: Services,
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
        let store = storage::open(&config.storage_url, &log).await?;
        let embedded = Embedded::find(&config)?;
        let (connection, place) = (embedded.database(&config)?, embedded.redis(&config)?);
        let supervisor = Supervisor::start(log.clone())?;
        let draining = Arc::new(AtomicBool::new(false));
        let servers = embedded.start(&supervisor, &draining).await?;

        let pool_size = NonZeroU32::new(config.database_pool_size).unwrap_or(NonZeroU32::MIN);
        let database =
            Database::start(&supervisor, database::Config::new(connection.clone(), pool_size), &log).await?;
        let fitness = Fitness::unknown();
        schema::start(&supervisor, connection, &database, &fitness, &log).await?;
        let registry = Registry::new(realtime::Config::default());
        let (redis, child) = redis::build(&redis::Config::at(place), Some(registry.inbox()))?;
        let owner = supervisor.add(child).await?;

        let secrets = match &config.jwt_secrets {
            Some(secrets) => secrets.clone(),
            None => JwtSecrets::kept_in(&config.data_dir)?,
        };
        let tokens = Arc::new(Tokens::new(&secrets, wall_clock));
        let bell = Arc::new(Bell::default());
        let announce: Arc<dyn Announce> = Arc::new(registry.announcer());
        let reach: Arc<dyn Reach> = Arc::new(registry.announcer());
        let telling = (Arc::clone(&announce), Arc::clone(&reach));
        let work = work::start(&supervisor, &database, &store, telling, &config, &bell).await?;
        let pod = Uuid::new_v4().as_u64_pair().0;
        let roster = Roster::new(redis.clone(), pod);
        let presences =
            Arc::new(Presences::new(database.clone(), (roster, pod), Arc::clone(&registry), wall_clock));
        let services = Services::new(Parts {
            config: &config,
            secrets: &secrets,
            tokens: Arc::clone(&tokens),
            database: &database,
            redis: &redis,
            store: &store,
            announce,
            reach,
            follow: Arc::new(registry.announcer()),
            wake: bell,
            darkroom: Arc::clone(&work.darkroom),
            presences: Arc::clone(&presences),
            log: &log,
        });
        work::tend(&supervisor, &database, &services, presences).await?;
        let watcher: Weak<dyn Watcher> = Arc::<Pages>::downgrade(&services.pages());
        registry.watch(watcher);
        let screens = services.screens();
        supervisor.add(Clerk::child(&registry)).await?;
        let feed = Feed {
            log: Arc::clone(&screens) as Arc<dyn Log>,
            voice: Arc::new(JsonVoice),
            revocation: Arc::clone(&screens) as Arc<dyn Revocation>,
            redis: redis.clone(),
            pod,
        };
        let hub = supervisor.add(Hub::feeding(Arc::clone(&registry), feed)).await?;

        let probes: Vec<Arc<dyn Probe>> = vec![
            Arc::new(DatabaseCheck(database.clone())),
            Arc::new(RedisCheck { redis: redis.clone(), owner: owner.clone() }),
            Arc::new(RealtimeCheck(hub.clone())),
            Arc::new(StorageCheck(store.clone())),
        ];
        let board = Board::awaiting(&probes, Instant::now(), wall_clock());
        let rhythm = Rhythm::every(config.health_interval);
        let health = supervisor.add(Health::child(&probes, board.clone(), rhythm, wall_clock)).await?;
        let admission = Data::new(Admission::new(config.max_in_flight, metrics.clone()));
        let seen = gauges::Seen {
            supervisor: &supervisor,
            database: &database,
            redis: &redis,
            registry: &registry,
            admission: &admission,
            work: &work,
            views: &services.views(),
            pages: &services.pages(),
            started,
        };
        gauges::register(&metrics, &seen);

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
            schema_fits: Arc::clone(&fitness.fits),
            draining: Arc::clone(&draining),
            access: access.clone(),
            clock: wall_clock,
            started,
        }));
        let scrape = Data::new(Scrape { metrics: metrics.clone(), access, log: log.clone() });
        let mut origins = config.cors_origins.clone();
        origins.push(config.public_url.origin());
        let sockets = Data::new(Sockets {
            registry: Arc::clone(&registry),
            authenticator: tokens,
            rooms: Some(screens),
            origins,
            trusted_proxies: config.trusted_proxies.clone(),
            log: log.clone(),
        });
        let edge = Data::new(Trace {
            log: log.clone(),
            metrics,
            trusted_proxies: config.trusted_proxies.clone(),
            draining: Arc::clone(&draining),
        });
        let (shown, offered) = (pages.clone(), services.clone());
        let server = HttpServer::new(move || {
            Web::new()
                .app_data(shown.clone())
                .app_data(scrape.clone())
                .app_data(edge.clone())
                .app_data(admission.clone())
                .app_data(sockets.clone())
                .configure(|table| offered.register(table))
                .wrap(from_fn(trace))
                .configure(http::routes)
        })
        .on_connect(connection::accepted)
        .disable_signals()
        // Who closes their half waits for no answer: browsers, libraries and proxies close it when they hang up
        .h1_allow_half_closed(false)
        // Longer than the drain, whose own deadline is the one that counts
        .shutdown_timeout(config.shutdown_timeout.as_secs() + 1)
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
            redis: owner,
            health,
            registry,
            hub,
            draining,
            fitness,
            servers,
            pages,
            services,
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

    /// The way to the Redis actor.
    pub fn redis(&self) -> &Handle<RedisActor> {
        &self.redis
    }

    /// The way to the Health actor.
    pub fn health(&self) -> &Handle<Health> {
        &self.health
    }

    /// The way to the realtime hub.
    pub fn hub(&self) -> &Handle<Hub> {
        &self.hub
    }

    /// Who keeps the actors alive.
    pub fn supervisor(&self) -> &Supervisor {
        &self.supervisor
    }

    /// Makes a demo party of the pictures in that directory as soon as the service is ready, and then calls `show`, on
    /// a thread of its own. Nothing waits for it.
    ///
    /// # Errors
    ///
    /// The supervisor has ended.
    pub async fn demonstrate(&self, pictures: PathBuf, show: Show) -> Result<(), StartError> {
        let demo = self.services.demo(self.pages.clone(), &self.config, (pictures, show), &self.log);
        self.supervisor.add(demo.child()).await?;
        Ok(())
    }

    /// Serves until `signals` has something or the supervisor gives up, then drains in order. One more signal cuts
    /// the drain: private servers are stopped, and that is all.
    pub async fn run(self, mut signals: mpsc::Receiver<()>) -> Exit {
        let Self {
            server, handle, supervisor, registry, draining, fitness, servers, pages, config, log, ..
        } = self;
        let (mut gave_up, mut unfit) = (supervisor.gave_up(), fitness.unfit());
        let drain = async {
            let exit = tokio::select! {
                // Whoever could have asked is gone: the same as being asked
                _ = signals.recv() => Exit::Clean,
                _ = gave_up.wait_for(Option::is_some) => Exit::GaveUp,
                _ = unfit.wait_for(|unfit| *unfit) => Exit::Unfit,
                never = readiness::tell(&log, &pages) => match never {},
            };
            // Before anybody can know that it drains
            registry.close_door();
            draining.store(true, Ordering::Release);
            let _watchdog = drain::watchdog(config.shutdown_timeout);
            let clean = tokio::select! {
                clean = drain::drain(&config, &log, &handle, &supervisor, &registry) => clean,
                Some(()) = signals.recv() => drain::cut(&log, &handle, "asked again"),
            };
            if exit == Exit::Clean && !clean { Exit::Forced } else { exit }
        };
        let exit = drain::beside(&log, server, drain).await;
        servers.stop(&log).await;
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
