//! Delays that grow: the one file that knows the `backoff` crate, so that replacing it is one file's work.

use std::time::Duration;

use ::backoff::{ExponentialBackoff, backoff::Backoff as _};

/// How long to wait before trying again, and how the wait grows.
#[derive(Clone, Copy, Debug)]
pub struct BackoffConfig {
    /// The first delay, before jitter.
    pub initial: Duration,
    /// The delay that is never exceeded but by jitter.
    pub longest: Duration,
    /// What each delay is multiplied by to give the next.
    pub factor: f64,
    /// The part of a delay by which it may differ in either direction: 0.2 is ± 20 %.
    pub jitter: f64,
}

impl Default for BackoffConfig {
    /// 50 ms, doubled up to 10 s, ± 20 %: a first restart is over in less than 100 ms.
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(50),
            longest: Duration::from_secs(10),
            factor: 2.0,
            jitter: 0.2,
        }
    }
}

impl BackoffConfig {
    /// Delays that do not grow: `delay`, with that jitter.
    pub fn steady(delay: Duration, jitter: f64) -> Self {
        Self { initial: delay, longest: delay, factor: 1.0, jitter }
    }

    /// The delay after `nth` others, 0 being the first: for who counts elsewhere and keeps no sequence.
    pub fn delay(&self, nth: u32) -> Duration {
        let nth = i32::try_from(nth).unwrap_or(i32::MAX);
        let grown = self.initial.as_secs_f64() * self.factor.powi(nth);
        let initial = Duration::try_from_secs_f64(grown).unwrap_or(self.longest).min(self.longest);
        Backoff::new(Self { initial, ..*self }).next_delay()
    }
}

/// A sequence of growing delays with jitter; it never ends.
#[derive(Debug)]
pub struct Backoff {
    longest: Duration,
    inner: ExponentialBackoff,
}

impl Backoff {
    /// Starts at the configured first delay.
    pub fn new(config: BackoffConfig) -> Self {
        let inner = ExponentialBackoff {
            current_interval: config.initial,
            initial_interval: config.initial,
            max_interval: config.longest,
            multiplier: config.factor,
            randomization_factor: config.jitter,
            max_elapsed_time: None,
            ..ExponentialBackoff::default()
        };
        Self { longest: config.longest, inner }
    }

    /// The delay to wait now; the next one is longer.
    pub fn next_delay(&mut self) -> Duration {
        self.inner.next_backoff().unwrap_or(self.longest)
    }

    /// The delay that the sequence grows towards.
    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// Starts again with the first delay.
    pub fn reset(&mut self) {
        self.inner.reset();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_within_their_jitter_up_to_the_longest() {
        let config = BackoffConfig { longest: Duration::from_millis(300), ..BackoffConfig::default() };
        let mut backoff = Backoff::new(config);
        for expected in [50.0, 100.0, 200.0, 300.0, 300.0] {
            let delay = backoff.next_delay().as_secs_f64() * 1000.0;
            assert!((expected * 0.8 - 0.1..=expected * 1.2 + 0.1).contains(&delay), "{delay} for {expected}");
        }
        backoff.reset();
        assert!(backoff.next_delay() <= Duration::from_millis(60) + Duration::from_micros(1));
    }

    #[test]
    fn a_delay_by_its_number_is_that_of_the_sequence() {
        let config = BackoffConfig { jitter: 0.0, ..BackoffConfig::default() };
        let mut backoff = Backoff::new(config);
        for nth in 0..12 {
            assert_eq!(config.delay(nth).as_millis(), backoff.next_delay().as_millis(), "after {nth}");
        }
        assert_eq!(config.delay(u32::MAX), config.longest);
        let steady = BackoffConfig::steady(Duration::from_secs(1), 0.0);
        assert_eq!([steady.delay(0), steady.delay(9)], [Duration::from_secs(1); 2]);
    }
}
