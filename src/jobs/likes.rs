//! Tells how many like a media, some at a time.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use party_gallery_actors::ticker::{Rhythm, Task, TaskError};

use super::failure;
use crate::service::likes::Likes;

/// Often enough that a like is seen at once; where nothing has changed nobody is asked.
pub const RHYTHM: Rhythm =
    Rhythm { every: Duration::from_millis(100), deadline: Duration::from_secs(5), jitter: 0.2 };

/// Tells how many like a media.
#[derive(Debug)]
pub struct Telling(Arc<Likes>);

impl Telling {
    /// What changed on this pod.
    pub fn new(likes: Arc<Likes>) -> Self {
        Self(likes)
    }
}

impl Task for Telling {
    fn name(&self) -> &'static str {
        "likes"
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        async { self.0.tell(Instant::now()).await.map_err(failure::of) }.boxed()
    }
}
