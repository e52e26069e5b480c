//! Marks of people on media: likes and favourites.

use std::collections::HashMap;

use tokio_postgres::Row;
use uuid::Uuid;

use super::{
    Connection, DatabaseError,
    media::media,
    moment::{moment, parameter},
    parties::{self, Found},
};
use crate::domain::{
    mark::{Mark, Marks},
    media::Media,
    moment::Exact,
};

const FIND: &str = include_str!("queries/marks/find.sql");

/// Sets a mark. `false`: it was set before.
///
/// # Errors
///
/// [`DatabaseError`]; a foreign key is violated when the media or the person is gone.
pub async fn set(
    connection: &mut Connection,
    mark: Mark,
    media: Uuid,
    person: Uuid,
) -> Result<bool, DatabaseError> {
    const LIKE: &str = include_str!("queries/marks/like.sql");
    const FAVORITE: &str = include_str!("queries/marks/favorite.sql");
    let statement = match mark {
        Mark::Like => LIKE,
        Mark::Favorite => FAVORITE,
    };
    Ok(connection.execute(statement, &[&media, &person]).await? > 0)
}

/// Takes a mark off. `false`: it was not set.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn clear(
    connection: &mut Connection,
    mark: Mark,
    media: Uuid,
    person: Uuid,
) -> Result<bool, DatabaseError> {
    const UNLIKE: &str = include_str!("queries/marks/unlike.sql");
    const UNFAVORITE: &str = include_str!("queries/marks/unfavorite.sql");
    let statement = match mark {
        Mark::Like => UNLIKE,
        Mark::Favorite => UNFAVORITE,
    };
    Ok(connection.execute(statement, &[&media, &person]).await? > 0)
}

/// Counts the likes of a media up or down.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn count(connection: &mut Connection, media: Uuid, likes: i32) -> Result<(), DatabaseError> {
    const COUNT: &str = include_str!("queries/marks/count.sql");
    connection.execute(COUNT, &[&media, &likes]).await.map(drop)
}

/// How many like a media.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Likes {
    /// Which media.
    pub media: Uuid,
    /// Of which party.
    pub party: Uuid,
    /// How many.
    pub count: i32,
    /// Whether only its members may see the party.
    pub is_private: bool,
}

/// How many like these media, as far as they are READY.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn likes(connection: &mut Connection, media: &[Uuid]) -> Result<Vec<Likes>, DatabaseError> {
    const LIKES: &str = include_str!("queries/marks/likes.sql");
    let rows = connection.query(LIKES, &[&media]).await?;
    let likes = |row: &Row| Likes {
        media: row.get("id"),
        party: row.get("party_id"),
        count: row.get("likes_count"),
        is_private: row.get("is_private"),
    };
    Ok(rows.iter().map(likes).collect())
}

/// The marks of a person on these media, by one statement.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(
    connection: &mut Connection,
    person: Uuid,
    media: &[Uuid],
) -> Result<HashMap<Uuid, Marks>, DatabaseError> {
    Ok(connection.query(FIND, &[&person, &media]).await?.iter().map(marks).collect())
}

/// A party, as a person finds it, and their marks on these media, in one round trip.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find_with_party(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
    media: &[Uuid],
) -> Result<(Option<Found>, HashMap<Uuid, Marks>), DatabaseError> {
    let (found, rows) =
        connection.query_both((parties::FIND, &[&Some(person), &party]), (FIND, &[&person, &media])).await?;
    Ok((found.first().map(parties::found), rows.iter().map(marks).collect()))
}

/// At most `limit` READY media that a user has marked before `after`, as far as they may still read the party, and when
/// each was marked; the newest mark first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page(
    connection: &mut Connection,
    mark: Mark,
    person: Uuid,
    after: Option<(Exact, Uuid)>,
    limit: i64,
) -> Result<Vec<(Media, Exact)>, DatabaseError> {
    const LIKED: &str = concat!(
        include_str!("queries/marks/liked.sql"),
        include_str!("queries/marks/page.sql"),
        include_str!("queries/parties/visible.sql"),
        include_str!("queries/marks/newest.sql")
    );
    const FAVORITES: &str = concat!(
        include_str!("queries/marks/favorites.sql"),
        include_str!("queries/marks/page.sql"),
        include_str!("queries/parties/visible.sql"),
        include_str!("queries/marks/newest.sql")
    );
    let statement = match mark {
        Mark::Like => LIKED,
        Mark::Favorite => FAVORITES,
    };
    let marked_at = after.map(|(Exact(marked_at), _)| parameter(marked_at));
    let rows = connection.query(statement, &[&person, &marked_at, &after.map(|(_, id)| id), &limit]).await?;
    Ok(rows.iter().filter_map(|row| Some((media(row)?, Exact(moment(row, "marked_at"))))).collect())
}

fn marks(row: &Row) -> (Uuid, Marks) {
    (row.get("id"), Marks { is_liked: row.get("is_liked"), is_favorite: row.get("is_favorite") })
}
