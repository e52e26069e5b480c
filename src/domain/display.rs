//! A screen that shows one gallery.

use uuid::Uuid;

use super::moment::Moment;

/// A screen as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Display {
    /// Which.
    pub id: Uuid,
    /// What its host calls it.
    pub name: Option<String>,
    /// When its token was made.
    pub created_at: Moment,
}
