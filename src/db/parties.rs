//! Parties as they are kept, and the place that somebody has in them.

use std::collections::HashMap;

use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Connection, DatabaseError, attendances,
    moment::{moment, optional_moment, parameter},
    person::person,
};
use crate::domain::{
    attendance::Attendance,
    moment::{Exact, Moment},
    party::{Party, Plan, Status, filter::Filter},
    picture::Cover,
};

/// A party, as somebody finds it.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The party.
    pub party: Party,
    /// The place in it of the person who looks.
    pub attendance: Option<Attendance>,
    /// Since when it is a favourite of that person.
    pub favorite_since: Option<Moment>,
    /// Whether it is a screen of this party that looks.
    pub is_display: bool,
    /// When it was read, by the database's clock.
    pub read_at: Moment,
}

/// Those of these parties that everybody may see, and the numbers of their last events.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn open(connection: &mut Connection, ids: &[Uuid]) -> Result<HashMap<Uuid, i64>, DatabaseError> {
    const OPEN: &str = include_str!("queries/parties/open.sql");
    let rows = connection.query(OPEN, &[&ids]).await?;
    Ok(rows.iter().map(|row| (row.get("id"), row.get("seq"))).collect())
}

/// One party, as somebody finds it.
pub(super) const FIND: &str =
    concat!(include_str!("queries/parties/seen.sql"), include_str!("queries/parties/find.sql"));

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
    let row = connection.query_opt(FIND, &[&viewer, &id]).await?;
    Ok(row.as_ref().map(found))
}

/// Keeps the party, if there is one, as it is until this transaction ends: nobody else edits it, joins it or logs in it.
/// What is read before may be out of date, what is read after is not.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn lock(connection: &mut Connection, id: Uuid) -> Result<(), DatabaseError> {
    const LOCK: &str = include_str!("queries/parties/lock.sql");
    connection.execute(LOCK, &[&id]).await.map(drop)
}

/// As [`lock`], for the party whose access code has one of these marks, and which it is.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn lock_by_code(
    connection: &mut Connection,
    marks: &[Vec<u8>],
) -> Result<Option<Uuid>, DatabaseError> {
    const LOCK_BY_CODE: &str = include_str!("queries/parties/lock_by_code.sql");
    let rows = connection.query(LOCK_BY_CODE, &[&marks]).await?;
    Ok(rows.first().map(|row| row.get("id")))
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

/// Those of these parties that are there, each with the place that `viewer` has in it; in no order.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn among(
    connection: &mut Connection,
    ids: &[Uuid],
    viewer: Option<Uuid>,
) -> Result<Vec<Found>, DatabaseError> {
    const AMONG: &str =
        concat!(include_str!("queries/parties/seen.sql"), include_str!("queries/parties/among.sql"));
    Ok(connection.query(AMONG, &[&viewer, &ids]).await?.iter().map(found).collect())
}

/// An access code as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptCode {
    /// What it is found by.
    pub hmac: Vec<u8>,
    /// What it is shown from.
    pub sealed: Vec<u8>,
}

/// A party that is to be.
#[derive(Clone, Debug, PartialEq)]
pub struct NewParty<'a> {
    /// Its id.
    pub id: Uuid,
    /// Who makes it.
    pub host: Uuid,
    /// What it is.
    pub plan: &'a Plan,
    /// DRAFT or PLANNED.
    pub status: Status,
    /// The code to join it by.
    pub code: Option<&'a KeptCode>,
}

/// Adds a party. Its host's attendance is added apart.
///
/// # Errors
///
/// [`DatabaseError`]; `parties_host_id_fkey` is violated when the host is gone, `parties_code_hmac_key` when
/// the code is another party's.
pub async fn insert(connection: &mut Connection, new: &NewParty<'_>) -> Result<(), DatabaseError> {
    const INSERT: &str = include_str!("queries/parties/insert.sql");
    let plan = new.plan;
    connection
        .execute(
            INSERT,
            &[
                &new.id,
                &new.host,
                &plan.title,
                &plan.description,
                &new.status.name(),
                &parameter(plan.starts_at),
                &plan.ends_at.map(parameter),
                &plan.is_private,
                &plan.max_attendees,
                &venue(plan),
                &plan.tags,
                &new.code.map(|code| &code.hmac),
                &new.code.map(|code| &code.sealed),
            ],
        )
        .await?;
    Ok(())
}

/// Replaces a party's plan, and its code where there is a new one.
///
/// # Errors
///
/// [`DatabaseError`]; `parties_code_hmac_key` is violated when the code is another party's.
pub async fn update(
    connection: &mut Connection,
    id: Uuid,
    plan: &Plan,
    code: Option<&KeptCode>,
) -> Result<(), DatabaseError> {
    const UPDATE: &str = include_str!("queries/parties/update.sql");
    connection
        .execute(
            UPDATE,
            &[
                &id,
                &plan.title,
                &plan.description,
                &parameter(plan.starts_at),
                &plan.ends_at.map(parameter),
                &plan.is_private,
                &plan.max_attendees,
                &venue(plan),
                &plan.tags,
                &code.map(|code| &code.hmac),
                &code.map(|code| &code.sealed),
            ],
        )
        .await?;
    Ok(())
}

/// Gives a party another access code: the old one opens nothing any more.
///
/// # Errors
///
/// [`DatabaseError`]; `parties_code_hmac_key` is violated when the code is another party's.
pub async fn replace_code(
    connection: &mut Connection,
    id: Uuid,
    code: &KeptCode,
) -> Result<(), DatabaseError> {
    const REPLACE_CODE: &str = include_str!("queries/parties/replace_code.sql");
    connection.execute(REPLACE_CODE, &[&id, &code.hmac, &code.sealed]).await?;
    Ok(())
}

/// Gives a party another status, and notes when it began or ended.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn advance(connection: &mut Connection, id: Uuid, status: Status) -> Result<(), DatabaseError> {
    const ADVANCE: &str = include_str!("queries/parties/advance.sql");
    connection.execute(ADVANCE, &[&id, &status.name()]).await?;
    Ok(())
}

/// Writes down why a party was cancelled.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn give_reason(connection: &mut Connection, id: Uuid, reason: &str) -> Result<(), DatabaseError> {
    const GIVE_REASON: &str = include_str!("queries/parties/give_reason.sql");
    connection.execute(GIVE_REASON, &[&id, &reason]).await.map(drop)
}

/// Whose parties a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// All of this host's.
    Own(Uuid),
    /// Those that everybody may know of: public, PLANNED or LIVE; of this host, if one is named.
    Public(Option<Uuid>),
}

/// A party's place in a list: whether it is not LIVE, when it begins, its id.
pub type Place = (bool, Exact, Uuid);

/// At most `limit` parties after `after`: LIVE first, then by their beginning.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn list(
    connection: &mut Connection,
    shown: Shown,
    filter: &Filter,
    viewer: Option<Uuid>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Found>, DatabaseError> {
    const PUBLIC: &str = concat!(
        include_str!("queries/parties/seen.sql"),
        include_str!("queries/parties/public.sql"),
        include_str!("queries/parties/list.sql")
    );
    const OWN: &str = concat!(
        include_str!("queries/parties/seen.sql"),
        include_str!("queries/parties/own.sql"),
        include_str!("queries/parties/list.sql")
    );
    let (statement, host) = match shown {
        Shown::Own(host) => (OWN, Some(host)),
        Shown::Public(host) => (PUBLIC, host),
    };
    // Letters and digits only: nothing of the query language gets in
    let words = filter.words.as_ref().map(|words| {
        let starts: Vec<_> = words.iter().map(|word| format!("{word}:*")).collect();
        starts.join(" & ")
    });
    let rows = connection
        .query(
            statement,
            &[
                &viewer,
                &host,
                &filter.status.map(Status::name),
                &filter.tag,
                &filter.upcoming,
                &filter.live,
                &filter.near.map(|near| near.latitude),
                &filter.near.map(|near| near.longitude),
                &filter.near.map(|near| near.radius_km),
                &words,
                &after.map(|(later, ..)| later),
                &after.map(|(_, Exact(starts_at), _)| parameter(starts_at)),
                &after.map(|(.., id)| id),
                &limit,
            ],
        )
        .await?;
    Ok(rows.iter().map(found).collect())
}

/// At most `limit` public parties that are LIVE, after the one with so many attendees and that id: the fullest first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn live(
    connection: &mut Connection,
    viewer: Option<Uuid>,
    after: Option<(i32, Uuid)>,
    limit: i64,
) -> Result<Vec<Found>, DatabaseError> {
    const LIVE: &str =
        concat!(include_str!("queries/parties/seen.sql"), include_str!("queries/parties/live.sql"));
    let (attendees, id) = after.unzip();
    let rows = connection.query(LIVE, &[&viewer, &attendees, &id, &limit]).await?;
    Ok(rows.iter().map(found).collect())
}

fn venue(plan: &Plan) -> Option<serde_json::Value> {
    // Text and numbers only: it can be written
    plan.venue.as_ref().and_then(|venue| serde_json::to_value(venue).ok())
}

pub(super) fn found(row: &Row) -> Found {
    Found {
        party: party(row),
        attendance: attendances::place(row),
        favorite_since: optional_moment(row, "favorite_since"),
        is_display: row.get("is_display"),
        read_at: moment(row, "read_at"),
    }
}

fn party(row: &Row) -> Party {
    let venue: Option<serde_json::Value> = row.get("venue");
    let cover: Option<Uuid> = row.get("cover_id");
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
        cover: cover.map(|id| Cover { id, content_type: row.get("cover_type") }),
        // The schema takes no other; what a newer binary adds is not for this one to act on
        status: Status::named(row.get("status")).unwrap_or(Status::Cancelled),
        cancelled_as_draft: row.get("cancelled_as_draft"),
        started_at: optional_moment(row, "started_at"),
        ended_at: optional_moment(row, "ended_at"),
        attendees_count: row.get("attendees_count"),
        media_count: row.get("media_count"),
        code_sealed: row.get("code_sealed"),
        seq: row.get("seq"),
        revision: row.get("revision"),
        links_version: row.get("links_version"),
        created_at: moment(row, "created_at"),
        updated_at: moment(row, "updated_at"),
    }
}
