//! The event log: what happened in a party, in the order of its commits.

use serde_json::Value;
use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Connection, DatabaseError,
    moment::moment,
    parties::{self, Found},
};
use crate::domain::{event::EventKind, moment::Moment};

/// A logged event: ids and facts that name nobody.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its number within its party; the first is 1, and none is left out.
    pub seq: i64,
    /// What happened; `None`: what only a newer binary knows.
    pub kind: Option<EventKind>,
    /// The media, message, person or display that it tells of.
    pub subject_id: Option<Uuid>,
    /// What cannot be read from the subject later, such as why it was removed.
    pub facts: Value,
    /// When.
    pub at: Moment,
}

/// Logs an event with the next number of its party and gives the number.
///
/// It locks the party's row until the commit: let it be the transaction's last statement, or the last but those that
/// only write the number down.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn append(
    connection: &mut Connection,
    party: Uuid,
    kind: EventKind,
    subject_id: Option<Uuid>,
    facts: &Value,
) -> Result<i64, DatabaseError> {
    const APPEND: &str = include_str!("queries/events/append.sql");
    let row = connection.query_opt(APPEND, &[&party, &kind.name(), &subject_id, facts]).await?;
    // No row: the party was erased meanwhile, and what is told of it with it
    Ok(row.map(|row| row.get("seq")).unwrap_or_default())
}

/// At most `limit` events of a party after `after`, in order and without a hole; and the party, never older than they are.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page(
    connection: &mut Connection,
    party: Uuid,
    after: i64,
    limit: i64,
) -> Result<(Vec<Event>, Option<Found>), DatabaseError> {
    const PAGE: &str = include_str!("queries/events/page.sql");
    let viewer = None::<Uuid>;
    let (rows, found) =
        connection.query_both((PAGE, &[&party, &after, &limit]), (parties::FIND, &[&viewer, &party])).await?;
    let events = rows.iter().map(|row| Event {
        seq: row.get("seq"),
        kind: EventKind::named(row.get("kind")),
        subject_id: row.get("subject_id"),
        facts: row.get("facts"),
        at: moment(row, "at"),
    });
    Ok((events.collect(), found.first().map(parties::found)))
}

/// The numbers of the last events of these parties, and what names this line of history; those that are gone are left
/// out.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn heads(
    connection: &mut Connection,
    parties: &[Uuid],
) -> Result<(Uuid, Vec<(Uuid, i64)>), DatabaseError> {
    const HEADS: &str = include_str!("queries/events/heads.sql");
    let epoch = epoch(connection).await?;
    let rows = connection.query(HEADS, &[&parties]).await?;
    Ok((epoch, rows.iter().map(|row| (row.get("id"), row.get("seq"))).collect()))
}

async fn epoch(connection: &mut Connection) -> Result<Uuid, DatabaseError> {
    const EPOCH: &str = include_str!("queries/events/epoch.sql");
    let row = connection.query_opt(EPOCH, &[]).await?;
    Ok(row.as_ref().map(line_of_history).unwrap_or_default())
}

/// What names this line of history: another after a restore, and once a standby has taken over.
pub(super) fn line_of_history(row: &Row) -> Uuid {
    let (epoch, timeline): (Uuid, i64) = (row.get("epoch"), row.get("timeline"));
    // The first timeline is the database's own
    let timeline = u128::try_from(timeline).unwrap_or_default().saturating_sub(1);
    Uuid::from_u128(epoch.as_u128() ^ timeline)
}
