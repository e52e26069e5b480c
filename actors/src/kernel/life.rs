//! What an actor knows of itself.

use std::{fmt, sync::Arc};

use actix::Actor;
use slog::Logger;

use super::shared::Shared;

/// One life of an actor: handed to the factory, kept by the actor.
///
/// It tells an actor which was abandoned on a hung thread that it is not the one any more, and lets
/// `Supervised::restarting` rebuild the actor whole: `*self = self.life.reborn()`.
pub struct Life<A: Actor> {
    epoch: u64,
    generation: u64,
    shared: Arc<Shared<A>>,
}

impl<A: Actor> Life<A> {
    pub(super) fn first(shared: Arc<Shared<A>>, generation: u64) -> Self {
        Self { epoch: shared.next_epoch(generation), generation, shared }
    }

    /// The actor of the next life, made by the child's factory: nothing of this one is carried over.
    pub fn reborn(&self) -> A {
        let shared = Arc::clone(&self.shared);
        let epoch = shared.next_epoch(self.generation);
        let life = Self { epoch, generation: self.generation, shared };
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
        Self { epoch: self.epoch, generation: self.generation, shared: Arc::clone(&self.shared) }
    }
}

impl<A: Actor> fmt::Debug for Life<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Life").field("name", &self.shared.name).field("epoch", &self.epoch).finish()
    }
}
