//! What a session's frames mean: told by whoever opens it.

use std::{
    fmt,
    time::{Duration, Instant},
};

use bytes::Bytes;
use futures_util::future::BoxFuture;

use super::{
    close::Close,
    frame::Frame,
    join::{Join, Position},
    show::Show,
    topic::Topic,
};

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
    /// What lets it be theirs, if that can be taken back apart: an id that is the caller's own.
    pub grant: Option<u128>,
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

impl Received {
    /// How many bytes it holds.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Text(bytes) | Self::Binary(bytes) => bytes.len(),
            Self::Other => 0,
        }
    }
}

/// What is to be done about it.
pub enum Action {
    /// Send this.
    Send(Frame),
    /// Send these with nothing between them: a message with its attachments.
    SendAll(Vec<Frame>),
    /// From now on the session is this one's. A subject with too many sessions is closed with 4009 instead, and
    /// what follows is not sent.
    Identify(Identity),
    /// Close when all before is sent.
    Close(Close),
    /// Do what `work` gives, when it gives it; messages that come meanwhile wait, so that answers keep the order of
    /// what they answer. It runs apart from the session, whose client may stop reading at any time.
    Run {
        /// What takes time.
        work: BoxFuture<'static, Vec<Action>>,
        /// What is done instead when the work panics, is not through in time, or cannot be done at all.
        otherwise: Vec<Action>,
    },
    /// Enter a topic.
    Join(Join),
    /// Leave a room of a topic.
    Leave(Topic, u8),
    /// Show a sign in a room, or no more.
    Show(Show),
}

impl fmt::Debug for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(frame) => f.debug_tuple("Send").field(frame).finish(),
            Self::SendAll(frames) => f.debug_tuple("SendAll").field(frames).finish(),
            Self::Identify(identity) => f.debug_tuple("Identify").field(identity).finish(),
            Self::Close(close) => f.debug_tuple("Close").field(close).finish(),
            Self::Run { otherwise, .. } => {
                f.debug_struct("Run").field("otherwise", otherwise).finish_non_exhaustive()
            }
            Self::Join(join) => f.debug_tuple("Join").field(join).finish(),
            Self::Show(show) => f.debug_tuple("Show").field(show).finish(),
            Self::Leave(topic, room) => f.debug_tuple("Leave").field(topic).field(room).finish(),
        }
    }
}

/// The meaning of a session's frames: a state machine without a socket and without a clock. It is dropped when the
/// session ends; a panic in it ends that session alone.
pub trait Protocol: Send + 'static {
    /// Decides what follows what came `now`. Actions are done in their order.
    fn on_received(&mut self, received: Received, now: Instant) -> Vec<Action>;

    /// Decides what follows what came `now` while too much waits already for an answer: it is refused.
    fn on_crowded(&mut self, received: Received, now: Instant) -> Vec<Action>;
}

/// What is told a session by others than its protocol, in the words of its codec. `None` where there are none.
pub trait Notices: Send + Sync + 'static {
    /// The session's identity expires soon.
    fn expiring(&self) -> Option<Frame>;

    /// The pod is going away; come back after `reconnect_after`.
    fn draining(&self, reconnect_after: Duration) -> Option<Frame>;

    /// An event that many are told, in this session's codec.
    fn render(&self, event: &Frame) -> Frame {
        event.clone()
    }

    /// A logged event of `topic` in this session's codec; with it, the session has been served up to `positions`.
    fn render_logged(
        &self,
        event: &Frame,
        topic: Topic,
        positions: &mut dyn Iterator<Item = Position>,
    ) -> Frame {
        let _ = (topic, positions);
        self.render(event)
    }

    /// What goes out ahead of `close`, for codecs that tell of it in their own words; at most two.
    fn farewell(&self, close: Close) -> Vec<Frame> {
        let _ = close;
        Vec::new()
    }
}
