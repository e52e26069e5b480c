//! The actor itself: one loop for each probe and one for the memory, all gone with the life that began them.

use std::{
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, AsyncContext, Context, Supervised, WrapFuture as _};
use futures_util::{FutureExt as _, future::pending};
use tokio::time::{sleep, timeout};

use super::{
    board::Board,
    clock::Clock,
    probe::{Heard, Probe},
    snapshot::{CheckStatus, Memory, Round},
};
use crate::kernel::{Child, Exhausted, Life};

/// How often the memory is read at a slow rhythm; at a quick one as often as is asked, else it would make the whole
/// snapshot old.
const MEMORY_EVERY: Duration = Duration::from_secs(5);

/// How long a probe may take.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The longest pause after a part was found unhealthy.
const EAGER: Duration = Duration::from_millis(500);

/// The shortest pause: a part that stirs without end is not asked without end.
const LEAST_PAUSE: Duration = Duration::from_millis(10);

/// How often is asked.
#[derive(Clone, Copy, Debug)]
pub struct Rhythm {
    /// Between two probes of a part that is healthy.
    pub interval: Duration,
    /// How long a probe may take.
    pub answer_within: Duration,
}

impl Rhythm {
    /// The usual time-out of 2 s at that interval.
    pub fn every(interval: Duration) -> Self {
        Self { interval, answer_within: ANSWER_WITHIN }
    }

    /// The age from which a snapshot says nothing any more: three intervals and 2 s.
    pub fn stale_after(self) -> Duration {
        3 * self.interval + ANSWER_WITHIN
    }

    fn pause_after(self, status: CheckStatus) -> Duration {
        if status == CheckStatus::Healthy { self.interval } else { self.interval.min(EAGER) }
    }
}

/// Asks every probe in its own rhythm and writes what it hears on the board.
pub struct Health {
    life: Life<Self>,
    probes: Arc<[Arc<dyn Probe>]>,
    board: Board,
    rhythm: Rhythm,
    clock: Clock,
}

impl Health {
    /// The child `health`: it goes on whatever happens to it.
    pub fn child(probes: &[Arc<dyn Probe>], board: Board, rhythm: Rhythm, clock: Clock) -> Child<Self> {
        let probes: Arc<[Arc<dyn Probe>]> = probes.into();
        Child::new("health", move |life| Self {
            life,
            probes: Arc::clone(&probes),
            board: board.clone(),
            rhythm,
            clock,
        })
        .on_exhausted(Exhausted::Degrade)
    }
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Health").field("life", &self.life).finish_non_exhaustive()
    }
}

impl Actor for Health {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        for probe in self.probes.iter() {
            let asked = Asking {
                probe: Arc::clone(probe),
                life: self.life.clone(),
                board: self.board.clone(),
                rhythm: self.rhythm,
                clock: self.clock,
            };
            ctx.spawn(asked.run().into_actor(self));
        }
        ctx.spawn(
            watch_memory(self.life.clone(), self.board.clone(), self.rhythm.interval.min(MEMORY_EVERY))
                .into_actor(self),
        );
    }
}

impl Supervised for Health {
    fn restarting(&mut self, _: &mut Self::Context) {
        *self = self.life.reborn();
    }
}

/// The loop of one probe.
///
/// *Invariant:* it asks one question at a time.
struct Asking {
    probe: Arc<dyn Probe>,
    life: Life<Health>,
    board: Board,
    rhythm: Rhythm,
    clock: Clock,
}

impl Asking {
    async fn run(self) {
        let mut may_restart = true;
        loop {
            let mut stirred = pin!(self.stirred());
            let began = Instant::now();
            let mut answer = pin!(self.ask());
            let mut has_stirred = false;
            let heard = loop {
                tokio::select! {
                    // First, so that nothing that happens after the question was put goes unnoticed
                    biased;
                    () = &mut stirred, if !has_stirred => {
                        has_stirred = true;
                        if may_restart {
                            break None;
                        }
                    }
                    heard = &mut answer => break Some(heard),
                }
            };
            // What was asked before it stirred may hang for long; but one that always stirs is heard as well
            may_restart = heard.is_some();
            let pause = match heard {
                Some(heard) => match self.record(heard, began) {
                    Some(status) => self.rhythm.pause_after(status),
                    None => return,
                },
                None => LEAST_PAUSE,
            };
            sleep(LEAST_PAUSE).await;
            if !has_stirred {
                _ = timeout(pause.saturating_sub(LEAST_PAUSE), &mut stirred).await;
            }
        }
    }

    /// Puts the question; a panic and silence are answers too.
    async fn ask(&self) -> Heard {
        let answer = AssertUnwindSafe(async { self.probe.check().await }).catch_unwind();
        match timeout(self.rhythm.answer_within, answer).await {
            Ok(Ok(heard)) => heard,
            Ok(Err(_panic)) => Err("probe failed"),
            Err(_elapsed) => Err("timed out"),
        }
    }

    /// Waits until the part stirs; never again after a panic.
    async fn stirred(&self) {
        if AssertUnwindSafe(async { self.probe.stirred().await }).catch_unwind().await.is_err() {
            pending::<()>().await;
        }
    }

    /// Writes an answer on the board, unless this life is over. Gives the status that the part has now.
    fn record(&self, heard: Heard, began: Instant) -> Option<CheckStatus> {
        let ended = Instant::now();
        let took = ended.duration_since(began);
        let (heard, owner) = match catch_unwind(AssertUnwindSafe(|| self.probe.owner())) {
            Ok(owner) => (heard, owner),
            Err(_panic) => (Err("probe failed"), None),
        };
        if !self.life.is_current() {
            return None;
        }
        let name = self.probe.name();
        self.board.record(name, &Round { heard, took, owner, ended, ended_at: (self.clock)() });
        self.board.load().check(name).map(|check| check.status)
    }
}

async fn watch_memory(life: Life<Health>, board: Board, every: Duration) {
    while life.is_current() {
        board.record_memory(Memory { rss: resident_set(), read: Instant::now() });
        sleep(every.max(LEAST_PAUSE)).await;
    }
}

/// The resident set in bytes. The kernel makes this file up in memory: reading it does not wait.
fn resident_set() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}
