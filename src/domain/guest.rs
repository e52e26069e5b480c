//! People without an account.

use uuid::Uuid;

use super::{moment::Moment, person::Person};

/// Somebody who joined one party by its code, without an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Who others see.
    pub person: Person,
    /// The party that they belong to.
    pub party_id: Uuid,
    /// When they joined for the first time.
    pub created_at: Moment,
}
