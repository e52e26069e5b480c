//! Timestamps as clients write them and read them: RFC 3339.

use jiff::Timestamp;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::fields::Wrong;

/// A point in time, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub Timestamp);

impl Moment {
    /// Reads one; any offset is accepted.
    ///
    /// # Errors
    ///
    /// It is none, or lies beyond what is kept: the years 1970 to 9998.
    pub fn read(value: &Value) -> Result<Self, Wrong> {
        let wrong =
            || Wrong::new("INVALID_DATE", "must be a date and time in RFC 3339, as 2026-05-01T20:00:00Z");
        let text = value.as_str().ok_or_else(wrong)?;
        let moment: Timestamp = text.parse().map_err(|_details| wrong())?;
        let sane = (0..=253_370_764_799).contains(&moment.as_second());
        sane.then_some(Self(moment)).ok_or_else(wrong)
    }
}

/// In UTC with milliseconds and `Z`.
impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&format_args!("{:.3}", self.0))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn moments_are_read_with_any_offset_and_written_in_utc_with_milliseconds() {
        for (read, written) in [
            ("2026-05-01T20:00:00Z", Some("2026-05-01T20:00:00.000Z")),
            ("2026-05-01T22:00:00.1234+02:00", Some("2026-05-01T20:00:00.123Z")),
            ("2026-05-01", None),
            ("1969-12-31T23:59:59Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            let moment = Moment::read(&json!(read)).ok();
            assert_eq!(moment.map(|m| json!(m)), written.map(|w| json!(w)), "{read}");
        }
        assert!(Moment::read(&json!(5)).is_err());
    }
}
