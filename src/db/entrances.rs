//! What decides whether somebody is let into a party's rooms, and what they show there.

use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Connection, DatabaseError, attendances,
    events::line_of_history,
    moment::{moment, optional_moment},
    person::person,
};
use crate::domain::{
    access::Openness, attendance::Attendance, moment::Moment, party::Status, person::Person,
};

/// What decides whether somebody is let into a party's rooms, and what they show there; all of one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Entrance {
    /// What of the party decides who may see it.
    pub openness: Openness,
    /// When the party ended.
    pub ended_at: Option<Moment>,
    /// The party's last number.
    pub seq: i64,
    /// The log's line of history.
    pub epoch: Uuid,
    /// Their place in the party, if they are people.
    pub attendance: Option<Attendance>,
    /// Whether they are a screen of the party.
    pub is_display: bool,
    /// The face of people.
    pub person: Option<Person>,
    /// When it was read, by the database's clock.
    pub read_at: Moment,
}

/// For each of these callers, people and displays, what they find at the door of the party beside them; `None`: there is
/// no such party.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(
    connection: &mut Connection,
    asked: &[(Option<Uuid>, Uuid)],
) -> Result<Vec<Option<Entrance>>, DatabaseError> {
    const FIND: &str = include_str!("queries/entrances/find.sql");
    let (callers, parties): (Vec<_>, Vec<_>) = asked.iter().copied().unzip();
    let rows = connection.query(FIND, &[&callers, &parties]).await?;
    let mut entrances = vec![None; asked.len()];
    for row in &rows {
        let nth = usize::try_from(row.get::<_, i64>("nth")).ok().and_then(|nth| nth.checked_sub(1));
        if let Some(place) = nth.and_then(|nth| entrances.get_mut(nth)) {
            *place = Some(entrance(row));
        }
    }
    Ok(entrances)
}

fn entrance(row: &Row) -> Entrance {
    // As of a party that is read whole: what a newer binary adds is not for this one to act on
    let status = Status::named(row.get("status")).unwrap_or(Status::Cancelled);
    Entrance {
        openness: Openness {
            is_private: row.get("is_private"),
            is_draft: status == Status::Draft || row.get("cancelled_as_draft"),
        },
        ended_at: optional_moment(row, "ended_at"),
        seq: row.get("seq"),
        epoch: line_of_history(row),
        attendance: attendances::place(row),
        is_display: row.get("is_display"),
        person: row.get::<_, Option<Uuid>>("person_id").map(|_| person(row)),
        read_at: moment(row, "read_at"),
    }
}
