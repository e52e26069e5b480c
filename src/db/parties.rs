//! Parties as they are kept, and the place that somebody has in them.

use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Connection, DatabaseError, attendances,
    moment::{moment, optional_moment},
    person::person,
};
use crate::domain::{
    attendance::Attendance,
    moment::Moment,
    party::{Party, Plan, Status},
};

/// A party, as somebody finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The party.
    pub party: Party,
    /// The place in it of the person who looks.
    pub attendance: Option<Attendance>,
    /// When it was read, by the database's clock.
    pub read_at: Moment,
}

/// The party, as `viewer` finds it.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(
    connection: &mut Connection,
    id: Uuid,
    viewer: Option<Uuid>,
) -> Result<Option<Found>, DatabaseError> {
    const FIND: &str =
        concat!(include_str!("queries/parties/seen.sql"), include_str!("queries/parties/find.sql"));
    let row = connection.query_opt(FIND, &[&viewer, &id]).await?;
    Ok(row.as_ref().map(found))
}

/// The party, which nobody else changes until this transaction ends: it neither joins nor logs.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn lock(
    connection: &mut Connection,
    id: Uuid,
    viewer: Option<Uuid>,
) -> Result<Option<Found>, DatabaseError> {
    const LOCK: &str =
        concat!(include_str!("queries/parties/seen.sql"), include_str!("queries/parties/lock.sql"));
    let row = connection.query_opt(LOCK, &[&viewer, &id]).await?;
    Ok(row.as_ref().map(found))
}

/// The party whose access code has one of these marks.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find_by_code(
    connection: &mut Connection,
    marks: &[Vec<u8>],
    viewer: Option<Uuid>,
) -> Result<Option<Found>, DatabaseError> {
    const FIND_BY_CODE: &str =
        concat!(include_str!("queries/parties/seen.sql"), include_str!("queries/parties/find_by_code.sql"));
    let rows = connection.query(FIND_BY_CODE, &[&viewer, &marks]).await?;
    Ok(rows.first().map(found))
}

fn found(row: &Row) -> Found {
    Found { party: party(row), attendance: attendances::place(row), read_at: moment(row, "read_at") }
}

fn party(row: &Row) -> Party {
    let venue: Option<serde_json::Value> = row.get("venue");
    Party {
        id: row.get("id"),
        host: person(row),
        plan: Plan {
            title: row.get("title"),
            description: row.get("description"),
            starts_at: moment(row, "starts_at"),
            ends_at: optional_moment(row, "ends_at"),
            is_private: row.get("is_private"),
            max_attendees: row.get("max_attendees"),
            // Written by us alone, from the same shape
            venue: venue.and_then(|venue| serde_json::from_value(venue).ok()),
            tags: row.get("tags"),
        },
        // The schema takes no other; what a newer binary adds is not for this one to act on
        status: Status::named(row.get("status")).unwrap_or(Status::Cancelled),
        started_at: optional_moment(row, "started_at"),
        ended_at: optional_moment(row, "ended_at"),
        attendees_count: row.get("attendees_count"),
        media_count: row.get("media_count"),
        code_sealed: row.get("code_sealed"),
        seq: row.get("seq"),
        revision: row.get("revision"),
        created_at: moment(row, "created_at"),
        updated_at: moment(row, "updated_at"),
    }
}
