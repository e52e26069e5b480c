//! The actor that looks at all sessions, again and again.
//!
//! *Invariant:* it holds nothing that a session needs: it may die at any time, and its next life sweeps on.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, AsyncContext, Context, Handler, Message, Supervised};

use super::registry::Registry;
use crate::kernel::{Child, Exhausted, Life};

/// The actor that looks at all sessions.
#[derive(Debug)]
pub struct Hub {
    life: Life<Self>,
    registry: Arc<Registry>,
}

impl Hub {
    /// The child `realtime`: the service is not whole without it.
    pub fn child(registry: Arc<Registry>) -> Child<Self> {
        Child::new("realtime", move |life| Self { life, registry: Arc::clone(&registry) })
            .on_exhausted(Exhausted::Escalate)
    }
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.registry.config().sweep_every, |hub, _| hub.registry.sweep(Instant::now()));
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
