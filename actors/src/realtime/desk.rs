//! Where sessions leave work that takes time, and the actor that does it.
//!
//! A session stands still while its client reads nothing. What it waits for must not: work may hold a connection to
//! PostgreSQL. So it is done here, and the session only hears of the end.
//!
//! *Invariant:* whoever leaves work is answered or sees its answer's other end dropped, whatever becomes of the actor.

use std::{collections::VecDeque, fmt, iter, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Supervised, fut::wrap_future};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use parking_lot::Mutex;
use slog::{error, warn};
use tokio::{
    sync::{Notify, oneshot},
    time::timeout,
};

use super::{protocol::Action, registry::Registry};
use crate::kernel::{Child, Exhausted, Life};

/// Pieces of work that may wait, and that are done at once.
const WAITING: usize = 1024;
const AT_ONCE: usize = 256;

type Work = BoxFuture<'static, Vec<Action>>;

struct Errand {
    work: Work,
    answer: oneshot::Sender<Vec<Action>>,
}

/// Where sessions leave work that takes time. It outlives every life of the actor.
#[derive(Default)]
pub(super) struct Desk {
    waiting: Mutex<VecDeque<Errand>>,
    bell: Notify,
}

impl Desk {
    /// Leaves work. `None` when too much waits already.
    pub(super) fn leave(&self, work: Work) -> Option<oneshot::Receiver<Vec<Action>>> {
        let mut waiting = self.waiting.lock();
        // Nobody waits for these any more
        if waiting.len() >= WAITING {
            waiting.retain(|errand| !errand.answer.is_closed());
        }
        if waiting.len() >= WAITING {
            return None;
        }
        let (answer, wait) = oneshot::channel();
        waiting.push_back(Errand { work, answer });
        drop(waiting);
        self.bell.notify_one();
        Some(wait)
    }

    /// The next that somebody waits for.
    fn take(&self) -> Option<Errand> {
        let mut waiting = self.waiting.lock();
        iter::from_fn(|| waiting.pop_front()).find(|errand| !errand.answer.is_closed())
    }
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").field("waiting", &self.waiting.lock().len()).finish_non_exhaustive()
    }
}

/// The actor that does what sessions leave at the desk.
#[derive(Debug)]
pub struct Clerk {
    life: Life<Self>,
    desk: Arc<Desk>,
    deadline: Duration,
}

impl Clerk {
    /// The child `clerk`: without it no session gets further than a ping.
    pub fn child(registry: &Registry) -> Child<Self> {
        let (desk, deadline) = (Arc::clone(&registry.desk), registry.config().answer_deadline);
        Child::new("clerk", move |life| Self { life, desk: Arc::clone(&desk), deadline })
            .on_exhausted(Exhausted::Escalate)
    }
}

impl Actor for Clerk {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        let serving = serve(self.life.clone(), Arc::clone(&self.desk), self.deadline);
        context.spawn(wrap_future(serving).map(|(), _actor, _context| ()));
    }
}

impl Supervised for Clerk {
    fn restarting(&mut self, _: &mut Context<Self>) {
        *self = self.life.reborn();
    }
}

async fn serve(life: Life<Clerk>, desk: Arc<Desk>, deadline: Duration) {
    let mut errands = FuturesUnordered::new();
    while life.is_current() {
        while errands.len() < AT_ONCE
            && let Some(errand) = desk.take()
        {
            errands.push(run(&life, errand, deadline));
        }
        tokio::select! {
            () = desk.bell.notified() => {}
            Some(()) = errands.next(), if !errands.is_empty() => {}
        }
    }
    // The bell may have rung for the next life
    desk.bell.notify_one();
}

/// Does one piece of work. One that panics or takes too long hurts only who left it.
async fn run(life: &Life<Clerk>, Errand { work, answer }: Errand, deadline: Duration) {
    match timeout(deadline, AssertUnwindSafe(work).catch_unwind()).await {
        // Who does not wait any more does not need it
        Ok(Ok(actions)) => _ = answer.send(actions),
        Ok(Err(_panic)) => error!(life.log(), "Work of a session failed"),
        Err(_late) => warn!(life.log(), "Work of a session took too long"),
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::ready;

    use super::*;

    #[test]
    fn what_nobody_waits_for_any_more_is_not_begun() {
        let desk = Desk::default();
        let mut waits: Vec<_> = (0..4).map(|_| desk.leave(ready(Vec::new()).boxed()).unwrap()).collect();
        let (last, gone) = (waits.pop().unwrap(), waits);
        drop(gone);
        _ = desk.take().unwrap().answer.send(Vec::new());
        assert!(
            last.now_or_never().is_some_and(|answered| answered.is_ok()),
            "the first three are passed over"
        );
        assert!(desk.take().is_none());
    }
}
