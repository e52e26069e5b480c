//! Where pictures are, for views that show one.

use crate::domain::{party::Party, person::Person};

/// Knows where pictures are, absolute; views are handed one, since what is kept has ids only.
pub trait Addresses {
    /// Where the face of somebody is, if they show one.
    fn avatar(&self, person: &Person) -> Option<String>;

    /// Where the cover of a party is, if it has one.
    fn cover(&self, party: &Party) -> Option<String>;
}

/// Names ids, and is nowhere.
#[cfg(test)]
pub(super) struct Nowhere;

#[cfg(test)]
impl Addresses for Nowhere {
    fn avatar(&self, person: &Person) -> Option<String> {
        Some(format!("avatar {}", person.avatar_id?.as_u128()))
    }

    fn cover(&self, party: &Party) -> Option<String> {
        Some(format!("cover {}", party.cover.as_ref()?.id.as_u128()))
    }
}
