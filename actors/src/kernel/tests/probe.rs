//! An actor that does what a test tells it, and the witness of its lives.

use std::{
    cell::RefCell,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use actix::{
    Actor, Context, Handler, Message, ResponseActFuture, ResponseFuture, Running, Supervised, WrapFuture as _,
};
use parking_lot::Mutex;

use crate::kernel::Life;

/// What a test sees of its actor's lives from outside, and what it wishes them to suffer.
#[derive(Default)]
pub(super) struct Witness {
    /// Actors made, and those of them that are not dropped yet.
    pub(super) made: AtomicUsize,
    pub(super) alive: AtomicUsize,
    /// Threads on which actors were made and that have not ended yet.
    pub(super) threads: AtomicUsize,
    pub(super) stopped: AtomicUsize,
    /// How many of the next makings, and of the next starts, are to panic.
    pub(super) bad_makings: AtomicUsize,
    pub(super) bad_starts: AtomicUsize,
    /// Whether `stopping()` asks to go on.
    pub(super) stubborn: AtomicBool,
    /// The lives that were started, and what the actor was told, with the life that heard it.
    pub(super) started: Mutex<Vec<u64>>,
    pub(super) heard: Mutex<Vec<(u64, usize)>>,
}

impl Witness {
    fn take_one(of: &AtomicUsize) -> bool {
        of.fetch_update(SeqCst, SeqCst, |n| n.checked_sub(1)).is_ok()
    }
}

/// Counted among the threads until its thread ends.
struct Presence(Arc<Witness>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.threads.fetch_sub(1, SeqCst);
    }
}

thread_local! {
    static PRESENCE: RefCell<Option<Presence>> = const { RefCell::new(None) };
}

/// An actor that does what it is told, and remembers in itself how often.
pub(super) struct Probe {
    pub(super) life: Life<Self>,
    pub(super) witness: Arc<Witness>,
    pub(super) told: usize,
}

impl Probe {
    pub(super) fn new(life: Life<Self>, witness: Arc<Witness>) -> Self {
        assert!(!Witness::take_one(&witness.bad_makings), "a making was to fail");
        PRESENCE.with_borrow_mut(|presence| {
            presence.get_or_insert_with(|| {
                witness.threads.fetch_add(1, SeqCst);
                Presence(Arc::clone(&witness))
            });
        });
        witness.made.fetch_add(1, SeqCst);
        witness.alive.fetch_add(1, SeqCst);
        Self { life, witness, told: 0 }
    }
}

impl Drop for Probe {
    fn drop(&mut self) {
        self.witness.alive.fetch_sub(1, SeqCst);
    }
}

impl Actor for Probe {
    type Context = Context<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.witness.started.lock().push(self.life.epoch());
        assert!(!Witness::take_one(&self.witness.bad_starts), "a start was to fail");
    }

    fn stopping(&mut self, _: &mut Self::Context) -> Running {
        if self.witness.stubborn.load(SeqCst) { Running::Continue } else { Running::Stop }
    }

    fn stopped(&mut self, _: &mut Self::Context) {
        self.witness.stopped.fetch_add(1, SeqCst);
    }
}

impl Supervised for Probe {
    fn restarting(&mut self, _: &mut Self::Context) {
        *self = self.life.reborn();
    }
}

/// Remember the number; answered with how often this very actor was told something.
pub(super) struct Tell(pub(super) usize);

impl Message for Tell {
    type Result = usize;
}

impl Handler<Tell> for Probe {
    type Result = usize;

    fn handle(&mut self, Tell(number): Tell, _: &mut Self::Context) -> usize {
        self.told += 1;
        self.witness.heard.lock().push((self.life.epoch(), number));
        self.told
    }
}

type Act = Box<dyn FnOnce(&mut Probe, &mut Context<Probe>) + Send>;

/// Do that, now.
pub(super) struct Do(Act);

impl Message for Do {
    type Result = ();
}

impl Handler<Do> for Probe {
    type Result = ();

    fn handle(&mut self, Do(act): Do, ctx: &mut Self::Context) {
        act(self, ctx);
    }
}

pub(super) fn act(act: impl FnOnce(&mut Probe, &mut Context<Probe>) + Send + 'static) -> Do {
    Do(Box::new(act))
}

type Task = Box<dyn FnOnce() -> Pin<Box<dyn Future<Output = ()>>> + Send>;

/// Answer when the task is done, which is a part of the actor.
pub(super) struct Within(Task);

impl Message for Within {
    type Result = ();
}

impl Handler<Within> for Probe {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, Within(task): Within, _: &mut Self::Context) -> Self::Result {
        Box::pin(task().into_actor(self))
    }
}

pub(super) fn within<F: Future<Output = ()> + 'static>(task: impl FnOnce() -> F + Send + 'static) -> Within {
    Within(Box::new(|| Box::pin(task())))
}

/// Answer when the task is done, which runs beside the actor.
pub(super) struct Beside(Task);

impl Message for Beside {
    type Result = ();
}

impl Handler<Beside> for Probe {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Beside(task): Beside, _: &mut Self::Context) -> Self::Result {
        task()
    }
}

pub(super) fn beside<F: Future<Output = ()> + 'static>(task: impl FnOnce() -> F + Send + 'static) -> Beside {
    Beside(Box::new(|| Box::pin(task())))
}
