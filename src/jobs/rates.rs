//! Tells Redis what requests have taken of their limits.

use std::time::Duration;

use futures_util::{FutureExt as _, future::BoxFuture};
use party_gallery_actors::ticker::{Rhythm, Task, TaskError};

use crate::service::rates::Rates;

/// Often enough that pods hardly give more than there is; where nothing was taken nobody is asked.
pub const RHYTHM: Rhythm =
    Rhythm { every: Duration::from_millis(50), deadline: Duration::from_secs(1), jitter: 0.2 };

/// Tells Redis what requests have taken.
#[derive(Debug)]
pub struct Settling(Rates);

impl Settling {
    /// What was taken on this pod.
    pub fn new(rates: Rates) -> Self {
        Self(rates)
    }
}

impl Task for Settling {
    fn name(&self) -> &'static str {
        "rates"
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        async {
            self.0.settle().await;
            Ok(())
        }
        .boxed()
    }
}
