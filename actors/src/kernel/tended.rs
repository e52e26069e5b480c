//! A child as its supervisor holds it: the thread it runs on, and what is due for it.

use std::{
    future::pending,
    pin::Pin,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, Arbiter, Context, Supervised};
use slog::{Logger, warn};
use tokio::{
    sync::{Notify, mpsc, watch},
    time::interval,
};

use super::{
    backoff::Backoff,
    caretaker::{Caretaker, Order},
    child::Child,
    handle::Handle,
    policy::{End, Policy},
    shared::Shared,
    status::{State, Status},
    tree::ChildReport,
};

/// A child of any type, seen from outside.
pub(super) trait Observed: Send + Sync {
    fn report(&self) -> ChildReport;
}

impl<A: Actor> Observed for Shared<A> {
    fn report(&self) -> ChildReport {
        Self::report(self)
    }
}

/// A child of any type, in the supervisor's hands.
pub(super) trait Tended {
    fn name(&self) -> &'static str;
    fn status(&self) -> watch::Receiver<Status>;
    fn observed(&self) -> Arc<dyn Observed>;
    fn stop_within(&self) -> Duration;
    /// Gives it its first thread.
    fn start(&mut self);
    /// Looks after it: a hung or lost thread is given up, a new one is started when its delay is over.
    /// Gives when to look again at the latest.
    fn look_after(&mut self, now: Instant) -> Option<Instant>;
    /// Forgives its silence up to now: nobody could have given a sign of life.
    fn excuse(&self);
    /// Refuses new calls and asks it to serve the queue and end.
    fn begin_stop(&mut self);
    /// Until its present thread is lost, or has nothing to do any more.
    fn lost(&self) -> Pin<Box<dyn Future<Output = ()>>>;
    /// Leaves it behind: its callers hear at once and it may not speak any more. Its thread ends when it can.
    fn abandon(&mut self);
}

/// The thread of one generation.
struct Post {
    arbiter: Arbiter,
    orders: mpsc::Sender<Order>,
}

pub(super) struct Patient<A: Actor> {
    shared: Arc<Shared<A>>,
    post: Option<Post>,
    due: Option<(Instant, String, Duration)>,
}

impl<A> Patient<A>
where
    A: Actor<Context = Context<A>> + Supervised,
{
    pub(super) fn admit(child: Child<A>, log: Logger, bell: Arc<Notify>) -> (Self, Handle<A>) {
        let policy = Policy::new(
            child.restart,
            child.intensity,
            child.on_exhausted,
            Backoff::new(child.backoff),
            child.stable_after,
            Instant::now(),
        );
        let shared = Arc::new(Shared::new(child.name, child.make, child.limits, policy, log, bell));
        (Self { shared: Arc::clone(&shared), post: None, due: None }, Handle { shared })
    }

    fn is_over(&self) -> bool {
        matches!(self.shared.status().state, State::Stopping | State::Stopped | State::GaveUp)
    }

    /// What is wrong with its thread, if anything.
    fn trouble(&self) -> Option<String> {
        let post = self.post.as_ref()?;
        if post.orders.is_closed() && !self.is_over() {
            return Some("lost its thread".to_owned());
        }
        let silence = self.shared.silent_for();
        (silence > self.shared.limits.silence)
            .then(|| format!("hung: no sign of life for {} ms", silence.as_millis()))
    }

    /// Takes the thread away: no caretaker of it may speak from here on.
    fn leave_post(&mut self) {
        self.shared.next_generation();
        if let Some(post) = self.post.take() {
            post.arbiter.stop();
        }
    }

    /// Lets the thread of one that ended by itself go.
    fn dismiss_idle(&mut self) {
        if let Some(post) = self.post.take_if(|post| post.orders.is_closed()) {
            post.arbiter.stop();
        }
    }
}

impl<A> Tended for Patient<A>
where
    A: Actor<Context = Context<A>> + Supervised,
{
    fn name(&self) -> &'static str {
        self.shared.name
    }

    fn status(&self) -> watch::Receiver<Status> {
        self.shared.watch()
    }

    fn observed(&self) -> Arc<dyn Observed> {
        Arc::clone(&self.shared) as Arc<dyn Observed>
    }

    fn stop_within(&self) -> Duration {
        self.shared.limits.stop_within
    }

    #[expect(clippy::disallowed_methods, reason = "this is where what is spawned is supervised")]
    fn start(&mut self) {
        let generation = self.shared.status().generation;
        let (orders, inbox) = mpsc::channel(8);
        let arbiter = match Arbiter::try_new() {
            Ok(arbiter) => arbiter,
            Err(error) => {
                // No thread to be had: the same as one that was lost, so that it is tried again
                warn!(self.shared.log, "No thread for actor"; "actor" => self.shared.name, "error" => %error);
                let wait = Duration::from_secs(1);
                self.due = Some((Instant::now() + wait, "no thread".to_owned(), wait));
                return;
            }
        };
        #[cfg(feature = "chaos")]
        self.shared.orders.store(Some(Arc::new(orders.clone())));
        self.shared.beat();
        let shared = Arc::clone(&self.shared);
        arbiter.spawn_fn(move || {
            let heart = Arc::clone(&shared);
            let mut rhythm = interval(shared.limits.silence / 8);
            actix::spawn(async move {
                while heart.is_current(generation) {
                    heart.beat();
                    rhythm.tick().await;
                }
            });
            actix::spawn(Caretaker::new(shared, generation, inbox).run());
        });
        self.post = Some(Post { arbiter, orders });
    }

    fn look_after(&mut self, now: Instant) -> Option<Instant> {
        if let Some((at, reason, delay)) = self.due.take() {
            if now < at {
                self.due = Some((at, reason, delay));
                return Some(at);
            }
            self.start();
            if self.post.is_some() {
                self.shared.record_restart(&reason, delay);
            }
            return None;
        }
        if self.is_over() {
            self.dismiss_idle();
            return None;
        }
        self.shared.forgive_if_stable(now);
        let reason = self.trouble()?;
        self.leave_post();
        let generation = self.shared.status().generation;
        let delay = self.shared.conclude(generation, End::Failed, &reason)?;
        let until = now + delay;
        self.due = Some((until, reason, delay));
        Some(until)
    }

    fn excuse(&self) {
        self.shared.beat();
    }

    fn begin_stop(&mut self) {
        let generation = self.shared.status().generation;
        self.due = None;
        match &self.post {
            // One that cannot be asked is lost or abandoned at its deadline
            Some(post) => {
                self.shared.enter(generation, State::Stopping);
                _ = post.orders.try_send(Order::Stop);
            }
            None => self.shared.enter(generation, State::Stopped),
        }
    }

    fn lost(&self) -> Pin<Box<dyn Future<Output = ()>>> {
        let orders = self.post.as_ref().map(|post| post.orders.clone());
        Box::pin(async move {
            match orders {
                Some(orders) => orders.closed().await,
                None => pending().await,
            }
        })
    }

    fn abandon(&mut self) {
        self.leave_post();
        self.due = None;
        self.shared.enter(self.shared.status().generation, State::Stopped);
    }
}
