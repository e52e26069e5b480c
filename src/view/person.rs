//! People as others see them.

use serde::Serialize;
use uuid::Uuid;

use super::Addresses;
use crate::domain::person::Person;

/// A user or a guest beside what they did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UserSummary<'a> {
    id: Uuid,
    username: Option<&'a str>,
    display_name: &'a str,
    first_name: Option<&'a str>,
    last_name: Option<&'a str>,
    avatar_url: Option<String>,
    is_guest: bool,
}

impl<'a> UserSummary<'a> {
    /// With the address of their face.
    pub fn new(person: &'a Person, at: &dyn Addresses) -> Self {
        Self {
            id: person.id,
            username: person.username.as_deref(),
            display_name: &person.display_name,
            first_name: person.first_name.as_deref(),
            last_name: person.last_name.as_deref(),
            avatar_url: at.avatar(person),
            is_guest: person.is_guest(),
        }
    }
}
