//! The buckets of all pods, in Redis; this pod's own while Redis is away or slow.
//!
//! Most are asked for each time. Those of every request are drawn on ahead: where plenty is left, Redis is told a moment
//! later, of all such requests at once.

use std::{
    fmt,
    iter::repeat,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use party_gallery_actors::redis::{Redis, driver::Script};
use slog::{Logger, info, warn};
use tokio::time::timeout;

use super::{ledger::Ledger, memory::Memory};
use crate::domain::rate::{Level, Limit, Verb};

/// What a request waits for Redis at most: its limits are worth no more.
const WITHIN: Duration = Duration::from_millis(50);
/// How long nobody asks Redis after it did not answer.
const PAUSE: Duration = Duration::from_millis(500);
/// How many buckets Redis is told of at once.
const AT_ONCE: usize = 256;
/// The hash tag keeps all buckets in one slot: a script may reach no other.
const PREFIX: &str = "{pg:rate}:";

/// A bucket by name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    /// Of what and of whom; it holds nothing that must not be read in Redis.
    pub name: String,
    /// Its size.
    pub limit: Limit,
}

/// All buckets.
#[derive(Clone)]
pub struct Buckets {
    parts: Arc<Parts>,
}

struct Parts {
    redis: Redis,
    script: Script,
    memory: Memory,
    ledger: Ledger,
    began: Instant,
    /// Until when Redis is not asked, in microseconds since `began`; 0 while it answers.
    paused_until: AtomicU64,
    log: Logger,
}

impl Buckets {
    /// In that Redis, as long as it answers. `log` is told when it ceases to, and when it does again.
    pub fn new(redis: Redis, log: Logger) -> Self {
        let parts = Parts {
            redis,
            script: Script::new(include_str!("buckets.lua")),
            memory: Memory::default(),
            ledger: Ledger::default(),
            began: Instant::now(),
            paused_until: AtomicU64::new(0),
            log,
        };
        Self { parts: Arc::new(parts) }
    }

    /// Does `verb` with these buckets in one round trip; gives what was in each before.
    pub async fn apply(&self, verb: Verb, buckets: &[Bucket]) -> Vec<Level> {
        match self.try_ask(verb, buckets, &[]).await {
            Some(heard) => heard.levels(buckets),
            None => self.parts.memory.apply(verb, self.now(), buckets),
        }
    }

    /// Takes one of each, or of none when one of them is empty, without asking Redis as long as there is plenty of all;
    /// gives what was in each before. All pods together may so give a little more than there is, within a moment: a
    /// quarter of a bucket each.
    pub async fn draw(&self, buckets: &[Bucket]) -> Vec<Level> {
        if let Some(levels) = self.parts.ledger.take(self.now(), buckets) {
            return levels;
        }
        let owed = self.parts.ledger.owed(buckets);
        let Some(heard) = self.try_ask(Verb::Take, buckets, &owed).await else {
            return self.parts.memory.apply(Verb::Take, self.now(), buckets);
        };
        let levels = heard.levels(buckets);
        let taken = u32::from(levels.iter().all(|level| level.left > 0));
        self.note(buckets, &heard, taken);
        levels
    }

    /// Tells Redis what was drawn that it has not been told yet. While it does not answer, this pod's own buckets count,
    /// and what was drawn before is forgiven.
    pub async fn settle(&self) {
        loop {
            let (buckets, owed) = self.parts.ledger.debts(AT_ONCE);
            if buckets.is_empty() {
                return;
            }
            if let Some(heard) = self.try_ask(Verb::Look, &buckets, &owed).await {
                self.note(&buckets, &heard, 0);
            }
        }
    }

    /// Believes what was heard of these for a while, of each of which so many were taken since.
    fn note(&self, buckets: &[Bucket], heard: &Heard, taken: u32) {
        let now = self.now();
        for (bucket, full_at) in buckets.iter().zip(&heard.full_at) {
            let missing = bucket.limit.charged(*full_at, heard.now, taken).saturating_sub(heard.now);
            self.parts.ledger.hear(now, bucket, now + missing);
        }
    }

    /// `None`: it has not answered, or is not to be asked.
    async fn try_ask(&self, verb: Verb, buckets: &[Bucket], owed: &[u32]) -> Option<Heard> {
        let trial = self.turn()?;
        if let Ok(Some(heard)) = timeout(WITHIN, self.ask(verb, buckets, owed)).await {
            // Whoever asked before it ceased to answer ends no pause
            if trial && self.parts.paused_until.swap(0, Ordering::Relaxed) != 0 {
                info!(self.parts.log, "Rates are kept in Redis again");
            }
            return Some(heard);
        }
        let until = self.now() + micros(PAUSE);
        if self.parts.paused_until.swap(until, Ordering::Relaxed) == 0 {
            warn!(self.parts.log, "Rates are kept by this pod"; "reason" => self.reason());
        }
        None
    }

    /// `None`: no answer. What is `owed` of each, 0 where nothing is said, was taken before.
    async fn ask(&self, verb: Verb, buckets: &[Bucket], owed: &[u32]) -> Option<Heard> {
        let mut call = self.parts.script.prepare_invoke();
        call.arg(word(verb));
        let owed = owed.iter().copied().chain(repeat(0));
        for (Bucket { name, limit }, owed) in buckets.iter().zip(owed) {
            call.key(format!("{PREFIX}{name}")).arg(limit.interval()).arg(limit.burst()).arg(owed);
        }
        let answer = self.parts.redis.run(async |connection| call.invoke_async(connection).await).await;
        let mut answer: Vec<u64> = answer.ok()?;
        let full_at = answer.split_off(1.min(answer.len()));
        (full_at.len() == buckets.len()).then_some(Heard { now: answer.first().copied()?, full_at })
    }

    /// Whether Redis is asked, and as a trial after a pause: one caller goes ahead to see whether it answers again.
    fn turn(&self) -> Option<bool> {
        let (now, until) = (self.now(), self.parts.paused_until.load(Ordering::Relaxed));
        if until == 0 {
            return Some(false);
        }
        let mine = |next| {
            self.parts
                .paused_until
                .compare_exchange(until, next, Ordering::Relaxed, Ordering::Relaxed)
                .is_ok()
        };
        (until <= now && mine(now + micros(WITHIN))).then_some(true)
    }

    /// Why Redis is not asked, in words that are fit for the public.
    fn reason(&self) -> &'static str {
        self.parts.redis.outage().map_or("no answer in time", |outage| outage.reason)
    }

    fn now(&self) -> u64 {
        micros(self.parts.began.elapsed())
    }
}

/// What Redis says of some buckets, in microseconds of its own clock.
struct Heard {
    now: u64,
    /// When each would have been full, before anything was done with it.
    full_at: Vec<u64>,
}

impl Heard {
    fn levels(&self, buckets: &[Bucket]) -> Vec<Level> {
        let of = buckets.iter().zip(&self.full_at);
        of.map(|(bucket, full_at)| bucket.limit.level(*full_at, self.now)).collect()
    }
}

impl fmt::Debug for Buckets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buckets").field("redis", &self.parts.redis).finish_non_exhaustive()
    }
}

fn word(verb: Verb) -> &'static str {
    match verb {
        Verb::Look => "look",
        Verb::Take => "take",
        Verb::Count => "count",
        Verb::Refund => "refund",
    }
}

fn micros(duration: Duration) -> u64 {
    u64::try_from(duration.as_micros()).unwrap_or(u64::MAX)
}
