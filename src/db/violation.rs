//! What PostgreSQL's refusals mean: the one place that knows SQLSTATE.

use tokio_postgres::error::SqlState;

use super::DatabaseError;

/// The constraint or unique index that a statement ran into, by name; `None` for every other failure.
pub fn violated(error: &DatabaseError) -> Option<&str> {
    let DatabaseError::Statement(error) = error else { return None };
    let refusal = error.as_db_error()?;
    let states = [&SqlState::UNIQUE_VIOLATION, &SqlState::FOREIGN_KEY_VIOLATION, &SqlState::CHECK_VIOLATION];
    states.contains(&refusal.code()).then(|| refusal.constraint()).flatten()
}

/// Whether a statement names a table that is not there: the schema was not brought up yet.
pub fn lacks_schema(error: &DatabaseError) -> bool {
    let DatabaseError::Statement(error) = error else { return false };
    error.code() == Some(&SqlState::UNDEFINED_TABLE)
}
