//! Sign-ins: families of refresh tokens, each token by its hash alone.

use std::time::Duration;

use tokio_postgres::Row;
use uuid::Uuid;

use super::{Connection, DatabaseError};
use crate::domain::{caller::Caller, party::AFTERGLOW_HOURS};

/// What is known of a refresh token. Times are the database's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The sign-in that it belongs to.
    pub family: Uuid,
    /// Who signed in.
    pub person: Uuid,
    /// Whether they have no account.
    pub is_guest: bool,
    /// Whether the sign-in was ended.
    pub is_revoked: bool,
    /// Whether its own time is over.
    pub is_expired: bool,
    /// How long ago it was spent.
    pub spent_for: Option<Duration>,
    /// How long ago the guest's party ended.
    pub ended_for: Option<Duration>,
}

/// Begins a sign-in of `person` with its first token; one without a `lifetime` does not expire by itself.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn open(
    connection: &mut Connection,
    family: Uuid,
    person: Uuid,
    hash: &[u8],
    lifetime: Option<Duration>,
) -> Result<(), DatabaseError> {
    const OPEN: &str = include_str!("queries/sessions/open.sql");
    connection.execute(OPEN, &[&family, &person, &hash, &seconds(lifetime)]).await?;
    Ok(())
}

/// Whose token that is, unless its sign-in was ended.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn owner(connection: &mut Connection, hash: &[u8]) -> Result<Option<Uuid>, DatabaseError> {
    const OWNER: &str = include_str!("queries/sessions/owner.sql");
    let row = connection.query_opt(OWNER, &[&hash]).await?;
    Ok(row.map(|row| row.get("person_id")))
}

/// Finds a token, and keeps it and its family from everybody else until the transaction ends.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(connection: &mut Connection, hash: &[u8]) -> Result<Option<Found>, DatabaseError> {
    const FIND: &str = include_str!("queries/sessions/find.sql");
    let row = connection.query_opt(FIND, &[&hash]).await?;
    Ok(row.map(|row| Found {
        family: row.get("family_id"),
        person: row.get("person_id"),
        is_guest: row.get("is_guest"),
        is_revoked: row.get("is_revoked"),
        is_expired: row.get("is_expired"),
        spent_for: since(&row, "spent_for"),
        ended_for: since(&row, "ended_for"),
    }))
}

/// Spends a token and begins its successor, with that lifetime. The spent one is forgotten when its time is over, and
/// after `remembered` where it has none.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn spend(
    connection: &mut Connection,
    hash: &[u8],
    heir: &[u8],
    lifetime: Option<Duration>,
    remembered: Duration,
) -> Result<(), DatabaseError> {
    const SPEND: &str = include_str!("queries/sessions/spend.sql");
    let remembered = remembered.as_secs_f64();
    connection.execute(SPEND, &[&hash, &heir, &seconds(lifetime), &remembered]).await?;
    Ok(())
}

/// Which of these tokens the family has.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn kept(
    connection: &mut Connection,
    family: Uuid,
    hashes: &[Vec<u8>],
) -> Result<Option<Vec<u8>>, DatabaseError> {
    const KEPT: &str = include_str!("queries/sessions/kept.sql");
    let row = connection.query_opt(KEPT, &[&family, &hashes]).await?;
    Ok(row.map(|row| row.get("hash")))
}

/// Ends a sign-in: none of its tokens is worth anything from now on.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn revoke(connection: &mut Connection, family: Uuid) -> Result<(), DatabaseError> {
    const REVOKE: &str = include_str!("queries/sessions/revoke.sql");
    connection.execute(REVOKE, &[&family]).await?;
    Ok(())
}

/// Ends the sign-in that this token belongs to, if there is one, and gives whose it was.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn end(connection: &mut Connection, hash: &[u8]) -> Result<Option<Uuid>, DatabaseError> {
    const END: &str = include_str!("queries/sessions/end.sql");
    let row = connection.query_opt(END, &[&hash]).await?;
    Ok(row.map(|row| row.get("person_id")))
}

/// Ends all sign-ins of a person.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn end_all(connection: &mut Connection, person: Uuid) -> Result<(), DatabaseError> {
    const END_ALL: &str = include_str!("queries/sessions/end_all.sql");
    connection.execute(END_ALL, &[&person]).await.map(drop)
}

/// Why somebody who had a good token may not go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Over {
    /// They were erased, banned or revoked, or their party is over for long.
    Gone,
    /// The sign-in that their token comes from has ended.
    SignedOut,
}

/// Those of these callers who may not go on, by their place in `asked`; each with the sign-in that their token comes
/// from, if it comes from one.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn over(
    connection: &mut Connection,
    asked: &[(Caller, Option<Uuid>)],
) -> Result<Vec<(usize, Over)>, DatabaseError> {
    const OVER: &str = include_str!("queries/sessions/over.sql");
    let kind = |caller: &Caller| match caller {
        Caller::User(_) => 0_i16,
        Caller::Guest(_) => 1,
        Caller::Display(_) | Caller::Anonymous => 2,
    };
    let kinds: Vec<i16> = asked.iter().map(|(caller, _)| kind(caller)).collect();
    let ids: Vec<Uuid> = asked.iter().map(|(caller, _)| caller.id().unwrap_or_default()).collect();
    let families: Vec<Option<Uuid>> = asked.iter().map(|(_, family)| *family).collect();
    let rows = connection.query(OVER, &[&kinds, &ids, &families, &AFTERGLOW_HOURS]).await?;
    let over = |row: &Row| {
        let nth = usize::try_from(row.get::<_, i64>("nth")).ok()?.checked_sub(1)?;
        Some((nth, if row.get("is_gone") { Over::Gone } else { Over::SignedOut }))
    };
    Ok(rows.iter().filter_map(over).collect())
}

fn seconds(lifetime: Option<Duration>) -> Option<f64> {
    lifetime.map(|lifetime| lifetime.as_secs_f64())
}

/// Another transaction may have written its time after ours began: that is no time ago.
fn since(row: &Row, column: &str) -> Option<Duration> {
    let seconds: Option<f64> = row.get(column);
    seconds.map(|seconds| Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(Duration::MAX))
}
