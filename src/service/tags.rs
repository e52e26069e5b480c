//! Tags in use, for everybody: counted every few seconds at most.

mod answers;

use std::{sync::Arc, time::Instant};

use self::answers::Answers;
use super::{error::Error, parties::cut};
use crate::{
    db::{Connection, Database, tags},
    domain::tag::Used,
};

pub use crate::db::tags::Selection;

/// The use cases of tags.
#[derive(Clone, Debug)]
pub struct Tags {
    database: Database,
    answers: Arc<Answers<Question, Answer>>,
}

/// Which tags, after which, at most how many.
type Question = (Selection, Option<Used>, i64);

/// A page of them, and where the next one begins.
type Answer = (Vec<Used>, Option<Used>);

impl Tags {
    /// Puts it together.
    pub fn new(database: Database) -> Self {
        Self { database, answers: Arc::new(Answers::new()) }
    }

    /// At most `limit` tags after `after`, the most used first; and where the next page begins. They are as they were
    /// within the last seconds before `now`.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn list(
        &self,
        selection: Selection,
        after: Option<Used>,
        limit: i64,
        now: Instant,
    ) -> Result<(Vec<Used>, Option<Used>), Error> {
        let question = (selection, after, limit);
        let (selection, after, _) = &question;
        let ask = async || {
            // One more tells whether there is a next page
            let found = self.database.run(async |connection: &mut Connection| {
                tags::list(connection, selection, after.as_ref(), limit + 1).await
            });
            Ok(cut(found.await?, limit, Used::clone))
        };
        self.answers.get(&question, now, ask).await
    }
}
