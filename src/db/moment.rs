//! Timestamps in rows. The driver knows the standard library's.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use tokio_postgres::Row;

use crate::domain::moment::Moment;

/// The timestamp in that column.
pub(super) fn moment(row: &Row, column: &str) -> Moment {
    from(row.get(column))
}

/// The timestamp in that column, unless it is null.
pub(super) fn optional_moment(row: &Row, column: &str) -> Option<Moment> {
    row.get::<_, Option<SystemTime>>(column).map(from)
}

/// As a statement's parameter.
pub(super) fn parameter(moment: Moment) -> SystemTime {
    // What is read from clients lies after 1970
    let micros = u64::try_from(moment.0.as_microsecond()).unwrap_or_default();
    UNIX_EPOCH + Duration::from_micros(micros)
}

/// What PostgreSQL keeps lies within what a timestamp can be; its infinities are not written.
fn from(time: SystemTime) -> Moment {
    Moment(Timestamp::try_from(time).unwrap_or_default())
}
