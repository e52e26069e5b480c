//! The buckets of all pods, in Redis; this pod's own while Redis is away or slow.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use party_gallery_actors::redis::{Redis, driver::Script};
use slog::{Logger, info, warn};
use tokio::time::timeout;

use super::memory::Memory;
use crate::domain::rate::{Level, Limit, Verb};

/// What a request waits for Redis at most: its limits are worth no more.
const WITHIN: Duration = Duration::from_millis(50);
/// How long nobody asks Redis after it did not answer.
const PAUSE: Duration = Duration::from_millis(500);
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
            began: Instant::now(),
            paused_until: AtomicU64::new(0),
            log,
        };
        Self { parts: Arc::new(parts) }
    }

    /// Does `verb` with these buckets in one round trip; gives what was in each before.
    pub async fn apply(&self, verb: Verb, buckets: &[Bucket]) -> Vec<Level> {
        if let Some(trial) = self.turn() {
            if let Ok(Some(levels)) = timeout(WITHIN, self.ask(verb, buckets)).await {
                // Whoever asked before it ceased to answer ends no pause
                if trial && self.parts.paused_until.swap(0, Ordering::Relaxed) != 0 {
                    info!(self.parts.log, "Rates are kept in Redis again");
                }
                return levels;
            }
            let until = self.now() + micros(PAUSE);
            if self.parts.paused_until.swap(until, Ordering::Relaxed) == 0 {
                warn!(self.parts.log, "Rates are kept by this pod"; "reason" => self.reason());
            }
        }
        self.parts.memory.apply(verb, self.now(), buckets)
    }

    /// `None`: no answer.
    async fn ask(&self, verb: Verb, buckets: &[Bucket]) -> Option<Vec<Level>> {
        let mut call = self.parts.script.prepare_invoke();
        call.arg(word(verb));
        for Bucket { name, limit } in buckets {
            call.key(format!("{PREFIX}{name}")).arg(limit.interval()).arg(limit.burst());
        }
        let answer = self.parts.redis.run(async |connection| call.invoke_async(connection).await).await;
        let answer: Vec<u64> = answer.ok()?;
        let (now, full_at) = answer.split_first()?;
        let levels = buckets.iter().zip(full_at).map(|(bucket, full_at)| bucket.limit.level(*full_at, *now));
        Some(levels.collect())
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
