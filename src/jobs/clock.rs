//! The party clock: parties begin and end by themselves, within 5 s and once, whichever pod does it; and who comes is
//! reminded an hour before.

use std::{sync::Arc, time::Duration};

use futures_util::{FutureExt as _, future::BoxFuture};
use party_gallery_actors::ticker::{Rhythm, Task, TaskError};
use uuid::Uuid;

use super::failure;
use crate::{
    db::{
        Connection, Database, DatabaseError,
        clock::{self, Turn},
    },
    domain::notification::Cause,
    service::{
        announce::{Announce, Wake},
        tasks,
    },
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
    wake: Arc<dyn Wake>,
}

impl Clock {
    /// Out of its parts.
    pub fn new(database: Database, announce: Arc<dyn Announce>, wake: Arc<dyn Wake>) -> Self {
        Self { database, announce, wake }
    }

    async fn tick(&self) -> Result<(), DatabaseError> {
        for turn in [Turn::Start, Turn::End] {
            for _ in 0..BATCHES {
                let moved = self
                    .database
                    .transaction(async |connection| {
                        let moved = clock::move_due(connection, turn, BATCH).await?;
                        tell(connection, moved.iter().map(|(party, _)| turn.cause(*party))).await?;
                        Ok::<_, DatabaseError>(moved)
                    })
                    .await?;
                if moved.is_empty() {
                    break;
                }
                self.announce(&moved);
            }
        }
        self.remind().await?;
        // Last: one that somebody sits on may take as long as a statement may
        for turn in [Turn::Start, Turn::End] {
            let moved = self
                .database
                .transaction(async |connection| {
                    let moved = clock::move_late(connection, turn).await?;
                    tell(connection, moved.iter().map(|(party, _)| turn.cause(*party))).await?;
                    Ok::<_, DatabaseError>(moved)
                })
                .await?;
            self.announce(moved.as_slice());
        }
        Ok(())
    }

    async fn remind(&self) -> Result<(), DatabaseError> {
        for _ in 0..BATCHES {
            let parties = self
                .database
                .transaction(async |connection| {
                    let parties = clock::remind(connection, BATCH).await?;
                    tell(connection, parties.iter().map(|party| Cause::PartyReminder { party: *party }))
                        .await?;
                    Ok::<_, DatabaseError>(parties)
                })
                .await?;
            if parties.is_empty() {
                break;
            }
            self.wake.wake();
        }
        Ok(())
    }

    /// After the commit.
    fn announce(&self, moved: &[(Uuid, i64)]) {
        for (party, seq) in moved {
            self.announce.announce(*party, *seq);
        }
        if !moved.is_empty() {
            self.wake.wake();
        }
    }
}

impl Turn {
    fn cause(self, party: Uuid) -> Cause {
        match self {
            Self::Start => Cause::PartyStart { party, actor: None },
            Self::End => Cause::PartyEnd { party, actor: None },
        }
    }
}

/// Leaves behind that everybody is told whom these concern.
async fn tell(connection: &mut Connection, causes: impl Iterator<Item = Cause>) -> Result<(), DatabaseError> {
    let tasks: Vec<_> = causes.map(tasks::Task::tell).collect();
    tasks::Task::leave_all(&tasks, connection).await
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
