//! Brings the schema up as soon as the database answers, and watches that it still fits.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use parking_lot::Mutex;
use party_gallery_actors::{
    kernel::Supervisor,
    ticker::{Nudge, Rhythm, Task, TaskError, Ticker},
};
use slog::{Logger, crit};
use tokio::sync::watch;

use super::StartError;
use crate::{
    db::{
        Connection, Database,
        migrate::{self, MigrateError},
    },
    telemetry::Chain,
};

/// The child that does it.
pub(super) const KEEPER: &str = "schema";

/// How soon it is tried again while the schema does not fit.
const TRY_EVERY: Duration = Duration::from_millis(200);
/// How often a schema that fits is looked at: a newer pod may raise it.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long migrations may take.
const WITHIN: Duration = Duration::from_secs(300);

/// Whether the schema fits, for readiness; and whether it never will.
#[derive(Clone)]
pub(super) struct Fitness {
    pub(super) fits: Arc<AtomicBool>,
    unfit: watch::Sender<bool>,
}

impl Fitness {
    /// Nothing is known yet.
    pub(super) fn unknown() -> Self {
        Self { fits: Arc::default(), unfit: watch::Sender::new(false) }
    }

    /// Turns true when the schema is for newer binaries.
    pub(super) fn unfit(&self) -> watch::Receiver<bool> {
        self.unfit.subscribe()
    }
}

struct Keeper {
    connection: tokio_postgres::Config,
    database: Database,
    fitness: Fitness,
    looked: Mutex<Option<Instant>>,
    log: Logger,
}

/// Starts the keeper.
pub(super) async fn start(
    supervisor: &Supervisor,
    connection: tokio_postgres::Config,
    database: &Database,
    fitness: &Fitness,
    log: &Logger,
) -> Result<(), StartError> {
    let keeper = Keeper {
        connection,
        database: database.clone(),
        fitness: fitness.clone(),
        looked: Mutex::default(),
        log: log.clone(),
    };
    let rhythm = Rhythm { every: TRY_EVERY, deadline: WITHIN, jitter: 0.2 };
    supervisor.add(Ticker::child(Arc::new(keeper), rhythm, &Nudge::default())).await?;
    Ok(())
}

impl Task for Keeper {
    fn name(&self) -> &'static str {
        KEEPER
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        Box::pin(async move {
            if self.fitness.fits.load(Ordering::Acquire) { self.look().await } else { self.bring_up().await }
        })
    }
}

impl Keeper {
    async fn bring_up(&self) -> Result<(), TaskError> {
        match migrate::bring_up(&self.connection, WITHIN, &self.log).await {
            Ok(_schema) => {
                *self.looked.lock() = Some(Instant::now());
                self.fitness.fits.store(true, Ordering::Release);
                Ok(())
            }
            Err(error @ MigrateError::TooNew(_)) => {
                if !self.fitness.unfit.send_replace(true) {
                    crit!(self.log, "Schema does not fit"; "error" => %Chain(&error));
                }
                Ok(())
            }
            Err(error @ (MigrateError::Unreachable(_) | MigrateError::Slow)) => {
                Err(TaskError::Unavailable(error.into()))
            }
            Err(error @ MigrateError::Failed(_)) => Err(TaskError::Failed(error.into())),
        }
    }

    async fn look(&self) -> Result<(), TaskError> {
        if self.looked.lock().is_some_and(|looked| looked.elapsed() < LOOK_EVERY) {
            return Ok(());
        }
        let schema = self.database.run(async |connection: &mut Connection| migrate::read(connection).await);
        // Whether the database is there is told by its own check
        let Ok(schema) = schema.await else { return Ok(()) };
        *self.looked.lock() = Some(Instant::now());
        if !schema.fits(migrate::own_version()) {
            self.fitness.fits.store(false, Ordering::Release);
        }
        Ok(())
    }
}
