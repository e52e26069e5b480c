//! The words for who is in a room of a topic: told by whoever knows what topics and rooms are.

use bytes::Bytes;

use super::{
    frame::Frame,
    topic::{Audience, Topic},
};

/// The words for who is in a room of a topic. A face is what [`super::Join::face`] held. `None` where there are none.
pub trait Voice: Send + Sync + 'static {
    /// Who is told.
    fn audience(&self, room: u8) -> Audience;

    /// Somebody has come; with them there are `count`.
    fn came(&self, topic: Topic, room: u8, face: &Bytes, count: usize) -> Option<Frame>;

    /// Somebody has gone; without them there are `count`.
    fn went(&self, topic: Topic, room: u8, face: &Bytes, count: usize) -> Option<Frame>;

    /// There are `count`, and not all were named who came or went.
    fn count(&self, topic: Topic, room: u8, count: usize) -> Option<Frame>;

    /// Somebody shows their sign, or no more.
    fn shows(&self, topic: Topic, room: u8, face: &Bytes, is_on: bool) -> Option<Frame>;
}
