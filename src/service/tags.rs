//! Tags in use, for everybody.

use super::error::Error;
use crate::{
    db::{
        Connection, Database,
        tags::{self, Selection},
    },
    domain::tag::Used,
};

/// The use cases of tags.
#[derive(Clone, Debug)]
pub struct Tags {
    database: Database,
}

impl Tags {
    /// Puts it together.
    pub fn new(database: Database) -> Self {
        Self { database }
    }

    /// At most `limit` tags after `after` that begin with `beginning`, the most used first; and where the next page
    /// begins.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn list(
        &self,
        beginning: Option<&str>,
        after: Option<&Used>,
        limit: i64,
    ) -> Result<(Vec<Used>, Option<Used>), Error> {
        self.page(&Selection::Beginning(beginning), after, limit).await
    }

    /// The same of those that parties of these days have.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn popular(
        &self,
        after: Option<&Used>,
        limit: i64,
    ) -> Result<(Vec<Used>, Option<Used>), Error> {
        self.page(&Selection::Popular, after, limit).await
    }

    async fn page(
        &self,
        selection: &Selection<'_>,
        after: Option<&Used>,
        limit: i64,
    ) -> Result<(Vec<Used>, Option<Used>), Error> {
        // One more tells whether there is a next page
        let found = self.database.run(async |connection: &mut Connection| {
            tags::list(connection, selection, after, limit + 1).await
        });
        let mut found = found.await?;
        let wanted = usize::try_from(limit).unwrap_or_default();
        let has_more = found.len() > wanted;
        found.truncate(wanted);
        let next = found.last().filter(|_| has_more).cloned();
        Ok((found, next))
    }
}
