//! Comments as clients see them.

use serde::Serialize;
use uuid::Uuid;

use super::UserSummary;
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

impl<'a> From<&'a Comment> for CommentView<'a> {
    fn from(comment: &'a Comment) -> Self {
        Self {
            id: comment.id,
            media_id: comment.media_id,
            author: UserSummary::from(&comment.author),
            content: &comment.content,
            created_at: comment.created_at,
        }
    }
}
