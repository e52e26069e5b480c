//! The words for who watches a topic: told by whoever knows what a topic is.

use bytes::Bytes;

use super::{
    frame::Frame,
    topic::{Audience, Topic},
};

/// The words for who watches a topic. A face is what [`super::Join::viewer`] held.
pub trait Voice: Send + Sync + 'static {
    /// Who is told.
    fn audience(&self) -> Audience;

    /// Somebody has come; with them there are `count`.
    fn came(&self, topic: Topic, face: &Bytes, count: usize) -> Frame;

    /// Somebody has gone; without them there are `count`.
    fn went(&self, topic: Topic, face: &Bytes, count: usize) -> Frame;

    /// There are `count`, too many to be named.
    fn count(&self, topic: Topic, count: usize) -> Frame;
}
