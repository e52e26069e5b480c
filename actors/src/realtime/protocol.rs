//! What a session's frames mean: told by whoever opens it.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{close::Close, frame::Frame};

/// Whose session it is, for counting: a kind and an id that are the caller's own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Subject {
    /// Keeps the ids of different kinds apart.
    pub kind: u8,
    /// The id within its kind.
    pub id: u128,
}

/// Who speaks in a session, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Whose session it is.
    pub subject: Subject,
    /// When the session is closed unless it is identified anew.
    pub expires_at: Instant,
}

/// What came from the client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// A text message, valid UTF-8.
    Text(Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping (answered already), a pong, or a fragment of a message to come: nothing to answer, but it counts.
    Other,
}

/// What is to be done about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Send this.
    Send(Frame),
    /// From now on the session is this one's. A subject with too many sessions is closed with 4009 instead, and
    /// what follows is not sent.
    Identify(Identity),
    /// Close when all before is sent.
    Close(Close),
}

/// The meaning of a session's frames: a state machine without a socket and without a clock. It is dropped when the
/// session ends; a panic in it ends that session alone.
pub trait Protocol: 'static {
    /// Decides what follows what came `now`. Actions are done in their order.
    fn on_received(&mut self, received: Received, now: Instant) -> Vec<Action>;
}

/// What the sweeper tells a session, in the words of its codec. `None` where there are none.
pub trait Notices: Send + Sync + 'static {
    /// The session's identity expires soon.
    fn expiring(&self) -> Option<Frame>;

    /// The pod is going away; come back after `reconnect_after`.
    fn draining(&self, reconnect_after: Duration) -> Option<Frame>;
}
