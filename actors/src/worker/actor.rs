//! The actor: a shift for each life.

use std::{sync::Arc, time::Duration};

use actix::{Actor, AsyncContext as _, Context, Supervised, WrapFuture as _};
use slog::o;
use tokio::sync::Notify;

use super::{
    Config, Queue, Run, Tally,
    desk::Desk,
    held::Held,
    shift::{RELEASE_WITHIN, Shift},
};
use crate::kernel::{Child, Exhausted, Life, Limits};

/// What the kernel waits beyond what the worker takes to stop.
const MARGIN: Duration = Duration::from_secs(1);

/// Tells a worker that there is something to do. Never waits.
#[derive(Clone, Debug, Default)]
pub struct Wake(pub(super) Arc<Notify>);

impl Wake {
    /// Makes it look at once, or as soon as it has a hand free.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// Takes jobs from a queue and does some of them at a time.
pub struct Worker<Q: Queue> {
    life: Life<Self>,
    queue: Arc<Q>,
    run: Arc<dyn Run<Q::Job>>,
    config: Config,
    held: Arc<Held<Q::Ticket>>,
    wake: Wake,
    tally: Tally,
}

impl<Q: Queue> Worker<Q> {
    /// A child without which the service is not whole. `wake` and `tally` stay valid over all its lives.
    pub fn child(
        name: &'static str,
        queue: Arc<Q>,
        run: Arc<dyn Run<Q::Job>>,
        config: Config,
        wake: &Wake,
        tally: &Tally,
    ) -> Child<Self> {
        let (wake, tally, held) = (wake.clone(), tally.clone(), Held::new());
        let stop_within = config.finish_within + RELEASE_WITHIN + MARGIN;
        Child::new(name, move |life| Self {
            life,
            queue: Arc::clone(&queue),
            run: Arc::clone(&run),
            config,
            held: Arc::clone(&held),
            wake: wake.clone(),
            tally: tally.clone(),
        })
        .limits(Limits { stop_within, ..Limits::default() })
        .on_exhausted(Exhausted::Escalate)
    }
}

impl<Q: Queue> std::fmt::Debug for Worker<Q> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Worker")
            .field("life", &self.life)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}

impl<Q: Queue> Actor for Worker<Q> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let desk = Desk {
            queue: Arc::clone(&self.queue),
            run: Arc::clone(&self.run),
            config: self.config,
            held: Arc::clone(&self.held),
            tally: self.tally.clone(),
            log: self.life.log().new(o!("worker" => self.life.name())),
        };
        let (wake, busy, stopping) = (self.wake.clone(), self.life.busy(), self.life.stopping());
        let work = async move {
            Shift::new(desk, wake).work(stopping).await;
            drop(busy);
        };
        context.spawn(work.into_actor(self));
    }
}

impl<Q: Queue> Supervised for Worker<Q> {
    fn restarting(&mut self, _: &mut Self::Context) {
        *self = self.life.reborn();
    }
}
