//! Counts looks at media: in passing for who looks, and in batches for PostgreSQL.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use party_gallery_actors::ticker::{Rhythm, Task, TaskError};

use super::failure;
use crate::service::views::Views;

/// One statement a second for all that was looked at.
pub const RHYTHM: Rhythm =
    Rhythm { every: Duration::from_secs(1), deadline: Duration::from_secs(10), jitter: 0.2 };

/// Counts looks at media.
#[derive(Debug)]
pub struct Counting(Arc<Views>);

impl Counting {
    /// Those of this pod.
    pub fn new(views: Arc<Views>) -> Self {
        Self(views)
    }
}

impl Task for Counting {
    fn name(&self) -> &'static str {
        "views"
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        async { self.0.count(Instant::now()).await.map_err(failure::of) }.boxed()
    }
}
