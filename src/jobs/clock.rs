//! The party clock: parties begin and end by themselves, within 5 s and once, whichever pod does it.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use party_gallery_actors::ticker::{Rhythm, Task, TaskError};

use super::failure;
use crate::{
    db::{
        Database, DatabaseError,
        clock::{self, Turn},
    },
    service::announce::Announce,
};

/// Parties that are moved in one transaction.
const BATCH: i64 = 100;
/// Batches in one run; the next run is near.
const BATCHES: usize = 50;

/// Twice and again within the contract's 5 seconds.
pub const RHYTHM: Rhythm =
    Rhythm { every: Duration::from_secs(1), deadline: Duration::from_secs(10), jitter: 0.2 };

/// Begins and ends parties.
pub struct Clock {
    database: Database,
    announce: Arc<dyn Announce>,
}

impl Clock {
    /// Out of its parts.
    pub fn new(database: Database, announce: Arc<dyn Announce>) -> Self {
        Self { database, announce }
    }

    async fn tick(&self) -> Result<(), DatabaseError> {
        for turn in [Turn::Start, Turn::End] {
            for _ in 0..BATCHES {
                let moved = self
                    .database
                    .transaction(async |connection| clock::move_due(connection, turn, BATCH).await)
                    .await?;
                moved.iter().for_each(|(party, seq)| self.announce.announce(*party, *seq));
                if moved.is_empty() {
                    break;
                }
            }
        }
        // Last: one that somebody sits on may take as long as a statement may
        for turn in [Turn::Start, Turn::End] {
            let moved = self
                .database
                .transaction(async |connection| clock::move_late(connection, turn).await)
                .await?;
            if let Some((party, seq)) = moved {
                self.announce.announce(party, seq);
            }
        }
        Ok(())
    }
}

impl Task for Clock {
    fn name(&self) -> &'static str {
        "party-clock"
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        async { self.tick().await.map_err(failure::of) }.boxed()
    }
}

impl std::fmt::Debug for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Clock").finish_non_exhaustive()
    }
}
