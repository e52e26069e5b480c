//! What others may see of a user or a guest.

use uuid::Uuid;

use super::{Connection, DatabaseError, person::person};
use crate::domain::person::Person;

/// The face of a user or guest.
///
/// # Errors
///
/// [`DatabaseError`].
pub async fn find(connection: &mut Connection, id: Uuid) -> Result<Option<Person>, DatabaseError> {
    const FIND: &str = include_str!("queries/people/find.sql");
    Ok(connection.query_opt(FIND, &[&id]).await?.as_ref().map(person))
}
