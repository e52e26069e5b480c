//! Who is in which party, and as what.

use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Connection, DatabaseError,
    moment::{moment, optional_moment, parameter},
    person::person,
};
use crate::domain::{
    attendance::{Attendance, Attendee, Presence, Role, Rsvp},
    moment::Exact,
};

/// Somebody who is in the party.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
) -> Result<Option<Attendee>, DatabaseError> {
    const FIND: &str = include_str!("queries/attendances/find.sql");
    let row = connection.query_opt(FIND, &[&party, &person]).await?;
    Ok(row.as_ref().and_then(attendee))
}

/// Those of `people` who are or were in the party, and whether they still are; in no order.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn among(
    connection: &mut Connection,
    party: Uuid,
    people: &[Uuid],
) -> Result<Vec<(Attendee, Presence)>, DatabaseError> {
    const AMONG: &str = include_str!("queries/attendances/among.sql");
    let rows = connection.query(AMONG, &[&party, &people]).await?;
    Ok(rows.iter().filter_map(|row| Some((attendee(row)?, place(row)?.presence))).collect())
}

/// At most `limit` people who are in the party and joined after `after`, in the order in which they joined.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page(
    connection: &mut Connection,
    party: Uuid,
    after: Option<(Exact, Uuid)>,
    limit: i64,
) -> Result<Vec<Attendee>, DatabaseError> {
    const PAGE: &str = include_str!("queries/attendances/page.sql");
    let joined_at = after.map(|(Exact(joined_at), _)| parameter(joined_at));
    let rows = connection.query(PAGE, &[&party, &joined_at, &after.map(|(_, id)| id), &limit]).await?;
    Ok(rows.iter().filter_map(attendee).collect())
}

/// Adds the host of a new party, who takes no seat.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn add_host(connection: &mut Connection, party: Uuid, host: Uuid) -> Result<(), DatabaseError> {
    const ADD_HOST: &str = include_str!("queries/attendances/add_host.sql");
    connection.execute(ADD_HOST, &[&party, &host]).await?;
    Ok(())
}

/// Gives somebody a place, the first or another one, and counts the seat that it takes or frees. The party has to be
/// locked: see [`super::parties::lock`].
///
/// # Errors
///
/// [`DatabaseError`]; `attendances_person_id_fkey` is violated when the person is gone.
pub async fn put(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
    place: Attendance,
) -> Result<(), DatabaseError> {
    const PUT: &str = include_str!("queries/attendances/put.sql");
    let Attendance { role, presence, rsvp } = place;
    connection.execute(PUT, &[&party, &person, &role.name(), &presence.name(), &rsvp.name()]).await?;
    Ok(())
}

/// Notes that somebody has arrived, unless it is noted already.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn check_in(connection: &mut Connection, party: Uuid, person: Uuid) -> Result<(), DatabaseError> {
    const CHECK_IN: &str = include_str!("queries/attendances/check_in.sql");
    connection.execute(CHECK_IN, &[&party, &person]).await?;
    Ok(())
}

/// How many cohosts the party has.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn cohosts(connection: &mut Connection, party: Uuid) -> Result<i64, DatabaseError> {
    const COHOSTS: &str = include_str!("queries/attendances/cohosts.sql");
    let row = connection.query_opt(COHOSTS, &[&party]).await?;
    Ok(row.map(|row| row.get(0)).unwrap_or_default())
}

/// The place in the columns `role, state, rsvp`, if there is one.
pub(super) fn place(row: &Row) -> Option<Attendance> {
    Some(Attendance {
        role: Role::named(row.get::<_, Option<&str>>("role")?)?,
        presence: Presence::named(row.get::<_, Option<&str>>("state")?)?,
        rsvp: Rsvp::named(row.get::<_, Option<&str>>("rsvp")?)?,
    })
}

fn attendee(row: &Row) -> Option<Attendee> {
    let Attendance { role, rsvp, .. } = place(row)?;
    Some(Attendee {
        person: person(row),
        role,
        rsvp,
        joined_at: moment(row, "joined_at"),
        checked_in_at: optional_moment(row, "checked_in_at"),
    })
}
