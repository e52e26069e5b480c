//! Tags in use, where everybody may see them.

use super::{Connection, DatabaseError};
use crate::domain::tag::Used;

/// Which tags are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Selection {
    /// Those of public parties and of media that are shown there, which begin so.
    Beginning(Option<String>),
    /// Those of public parties of the last 30 days that are still to come, or going on.
    Popular,
}

/// At most `limit` of them after `after`, the most used first.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn list(
    connection: &mut Connection,
    selection: &Selection,
    after: Option<&Used>,
    limit: i64,
) -> Result<Vec<Used>, DatabaseError> {
    const LIST: &str =
        concat!(include_str!("queries/tags/list.sql"), include_str!("queries/tags/ranked.sql"));
    const POPULAR: &str =
        concat!(include_str!("queries/tags/popular.sql"), include_str!("queries/tags/ranked.sql"));
    let (statement, beginning) = match selection {
        Selection::Beginning(beginning) => (LIST, beginning.as_deref()),
        Selection::Popular => (POPULAR, None),
    };
    let (count, tag) = (after.map(|after| after.count), after.map(|after| after.tag.as_str()));
    let rows = connection.query(statement, &[&beginning, &count, &tag, &limit]).await?;
    Ok(rows.iter().map(|row| Used { tag: row.get("tag"), count: row.get("count") }).collect())
}
