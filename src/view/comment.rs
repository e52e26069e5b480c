//! Comments as clients see them.

use serde::Serialize;
use uuid::Uuid;

use super::{Addresses, UserSummary};
use crate::domain::{comment::Comment, moment::Moment};

/// A comment.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CommentView<'a> {
    id: Uuid,
    media_id: Uuid,
    author: UserSummary<'a>,
    content: &'a str,
    created_at: Moment,
}

impl<'a> CommentView<'a> {
    /// With the address of its author's face.
    pub fn new(comment: &'a Comment, at: &dyn Addresses) -> Self {
        Self {
            id: comment.id,
            media_id: comment.media_id,
            author: UserSummary::new(&comment.author, at),
            content: &comment.content,
            created_at: comment.created_at,
        }
    }
}
