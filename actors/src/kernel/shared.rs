//! What all who deal with an actor share.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use actix::{Actor, Addr};
use arc_swap::ArcSwapOption;
use parking_lot::Mutex;
use slog::{Logger, crit, info, warn};
use tokio::sync::{Notify, Semaphore, watch};

use super::{
    child::{Limits, Make},
    policy::{End, Policy, Verdict},
    status::{State, Status},
    tree::ChildReport,
};

/// Less than a thread may be silent on a loaded machine for no fault of its own.
const SHORTEST_SILENCE: Duration = Duration::from_millis(10);

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
        // The drain takes all permits in one go, and a semaphore has its own limit
        let most = usize::try_from(u32::MAX).unwrap_or(usize::MAX).min(Semaphore::MAX_PERMITS);
        let limits =
            Limits { calls: limits.calls.min(most), silence: limits.silence.max(SHORTEST_SILENCE), ..limits };
        let status = Status { state: State::Starting, epoch: 0, generation: 1, exhausted: false };
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

    /// Turns to a new thread and mailbox; the former one may not speak any more.
    pub(super) fn next_generation(&self) {
        self.status.send_modify(|status| {
            self.address.store(None);
            status.generation += 1;
            // In the same breath: nobody may see a mailbox run that is not open yet
            if matches!(status.state, State::Starting | State::Running) {
                status.state = State::Restarting { until: Instant::now() };
            }
        });
    }

    /// Publishes the mailbox of `generation`, unless that one was abandoned meanwhile.
    pub(super) fn open(&self, generation: u64, address: Addr<A>) {
        // Under the lock of the status, so that it cannot fall behind next_generation()
        self.status.send_if_modified(|status| {
            if status.generation == generation {
                self.address.store(Some(Arc::new(address)));
            }
            false
        });
    }

    pub(super) fn is_current(&self, generation: u64) -> bool {
        self.status.borrow().generation == generation
    }

    /// Starts a new life and gives its number; 0, which is never current, if `generation` was abandoned: a life that
    /// begins on a thread left behind may not make the one that took over look old.
    pub(super) fn next_epoch(&self, generation: u64) -> u64 {
        let mut epoch = 0;
        self.status.send_if_modified(|status| {
            let current = status.generation == generation;
            if current {
                status.epoch += 1;
                epoch = status.epoch;
            }
            current
        });
        epoch
    }

    /// Decides what follows the end of a life and tells it to everybody. Gives the delay until the next life;
    /// `None`: there will be none.
    pub(super) fn conclude(&self, generation: u64, end: End, reason: &str) -> Option<Duration> {
        let now = Instant::now();
        let verdict = self.policy.lock().judge(end, now);
        if verdict != Verdict::Finish || end == End::Failed {
            *self.last_failure.lock() = Some((reason.into(), now));
        }
        let (after, exhausted) = match verdict {
            Verdict::Restart { after } => (Some(after), false),
            Verdict::Degrade { after } => (Some(after), true),
            Verdict::Escalate => (None, true),
            Verdict::Finish => {
                info!(self.log, "Actor ended"; "actor" => self.name, "reason" => reason);
                self.enter(generation, State::Stopped);
                return None;
            }
        };
        if self.set_exhausted(exhausted) && exhausted {
            crit!(self.log, "Actor gave up"; "actor" => self.name, "reason" => reason,
                "escalates" => after.is_none());
        }
        self.enter(generation, after.map_or(State::GaveUp, |after| State::Restarting { until: now + after }));
        after
    }

    /// Forgives an exhausted actor that has run well for long enough.
    pub(super) fn forgive_if_stable(&self, now: Instant) {
        let status = self.status();
        if status.exhausted && status.state == State::Running && self.policy.lock().settle(now) {
            self.set_exhausted(false);
        }
    }

    /// Whether that changed anything.
    fn set_exhausted(&self, exhausted: bool) -> bool {
        self.status
            .send_if_modified(|status| std::mem::replace(&mut status.exhausted, exhausted) != exhausted)
    }

    /// Notes that the next life begins, and tells it.
    pub(super) fn record_restart(&self, reason: &str, delay: Duration) {
        self.policy.lock().began(Instant::now());
        let restarts = self.restarts.fetch_add(1, Ordering::Relaxed) + 1;
        let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
        warn!(self.log, "Actor restarted"; "actor" => self.name, "reason" => reason,
            "restarts" => restarts, "delay" => delay);
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
