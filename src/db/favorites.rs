//! Parties that people like to find again.

use uuid::Uuid;

use super::{
    Connection, DatabaseError,
    moment::parameter,
    parties::{self, Found},
};
use crate::domain::moment::Exact;

/// Makes the party a favourite of that person, if it is none.
///
/// # Errors
///
/// [`DatabaseError`]; `party_favorites_person_id_fkey` and `party_favorites_party_id_fkey` are violated when one is gone.
pub async fn add(connection: &mut Connection, party: Uuid, person: Uuid) -> Result<(), DatabaseError> {
    const ADD: &str = include_str!("queries/favorites/add.sql");
    connection.execute(ADD, &[&party, &person]).await.map(drop)
}

/// Makes the party no favourite of that person.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn remove(connection: &mut Connection, party: Uuid, person: Uuid) -> Result<(), DatabaseError> {
    const REMOVE: &str = include_str!("queries/favorites/remove.sql");
    connection.execute(REMOVE, &[&party, &person]).await.map(drop)
}

/// At most `limit` favourites of that person after the one of that time and id, the newest first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page(
    connection: &mut Connection,
    person: Uuid,
    after: Option<(Exact, Uuid)>,
    limit: i64,
) -> Result<Vec<Found>, DatabaseError> {
    const PAGE: &str =
        concat!(include_str!("queries/parties/seen.sql"), include_str!("queries/favorites/page.sql"));
    let (since, party) = after.map(|(Exact(since), party)| (parameter(since), party)).unzip();
    let rows = connection.query(PAGE, &[&Some(person), &since, &party, &limit]).await?;
    Ok(rows.iter().map(parties::found).collect())
}
