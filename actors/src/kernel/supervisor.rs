//! The supervisor: keeps children alive from a thread of its own, so that a stuck actor cannot stop its watcher.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use actix::{Actor, Context, Supervised, System};
use arc_swap::ArcSwap;
use slog::{Logger, o};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time::{sleep, sleep_until, timeout},
};

use super::{
    child::Child,
    handle::Handle,
    status::{State, Status},
    tended::{Observed, Patient, Tended},
    tree::{Stopped, Tree},
};

/// How often the supervisor looks after its children without being called.
const ROUND: Duration = Duration::from_millis(50);

/// Twenty rounds that did not come: the whole process stood still, as in a paused container or a machine that is moved.
const STANDSTILL: Duration = Duration::from_secs(1);

/// How long a child may take to start before the next one is started all the same.
const START_WITHIN: Duration = Duration::from_secs(5);

/// The supervisor has ended: nothing is started or stopped any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the supervisor has ended")]
pub struct Refused;

type Admit = Box<dyn FnOnce(&Arc<Notify>) -> Box<dyn Tended> + Send>;

enum Command {
    Add(Admit, oneshot::Sender<()>),
    Stop(&'static str, oneshot::Sender<Option<Stopped>>),
    StopAll(oneshot::Sender<Vec<Stopped>>),
    #[cfg(test)]
    Block(Box<dyn FnOnce() + Send>),
}

/// A way to the supervisor. When the last one is dropped, what still runs is stopped in reverse order.
#[derive(Clone)]
pub struct Supervisor {
    commands: mpsc::Sender<Command>,
    public: Arc<Public>,
    log: Logger,
}

/// What the supervisor shows without being asked.
struct Public {
    children: ArcSwap<Vec<Arc<dyn Observed>>>,
    gave_up: watch::Sender<Option<&'static str>>,
    began: Instant,
    round_millis: AtomicU64,
}

impl Supervisor {
    /// Starts the supervisor's thread.
    ///
    /// # Errors
    ///
    /// No thread could be had.
    pub fn start(log: Logger) -> io::Result<Self> {
        let (commands, inbox) = mpsc::channel(64);
        let public = Arc::new(Public {
            children: ArcSwap::default(),
            gave_up: watch::Sender::new(None),
            began: Instant::now(),
            round_millis: AtomicU64::new(0),
        });
        let shown = Arc::clone(&public);
        thread::Builder::new().name("supervisor".to_owned()).spawn(move || {
            System::new().block_on(Rounds::new(inbox, shown).run());
        })?;
        Ok(Self { commands, public, log })
    }

    /// Starts `child` and waits until it has started; one that fails at that is restarted as usual.
    ///
    /// # Errors
    ///
    /// The supervisor has ended.
    pub async fn add<A>(&self, child: Child<A>) -> Result<Handle<A>, Refused>
    where
        A: Actor<Context = Context<A>> + Supervised,
    {
        let (give, handle) = oneshot::channel();
        let log = self.log.new(o!());
        let admit: Admit = Box::new(move |bell| {
            let (patient, handle) = Patient::admit(child, log, Arc::clone(bell));
            // Who does not wait for it any more does not need it
            _ = give.send(handle);
            Box::new(patient)
        });
        let (started, wait) = oneshot::channel();
        self.commands.send(Command::Add(admit, started)).await.map_err(|_closed| Refused)?;
        wait.await.map_err(|_closed| Refused)?;
        handle.await.map_err(|_closed| Refused)
    }

    /// Stops the child of that name: new calls are refused, its queue is served first. `None`: there is none.
    pub async fn stop(&self, name: &'static str) -> Option<Stopped> {
        let (done, wait) = oneshot::channel();
        self.commands.send(Command::Stop(name, done)).await.ok()?;
        wait.await.ok().flatten()
    }

    /// Stops all children, last started first, each within its own deadline.
    pub async fn stop_all(&self) -> Vec<Stopped> {
        let (done, wait) = oneshot::channel();
        if self.commands.send(Command::StopAll(done)).await.is_err() {
            return Vec::new();
        }
        wait.await.unwrap_or_default()
    }

    /// Holds its own thread up, as a machine does that stands still.
    #[cfg(test)]
    pub(super) async fn block(&self, wait: impl FnOnce() + Send + 'static) {
        _ = self.commands.send(Command::Block(Box::new(wait))).await;
    }

    /// Every child as operators see it, in the order of their start. No waiting.
    pub fn tree(&self) -> Tree {
        self.public.children.load().iter().map(|child| child.report()).collect()
    }

    /// Becomes the name of the child without which the service is not whole.
    pub fn gave_up(&self) -> watch::Receiver<Option<&'static str>> {
        self.public.gave_up.subscribe()
    }

    /// How long the supervisor has not finished a round: the watchdog of the watcher.
    pub fn silent_for(&self) -> Duration {
        let last = Duration::from_millis(self.public.round_millis.load(Ordering::Relaxed));
        self.public.began.elapsed().saturating_sub(last)
    }
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("tree", &self.tree()).finish_non_exhaustive()
    }
}

/// The supervisor's own loop.
struct Rounds {
    inbox: mpsc::Receiver<Command>,
    public: Arc<Public>,
    children: Vec<Box<dyn Tended>>,
    bell: Arc<Notify>,
    last_round: Instant,
}

impl Rounds {
    fn new(inbox: mpsc::Receiver<Command>, public: Arc<Public>) -> Self {
        Self {
            inbox,
            public,
            children: Vec::new(),
            bell: Arc::new(Notify::new()),
            last_round: Instant::now(),
        }
    }

    async fn run(mut self) {
        loop {
            let next = self.look_after_all();
            tokio::select! {
                command = self.inbox.recv() => match command {
                    Some(command) => self.obey(command).await,
                    None => break,
                },
                () = self.bell.notified() => {}
                () = sleep_until(next.into()) => {}
            }
        }
        self.stop_from(0).await;
    }

    /// One round over all children. Gives when the next one is due.
    fn look_after_all(&mut self) -> Instant {
        let now = Instant::now();
        let mut next = now + ROUND;
        let stood_still = now.duration_since(self.last_round) > STANDSTILL;
        self.last_round = now;
        for child in &mut self.children {
            if stood_still {
                child.excuse();
            }
            if let Some(at) = child.look_after(now) {
                next = next.min(at);
            }
            if child.status().borrow().state == State::GaveUp {
                let name = child.name();
                self.public.gave_up.send_if_modified(|gave_up| gave_up.replace(name).is_none());
            }
        }
        let millis = u64::try_from(self.public.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.public.round_millis.store(millis, Ordering::Relaxed);
        next
    }

    async fn obey(&mut self, command: Command) {
        match command {
            Command::Add(admit, started) => {
                let mut child = admit(&self.bell);
                child.start();
                let mut status = child.status();
                self.children.push(child);
                self.publish();
                let start = async { _ = status.wait_for(|status| status.state != State::Starting).await };
                self.meanwhile(start, START_WITHIN).await;
                // Whoever asked may have gone: the child is started all the same
                _ = started.send(());
            }
            Command::Stop(name, done) => {
                let at = self.children.iter().position(|child| child.name() == name);
                let stopped = match at {
                    Some(at) => Some(self.stop_one(at).await),
                    None => None,
                };
                _ = done.send(stopped);
            }
            Command::StopAll(done) => {
                let stopped = self.stop_from(0).await;
                _ = done.send(stopped);
            }
            #[cfg(test)]
            Command::Block(wait) => wait(),
        }
    }

    /// Waits for `event`, at most `limit`, while the children are looked after.
    async fn meanwhile<T>(&mut self, event: impl Future<Output = T>, limit: Duration) -> Option<T> {
        tokio::pin!(event);
        timeout(limit, async {
            loop {
                self.look_after_all();
                tokio::select! {
                    outcome = &mut event => return outcome,
                    () = sleep(ROUND) => {}
                }
            }
        })
        .await
        .ok()
    }

    async fn stop_from(&mut self, first: usize) -> Vec<Stopped> {
        let mut stopped = Vec::new();
        while self.children.len() > first {
            stopped.push(self.stop_one(self.children.len() - 1).await);
        }
        stopped
    }

    async fn stop_one(&mut self, at: usize) -> Stopped {
        let began = Instant::now();
        let mut child = self.children.remove(at);
        let mut status = child.status();
        let last = status.clone();
        let is_over = |status: &Status| matches!(status.state, State::Stopped | State::GaveUp);
        child.begin_stop();
        let lost = child.lost();
        let ended = async {
            tokio::select! {
                biased;
                _ = status.wait_for(is_over) => true,
                // It may have said so between the two looks
                () = lost => is_over(&last.borrow()),
            }
        };
        let clean = self.meanwhile(ended, child.stop_within()).await == Some(true);
        child.abandon();
        self.publish();
        Stopped { name: child.name(), clean, took: began.elapsed() }
    }

    fn publish(&self) {
        let children = self.children.iter().map(|child| child.observed()).collect();
        self.public.children.store(Arc::new(children));
    }
}
