//! The one picture that stands for somebody or something: a face, a cover.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// What has a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A user, who shows a face.
    User(Uuid),
    /// A party, which has a cover.
    Party(Uuid),
}

/// One picture of its subject. Another one has another id, so that an id never shows two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Picture {
    /// Whose.
    pub subject: Subject,
    /// UUIDv7.
    pub id: Uuid,
}

/// The cover of a party, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// Which picture.
    pub id: Uuid,
    /// Its media type.
    pub content_type: String,
}
