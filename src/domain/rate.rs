//! How often something may be done: buckets that fill again as time goes by (GCRA).
//!
//! *Invariant:* all that is kept of a bucket is one number, the moment at which it will be full again; who keeps it,
//! here or in Redis, asks the same questions of it and gets the same answers.

use std::{num::NonZeroU32, time::Duration};

/// The longest that an empty bucket takes to be full, in microseconds: 31 years. Twice that is still a whole number
/// for those who count in floating point.
const LONGEST: u64 = 1_000_000_000_000_000;

/// A bucket's size, and how fast it fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Between two that come by themselves, in microseconds; 1 at least.
    interval: u64,
    /// How many it holds.
    burst: u32,
}

/// What is in a bucket at some moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level {
    /// How many may be taken at once.
    pub left: u32,
    /// How long until there is one to take; zero while there is.
    pub wait: Duration,
    /// How long until it is full, if nothing is taken.
    pub full_in: Duration,
}

/// What is done with several buckets at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Nothing is taken.
    Look,
    /// One is taken of each, or of none when one of them is empty.
    Take,
    /// One is taken of each that is not empty.
    Count,
    /// One that was taken of each is put back.
    Refund,
}

impl Limit {
    /// `count` in every `period`, of which `burst` may be saved up.
    pub fn new(count: NonZeroU32, period: Duration, burst: NonZeroU32) -> Self {
        let period = u64::try_from(period.as_micros()).unwrap_or(LONGEST);
        let interval = (period / u64::from(count.get())).clamp(1, LONGEST / u64::from(burst.get()));
        Self { interval, burst: burst.get() }
    }

    /// Between two that come by themselves, in microseconds.
    pub fn interval(self) -> u64 {
        self.interval
    }

    /// How many it holds.
    pub fn burst(self) -> u32 {
        self.burst
    }

    /// What is in a bucket that will be full at `full_at`; moments are microseconds since whenever.
    pub fn level(self, full_at: u64, now: u64) -> Level {
        let missing = full_at.saturating_sub(now);
        let capacity = self.interval * u64::from(self.burst);
        let left = capacity.saturating_sub(missing) / self.interval;
        let wait = (missing + self.interval).saturating_sub(capacity);
        Level {
            left: u32::try_from(left).unwrap_or(self.burst),
            wait: Duration::from_micros(wait),
            full_in: Duration::from_micros(missing),
        }
    }

    /// When a bucket that would be full at `full_at` will be, once one more is taken; an empty one stays as it is.
    fn taken(self, full_at: u64, now: u64) -> u64 {
        if self.level(full_at, now).left == 0 { full_at } else { full_at.max(now) + self.interval }
    }

    /// The same once `count` were taken of it without asking; at most all that is in it.
    pub fn charged(self, full_at: u64, now: u64, count: u32) -> u64 {
        let capacity = self.interval * u64::from(self.burst);
        let taken = self.interval.saturating_mul(count.min(self.burst).into());
        if count == 0 { full_at } else { (full_at.max(now) + taken).min(now + capacity) }
    }

    /// The same once one is put back; a full bucket stays full.
    fn refunded(self, full_at: u64) -> u64 {
        full_at.saturating_sub(self.interval)
    }
}

/// Does `verb` with these buckets, each given by when it would be full; gives what was in them before.
pub fn apply(verb: Verb, now: u64, buckets: &mut [(Limit, u64)]) -> Vec<Level> {
    let levels: Vec<_> = buckets.iter().map(|(limit, full_at)| limit.level(*full_at, now)).collect();
    let is_done = match verb {
        Verb::Look => false,
        Verb::Take => levels.iter().all(|level| level.left > 0),
        Verb::Count | Verb::Refund => true,
    };
    if is_done {
        for (limit, full_at) in buckets {
            *full_at = match verb {
                Verb::Refund => limit.refunded(*full_at),
                Verb::Look | Verb::Take | Verb::Count => limit.taken(*full_at, now),
            };
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn limit(count: u32, period: Duration, burst: u32) -> Limit {
        Limit::new(NonZeroU32::new(count).unwrap(), period, NonZeroU32::new(burst).unwrap())
    }

    const SECOND: u64 = 1_000_000;

    #[test]
    fn a_bucket_gives_its_burst_and_then_what_comes_by_itself() {
        let limit = limit(2, Duration::from_secs(1), 3);
        let mut bucket = [(limit, 0)];
        let mut left = |now| apply(Verb::Take, now, &mut bucket)[0].left;
        assert_eq!([left(SECOND), left(SECOND), left(SECOND), left(SECOND)], [3, 2, 1, 0]);
        assert_eq!(left(SECOND + SECOND / 2 - 1), 0);
        assert_eq!([left(SECOND + SECOND / 2), left(SECOND + SECOND / 2)], [1, 0]);
        assert_eq!(left(SECOND * 60), 3);
    }

    #[test]
    fn who_is_refused_is_told_when_to_come_again() {
        let limit = limit(10, Duration::from_secs(900), 10);
        let mut bucket = [(limit, 0)];
        for _ in 0..10 {
            apply(Verb::Take, 0, &mut bucket);
        }
        let [level] = apply(Verb::Take, 30 * SECOND, &mut bucket)[..] else { panic!() };
        let (wait, full_in) = (Duration::from_secs(60), Duration::from_secs(870));
        assert_eq!(level, Level { left: 0, wait, full_in });
        assert_eq!(apply(Verb::Take, 90 * SECOND, &mut bucket)[0].left, 1);
    }

    #[test]
    fn all_are_taken_or_none_unless_they_are_counted() {
        let limit = limit(1, Duration::from_secs(1), 1);
        let mut buckets = [(limit, 0), (limit, SECOND)];
        apply(Verb::Take, 0, &mut buckets);
        assert_eq!(buckets.map(|(_, full_at)| full_at), [0, SECOND]);
        apply(Verb::Look, 0, &mut buckets);
        assert_eq!(buckets.map(|(_, full_at)| full_at), [0, SECOND]);
        apply(Verb::Count, 0, &mut buckets);
        assert_eq!(buckets.map(|(_, full_at)| full_at), [SECOND, SECOND]);
    }

    #[test]
    fn what_was_taken_can_be_put_back_and_no_more_than_that() {
        let limit = limit(1, Duration::from_secs(10), 3);
        for (verbs, now, left) in [
            (&[Verb::Take][..], 0, 2),
            (&[Verb::Take, Verb::Refund], 0, 3),
            (&[Verb::Take, Verb::Take, Verb::Refund], 0, 2),
            (&[Verb::Take, Verb::Take, Verb::Take, Verb::Take, Verb::Refund], 0, 1),
            // A full one stays full, and keeps nothing for later
            (&[Verb::Refund, Verb::Refund, Verb::Take], 0, 2),
            (&[Verb::Take, Verb::Refund], 20 * SECOND, 3),
        ] {
            let mut bucket = [(limit, 0)];
            for verb in verbs {
                apply(*verb, 100 * SECOND, &mut bucket);
            }
            assert_eq!(apply(Verb::Look, 100 * SECOND + now, &mut bucket)[0].left, left, "{verbs:?}");
        }
    }

    #[test]
    fn what_was_taken_without_asking_leaves_a_bucket_empty_at_most() {
        let limit = limit(1, Duration::from_secs(1), 3);
        let now = 100 * SECOND;
        for (full_at, count, left) in [
            (0, 0, 3),
            (0, 1, 2),
            (0, 3, 0),
            (0, u32::MAX, 0),
            (now + SECOND, 1, 1),
            (now + 3 * SECOND, 9, 0),
        ] {
            assert_eq!(limit.level(limit.charged(full_at, now, count), now).left, left, "{full_at} {count}");
        }
    }

    #[test]
    fn no_rate_is_too_much_to_count() {
        for (count, period, burst) in
            [(u32::MAX, 1, u32::MAX), (1, u64::MAX, u32::MAX), (1, u64::MAX, 1), (u32::MAX, 1, 1)]
        {
            let limit = limit(count, Duration::from_secs(period), burst);
            let mut bucket = [(limit, 0)];
            assert_eq!(apply(Verb::Take, LONGEST, &mut bucket)[0].left, burst);
            assert_eq!(apply(Verb::Take, LONGEST, &mut bucket)[0].left, burst - 1);
        }
    }

    proptest! {
        #[test]
        fn never_more_than_the_burst_and_what_came_since(
            count in 1u32..50, period in 1u64..5, burst in 1u32..20,
            steps in prop::collection::vec(0u64..300_000, 1..200),
        ) {
            let limit = limit(count, Duration::from_secs(period), burst);
            let (mut bucket, mut now, mut taken) = ([(limit, 0)], 1, 0u64);
            for step in steps {
                now += step;
                let level = apply(Verb::Take, now, &mut bucket)[0];
                taken += u64::from(level.left > 0);
                prop_assert_eq!(level.left == 0, level.wait > Duration::ZERO);
                prop_assert!(level.left <= burst);
                prop_assert!(taken <= u64::from(burst) + now / limit.interval());
            }
        }
    }
}
