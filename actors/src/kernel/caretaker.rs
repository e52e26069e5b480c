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
use slog::{crit, info, warn};
use tokio::{
    sync::mpsc,
    time::{sleep_until, timeout},
};

use super::{
    life::{Life, Shared},
    policy::{End, Verdict},
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

/// The actor, or the context that waits for its first successful making.
enum Body<A: Actor<Context = Context<A>>> {
    Unborn(Box<Context<A>>),
    Born(Box<ContextFut<A, Context<A>>>),
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
}

impl<A> Caretaker<A>
where
    A: Actor<Context = Context<A>> + Supervised,
{
    /// Opens the mailbox of `generation`. To be called on the thread that will run it.
    pub(super) fn new(shared: Arc<Shared<A>>, generation: u64, orders: mpsc::Receiver<Order>) -> Self {
        let context = Context::new();
        if shared.is_current(generation) {
            shared.address.store(Some(Arc::new(context.address())));
        }
        Self { shared, generation, orders, body: Some(Body::Unborn(Box::new(context))) }
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
            // At once, so that callers in flight hear now and not after the delay
            let rebuilt = self.rebuild();
            let verdict = self.shared.policy.lock().judge(end, Instant::now());
            self.shared.record_failure(&reason);
            let after = match verdict {
                Verdict::Restart { after } => after,
                Verdict::Degrade { after } => {
                    self.shared.set_exhausted(true);
                    crit!(self.shared.log, "Actor gave up"; "actor" => self.shared.name, "reason" => &reason,
                        "escalates" => false);
                    after
                }
                Verdict::Escalate => {
                    crit!(self.shared.log, "Actor gave up"; "actor" => self.shared.name, "reason" => &reason,
                        "escalates" => true);
                    self.shared.set_exhausted(true);
                    return self.shared.enter(self.generation, State::GaveUp);
                }
                Verdict::Finish => return self.shared.enter(self.generation, State::Stopped),
            };
            if let Some(order) = self.wait(after).await {
                ending = Ending::Ordered(order);
                continue;
            }
            self.shared.policy.lock().began(Instant::now());
            let restarts = self.shared.record_restart();
            ending = match rebuilt {
                Ok(()) => {
                    warn!(self.shared.log, "Actor restarted"; "actor" => self.shared.name, "reason" => &reason,
                        "restarts" => restarts, "delay" => millis(after));
                    self.live().await
                }
                Err(panic) => Ending::Of(End::Failed, panic),
            };
        }
    }

    /// Polls the actor until its life ends or an order comes.
    async fn live(&mut self) -> Ending {
        let Self { shared, generation, orders, body } = self;
        tokio::select! {
            biased;
            order = orders.recv() => Ending::Ordered(order),
            ending = poll_guarded(shared, *generation, body) => ending,
        }
    }

    /// Waits out the delay; an order cuts it short.
    async fn wait(&mut self, after: Duration) -> Option<Option<Order>> {
        let until = Instant::now() + after;
        self.shared.enter(self.generation, State::Restarting { until });
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
    /// The message of a panic in the factory; the body is then the former one and may not be polled.
    fn rebuild(&mut self) -> Result<(), String> {
        let Some(body) = self.body.take() else { return Err("lost".to_owned()) };
        let (body, outcome) = match body {
            Body::Unborn(context) => {
                let (shared, generation) = (Arc::clone(&self.shared), self.generation);
                match guard(move || (Arc::clone(&shared.make))(Life::first(shared, generation))) {
                    Ok(actor) => (Body::Born(Box::new(context.into_future(actor))), Ok(())),
                    Err(panic) => (Body::Unborn(context), Err(panic)),
                }
            }
            Body::Born(mut future) => {
                let outcome = guard(|| future.restart());
                (Body::Born(future), outcome.map(|_connected| ()))
            }
        };
        self.body = Some(body);
        outcome
    }

    /// Serves the queue, then lets the actor end. New calls are refused already.
    async fn finish(mut self) {
        for _ in 0..LIVES_WHILE_STOPPING {
            let Self { shared, generation, body, .. } = &mut self;
            let calls = u32::try_from(shared.limits.calls).unwrap_or(u32::MAX);
            let drained = shared.calls.acquire_many(calls);
            tokio::select! {
                biased;
                ending = poll_guarded(shared, *generation, body) => {
                    let Ending::Of(_, reason) = ending else { return };
                    warn!(shared.log, "Actor failed while stopping"; "actor" => shared.name, "reason" => reason);
                }
                _all = drained => break,
            }
            if self.rebuild().is_err() {
                break;
            }
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
        let body = self.body.take();
        if let Err(panic) = guard(move || drop(body)) {
            warn!(self.shared.log, "Actor failed while stopping"; "actor" => self.shared.name, "reason" => panic);
        }
        info!(self.shared.log, "Actor stopped"; "actor" => self.shared.name);
        self.shared.enter(self.generation, State::Stopped);
    }
}

impl<A: Actor<Context = Context<A>>> Drop for Caretaker<A> {
    /// Wakes the supervisor: a caretaker that is dropped without a word has lost its thread.
    fn drop(&mut self) {
        let body = self.body.take();
        _ = guard(move || drop(body));
        self.shared.bell.notify_one();
    }
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

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
