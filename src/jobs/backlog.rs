//! What of the jobs is waiting, counted now and then, so that who asks need not ask the database.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::db::{Database, DatabaseError, jobs};

/// What of the jobs is waiting, as it was when it was last looked at. Clones share it.
#[derive(Clone, Debug, Default)]
pub struct Backlog(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    due: AtomicU64,
    dead: AtomicU64,
}

impl Backlog {
    /// Jobs that may be claimed, and are not.
    pub fn due(&self) -> u64 {
        self.0.due.load(Ordering::Relaxed)
    }

    /// Jobs that were given up.
    pub fn dead(&self) -> u64 {
        self.0.dead.load(Ordering::Relaxed)
    }

    /// Looks again.
    pub(super) async fn look(&self, database: &Database) -> Result<(), DatabaseError> {
        let (due, dead) = database.run(async |connection| jobs::backlog(connection).await).await?;
        self.0.due.store(due, Ordering::Relaxed);
        self.0.dead.store(dead, Ordering::Relaxed);
        Ok(())
    }
}
