//! What others may see of a user or a guest.

use uuid::Uuid;

/// The face of a person: enough to draw them beside what they did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Of the user or the guest.
    pub id: Uuid,
    /// Guests have none.
    pub username: Option<String>,
    /// What they are called.
    pub display_name: String,
    /// Users only, where given.
    pub first_name: Option<String>,
    /// Users only, where given.
    pub last_name: Option<String>,
    /// The picture of their face, of those who show one: never guests.
    pub avatar_id: Option<Uuid>,
}

impl Person {
    /// Whether they have no account.
    pub fn is_guest(&self) -> bool {
        self.username.is_none()
    }
}
