//! People in rows: every statement that shows one names the columns alike.

use tokio_postgres::Row;

use crate::domain::person::Person;

/// The person in the columns `person_id, username, display_name, first_name, last_name, avatar_id`.
pub(super) fn person(row: &Row) -> Person {
    Person {
        id: row.get("person_id"),
        username: row.get("username"),
        display_name: row.get("display_name"),
        first_name: row.get("first_name"),
        last_name: row.get("last_name"),
        avatar_id: row.get("avatar_id"),
    }
}
