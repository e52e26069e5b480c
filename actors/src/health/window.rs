//! The latencies of the last probes of one part, and their percentiles.

use std::{collections::VecDeque, time::Duration};

/// How many are remembered.
const LENGTH: usize = 100;

/// The latencies of the last 100 probes that were answered.
#[derive(Clone, Debug, Default)]
pub struct Window(VecDeque<Duration>);

impl Window {
    /// Adds one; the oldest gives way.
    pub fn push(&mut self, latency: Duration) {
        if self.0.len() == LENGTH {
            self.0.pop_front();
        }
        self.0.push_back(latency);
    }

    /// The least latency that `percent` per cent of them do not exceed (nearest rank). `None`: no probe yet.
    pub fn percentile(&self, percent: usize) -> Option<Duration> {
        let mut sorted: Vec<Duration> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let rank = (percent * sorted.len()).div_ceil(100).max(1);
        sorted.get(rank - 1).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(millis: impl IntoIterator<Item = u64>) -> Window {
        let mut window = Window::default();
        millis.into_iter().for_each(|millis| window.push(Duration::from_millis(millis)));
        window
    }

    #[test]
    fn percentiles_are_nearest_ranks() {
        for (millis, p50, p99) in
            [(vec![], None, None), (vec![7], Some(7), Some(7)), (vec![9, 1], Some(1), Some(9))]
        {
            let window = window(millis.clone());
            let found = (window.percentile(50), window.percentile(99));
            assert_eq!(found, (p50.map(Duration::from_millis), p99.map(Duration::from_millis)), "{millis:?}");
        }
        let hundred = window((1..=100).rev());
        assert_eq!(hundred.percentile(50), Some(Duration::from_millis(50)));
        assert_eq!(hundred.percentile(99), Some(Duration::from_millis(99)));
    }

    #[test]
    fn the_oldest_gives_way_to_the_hundred_and_first() {
        let window = window([1_000].into_iter().chain((0..100).map(|_| 1)));
        assert_eq!(window.percentile(100), Some(Duration::from_millis(1)));
    }
}
