//! Periodic work that never overlaps.
//!
//! A [`Task`] is what is done, a [`Rhythm`] is when, a [`Nudge`] asks for it at once. The next run begins a while
//! after the last one ended, however long that took.
//!
//! *Invariant:* one run at a time, in every life; a run may be cut off at any await, so a task has to be one that can
//! be done again.

use std::{error::Error, pin::pin, sync::Arc, time::Duration};

use actix::{Actor, AsyncContext as _, Context, Supervised, WrapFuture as _};
use futures_util::{FutureExt as _, future::BoxFuture};
use slog::{Logger, error, info, o, warn};
use tokio::{
    sync::Notify,
    time::{sleep, timeout},
};

use crate::kernel::{BackoffConfig, Child, Exhausted, Life};

#[cfg(test)]
mod tests;

/// How long a run may go on once its ticker is asked to stop: less than the kernel waits.
const FINISH_WITHIN: Duration = Duration::from_secs(4);

/// Something to be done again and again.
pub trait Task: Send + Sync {
    /// Its name in the supervision tree and in logs.
    fn name(&self) -> &'static str;

    /// Does it once. The future may be dropped at any await.
    ///
    /// # Errors
    ///
    /// [`TaskError`]: it is told, and done again in its rhythm all the same.
    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>>;
}

/// Why a run came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum TaskError {
    /// Something that it depends on is away: told once for each outage.
    #[error("a dependency is away")]
    Unavailable(#[source] Box<dyn Error + Send + Sync>),
    /// Anything else: told each time.
    #[error("the task failed")]
    Failed(#[source] Box<dyn Error + Send + Sync>),
}

/// When a task is done.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// From the end of a run to the beginning of the next.
    pub every: Duration,
    /// How long a run may take; it is dropped then.
    pub deadline: Duration,
    /// The part of `every` by which a pause may differ in either direction, so that pods do not march in step.
    pub jitter: f64,
}

/// Asks a ticker to run at once; a run that is under way is followed by another. Never waits.
#[derive(Clone, Debug, Default)]
pub struct Nudge(Arc<Notify>);

impl Nudge {
    /// Asks for a run; any number of nudges before it begins are one.
    pub fn nudge(&self) {
        self.0.notify_one();
    }
}

/// Does its task again and again, the first time at once.
pub struct Ticker {
    life: Life<Self>,
    beat: Beat,
}

impl Ticker {
    /// A child that is called like its task: the service is not whole without it.
    pub fn child(task: Arc<dyn Task>, rhythm: Rhythm, nudge: &Nudge) -> Child<Self> {
        let nudge = nudge.clone();
        Child::new(task.name(), move |life| {
            let log = life.log().new(o!("task" => life.name()));
            let beat = Beat { task: Arc::clone(&task), rhythm, nudge: nudge.clone(), log };
            Self { life, beat }
        })
        .on_exhausted(Exhausted::Escalate)
    }
}

impl std::fmt::Debug for Ticker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ticker").field("life", &self.life).finish_non_exhaustive()
    }
}

impl Actor for Ticker {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let (beat, busy, stopping) = (self.beat.clone(), self.life.busy(), self.life.stopping());
        let work = async move {
            beat.go_on(stopping).await;
            drop(busy);
        };
        context.spawn(work.into_actor(self));
    }
}

impl Supervised for Ticker {
    fn restarting(&mut self, _: &mut Self::Context) {
        *self = self.life.reborn();
    }
}

/// The loop of one life.
#[derive(Clone)]
struct Beat {
    task: Arc<dyn Task>,
    rhythm: Rhythm,
    nudge: Nudge,
    log: Logger,
}

impl Beat {
    async fn go_on(self, stopping: impl Future<Output = ()>) {
        let pause = BackoffConfig::steady(self.rhythm.every, self.rhythm.jitter);
        let mut stopping = pin!(stopping);
        let mut away = false;
        loop {
            // A life that begins while its ticker is being stopped has nothing to begin with
            if stopping.as_mut().now_or_never().is_some() {
                return;
            }
            let outcome = {
                let mut run = pin!(timeout(self.rhythm.deadline, self.task.run()));
                tokio::select! {
                    biased;
                    outcome = &mut run => outcome,
                    () = &mut stopping => {
                        match timeout(FINISH_WITHIN, run).await {
                            Ok(Ok(outcome)) => _ = self.tell(outcome, away),
                            Ok(Err(_)) | Err(_) => warn!(self.log, "Task was cut off by a stop"),
                        }
                        return;
                    }
                }
                // Dropped here: what a run past its deadline holds is not held during the pause
            };
            match outcome {
                Ok(outcome) => away = self.tell(outcome, away),
                Err(_elapsed) => warn!(self.log, "Task took too long and was dropped"),
            }
            tokio::select! {
                biased;
                () = &mut stopping => return,
                () = self.nudge.0.notified() => {}
                () = sleep(pause.delay(0)) => {}
            }
        }
    }

    /// Tells how a run ended, unless that is known already. Whether a dependency is away now.
    fn tell(&self, outcome: Result<(), TaskError>, away: bool) -> bool {
        match outcome {
            Ok(()) => {
                if away {
                    info!(self.log, "Task runs again");
                }
                false
            }
            Err(TaskError::Unavailable(cause)) => {
                if !away {
                    warn!(self.log, "Task waits for a dependency"; "error" => &*cause as &(dyn Error + Send + Sync));
                }
                true
            }
            Err(TaskError::Failed(cause)) => {
                error!(self.log, "Task failed"; "error" => &*cause as &(dyn Error + Send + Sync));
                away
            }
        }
    }
}
