//! Buckets of which Redis has told a moment ago, and what this pod has taken of them since: where plenty is left, nobody
//! waits for Redis.
//!
//! *Invariant:* of a bucket that is less than three quarters full, or of which nothing was heard lately, nothing is taken
//! here; and what was taken is owed to Redis until it is told with the next question about the bucket.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::buckets::Bucket;
use crate::domain::rate::Level;

/// How long what was heard is believed, in microseconds: other pods take of the same buckets.
const BELIEVED_FOR: u64 = 250_000;
/// Smaller ones are asked for each time: a quarter of them is next to nothing.
const LEAST_BURST: u32 = 40;
/// How many are known at most; of one more than that Redis is asked each time.
const MOST: usize = 65_536;
/// How often those are looked for that can be forgotten, which takes a while, in microseconds.
const SWEEP_EVERY: u64 = 1_000_000;

/// What is known of buckets, by name.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    known: Mutex<Known>,
}

#[derive(Debug, Default)]
struct Known {
    entries: HashMap<String, Entry>,
    /// Those of which something is owed.
    owing: Vec<Bucket>,
    swept_at: u64,
}

#[derive(Debug)]
struct Entry {
    /// When it will be full, with what was taken here.
    full_at: u64,
    /// How many were taken here that Redis has not been told of.
    owed: u32,
    heard_at: u64,
}

impl Ledger {
    /// Takes one of each and gives what was in them before. `None`: of one there is not plenty, as far as is known; none is
    /// taken.
    pub(super) fn take(&self, now: u64, buckets: &[Bucket]) -> Option<Vec<Level>> {
        let mut known = self.known.lock();
        let mut levels = Vec::with_capacity(buckets.len());
        for Bucket { name, limit } in buckets {
            let entry = known.entries.get(name)?;
            let level = limit.level(entry.full_at, now);
            let is_known = now.saturating_sub(entry.heard_at) <= BELIEVED_FOR;
            let is_plenty = level.left > limit.burst() - limit.burst() / 4;
            if !is_known || !is_plenty || limit.burst() < LEAST_BURST {
                return None;
            }
            levels.push(level);
        }
        let Known { entries, owing, .. } = &mut *known;
        for bucket in buckets {
            let Some(entry) = entries.get_mut(&bucket.name) else { continue };
            if entry.owed == 0 {
                owing.push(bucket.clone());
            }
            entry.owed += 1;
            entry.full_at = bucket.limit.charged(entry.full_at, now, 1);
        }
        Some(levels)
    }

    /// What is owed of these. Whoever asks tells Redis of it, with the same question.
    pub(super) fn owed(&self, buckets: &[Bucket]) -> Vec<u32> {
        let mut known = self.known.lock();
        let owed = buckets.iter().map(|bucket| known.pay(&bucket.name)).collect();
        known.owing.retain(|owing| !buckets.iter().any(|bucket| bucket.name == owing.name));
        owed
    }

    /// Up to `most` of which something is owed, with how many. The same goes for who asks.
    pub(super) fn debts(&self, most: usize) -> (Vec<Bucket>, Vec<u32>) {
        let mut known = self.known.lock();
        let rest = known.owing.len().saturating_sub(most);
        let buckets = known.owing.split_off(rest);
        let owed = buckets.iter().map(|bucket| known.pay(&bucket.name)).collect();
        (buckets, owed)
    }

    /// Redis has told that this one will be full at `full_at`, of all that it was told of.
    pub(super) fn hear(&self, now: u64, bucket: &Bucket, full_at: u64) {
        if bucket.limit.burst() < LEAST_BURST {
            return;
        }
        let mut known = self.known.lock();
        if let Some(entry) = known.entries.get_mut(&bucket.name) {
            // What was taken while it was asked is owed still
            entry.full_at = bucket.limit.charged(full_at, now, entry.owed);
            entry.heard_at = now;
            return;
        }
        if known.entries.len() >= MOST && known.swept_at + SWEEP_EVERY <= now {
            known.entries.retain(|_, entry| entry.owed > 0 || entry.heard_at + BELIEVED_FOR >= now);
            known.swept_at = now;
        }
        if known.entries.len() < MOST {
            let entry = Entry { full_at, owed: 0, heard_at: now };
            known.entries.insert(bucket.name.clone(), entry);
        }
    }
}

impl Known {
    fn pay(&mut self, name: &str) -> u32 {
        self.entries.get_mut(name).map_or(0, |entry| std::mem::take(&mut entry.owed))
    }
}

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use super::*;
    use crate::domain::rate::Limit;

    const NOW: u64 = 10_000_000;

    /// One comes by itself every second.
    fn bucket(name: &str, burst: u32) -> Bucket {
        let limit = Limit::new(NonZeroU32::MIN, Duration::from_secs(1), NonZeroU32::new(burst).unwrap());
        Bucket { name: name.to_owned(), limit }
    }

    fn left(ledger: &Ledger, now: u64, buckets: &[Bucket]) -> Option<Vec<u32>> {
        ledger.take(now, buckets).map(|levels| levels.iter().map(|level| level.left).collect())
    }

    #[test]
    fn only_of_plenty_and_only_for_as_long_as_that_is_believed() {
        let (ledger, one) = (Ledger::default(), [bucket("one", 100)]);
        assert_eq!(left(&ledger, NOW, &one), None, "nothing was heard of it");
        ledger.hear(NOW, &one[0], 0);
        assert_eq!(left(&ledger, NOW + BELIEVED_FOR + 1, &one), None);
        let taken: Vec<_> = (0..30).map_while(|_| left(&ledger, NOW, &one)).flatten().collect();
        assert_eq!(taken, (76..=100).rev().collect::<Vec<_>>());
        ledger.hear(NOW, &bucket("small", LEAST_BURST - 1), 0);
        assert_eq!(left(&ledger, NOW, &[bucket("small", LEAST_BURST - 1)]), None);
    }

    #[test]
    fn of_each_or_of_none() {
        let (ledger, both) = (Ledger::default(), [bucket("one", 100), bucket("two", 100)]);
        ledger.hear(NOW, &both[0], 0);
        assert_eq!(left(&ledger, NOW, &both), None);
        assert_eq!(ledger.owed(&both), [0, 0]);
        ledger.hear(NOW, &both[1], NOW + 10_000_000);
        assert_eq!(left(&ledger, NOW, &both), Some(vec![100, 90]));
        assert_eq!(ledger.owed(&both), [1, 1]);
    }

    #[test]
    fn what_was_taken_is_owed_once_and_not_forgotten_when_redis_tells_of_before() {
        let (ledger, one) = (Ledger::default(), [bucket("one", 100)]);
        ledger.hear(NOW, &one[0], 0);
        for _ in 0..3 {
            left(&ledger, NOW, &one);
        }
        assert_eq!(ledger.debts(10), (one.to_vec(), vec![3]));
        assert_eq!(ledger.debts(10), (vec![], vec![]));
        // Two more while Redis is told of the three
        for _ in 0..2 {
            left(&ledger, NOW, &one);
        }
        ledger.hear(NOW, &one[0], NOW + 3_000_000);
        assert_eq!(left(&ledger, NOW, &one), Some(vec![95]));
        assert_eq!(ledger.owed(&one), [3]);
        assert_eq!(ledger.debts(10), (vec![], vec![]));
    }

    #[test]
    fn debts_are_told_some_at_a_time() {
        let ledger = Ledger::default();
        for n in 0..5 {
            let one = bucket(&n.to_string(), 100);
            ledger.hear(NOW, &one, 0);
            left(&ledger, NOW, &[one]);
        }
        let told = [(); 4].map(|()| ledger.debts(2).1.len());
        assert_eq!(told, [2, 2, 1, 0]);
    }

    #[test]
    fn a_crowd_of_strangers_costs_no_more_room() {
        let ledger = Ledger::default();
        let owing = [bucket("owing", 100)];
        ledger.hear(NOW, &owing[0], 0);
        left(&ledger, NOW, &owing);
        for stranger in 0..MOST + 100 {
            ledger.hear(NOW, &bucket(&format!("stranger {stranger}"), 100), 0);
        }
        assert_eq!(ledger.known.lock().entries.len(), MOST);
        ledger.hear(NOW + 2 * SWEEP_EVERY, &bucket("late", 100), 0);
        assert_eq!(ledger.known.lock().entries.len(), 2, "what is owed is kept");
    }
}
