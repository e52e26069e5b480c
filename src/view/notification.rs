//! What people are told, as they read it.

use serde::Serialize;
use uuid::Uuid;

use crate::domain::{moment::Moment, notification::Notification};

/// What somebody was told.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct NotificationView<'a> {
    id: Uuid,
    #[serde(rename = "type")]
    kind: &'a str,
    title: &'static str,
    body: String,
    data: Data,
    read: bool,
    created_at: Moment,
}

/// What it tells of.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(skip_serializing_if = "Option::is_none")]
    party_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    media_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    comment_id: Option<Uuid>,
}

impl<'a> From<&'a Notification> for NotificationView<'a> {
    fn from(told: &'a Notification) -> Self {
        let (title, body) = told.words();
        Self {
            id: told.id,
            kind: &told.kind,
            title,
            body,
            data: Data {
                party_id: told.party_id,
                media_id: told.media_id,
                user_id: told.actor_id,
                comment_id: told.comment_id,
            },
            read: told.is_read,
            created_at: told.created_at,
        }
    }
}
