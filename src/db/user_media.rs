//! Media of a user, as far as somebody may see them.

use uuid::Uuid;

use super::{
    Connection, DatabaseError,
    moment::{moment, parameter},
};
use crate::domain::moment::Exact;

/// Where a media stands in such a list: since when, and which.
pub type Place = (Exact, Uuid);

/// At most `limit` READY media that `of` has brought to parties that `viewer` may read, after `after`: the newest first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn uploaded(
    connection: &mut Connection,
    of: Uuid,
    viewer: Option<Uuid>,
    after: Option<Place>,
    limit: i64,
) -> Result<Vec<Place>, DatabaseError> {
    const UPLOADED: &str = concat!(
        include_str!("queries/user_media/uploaded_of.sql"),
        include_str!("queries/parties/visible.sql"),
        include_str!("queries/user_media/uploaded.sql")
    );
    let (since, id) = after.map(|(Exact(since), id)| (parameter(since), id)).unzip();
    let rows = connection.query(UPLOADED, &[&viewer, &of, &since, &id, &limit]).await?;
    Ok(rows.iter().map(|row| (Exact(moment(row, "created_at")), row.get("id"))).collect())
}
