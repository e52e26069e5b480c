//! What is said below a media.

use uuid::Uuid;

use super::{moment::Moment, person::Person};

/// A comment as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comment {
    /// UUIDv7.
    pub id: Uuid,
    /// Below which media.
    pub media_id: Uuid,
    /// Who said it.
    pub author: Person,
    /// The words.
    pub content: String,
    /// When.
    pub created_at: Moment,
    /// That of its `party:comment_added`.
    pub seq: i64,
}
