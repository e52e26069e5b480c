//! What a task's failure means to its ticker.

use party_gallery_actors::ticker::TaskError;

use crate::db::{DatabaseError, lacks_schema};

/// An outage is told once, all else each time. Before the first migration there is nothing to do either.
pub(super) fn of(error: DatabaseError) -> TaskError {
    match error {
        DatabaseError::Unavailable { .. } | DatabaseError::OutcomeUnknown { .. } => {
            TaskError::Unavailable(error.into())
        }
        DatabaseError::Statement(_) if lacks_schema(&error) => TaskError::Unavailable(error.into()),
        DatabaseError::Statement(_) | DatabaseError::Aborted => TaskError::Failed(error.into()),
    }
}
