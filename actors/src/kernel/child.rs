//! The child specification: how to make an actor and how to treat its failures.

use std::{fmt, sync::Arc, time::Duration};

use actix::{Actor, Context, Supervised};

use super::{backoff::BackoffConfig, life::Life, policy::Intensity};

/// When an actor that ended is made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Always, also after it stopped by itself.
    Permanent,
    /// After a panic, a hang or the loss of its thread.
    Transient,
    /// Never.
    Temporary,
}

/// What follows more restarts than the intensity allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exhausted {
    /// It goes on trying at the longest delay and is reported as given up.
    Degrade,
    /// The service is not whole without it: the supervisor gives up ([`super::Supervisor::gave_up`]).
    Escalate,
}

/// What a child may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Calls that were sent and not answered yet, queued ones included; one more is refused at once.
    pub calls: usize,
    /// How long its thread may go without a sign of life before it is declared hung.
    pub silence: Duration,
    /// How long it may take to serve its queue and end when it is stopped.
    pub stop_within: Duration,
}

impl Default for Limits {
    /// 1,024 calls, 5 s of silence, 5 s to stop.
    fn default() -> Self {
        Self { calls: 1024, silence: Duration::from_secs(5), stop_within: Duration::from_secs(5) }
    }
}

pub(super) type Make<A> = Arc<dyn Fn(Life<A>) -> A + Send + Sync>;

/// How to make an actor and how to treat its failures.
///
/// The actor's `Supervised::restarting` has to rebuild it whole: `*self = self.life.reborn()`.
pub struct Child<A: Actor> {
    pub(super) name: &'static str,
    pub(super) make: Make<A>,
    pub(super) restart: Restart,
    pub(super) intensity: Intensity,
    pub(super) backoff: BackoffConfig,
    pub(super) stable_after: Duration,
    pub(super) on_exhausted: Exhausted,
    pub(super) limits: Limits,
}

impl<A> Child<A>
where
    A: Actor<Context = Context<A>> + Supervised,
{
    /// A permanent child named `name` that escalates; `make` is called on the actor's own thread, for each life.
    pub fn new(name: &'static str, make: impl Fn(Life<A>) -> A + Send + Sync + 'static) -> Self {
        Self {
            name,
            make: Arc::new(make),
            restart: Restart::Permanent,
            intensity: Intensity::default(),
            backoff: BackoffConfig::default(),
            stable_after: Duration::from_secs(60),
            on_exhausted: Exhausted::Escalate,
            limits: Limits::default(),
        }
    }

    /// When it is made anew.
    #[must_use]
    pub fn restart(mut self, restart: Restart) -> Self {
        self.restart = restart;
        self
    }

    /// How many restarts in which time are still normal.
    #[must_use]
    pub fn intensity(mut self, intensity: Intensity) -> Self {
        self.intensity = intensity;
        self
    }

    /// The delays between restarts; they start again after a minute without a failure.
    #[must_use]
    pub fn backoff(mut self, backoff: BackoffConfig) -> Self {
        self.backoff = backoff;
        self
    }

    /// What follows more restarts than that.
    #[must_use]
    pub fn on_exhausted(mut self, on_exhausted: Exhausted) -> Self {
        self.on_exhausted = on_exhausted;
        self
    }

    /// What it may take.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }
}

impl<A: Actor> fmt::Debug for Child<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Child")
            .field("name", &self.name)
            .field("restart", &self.restart)
            .finish_non_exhaustive()
    }
}
