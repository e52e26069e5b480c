//! What an actor knows of itself, and what all who deal with it share.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix::{Actor, Addr};
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use slog::Logger;
use tokio::sync::{Notify, Semaphore, watch};

use super::{
    child::{Limits, Make},
    policy::Policy,
    status::{State, Status},
    tree::ChildReport,
};

/// What the supervisor, the caretaker, the handles and the actor itself share. It outlives every life.
pub(super) struct Shared<A: Actor> {
    pub(super) name: &'static str,
    pub(super) make: Make<A>,
    pub(super) limits: Limits,
    pub(super) address: ArcSwapOption<Addr<A>>,
    pub(super) calls: Semaphore,
    pub(super) policy: Mutex<Policy>,
    pub(super) log: Logger,
    /// Wakes the supervisor when there is something to look at.
    pub(super) bell: Arc<Notify>,
    #[cfg(feature = "chaos")]
    pub(super) orders: ArcSwapOption<tokio::sync::mpsc::Sender<super::caretaker::Order>>,
    status: watch::Sender<Status>,
    restarts: AtomicU64,
    last_failure: Mutex<Option<(Arc<str>, Instant)>>,
    began: Instant,
    beat_millis: AtomicU64,
}

impl<A: Actor> Shared<A> {
    pub(super) fn new(
        name: &'static str,
        make: Make<A>,
        limits: Limits,
        policy: Policy,
        log: Logger,
        bell: Arc<Notify>,
    ) -> Self {
        let status = Status { state: State::Starting, epoch: 0, generation: 0, exhausted: false };
        Self {
            name,
            make,
            limits,
            address: ArcSwapOption::empty(),
            calls: Semaphore::new(limits.calls),
            policy: Mutex::new(policy),
            log,
            bell,
            #[cfg(feature = "chaos")]
            orders: ArcSwapOption::empty(),
            status: watch::Sender::new(status),
            restarts: AtomicU64::new(0),
            last_failure: Mutex::new(None),
            began: Instant::now(),
            beat_millis: AtomicU64::new(0),
        }
    }

    pub(super) fn status(&self) -> Status {
        *self.status.borrow()
    }

    pub(super) fn watch(&self) -> watch::Receiver<Status> {
        self.status.subscribe()
    }

    /// Enters `state`, unless the caller speaks for a generation that was abandoned or the child is past it.
    pub(super) fn enter(&self, generation: u64, state: State) {
        self.status.send_if_modified(|status| {
            let over = matches!(status.state, State::Stopped | State::GaveUp)
                || (status.state == State::Stopping && state != State::Stopped);
            let accepted = status.generation == generation && !over && status.state != state;
            if accepted {
                status.state = state;
            }
            accepted
        });
        self.bell.notify_one();
    }

    /// Turns to a new thread and mailbox; the former one may not speak any more. Gives its number.
    pub(super) fn next_generation(&self) -> u64 {
        self.address.store(None);
        self.status.send_modify(|status| status.generation += 1);
        self.status().generation
    }

    pub(super) fn is_current(&self, generation: u64) -> bool {
        self.status.borrow().generation == generation
    }

    /// Starts a new life and gives its number.
    fn next_epoch(&self) -> u64 {
        self.status.send_modify(|status| status.epoch += 1);
        self.status().epoch
    }

    pub(super) fn set_exhausted(&self, exhausted: bool) {
        self.status
            .send_if_modified(|status| std::mem::replace(&mut status.exhausted, exhausted) != exhausted);
    }

    /// Notes that the actor is to be made anew, and why.
    pub(super) fn record_failure(&self, reason: &str) {
        *self.last_failure.lock() = Some((reason.into(), Instant::now()));
    }

    pub(super) fn record_restart(&self) -> u64 {
        self.restarts.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// A sign of life of the actor's thread.
    pub(super) fn beat(&self) {
        let millis = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.beat_millis.store(millis, Ordering::Relaxed);
    }

    /// How long its thread has given no sign of life.
    pub(super) fn silent_for(&self) -> Duration {
        self.began.elapsed().saturating_sub(Duration::from_millis(self.beat_millis.load(Ordering::Relaxed)))
    }

    pub(super) fn report(&self) -> ChildReport {
        ChildReport {
            name: self.name,
            status: self.status(),
            restarts: self.restarts.load(Ordering::Relaxed),
            last_failure: self.last_failure.lock().clone(),
            calls: self.limits.calls.saturating_sub(self.calls.available_permits()),
            calls_limit: self.limits.calls,
        }
    }
}

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
        Self { epoch: shared.next_epoch(), generation, shared }
    }

    /// The actor of the next life, made by the child's factory: nothing of this one is carried over.
    pub fn reborn(&self) -> A {
        let shared = Arc::clone(&self.shared);
        let life = Self { epoch: shared.next_epoch(), generation: self.generation, shared };
        (self.shared.make)(life)
    }

    /// The number of this life, from 1.
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
