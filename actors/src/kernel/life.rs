//! What an actor knows of itself.

use std::{fmt, sync::Arc};

use actix::Actor;
use slog::Logger;
use tokio::sync::watch;

use super::{shared::Shared, status::State};

/// One life of an actor: handed to the factory, kept by the actor.
///
/// It tells an actor which was abandoned on a hung thread that it is not the one any more, and lets
/// `Supervised::restarting` rebuild the actor whole: `*self = self.life.reborn()`.
pub struct Life<A: Actor> {
    epoch: u64,
    generation: u64,
    shared: Arc<Shared<A>>,
    work: Work,
}

impl<A: Actor> Life<A> {
    pub(super) fn first(shared: Arc<Shared<A>>, generation: u64, work: Work) -> Self {
        Self { epoch: shared.next_epoch(generation), generation, shared, work }
    }

    /// The actor of the next life, made by the child's factory: nothing of this one is carried over.
    pub fn reborn(&self) -> A {
        let shared = Arc::clone(&self.shared);
        let epoch = shared.next_epoch(self.generation);
        let life = Self { epoch, generation: self.generation, shared, work: self.work.clone() };
        (self.shared.make)(life)
    }

    /// The number of this life, from 1; 0 for one that began after its thread was abandoned.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Whether this is the life that may speak: false once another one began.
    pub fn is_current(&self) -> bool {
        let status = self.shared.status();
        status.epoch == self.epoch && status.generation == self.generation
    }

    /// Work that nobody called for and that a stop waits for, within its deadline, until what this gives is dropped.
    pub fn busy(&self) -> Busy {
        self.work.0.send_modify(|pieces| *pieces += 1);
        Busy(self.work.clone())
    }

    /// Until the child is asked to stop: time to bring to an end what it is [`Self::busy`] with.
    pub fn stopping(&self) -> impl Future<Output = ()> + use<A> {
        let mut status = self.shared.watch();
        async move {
            let over = |state| matches!(state, State::Stopping | State::Stopped | State::GaveUp);
            // The sender lives as long as anybody who could ask
            _ = status.wait_for(|status| over(status.state)).await;
        }
    }

    /// The child's name.
    pub fn name(&self) -> &'static str {
        self.shared.name
    }

    /// The child's logger.
    pub fn log(&self) -> &Logger {
        &self.shared.log
    }
}

impl<A: Actor> Clone for Life<A> {
    fn clone(&self) -> Self {
        Self {
            epoch: self.epoch,
            generation: self.generation,
            shared: Arc::clone(&self.shared),
            work: self.work.clone(),
        }
    }
}

impl<A: Actor> fmt::Debug for Life<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life").field("name", &self.shared.name).field("epoch", &self.epoch).finish()
    }
}

/// How many pieces of work the lives on one thread have begun and not ended.
#[derive(Clone, Debug, Default)]
pub(super) struct Work(Arc<watch::Sender<usize>>);

impl Work {
    /// Until nothing is being worked on.
    pub(super) async fn done(&self) {
        _ = self.0.subscribe().wait_for(|pieces| *pieces == 0).await;
    }
}

/// A piece of work that a stop waits for; it ends when this is dropped.
#[derive(Debug)]
pub struct Busy(Work);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.0.send_modify(|pieces| *pieces -= 1);
    }
}
