//! Who follows whom.
//!
//! *Invariant:* the counters of both are kept in the transaction of the row, while both are locked.

use uuid::Uuid;

use super::{
    Connection, DatabaseError,
    moment::{moment, parameter},
    person::person,
};
use crate::domain::{moment::Exact, person::Person};

/// Which of these two users are there; neither is followed, follows or edits until this transaction ends.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn lock(connection: &mut Connection, two: [Uuid; 2]) -> Result<Vec<Uuid>, DatabaseError> {
    const LOCK: &str = include_str!("queries/follows/lock.sql");
    let rows = connection.query(LOCK, &[&two.as_slice()]).await?;
    Ok(rows.iter().map(|row| row.get("id")).collect())
}

/// Lets one user follow another; both have to be locked. `false`: they do already.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn add(connection: &mut Connection, follower: Uuid, followed: Uuid) -> Result<bool, DatabaseError> {
    const ADD: &str = include_str!("queries/follows/add.sql");
    Ok(connection.execute(ADD, &[&follower, &followed]).await? > 0)
}

/// Ends that; both have to be locked. `false`: they do not.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn remove(
    connection: &mut Connection,
    follower: Uuid,
    followed: Uuid,
) -> Result<bool, DatabaseError> {
    const REMOVE: &str = include_str!("queries/follows/remove.sql");
    Ok(connection.execute(REMOVE, &[&follower, &followed]).await? > 0)
}

/// Whether two users follow each other.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn are_mutual(connection: &mut Connection, one: Uuid, other: Uuid) -> Result<bool, DatabaseError> {
    const ARE_MUTUAL: &str = include_str!("queries/follows/are_mutual.sql");
    let row = connection.query_opt(ARE_MUTUAL, &[&one, &other]).await?;
    Ok(row.is_some_and(|row| row.get("are_mutual")))
}

/// Which end of it a list shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Those who follow somebody.
    Followers,
    /// Those whom somebody follows.
    Following,
}

/// Where somebody stands in such a list: since when, and who.
pub type Place = (Exact, Uuid);

/// At most `limit` people on that side of `of`, after `after`: the newest first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page(
    connection: &mut Connection,
    of: Uuid,
    side: Side,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<(Person, Place)>, DatabaseError> {
    const FOLLOWERS: &str = include_str!("queries/follows/followers.sql");
    const FOLLOWING: &str = include_str!("queries/follows/following.sql");
    let statement = match side {
        Side::Followers => FOLLOWERS,
        Side::Following => FOLLOWING,
    };
    let since = after.map(|(Exact(since), _)| parameter(since));
    let rows = connection.query(statement, &[&of, &since, &after.map(|(_, id)| id), &limit]).await?;
    let people = rows.iter().map(|row| {
        let person = person(row);
        let place = (Exact(moment(row, "followed_at")), person.id);
        (person, place)
    });
    Ok(people.collect())
}
