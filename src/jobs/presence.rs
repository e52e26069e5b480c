//! Looks who has come and gone on this pod, and lets the other pods and those whom it concerns know.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use party_gallery_actors::ticker::{Rhythm, Task, TaskError};

use super::failure;
use crate::service::presence::Presences;

/// Once a second.
pub const RHYTHM: Rhythm =
    Rhythm { every: Duration::from_secs(1), deadline: Duration::from_secs(5), jitter: 0.1 };

/// Looks who has come and gone.
pub struct Beat(Arc<Presences>);

impl Beat {
    /// On this pod.
    pub fn new(presences: Arc<Presences>) -> Self {
        Self(presences)
    }
}

impl Task for Beat {
    fn name(&self) -> &'static str {
        "presence"
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        async { self.0.beat(Instant::now()).await.map_err(failure::of) }.boxed()
    }
}

impl fmt::Debug for Beat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beat").field("presences", &self.0).finish()
    }
}
