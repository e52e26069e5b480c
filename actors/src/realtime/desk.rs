//! Where sessions leave work that takes time, and the actor that does it.
//!
//! A session stands still while its client reads nothing. What it waits for must not: work may hold a connection to
//! PostgreSQL. So it is done here, and the session only hears of the end.
//!
//! *Invariant:* whoever leaves work goes on, with what it gives or without, whatever becomes of the actor.

use std::{
    collections::VecDeque,
    fmt,
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
    time::Duration,
};

use actix::{Actor, ActorFutureExt, AsyncContext, Context, Supervised, fut::wrap_future};
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use parking_lot::Mutex;
use slog::{error, warn};
use tokio::{sync::Notify, time::timeout};

use super::{dialogue::Dialogue, protocol::Action, registry::Registry};
use crate::kernel::{Child, Exhausted, Life};

/// Pieces of work that may wait, and that are done at once.
const WAITING: usize = 1024;
const AT_ONCE: usize = 256;

type Work = BoxFuture<'static, Vec<Action>>;

struct Errand {
    work: Work,
    owner: Owner,
}

/// Who waits for the work of a run. Dropped, it is left at the desk, so that they go on without.
struct Owner {
    dialogue: Weak<Dialogue>,
    run: u64,
    desk: Weak<Desk>,
}

impl Owner {
    fn is_gone(&self) -> bool {
        self.dialogue.strong_count() == 0
    }

    /// Whether it has not gone on without.
    fn waits(&self) -> bool {
        self.dialogue.upgrade().is_some_and(|dialogue| dialogue.awaits(self.run))
    }

    fn go_on(mut self, given: Option<Vec<Action>>) {
        if let Some(dialogue) = std::mem::take(&mut self.dialogue).upgrade() {
            dialogue.go_on(self.run, given);
        }
    }
}

impl Drop for Owner {
    /// Whoever drops it may hold locks that going on needs.
    fn drop(&mut self) {
        if !self.is_gone()
            && let Some(desk) = self.desk.upgrade()
        {
            desk.lost.lock().push((Weak::clone(&self.dialogue), self.run));
            desk.bell.notify_one();
        }
    }
}

/// Where sessions leave work that takes time. It outlives every life of the actor.
#[derive(Default)]
pub(super) struct Desk {
    waiting: Mutex<VecDeque<Errand>>,
    /// Who waits for work that was lost: at most what waited or was being done.
    lost: Mutex<Vec<(Weak<Dialogue>, u64)>>,
    bell: Notify,
}

impl Desk {
    /// Leaves the work of a session's `run`. `false` when too much waits already.
    pub(super) fn leave(self: &Arc<Self>, work: Work, dialogue: &Arc<Dialogue>, run: u64) -> bool {
        let mut waiting = self.waiting.lock();
        // Nobody waits for these any more
        if waiting.len() >= WAITING {
            waiting.retain(|errand| !errand.owner.is_gone());
        }
        if waiting.len() >= WAITING {
            return false;
        }
        let owner = Owner { dialogue: Arc::downgrade(dialogue), run, desk: Arc::downgrade(self) };
        waiting.push_back(Errand { work, owner });
        drop(waiting);
        self.bell.notify_one();
        true
    }

    /// The next that somebody waits for.
    fn take(&self) -> Option<Errand> {
        loop {
            let errand = self.waiting.lock().pop_front()?;
            if errand.owner.waits() {
                return Some(errand);
            }
        }
    }

    /// Lets those go on whose work was lost.
    fn give_up_lost(&self) {
        let lost = std::mem::take(&mut *self.lost.lock());
        for (dialogue, run) in lost {
            if let Some(dialogue) = dialogue.upgrade() {
                dialogue.go_on(run, None);
            }
        }
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
        desk.give_up_lost();
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
async fn run(life: &Life<Clerk>, Errand { work, owner }: Errand, deadline: Duration) {
    let given = match timeout(deadline, AssertUnwindSafe(work).catch_unwind()).await {
        Ok(Ok(actions)) => Some(actions),
        Ok(Err(_panic)) => {
            error!(life.log(), "Work of a session failed");
            None
        }
        Err(_late) => {
            warn!(life.log(), "Work of a session took too long");
            None
        }
    };
    owner.go_on(given);
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use bytes::Bytes;
    use slog::{Discard, Logger, o};

    use super::*;
    use crate::realtime::{Config, Frame, Notices, Protocol, Received};

    /// Everything takes time; when it takes too long, that is said.
    struct Slow;

    impl Protocol for Slow {
        fn on_received(&mut self, _: Received, _: Instant) -> Vec<Action> {
            let otherwise = vec![Action::Send(Frame::text("late"))];
            vec![Action::Run { work: futures_util::future::pending().boxed(), otherwise }]
        }

        fn on_crowded(&mut self, _: Received, _: Instant) -> Vec<Action> {
            Vec::new()
        }
    }

    struct Silence;

    impl Notices for Silence {
        fn expiring(&self) -> Option<Frame> {
            None
        }

        fn draining(&self, _: Duration) -> Option<Frame> {
            None
        }
    }

    fn dialogue(registry: &Arc<Registry>, now: Instant) -> Arc<Dialogue> {
        let nowhere = [127, 0, 0, 1].into();
        let membership = registry.open(nowhere, None, (Weak::new(), false), Arc::new(Silence), now).unwrap();
        Dialogue::new(membership, Box::new(Slow), Logger::root(Discard, o!()))
    }

    fn ask(dialogue: &Arc<Dialogue>, now: Instant) {
        dialogue.receive(Received::Text(Bytes::from_static(b"?")), now);
    }

    /// Of which run the next errand is.
    fn taken(registry: &Registry) -> Option<u64> {
        registry.desk.take().map(|errand| errand.owner.run)
    }

    #[test]
    fn work_that_nobody_waits_for_any_more_is_not_begun() {
        let (now, registry) = (Instant::now(), Registry::new(Config::default()));
        let patience = registry.config().answer_deadline + Duration::from_secs(1);
        let [patient, stays, leaves] = [(); 3].map(|()| dialogue(&registry, now));
        for dialogue in [&patient, &leaves, &stays] {
            ask(dialogue, now);
        }
        // One goes on without, and asks again; one is gone
        patient.expire(now + patience - Duration::from_millis(1));
        assert!(patient.awaits(1), "not yet");
        patient.expire(now + patience);
        assert!(!patient.awaits(1));
        ask(&patient, now + patience);
        drop(leaves);
        assert_eq!(registry.desk.waiting.lock().len(), 4, "all of it is still there");
        let kept: Vec<_> = std::iter::from_fn(|| taken(&registry)).collect();
        assert_eq!(kept, [1, 2], "who has waited all the time, and then what was asked again");
        assert_eq!(taken(&registry), None);
        drop((patient, stays));
    }

    #[test]
    fn what_is_taken_and_lost_lets_its_owner_go_on_and_what_was_skipped_does_not() {
        let (now, registry) = (Instant::now(), Registry::new(Config::default()));
        let dialogue = dialogue(&registry, now);
        ask(&dialogue, now);
        dialogue.go_on(1, None);
        ask(&dialogue, now);
        // The first is skipped on the way, and the actor dies with the second
        drop(registry.desk.take());
        assert!(dialogue.awaits(2));
        registry.desk.give_up_lost();
        assert!(!dialogue.awaits(2));
        assert_eq!(registry.desk.take().map(|errand| errand.owner.run), None);
    }
}
