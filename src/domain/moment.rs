//! Timestamps as clients write them and read them: RFC 3339.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
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
        is_kept(moment).then_some(Self(moment)).ok_or_else(wrong)
    }
}

/// A point in time to the microsecond that it is kept by: a part of a cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Exact(pub Moment);

impl Serialize for Exact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_i64(self.0.0.as_microsecond())
    }
}

/// A cursor comes back from clients: nothing that PostgreSQL could not read gets through.
impl<'de> Deserialize<'de> for Exact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let micros = i64::deserialize(deserializer)?;
        let moment = Timestamp::from_microsecond(micros).ok().filter(|moment| is_kept(*moment));
        moment.map(|moment| Self(Moment(moment))).ok_or_else(|| de::Error::custom("no moment that is kept"))
    }
}

/// Whether it lies in the years 1970 to 9998.
fn is_kept(moment: Timestamp) -> bool {
    moment >= Timestamp::UNIX_EPOCH && moment.as_second() <= 253_370_764_799
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

    #[test]
    fn a_cursor_keeps_microseconds_and_takes_no_others() {
        let moment = Exact(Moment::read(&json!("2026-05-01T20:00:00.123456Z")).unwrap());
        let kept = serde_json::to_value(moment).unwrap();
        assert_eq!(serde_json::from_value::<Exact>(kept).unwrap(), moment);
        for wrong in [json!(-1), json!(i64::MAX), json!("x"), json!(null)] {
            assert!(serde_json::from_value::<Exact>(wrong.clone()).is_err(), "{wrong}");
        }
    }
}
