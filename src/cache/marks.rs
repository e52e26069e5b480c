//! What was seen already within a while: marked in Redis for all pods, and by this pod for as long as Redis is away.
//!
//! *Invariant:* a mark is opaque; nobody who reads Redis learns who was seen.

use std::{
    collections::HashMap,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use party_gallery_actors::redis::{Redis, driver};

/// What is told apart: half of an HMAC, or an id that says nothing of who.
pub type Mark = [u8; 16];

/// How many this pod remembers at most: some megabytes.
const MOST: usize = 65_536;
/// How often it looks for those that it can forget, which takes a while.
const SWEEP_EVERY: Duration = Duration::from_secs(1);

/// Marks that last for a while.
#[derive(Clone)]
pub struct Marks {
    redis: Redis,
    prefix: &'static str,
    lasting: Duration,
    memory: Arc<Mutex<Memory>>,
}

impl Marks {
    /// In that Redis below `prefix`, each for as long as `lasting`.
    pub fn new(redis: Redis, prefix: &'static str, lasting: Duration) -> Self {
        Self { redis, prefix, lasting, memory: Arc::default() }
    }

    /// Which of these were not marked; they are now. While Redis is away this pod alone decides, as far as it can
    /// remember: what it has no room for is taken for marked.
    pub async fn fresh(&self, marks: &[Mark], now: Instant) -> Vec<bool> {
        let known: Vec<bool> = {
            let memory = self.memory.lock();
            marks.iter().map(|mark| memory.knows(mark, now)).collect()
        };
        let asked: Vec<Mark> =
            marks.iter().zip(&known).filter(|(_, known)| !**known).map(|(m, _)| *m).collect();
        let mut told = self.ask(&asked).await.map(Vec::into_iter);
        let mut memory = self.memory.lock();
        let fresh = marks.iter().zip(known).map(|(mark, known)| {
            // Those that are not new are Redis' to remember: here they would last longer than there
            let is_new = !known && told.as_mut().is_none_or(|told| told.next().unwrap_or_default());
            let until = now + self.lasting;
            is_new && (memory.keep(*mark, until, now) || told.is_some())
        });
        fresh.collect()
    }

    /// Which of these Redis did not have. `None`: no answer.
    async fn ask(&self, marks: &[Mark]) -> Option<Vec<bool>> {
        if marks.is_empty() {
            return Some(Vec::new());
        }
        let lasting = u64::try_from(self.lasting.as_millis()).unwrap_or(u64::MAX);
        let mut pipe = driver::pipe();
        for mark in marks {
            let name: String = mark.iter().map(|byte| format!("{byte:02x}")).collect();
            pipe.cmd("SET").arg(format!("{}:{name}", self.prefix)).arg(1);
            pipe.arg("NX").arg("PX").arg(lasting);
        }
        let answer = self.redis.run(async |connection| pipe.query_async(connection).await).await;
        let answer: Vec<Option<String>> = answer.ok()?;
        Some(answer.iter().map(Option::is_some).collect())
    }
}

impl fmt::Debug for Marks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Marks").field("prefix", &self.prefix).finish_non_exhaustive()
    }
}

/// What this pod itself has marked, each until when.
#[derive(Default)]
struct Memory {
    until: HashMap<Mark, Instant>,
    swept_at: Option<Instant>,
}

impl Memory {
    fn knows(&self, mark: &Mark, now: Instant) -> bool {
        self.until.get(mark).is_some_and(|until| *until > now)
    }

    /// Whether it is kept now and was not before.
    fn keep(&mut self, mark: Mark, until: Instant, now: Instant) -> bool {
        if self.knows(&mark, now) {
            return false;
        }
        let is_due = self.swept_at.is_none_or(|at| now.duration_since(at) >= SWEEP_EVERY);
        if self.until.len() >= MOST && is_due {
            self.until.retain(|_, until| *until > now);
            self.swept_at = Some(now);
        }
        let has_room = self.until.len() < MOST;
        if has_room {
            self.until.insert(mark, until);
        }
        has_room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(n: usize) -> Mark {
        (n as u128).to_be_bytes()
    }

    #[test]
    fn a_mark_is_new_once_until_it_ends() {
        let (mut memory, now, hour) = (Memory::default(), Instant::now(), Duration::from_secs(3600));
        for (later, is_new) in [(0, true), (0, false), (3599, false), (3600, true), (3601, false)] {
            let now = now + Duration::from_secs(later);
            assert_eq!(memory.keep(mark(1), now + hour, now), is_new, "after {later} s");
        }
    }

    #[test]
    fn a_crowd_costs_no_more_room_and_what_has_none_is_not_new() {
        let (mut memory, now, hour) = (Memory::default(), Instant::now(), Duration::from_secs(3600));
        let new = (0..MOST + 100).filter(|n| memory.keep(mark(*n), now + hour, now)).count();
        assert_eq!((new, memory.until.len()), (MOST, MOST));
        // All have ended by then
        assert!(memory.keep(mark(MOST), now + 3 * hour, now + 2 * hour));
        assert_eq!(memory.until.len(), 1);
    }
}
