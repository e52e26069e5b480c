//! Who may know of whom whether they are there: who follows each other, and attendees of the same LIVE party.

use uuid::Uuid;

use super::{Connection, DatabaseError};

/// How many LIVE parties of one person count: the latest.
const PARTIES: i64 = 20;

/// Which of these people `caller` may know of.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn known(
    connection: &mut Connection,
    caller: Uuid,
    people: &[Uuid],
) -> Result<Vec<Uuid>, DatabaseError> {
    const KNOWN: &str = include_str!("queries/presence/known.sql");
    let rows = connection.query(KNOWN, &[&caller, &people]).await?;
    Ok(rows.iter().map(|row| row.get("id")).collect())
}

/// The LIVE parties that these people attend, as pairs of person and party.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn parties(
    connection: &mut Connection,
    people: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, DatabaseError> {
    const OF: &str = include_str!("queries/presence/parties.sql");
    let rows = connection.query(OF, &[&people, &PARTIES]).await?;
    Ok(rows.iter().map(|row| (row.get("person_id"), row.get("party_id"))).collect())
}

/// Who of `among` attends these parties, as pairs of party and person: at most `limit` of each party.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn company(
    connection: &mut Connection,
    parties: &[Uuid],
    among: &[Uuid],
    limit: i64,
) -> Result<Vec<(Uuid, Uuid)>, DatabaseError> {
    const COMPANY: &str = include_str!("queries/presence/company.sql");
    let rows = connection.query(COMPANY, &[&parties, &among, &limit]).await?;
    Ok(rows.iter().map(|row| (row.get("party_id"), row.get("person_id"))).collect())
}

/// Who of `among` follows and is followed by these people, as pairs of one of these and one of those.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn friends(
    connection: &mut Connection,
    people: &[Uuid],
    among: &[Uuid],
) -> Result<Vec<(Uuid, Uuid)>, DatabaseError> {
    const FRIENDS: &str = include_str!("queries/presence/friends.sql");
    let rows = connection.query(FRIENDS, &[&people, &among]).await?;
    Ok(rows.iter().map(|row| (row.get("follower_id"), row.get("followed_id"))).collect())
}
