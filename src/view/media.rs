//! Media as clients see them.

use serde::Serialize;
use uuid::Uuid;

use super::{Addresses, UserSummary};
use crate::domain::{media::Media, moment::Moment};

/// Where a media's files are, absolute.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Urls {
    /// Everybody's.
    pub file: String,
    /// `None` where none could be made.
    pub preview: Option<String>,
    /// `None` where none could be made.
    pub thumb: Option<String>,
}

/// What the caller is to a media; absent for callers that are nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaViewer {
    /// Whether they like it.
    pub is_liked: bool,
    /// Whether it is one of their favourites.
    pub is_favorite: bool,
    /// Whether they may delete it.
    pub can_delete: bool,
}

/// A media.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MediaView<'a> {
    id: Uuid,
    party_id: Uuid,
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    mood: Option<&'static str>,
    caption: Option<&'a str>,
    tags: &'a [String],
    width: Option<i32>,
    height: Option<i32>,
    duration: Option<f64>,
    size: i64,
    content_type: &'a str,
    thumbhash: Option<&'a str>,
    urls: Option<Urls>,
    likes_count: i32,
    comments_count: i32,
    views_count: i32,
    uploader: UserSummary<'a>,
    created_at: Moment,
    seq: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    viewer: Option<MediaViewer>,
}

impl<'a> MediaView<'a> {
    /// With its URLs, if it has any, and for its viewer, if it is for one.
    pub fn new(
        media: &'a Media,
        urls: Option<Urls>,
        viewer: Option<MediaViewer>,
        at: &dyn Addresses,
    ) -> Self {
        Self {
            id: media.id,
            party_id: media.party_id,
            kind: media.kind.as_str(),
            status: media.status.as_str(),
            mood: media.mood.map(|mood| mood.as_str()),
            caption: media.caption.as_deref(),
            tags: &media.tags,
            width: media.width,
            height: media.height,
            // Three decimals of a second are milliseconds
            duration: media.duration_ms.map(|ms| f64::from(ms) / 1000.0),
            size: media.size,
            content_type: &media.content_type,
            thumbhash: media.thumbhash.as_deref(),
            urls,
            likes_count: media.likes_count,
            comments_count: media.comments_count,
            views_count: media.views_count,
            uploader: UserSummary::new(&media.uploader, at),
            created_at: media.created_at,
            seq: media.seq,
            failure: media.failure.as_deref(),
            viewer,
        }
    }
}
