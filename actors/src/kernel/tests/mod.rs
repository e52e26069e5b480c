//! The kernel under every way to fail that we know of, with an actor that does what a test tells it.

mod calls;
mod failures;
mod intensity;
mod probe;
mod stopping;
mod threads;
mod tree;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::Ordering::SeqCst,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    time::{Duration, Instant},
};

use actix::{Handler, Message};
use slog::{Discard, Logger, o};
use tokio::{
    task::{JoinHandle, JoinSet},
    time::{interval, timeout},
};

use self::probe::{Probe, Tell, Witness, act, beside, within};
use super::{BackoffConfig, CallError, Child, Handle, State, Status, Supervisor};

/// What no test should ever wait out.
const PATIENCE: Duration = Duration::from_secs(20);

/// Blocks its actor's thread until the gate is opened or dropped.
struct Gate {
    reached: Receiver<()>,
    open: SyncSender<()>,
}

impl Gate {
    /// The gate, and what is to be called on the thread that it blocks.
    fn new() -> (Self, impl FnOnce() + Send + 'static) {
        let (reach, reached) = sync_channel(1);
        let (open, opened) = sync_channel(1);
        let pass = move || {
            _ = reach.send(());
            _ = opened.recv_timeout(PATIENCE);
        };
        (Self { reached, open }, pass)
    }

    async fn reached(&self) {
        eventually("the gate is reached", || self.reached.try_recv().is_ok()).await;
    }

    fn open(self) {
        _ = self.open.send(());
    }
}

fn supervisor() -> Supervisor {
    Supervisor::start(Logger::root(Discard, o!())).unwrap()
}

fn child(name: &'static str) -> (Child<Probe>, Arc<Witness>) {
    let witness = Arc::new(Witness::default());
    let seen = Arc::clone(&witness);
    (Child::new(name, move |life| Probe::new(life, Arc::clone(&seen))), witness)
}

/// A supervisor with one child as most tests want it.
async fn house() -> (Supervisor, Handle<Probe>, Arc<Witness>) {
    house_of(|child| child).await
}

/// A supervisor with one child that `shape` has given its ways.
async fn house_of(
    shape: impl FnOnce(Child<Probe>) -> Child<Probe>,
) -> (Supervisor, Handle<Probe>, Arc<Witness>) {
    let supervisor = supervisor();
    let (child, witness) = child("probe");
    let handle = supervisor.add(shape(child)).await.unwrap();
    (supervisor, handle, witness)
}

/// Delays that all last about `delay`.
fn steady(delay: Duration) -> BackoffConfig {
    BackoffConfig { initial: delay, longest: delay, ..BackoffConfig::default() }
}

/// A delay that no test waits out.
fn endless() -> BackoffConfig {
    steady(Duration::from_secs(3600))
}

async fn status_where(handle: &Handle<Probe>, wanted: impl FnMut(&Status) -> bool) -> Status {
    *timeout(PATIENCE, handle.watch().wait_for(wanted)).await.expect("the status comes in time").unwrap()
}

async fn life_running(handle: &Handle<Probe>, epoch: u64) -> Status {
    status_where(handle, |status| status.state == State::Running && status.epoch >= epoch).await
}

async fn in_backoff(handle: &Handle<Probe>) -> Duration {
    let status = status_where(handle, |status| matches!(status.state, State::Restarting { .. })).await;
    let State::Restarting { until } = status.state else { unreachable!() };
    until.saturating_duration_since(Instant::now())
}

#[expect(clippy::disallowed_methods, reason = "callers are not what is supervised here")]
fn in_background<F>(task: F) -> JoinHandle<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    tokio::spawn(task)
}

fn calling<M>(handle: &Handle<Probe>, message: M) -> JoinHandle<Result<M::Result, CallError>>
where
    Probe: Handler<M>,
    M: Message<Result: Send> + Send + 'static,
{
    let caller = handle.clone();
    in_background(async move { caller.call(message, PATIENCE).await })
}

async fn break_down(handle: &Handle<Probe>) {
    let answer = handle.call(act(|_, _| panic!("on purpose")), PATIENCE).await;
    assert_eq!(answer, Err(CallError::Interrupted));
}

/// Holds the actor's thread up until the gate is opened; the call that does so is answered then.
async fn blocked(handle: &Handle<Probe>) -> (Gate, JoinHandle<Result<(), CallError>>) {
    blocked_before(handle, |_| {}).await
}

/// As [`blocked`], and the handler goes on with `then`.
async fn blocked_before(
    handle: &Handle<Probe>,
    then: impl FnOnce(&mut Probe) + Send + 'static,
) -> (Gate, JoinHandle<Result<(), CallError>>) {
    let (gate, pass) = Gate::new();
    let call = calling(
        handle,
        act(move |actor, _| {
            pass();
            then(actor);
        }),
    );
    gate.reached().await;
    (gate, call)
}

/// Does `last` and panics while `Tell(n)` waits behind it for each number; the answers come out of the set.
async fn break_down_before(
    handle: &Handle<Probe>,
    numbers: std::ops::Range<usize>,
    last: impl FnOnce(&mut Probe) + Send + 'static,
) -> Answers {
    let fail = |actor: &mut Probe| {
        last(actor);
        panic!("on purpose");
    };
    let (gate, failing) = blocked_before(handle, fail).await;
    let answers = queue(handle, numbers).await;
    gate.open();
    assert_eq!(failing.await.unwrap(), Err(CallError::Interrupted));
    answers
}

type Answers = JoinSet<(usize, Result<usize, CallError>)>;

/// Queues `Tell(n)` for each number, in order; the answers come out of the set.
async fn queue(handle: &Handle<Probe>, numbers: std::ops::Range<usize>) -> Answers {
    let mut answers = JoinSet::new();
    for number in numbers {
        let before = handle.report().calls;
        let caller = handle.clone();
        answers.spawn(async move { (number, caller.call(Tell(number), PATIENCE).await) });
        eventually("the call is queued", || handle.report().calls > before).await;
    }
    answers
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let mut look = interval(Duration::from_millis(2));
    let seen = async {
        while !holds() {
            look.tick().await;
        }
    };
    timeout(PATIENCE, seen).await.unwrap_or_else(|_elapsed| panic!("not in time: {what}"));
}
