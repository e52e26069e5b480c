//! What one client may ask of a session.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// Frames a second, and as many at once.
const FRAMES_PER_SECOND: u32 = 50;
/// Refused frames that are borne within [`REFUSED_WITHIN`].
const REFUSED: usize = 50;
const REFUSED_WITHIN: Duration = Duration::from_secs(10);

/// What one client may ask of a session.
#[derive(Debug, Default)]
pub(super) struct Allowance {
    /// When the frames that were taken so far would have come at the highest steady pace.
    paced: Option<Instant>,
    refused: VecDeque<Instant>,
}

impl Allowance {
    /// Whether one more frame may come `now`; it is counted if so.
    pub(super) fn take_frame(&mut self, now: Instant) -> bool {
        let gap = Duration::from_secs(1) / FRAMES_PER_SECOND;
        let burst = gap * (FRAMES_PER_SECOND - 1);
        let paced = self.paced.map_or(now, |paced| paced.max(now));
        let may = paced.saturating_duration_since(now) <= burst;
        if may {
            self.paced = Some(paced + gap);
        }
        may
    }

    /// Counts a refused frame; `false` when that was one too many.
    pub(super) fn bear_refused(&mut self, now: Instant) -> bool {
        while self.refused.front().is_some_and(|at| now.saturating_duration_since(*at) >= REFUSED_WITHIN) {
            self.refused.pop_front();
        }
        self.refused.push_back(now);
        self.refused.len() <= REFUSED
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_51st_refused_frame_in_ten_seconds_is_one_too_many() {
        let start = Instant::now();
        let mut allowance = Allowance::default();
        for n in 0..50 {
            assert!(allowance.bear_refused(start + Duration::from_millis(n * 190)), "{n}");
        }
        assert!(!allowance.bear_refused(start + Duration::from_millis(9_999)));

        let mut allowance = Allowance::default();
        for n in 0..50 {
            assert!(allowance.bear_refused(start + Duration::from_millis(n * 190)), "{n}");
        }
        assert!(allowance.bear_refused(start + Duration::from_millis(10_000)), "the first is forgotten");
    }

    #[test]
    fn fifty_frames_may_come_at_once_and_fifty_a_second_for_ever() {
        let start = Instant::now();
        let mut allowance = Allowance::default();
        assert_eq!((0..200).filter(|_| allowance.take_frame(start)).count(), 50);
        for n in 1..500 {
            assert!(allowance.take_frame(start + Duration::from_millis(20 * n)), "{n}");
        }
    }

    proptest! {
        /// However frames come, no second holds more than twice the rate: a burst and a second's refill.
        #[test]
        fn no_second_holds_more_than_a_burst_and_its_refill(gaps in prop::collection::vec(0_u64..30, 1..600)) {
            let mut now = Instant::now();
            let mut allowance = Allowance::default();
            let mut taken: VecDeque<Instant> = VecDeque::new();
            for gap in gaps {
                now += Duration::from_millis(gap);
                taken.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
                if allowance.take_frame(now) {
                    taken.push_back(now);
                }
                prop_assert!(taken.len() <= 100, "{}", taken.len());
            }
        }
    }
}
