//! The actor that looks at all sessions, again and again, and that reads the log for them.
//!
//! *Invariant:* it holds nothing that a session needs: it may die at any time, and its next life goes on.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Handler, Message, Supervised, fut::wrap_future};

use super::{
    log::Log,
    registry::Registry,
    relay::Ties,
    revocation::Revocation,
    tail::{Sources, Tail},
    voice::Voice,
};
use crate::{
    kernel::{Child, Exhausted, Life},
    redis::Redis,
};

/// Where topics get their events from, and how pods tell each other.
pub struct Feed {
    /// What is delivered.
    pub log: Arc<dyn Log>,
    /// The words for who watches.
    pub voice: Arc<dyn Voice>,
    /// Who knows which sessions are over.
    pub revocation: Arc<dyn Revocation>,
    /// How pods tell each other. Its actor has to be built with [`Registry::inbox`].
    pub redis: Redis,
    /// A number that no other pod has, drawn at random.
    pub pod: u64,
}

impl fmt::Debug for Feed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Feed").field("pod", &self.pod).finish_non_exhaustive()
    }
}

/// The actor that looks at all sessions, and that reads the log for them.
pub struct Hub {
    life: Life<Self>,
    registry: Arc<Registry>,
    sources: Option<Sources>,
}

impl Hub {
    /// The child `realtime`: the service is not whole without it. This one only looks at sessions.
    pub fn child(registry: Arc<Registry>) -> Child<Self> {
        Self::of(registry, None)
    }

    /// As [`Hub::child`], and topics are fed.
    pub fn feeding(registry: Arc<Registry>, feed: Feed) -> Child<Self> {
        let Feed { log, voice, revocation, redis, pod } = feed;
        registry.topics.tie(Ties { redis, voice, pod });
        Self::of(registry, Some(Sources { log, revocation }))
    }

    fn of(registry: Arc<Registry>, sources: Option<Sources>) -> Child<Self> {
        Child::new("realtime", move |life| Self {
            life,
            registry: Arc::clone(&registry),
            sources: sources.clone(),
        })
        .on_exhausted(Exhausted::Escalate)
    }
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.registry.config().sweep_every, |hub, _| hub.registry.sweep(Instant::now()));
        if let Some(sources) = self.sources.take() {
            let life = self.life.clone();
            let subjects = Arc::clone(&self.registry.subjects);
            let tail = Tail::new(subjects, sources, self.registry.config(), life.log().clone());
            let serving = tail.serve(move || life.is_current());
            context.spawn(wrap_future(serving).map(|(), _hub, _context| ()));
        }
    }
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("life", &self.life).finish_non_exhaustive()
    }
}

impl Supervised for Hub {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = self.life.reborn();
    }
}

/// Asks how old the last sweep is: a hub that answers is alive. `None` before the first.
#[derive(Clone, Copy, Debug)]
pub struct LastSweep;

impl Message for LastSweep {
    type Result = Option<Duration>;
}

impl Handler<LastSweep> for Hub {
    type Result = Option<Duration>;

    fn handle(&mut self, _: LastSweep, _: &mut Self::Context) -> Self::Result {
        self.registry.last_sweep().map(|at| at.elapsed())
    }
}
