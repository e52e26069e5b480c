//! Forgets what is kept for a while only: first answers, old events, spent sign-ins.

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use party_gallery_actors::ticker::{Rhythm, Task, TaskError};

use super::failure;
use crate::db::{Database, DatabaseError, expired, idempotency};

/// Statements of each sort in one run; what is left waits for the next.
const ROUNDS: usize = 20;

/// Often enough that there is never much.
pub const RHYTHM: Rhythm =
    Rhythm { every: Duration::from_secs(5), deadline: Duration::from_secs(30), jitter: 0.2 };

/// Forgets what is kept for a while only.
#[derive(Debug)]
pub struct Sweep {
    database: Database,
    event_retention: Duration,
}

impl Sweep {
    /// Events are kept for `event_retention`.
    pub fn new(database: Database, event_retention: Duration) -> Self {
        Self { database, event_retention }
    }

    async fn sweep(&self) -> Result<(), DatabaseError> {
        for kept in [Kept::Answers, Kept::Events, Kept::SignIns] {
            for _ in 0..ROUNDS {
                let forgotten = self.database.transaction(async |connection| match kept {
                    Kept::Answers => idempotency::sweep(connection).await,
                    Kept::Events => expired::events(connection, self.event_retention).await,
                    Kept::SignIns => expired::refresh_tokens(connection).await,
                });
                if forgotten.await? == 0 {
                    break;
                }
            }
        }
        Ok(())
    }
}

/// What is kept for a while only.
#[derive(Clone, Copy)]
enum Kept {
    Answers,
    Events,
    SignIns,
}

impl Task for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        async { self.sweep().await.map_err(failure::of) }.boxed()
    }
}
