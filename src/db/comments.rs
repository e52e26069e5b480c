//! Comments below media.

use tokio_postgres::Row;
use uuid::Uuid;

use super::{Connection, DatabaseError, moment::moment, person::person};
use crate::domain::comment::Comment;

/// Enters a comment.
///
/// # Errors
///
/// [`DatabaseError`]; `comments_author_id_fkey` is violated when its author is gone.
pub async fn insert(
    connection: &mut Connection,
    id: Uuid,
    media: Uuid,
    author: Uuid,
    content: &str,
) -> Result<(), DatabaseError> {
    const INSERT: &str = include_str!("queries/comments/insert.sql");
    connection.execute(INSERT, &[&id, &media, &author, &content]).await.map(drop)
}

/// Writes down the number of the event that tells of it.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn number(connection: &mut Connection, id: Uuid, seq: i64) -> Result<(), DatabaseError> {
    const NUMBERED: &str = include_str!("queries/comments/numbered.sql");
    connection.execute(NUMBERED, &[&id, &seq]).await.map(drop)
}

/// Counts the comments of a media up or down.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn count(connection: &mut Connection, media: Uuid, comments: i32) -> Result<(), DatabaseError> {
    const COUNT: &str = include_str!("queries/comments/count.sql");
    connection.execute(COUNT, &[&media, &comments]).await.map(drop)
}

/// Deletes a comment. `false`: it is gone.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn delete(connection: &mut Connection, id: Uuid) -> Result<bool, DatabaseError> {
    const DELETE: &str = include_str!("queries/comments/delete.sql");
    Ok(connection.execute(DELETE, &[&id]).await? > 0)
}

/// The comments with these ids, in no order; those that are gone are left out.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(connection: &mut Connection, ids: &[Uuid]) -> Result<Vec<Comment>, DatabaseError> {
    const FIND: &str = include_str!("queries/comments/find.sql");
    Ok(connection.query(FIND, &[&ids]).await?.iter().filter_map(comment).collect())
}

/// At most `limit` comments of a media before number `before`, the newest first, and the party's number at that moment.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn page(
    connection: &mut Connection,
    media: Uuid,
    before: Option<i64>,
    limit: i64,
) -> Result<(Vec<Comment>, i64), DatabaseError> {
    const PAGE: &str = include_str!("queries/comments/page.sql");
    let rows = connection.query(PAGE, &[&media, &before, &limit]).await?;
    let seq = rows.first().map(|row| row.get("party_seq")).unwrap_or_default();
    // A media without comments is one row of nulls beside the number
    Ok((rows.iter().filter_map(comment).collect(), seq))
}

/// The comment in a row; `None` for a row of nulls.
fn comment(row: &Row) -> Option<Comment> {
    Some(Comment {
        id: row.get::<_, Option<Uuid>>("id")?,
        media_id: row.get("media_id"),
        author: person(row),
        content: row.get("content"),
        created_at: moment(row, "created_at"),
        seq: row.get("seq"),
    })
}
