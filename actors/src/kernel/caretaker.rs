//! What runs an actor on its own thread: catches its panics, makes it anew in place, keeps its mailbox.
//!
//! In place is what loses nothing: the mailbox outlives the failed actor, so what was queued is served by the next
//! life. Only a thread that hangs or ends costs the queue, and that is the supervisor's business.

use std::{
    any::Any,
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext as _, AsyncContext as _, Context, Supervised, dev::ContextFut};
use slog::{info, warn};
use tokio::{
    sync::mpsc,
    time::{sleep_until, timeout},
};

use super::{
    life::{Life, Work},
    policy::{End, Verdict},
    shared::Shared,
    status::State,
};

/// How often a child that fails while it is being stopped is made anew to serve its queue.
const LIVES_WHILE_STOPPING: usize = 3;

/// What the supervisor asks of a caretaker. Its channel closes when the caretaker is abandoned.
#[derive(Debug)]
pub(super) enum Order {
    /// Serve what is queued and end.
    Stop,
    /// Panic as the actor would.
    #[cfg(feature = "chaos")]
    Panic,
}

/// The mailbox, and the actor if there is one that may be polled.
enum Body<A: Actor<Context = Context<A>>> {
    /// It waits for its first successful making.
    Unborn(Box<Context<A>>),
    Born(Box<ContextFut<A, Context<A>>>),
    /// Its making failed: what is in it is the former, half changed actor.
    Broken(Box<ContextFut<A, Context<A>>>),
}

/// How the present life ended.
enum Ending {
    Of(End, String),
    Ordered(Option<Order>),
}

pub(super) struct Caretaker<A: Actor<Context = Context<A>>> {
    shared: Arc<Shared<A>>,
    generation: u64,
    orders: mpsc::Receiver<Order>,
    body: Option<Body<A>>,
    work: Work,
}

impl<A> Caretaker<A>
where
    A: Actor<Context = Context<A>> + Supervised,
{
    /// Opens the mailbox of `generation`. To be called on the thread that will run it.
    pub(super) fn new(shared: Arc<Shared<A>>, generation: u64, orders: mpsc::Receiver<Order>) -> Self {
        let context = Context::new();
        shared.open(generation, context.address());
        let body = Some(Body::Unborn(Box::new(context)));
        Self { shared, generation, orders, body, work: Work::default() }
    }

    /// Runs the actor, life after life, until it is stopped, finished, given up or abandoned.
    pub(super) async fn run(mut self) {
        let mut ending = match self.rebuild() {
            Ok(()) => self.live().await,
            Err(panic) => Ending::Of(End::Failed, panic),
        };
        loop {
            let (end, reason) = match ending {
                Ending::Of(end, reason) => (end, reason),
                Ending::Ordered(Some(Order::Stop)) => return self.finish().await,
                #[cfg(feature = "chaos")]
                Ending::Ordered(Some(Order::Panic)) => (End::Failed, "panicked: injected".to_owned()),
                Ending::Ordered(None) => return,
            };
            if !self.shared.is_current(self.generation) {
                return;
            }
            let Some(after) = self.shared.conclude(self.generation, end, &reason) else { return };
            let until = Instant::now() + after;
            // At once, so that callers in flight hear now and not after the delay. Where a making failed there are none
            let made = matches!(self.body, Some(Body::Born(_))).then(|| self.rebuild());
            if let Some(order) = self.wait(until).await {
                ending = Ending::Ordered(order);
                continue;
            }
            ending = match made.unwrap_or_else(|| self.rebuild()) {
                Ok(()) => {
                    self.shared.record_restart(&reason, after);
                    self.live().await
                }
                Err(panic) => Ending::Of(End::Failed, panic),
            };
        }
    }

    /// Polls the actor until its life ends or an order comes.
    async fn live(&mut self) -> Ending {
        let Self { shared, generation, orders, body, .. } = self;
        tokio::select! {
            biased;
            order = orders.recv() => Ending::Ordered(order),
            ending = poll_guarded(shared, *generation, body) => ending,
        }
    }

    /// Waits out the delay; an order cuts it short.
    async fn wait(&mut self, until: Instant) -> Option<Option<Order>> {
        tokio::select! {
            biased;
            order = self.orders.recv() => Some(order),
            () = sleep_until(until.into()) => None,
        }
    }

    /// Makes the actor anew around its mailbox; what was in flight hears at once.
    ///
    /// # Errors
    ///
    /// The message of a panic in the factory.
    fn rebuild(&mut self) -> Result<(), String> {
        let Some(body) = self.body.take() else { return Err("lost".to_owned()) };
        let (body, outcome) = match body {
            Body::Unborn(context) => {
                let (shared, generation, work) =
                    (Arc::clone(&self.shared), self.generation, self.work.clone());
                match guard(move || (Arc::clone(&shared.make))(Life::first(shared, generation, work))) {
                    Ok(actor) => (Body::Born(Box::new(context.into_future(actor))), Ok(())),
                    Err(panic) => (Body::Unborn(context), Err(panic)),
                }
            }
            Body::Born(mut future) | Body::Broken(mut future) => match guard(|| future.restart()) {
                Ok(_connected) => (Body::Born(future), Ok(())),
                Err(panic) => (Body::Broken(future), Err(panic)),
            },
        };
        self.body = Some(body);
        outcome
    }

    /// Serves the queue and ends what is being worked on, then lets the actor end. New calls are refused already.
    async fn finish(mut self) {
        for _ in 0..LIVES_WHILE_STOPPING {
            let Self { shared, generation, body, work, .. } = &mut self;
            let calls = u32::try_from(shared.limits.calls).unwrap_or(u32::MAX);
            let drained = async {
                let _all = shared.calls.acquire_many(calls).await;
                work.done().await;
            };
            let (end, reason) = tokio::select! {
                biased;
                ending = poll_guarded(shared, *generation, body) => match ending {
                    Ending::Of(end, reason) => (end, reason),
                    Ending::Ordered(_) => return,
                },
                () = drained => break,
            };
            warn!(shared.log, "Actor failed while stopping"; "actor" => shared.name, "reason" => reason);
            let verdict = shared.policy.lock().judge(end, Instant::now());
            if verdict == Verdict::Finish {
                break;
            }
            // One that cannot be made uses up one of the lives: the next may be made
            _ = self.rebuild();
        }
        if let Some(Body::Born(future)) = &mut self.body {
            future.ctx().stop();
            // Its stopping() may ask to go on; it is dropped all the same, within the supervisor's deadline
            _ = timeout(
                Duration::from_millis(100),
                poll_guarded(&self.shared, self.generation, &mut self.body),
            )
            .await;
        }
        if let Err(panic) = discard(self.body.take()) {
            warn!(self.shared.log, "Actor failed while stopping"; "actor" => self.shared.name, "reason" => panic);
        }
        info!(self.shared.log, "Actor stopped"; "actor" => self.shared.name);
        self.shared.enter(self.generation, State::Stopped);
    }
}

impl<A: Actor<Context = Context<A>>> Drop for Caretaker<A> {
    /// Wakes the supervisor: a caretaker that is dropped without a word has lost its thread.
    fn drop(&mut self) {
        _ = discard(self.body.take());
        self.orders.close();
        self.shared.bell.notify_one();
    }
}

/// Drops the actor and its mailbox. Terminated first: actix polls a living actor once more in its drop, and one that
/// failed or was abandoned may not act again.
fn discard<A: Actor<Context = Context<A>>>(body: Option<Body<A>>) -> Result<(), String> {
    guard(move || {
        if let Some(Body::Born(mut future) | Body::Broken(mut future)) = body {
            future.ctx().terminate();
        }
    })
}

/// Polls the actor under `catch_unwind` until it ends; tells that it runs once its first poll went well.
async fn poll_guarded<A>(shared: &Shared<A>, generation: u64, body: &mut Option<Body<A>>) -> Ending
where
    A: Actor<Context = Context<A>> + Supervised,
{
    let mut running = false;
    poll_fn(|task| {
        if !shared.is_current(generation) {
            return Poll::Ready(Ending::Ordered(None));
        }
        let Some(Body::Born(future)) = body else {
            return Poll::Ready(Ending::Of(End::Failed, "never made".to_owned()));
        };
        match guard(|| Pin::new(&mut **future).poll(task)) {
            Ok(Poll::Pending) => {
                if !running {
                    running = true;
                    shared.enter(generation, State::Running);
                }
                Poll::Pending
            }
            Ok(Poll::Ready(())) => Poll::Ready(Ending::Of(End::Stopped, "stopped by itself".to_owned())),
            Err(panic) => Poll::Ready(Ending::Of(End::Failed, panic)),
        }
    })
    .await
}

/// Runs `act`; a panic becomes its message. State that it leaves half changed is rebuilt or dropped by the caller.
pub(super) fn guard<T>(act: impl FnOnce() -> T) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).map_err(|payload| {
        let message = message_of(&*payload).unwrap_or("no message").to_owned();
        // A payload's own destructor may panic too
        _ = catch_unwind(AssertUnwindSafe(move || drop(payload)));
        format!("panicked: {message}")
    })
}

fn message_of(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}
