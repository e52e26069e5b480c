//! This pod's own buckets, for as long as there is no Redis to keep those of all pods.

use std::collections::HashMap;

use parking_lot::Mutex;

use super::buckets::Bucket;
use crate::domain::rate::{Level, Verb, apply};

/// How many are kept at most. One more than that is taken for full, and is not kept: who is known stays limited.
const MOST: usize = 65_536;

/// Buckets by name, each as the moment at which it will be full.
#[derive(Debug, Default)]
pub(super) struct Memory {
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    full_at: HashMap<String, u64>,
    /// When those that are full were last looked for, which takes a while.
    swept_at: u64,
}

impl Memory {
    /// Does `verb` with these buckets, `now` in microseconds; gives what was in each before.
    pub(super) fn apply(&self, verb: Verb, now: u64, buckets: &[Bucket]) -> Vec<Level> {
        let mut kept = self.kept.lock();
        let full_at = |bucket: &Bucket| kept.full_at.get(&bucket.name).copied().unwrap_or_default();
        let mut states: Vec<_> = buckets.iter().map(|bucket| (bucket.limit, full_at(bucket))).collect();
        let levels = apply(verb, now, &mut states);
        for (bucket, (_, full_at)) in buckets.iter().zip(states) {
            if full_at > now {
                kept.keep(&bucket.name, full_at, now);
            } else {
                // A full bucket is as good as none
                kept.full_at.remove(&bucket.name);
            }
        }
        levels
    }
}

impl Kept {
    fn keep(&mut self, name: &str, full_at: u64, now: u64) {
        if let Some(known) = self.full_at.get_mut(name) {
            *known = full_at;
            return;
        }
        if self.full_at.len() >= MOST && self.swept_at + SWEEP_EVERY <= now {
            self.full_at.retain(|_, full_at| *full_at > now);
            self.swept_at = now;
        }
        if self.full_at.len() < MOST {
            self.full_at.insert(name.to_owned(), full_at);
        }
    }
}

/// A second, in microseconds.
const SWEEP_EVERY: u64 = 1_000_000;

#[cfg(test)]
mod tests {
    use std::{num::NonZeroU32, time::Duration};

    use super::*;
    use crate::domain::rate::Limit;

    fn bucket(name: &str) -> Bucket {
        Bucket {
            name: name.to_owned(),
            limit: Limit::new(NonZeroU32::MIN, Duration::from_secs(10), NonZeroU32::MIN),
        }
    }

    #[test]
    fn it_remembers_who_has_taken_what() {
        let memory = Memory::default();
        let left = |name| memory.apply(Verb::Take, 1, &[bucket(name)])[0].left;
        assert_eq!([left("a"), left("a"), left("b"), left("b")], [1, 0, 1, 0]);
    }

    #[test]
    fn what_is_put_back_is_there_again() {
        let memory = Memory::default();
        let left = |verb| memory.apply(verb, 1, &[bucket("a")])[0].left;
        let verbs = [Verb::Take, Verb::Refund, Verb::Take, Verb::Take];
        assert_eq!(verbs.map(left), [1, 0, 1, 0]);
    }

    #[test]
    fn a_crowd_of_strangers_costs_no_more_room_and_frees_nobody_who_is_known() {
        let memory = Memory::default();
        let second = 1_000_000;
        memory.apply(Verb::Take, second, &[bucket("known")]);
        for stranger in 0..MOST + 100 {
            memory.apply(Verb::Take, 2 * second, &[bucket(&format!("stranger {stranger}"))]);
        }
        assert_eq!(memory.kept.lock().full_at.len(), MOST);
        assert_eq!(memory.apply(Verb::Take, 2 * second, &[bucket("known")])[0].left, 0);
        // All are full again by then
        memory.apply(Verb::Take, 20 * second, &[bucket("late")]);
        assert_eq!(memory.kept.lock().full_at.len(), 1);
    }
}
