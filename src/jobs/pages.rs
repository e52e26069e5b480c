//! Compares the gallery pages that are kept with the database, as sockets' cursors are with its log.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use party_gallery_actors::ticker::{Rhythm, Task, TaskError};

use super::failure;
use crate::{db::Database, service::pages::Pages};

/// Often enough that a page never outlives by more than a second what made it wrong.
pub const RHYTHM: Rhythm =
    Rhythm { every: Duration::from_millis(800), deadline: Duration::from_secs(5), jitter: 0.1 };

/// Compares the gallery pages that are kept.
pub struct Comparison {
    pages: Arc<Pages>,
    database: Database,
}

impl Comparison {
    /// Those of this pod.
    pub fn new(pages: Arc<Pages>, database: Database) -> Self {
        Self { pages, database }
    }
}

impl Task for Comparison {
    fn name(&self) -> &'static str {
        "pages"
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        async { self.pages.compare(&self.database, Instant::now()).await.map_err(failure::of) }.boxed()
    }
}

impl fmt::Debug for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Comparison").field("pages", &self.pages).finish_non_exhaustive()
    }
}
