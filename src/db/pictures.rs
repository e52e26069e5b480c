//! The one picture of a user or a party: which it is, and of what type.

use super::{Connection, DatabaseError};
use crate::domain::picture::{Picture, Subject};

/// The media type of a picture, if it is the one that its subject shows now.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn shown(
    connection: &mut Connection,
    Picture { subject, id }: Picture,
) -> Result<Option<String>, DatabaseError> {
    const AVATAR: &str = include_str!("queries/pictures/avatar.sql");
    const COVER: &str = include_str!("queries/pictures/cover.sql");
    let (statement, of) = match subject {
        Subject::User(user) => (AVATAR, user),
        Subject::Party(party) => (COVER, party),
    };
    let row = connection.query_opt(statement, &[&of, &id]).await?;
    Ok(row.map(|row| row.get("type")))
}

/// Makes a picture the one that its subject shows, whose row is held.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn show(
    connection: &mut Connection,
    Picture { subject, id }: Picture,
    content_type: &str,
) -> Result<(), DatabaseError> {
    const SET_AVATAR: &str = include_str!("queries/pictures/set_avatar.sql");
    const SET_COVER: &str = include_str!("queries/pictures/set_cover.sql");
    let (statement, of) = match subject {
        Subject::User(user) => (SET_AVATAR, user),
        Subject::Party(party) => (SET_COVER, party),
    };
    connection.execute(statement, &[&of, &id, &content_type]).await.map(drop)
}
