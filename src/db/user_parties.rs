//! Parties of a user, as far as somebody may read them.

use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Connection, DatabaseError,
    moment::{moment, parameter},
    parties::{Found, found},
};
use crate::domain::moment::Exact;

/// Where a party stands in such a list: since when, and which.
pub type Place = (Exact, Uuid);

/// At most `limit` parties that `of` hosts and `viewer` may read, after `after`: the newest first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn hosted(
    connection: &mut Connection,
    of: Uuid,
    viewer: Option<Uuid>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<(Found, Place)>, DatabaseError> {
    const HOSTED: &str = concat!(
        include_str!("queries/parties/seen.sql"),
        include_str!("queries/parties/visible.sql"),
        include_str!("queries/user_parties/hosted.sql")
    );
    page(connection, HOSTED, "created_at", (of, viewer), after, limit).await
}

/// At most `limit` parties that `of` comes to, or may, and `viewer` may read, after `after`: the one that they came to last
/// is the first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn attending(
    connection: &mut Connection,
    of: Uuid,
    viewer: Option<Uuid>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<(Found, Place)>, DatabaseError> {
    const ATTENDING: &str = concat!(
        include_str!("queries/user_parties/attending_of.sql"),
        include_str!("queries/parties/seen.sql"),
        include_str!("queries/parties/visible.sql"),
        include_str!("queries/user_parties/attending.sql")
    );
    page(connection, ATTENDING, "came_at", (of, viewer), after, limit).await
}

async fn page(
    connection: &mut Connection,
    statement: &'static str,
    since: &str,
    (of, viewer): (Uuid, Option<Uuid>),
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<(Found, Place)>, DatabaseError> {
    let (moment_after, id) = after.map(|(Exact(since), id)| (parameter(since), id)).unzip();
    let rows = connection.query(statement, &[&viewer, &of, &moment_after, &id, &limit]).await?;
    let placed = |row: &Row| {
        let found = found(row);
        let place = (Exact(moment(row, since)), found.party.id);
        (found, place)
    };
    Ok(rows.iter().map(placed).collect())
}
