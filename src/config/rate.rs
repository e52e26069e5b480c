//! How often something may be done: `20/s burst 50`.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::Duration;

use super::duration;
use super::problem::Expected;

/// So many in a period, and at most so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many a period brings.
    pub count: NonZeroU32,
    /// The period; never zero.
    pub period: Duration,
    /// How many may be saved up and done at once; `count` unless said otherwise.
    pub burst: NonZeroU32,
}

impl FromStr for Rate {
    type Err = Expected;

    fn from_str(text: &str) -> Result<Self, Expected> {
        read(text).ok_or(Expected::new("a rate such as 30/m, 10/15m or 20/s burst 50"))
    }
}

fn read(text: &str) -> Option<Rate> {
    let (count, rest) = text.split_once('/')?;
    let (period, burst) = match rest.split_once(" burst ") {
        Some((period, burst)) => (period, Some(burst)),
        None => (rest, None),
    };
    let count = count.trim().parse().ok()?;
    let period = period.trim();
    // A bare number would be seconds, which "10/15" does not say
    let period = match period.chars().next()? {
        first if first.is_ascii_alphabetic() => duration::read(&format!("1{period}"))?,
        _ if period.ends_with(|last: char| last.is_ascii_alphabetic()) => duration::read(period)?,
        _ => return None,
    };
    let burst = burst.map_or(Some(count), |burst| burst.trim().parse().ok())?;
    (!period.is_zero()).then_some(Rate { count, period, burst })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(count: u32, seconds: u64, burst: u32) -> Rate {
        let (count, burst) = (NonZeroU32::new(count).unwrap(), NonZeroU32::new(burst).unwrap());
        Rate { count, period: Duration::from_secs(seconds), burst }
    }

    #[test]
    fn a_rate_is_a_count_a_period_and_a_burst() {
        for (text, expected) in [
            ("20/s burst 50", rate(20, 1, 50)),
            ("1000/s", rate(1_000, 1, 1_000)),
            ("30/m", rate(30, 60, 30)),
            ("10/15m", rate(10, 900, 10)),
            ("10 / 15 m  burst  3", rate(10, 900, 3)),
            ("300/h", rate(300, 3_600, 300)),
        ] {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in [
            "",
            "20",
            "/s",
            "20/",
            "0/s",
            "-1/s",
            "20/s burst",
            "20/s burst 0",
            "20/s burst x",
            "20/s 50",
            "20/0s",
            "20/15",
            "20/min",
            "20/s/s",
            "4294967296/s",
        ] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }
}
