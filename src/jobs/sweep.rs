//! Forgets what is kept for a while only: first answers, old events, spent sign-ins, deleted parties, what people were told
//! long ago, sockets that nobody comes back to, originals that nobody waits for.

use std::{
    collections::HashSet,
    time::{Duration, SystemTime},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use party_gallery_actors::ticker::{Rhythm, Task, TaskError};
use uuid::Uuid;

use super::{backlog::Backlog, failure};
use crate::{
    blob::{self, Key, Name, Store},
    db::{Database, DatabaseError, expired, idempotency, media},
    service::retention,
};

/// Statements of each sort in one run; what is left waits for the next.
const ROUNDS: usize = 20;

/// An original is there before its row, and goes when the clean one is stored. A pod that dies in between, and a commit
/// whose answer was not seen, leave one that no row tells of: after this long it is nobody's.
const ORPHANED_AFTER: Duration = Duration::from_secs(60 * 60);
/// Originals that are asked for in one statement.
const ASKED_AT_ONCE: usize = 500;

/// Often enough that there is never much.
pub const RHYTHM: Rhythm =
    Rhythm { every: Duration::from_secs(5), deadline: Duration::from_secs(30), jitter: 0.2 };

/// Forgets what is kept for a while only.
pub struct Sweep {
    database: Database,
    store: Store,
    retention: Retention,
    backlog: Backlog,
    clock: fn() -> SystemTime,
}

/// How long is kept what is kept for a while only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Events.
    pub events: Duration,
    /// Parties that were deleted, in days.
    pub party_days: u16,
}

impl Sweep {
    /// What waits to be done is counted into `backlog`; `clock` is the wall's, for the ages of files.
    pub fn new(
        database: Database,
        store: Store,
        retention: Retention,
        backlog: Backlog,
        clock: fn() -> SystemTime,
    ) -> Self {
        Self { database, store, retention, backlog, clock }
    }

    async fn sweep(&self) -> Result<(), DatabaseError> {
        for kept in Kept::ALL {
            for _ in 0..ROUNDS {
                let forgotten = self.database.transaction(async |connection| match kept {
                    Kept::Answers => idempotency::sweep(connection).await,
                    Kept::Events => expired::events(connection, self.retention.events).await,
                    Kept::SignIns => expired::refresh_tokens(connection).await,
                    Kept::Notifications => expired::notifications(connection).await,
                    Kept::Recoveries => expired::recoveries(connection).await,
                });
                if forgotten.await? == 0 {
                    break;
                }
            }
        }
        self.erase().await
    }

    /// Erases parties whose erasure was asked for long enough ago.
    async fn erase(&self) -> Result<(), DatabaseError> {
        let days = self.retention.party_days;
        for _ in 0..ROUNDS {
            let erased =
                self.database.transaction(async |connection| retention::erase_due(connection, days).await);
            if !erased.await? {
                break;
            }
        }
        Ok(())
    }

    /// Removes originals that no media waits for.
    async fn clear(&self) -> Result<(), TaskError> {
        let away = |error: blob::Error| TaskError::Unavailable(error.into());
        let old = self.store.old_originals((self.clock)(), ORPHANED_AFTER).await.map_err(away)?;
        for keys in old.chunks(ASKED_AT_ONCE) {
            let ids: Vec<_> = keys.iter().filter_map(media_of).collect();
            let found = self.database.run(async |connection| media::find(connection, &ids).await);
            let found = found.await.map_err(failure::of)?;
            let waiting: HashSet<_> =
                found.iter().filter(|media| media.is_waiting()).map(|media| media.id).collect();
            for key in keys.iter().filter(|key| media_of(key).is_some_and(|id| !waiting.contains(&id))) {
                self.store.delete(key).await.map_err(away)?;
            }
        }
        Ok(())
    }
}

fn media_of(key: &Key) -> Option<Uuid> {
    match key.name {
        Name::Media { id, .. } => Some(id),
        Name::Picture(_) | Name::Content(_) => None,
    }
}

/// What is kept for a while only.
#[derive(Clone, Copy)]
enum Kept {
    Answers,
    Events,
    SignIns,
    Notifications,
    Recoveries,
}

impl Kept {
    const ALL: [Self; 5] =
        [Self::Answers, Self::Events, Self::SignIns, Self::Notifications, Self::Recoveries];
}

impl Task for Sweep {
    fn name(&self) -> &'static str {
        "sweep"
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        async {
            self.backlog.look(&self.database).await.map_err(failure::of)?;
            self.sweep().await.map_err(failure::of)?;
            self.clear().await
        }
        .boxed()
    }
}

impl std::fmt::Debug for Sweep {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sweep").finish_non_exhaustive()
    }
}
