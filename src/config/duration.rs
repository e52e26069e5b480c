//! Spans of time as people write them: `500ms`, `5 s`, `7d`; a bare number is seconds.

use std::ops::RangeInclusive;
use std::time::Duration;

use super::problem::Expected;

/// Longest unit first, so that a span is shown in the largest unit that holds it whole.
const UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// Reads a number with `ms`, `s`, `m`, `h` or `d`; a bare number is seconds. `None` when it is not one.
pub(super) fn read(text: &str) -> Option<Duration> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.trim_start();
    let millis = if unit.is_empty() { 1_000 } else { UNITS.iter().find(|(name, _)| *name == unit)?.1 };
    match number.parse::<u64>() {
        Ok(whole) => whole.checked_mul(millis).map(Duration::from_millis),
        Err(_) => {
            let span = Duration::from_millis(millis);
            Duration::try_from_secs_f64(number.parse::<f64>().ok()? * span.as_secs_f64()).ok()
        }
    }
}

/// Writes a span of whole milliseconds the way [`read`] takes it.
pub(super) fn show(span: Duration) -> String {
    let total = u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let fitting = UNITS.iter().find(|(_, millis)| total >= *millis && total.is_multiple_of(*millis));
    fitting.map_or_else(|| "0s".to_owned(), |(unit, millis)| format!("{}{unit}", total / millis))
}

/// A parser for spans within a range.
pub(super) fn within(range: RangeInclusive<Duration>) -> impl FnOnce(&str) -> Result<Duration, Expected> {
    move |text| {
        read(text).filter(|span| range.contains(span)).ok_or_else(|| {
            let (least, most) = (show(*range.start()), show(*range.end()));
            Expected::new(format!("a duration from {least} to {most}, such as 500ms, 5s, 10m, 24h or 7d"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_with_a_unit_is_a_span_and_a_bare_one_is_seconds() {
        for (text, millis) in [
            ("500ms", 500),
            ("500 ms", 500),
            ("5s", 5_000),
            ("5", 5_000),
            ("0", 0),
            ("0.25", 250),
            ("1.5h", 5_400_000),
            ("15m", 900_000),
            ("24h", 86_400_000),
            ("7d", 604_800_000),
        ] {
            assert_eq!(read(text), Some(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn what_is_no_span_is_refused() {
        for text in [
            "",
            "s",
            "-1s",
            "+1s",
            "1e3",
            "1.2.3s",
            ".",
            "5 S",
            "5sec",
            "5s5",
            "1w",
            "inf",
            "NaN",
            "∞",
            "99999999999999999999d",
            "99999999999999999d",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn a_span_is_shown_in_its_largest_whole_unit() {
        for text in ["0s", "100ms", "1500ms", "90s", "1m", "36h", "7d"] {
            assert_eq!(show(read(text).unwrap()), text);
        }
    }

    #[test]
    fn a_range_includes_its_ends_and_names_them() {
        let minute = || within(Duration::from_millis(100)..=Duration::from_secs(60));
        assert_eq!(minute()("100ms"), Ok(Duration::from_millis(100)));
        assert_eq!(minute()("60"), Ok(Duration::from_secs(60)));
        for text in ["99ms", "60001ms", "0"] {
            let expected = minute()(text).unwrap_err().to_string();
            assert!(expected.starts_with("a duration from 100ms to 1m"), "{expected}");
        }
    }
}
