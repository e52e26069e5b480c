//! The log that streams are read from: asked of whoever keeps it.
//!
//! *Invariant:* the log is the truth. A hint only says that it is worth reading; what is delivered comes from here.

use std::error::Error;

use futures_util::future::BoxFuture;

use super::{
    close::Close,
    frame::Frame,
    topic::{Audience, Topic},
};

/// How many events are read at once.
pub const PAGE: usize = 256;

/// One event of a topic's log, rendered once for all who get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Its number in its topic: one more than that of the event before, from 1.
    pub seq: i64,
    /// Who gets it; for the others the stream has a hole.
    pub audience: Audience,
    /// What they get.
    pub frame: Frame,
    /// Whom it puts out, or moves.
    pub removal: Option<Removal>,
}

/// Somebody whose place an event changes. Who entered knowing of the event stays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Removal {
    /// Whom: the id of their subject, of whatever kind, so that one who is erased meanwhile is found as well. `None`:
    /// everybody who hears nothing but `from`.
    pub id: Option<u128>,
    /// What they hear no more; who hears nothing any more is out.
    pub from: Audience,
    /// What they hear from now on as well, before that is taken.
    pub grant: Option<Grant>,
    /// Whether their sessions in the topic are closed as well.
    pub close: Option<Close>,
}

/// What somebody hears of a topic from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Under which rooms: those where they hear any of this.
    pub whom: Audience,
    /// What.
    pub to: Audience,
}

/// The log could not be read; it will be tried again.
#[derive(Debug, thiserror::Error)]
#[error("the log cannot be read")]
pub struct Unreadable(#[from] pub Box<dyn Error + Send + Sync>);

/// The log of all topics.
pub trait Log: Send + Sync + 'static {
    /// The events of `topic` after number `after`: ascending, without a hole, at most `limit`. Fewer say that the log
    /// ends there; a first one that is not `after + 1`, that those between are kept no longer. What cannot be shown,
    /// such as an event of a kind to come, is given all the same, for nobody.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], in a few seconds at most.
    fn page(&self, topic: Topic, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<Logged>, Unreadable>>;

    /// The last number of each of these topics, at most 500, and the log's line of history. Those that are not told are
    /// gone for good.
    ///
    /// # Errors
    ///
    /// [`Unreadable`], in a few seconds at most.
    fn heads<'a>(&'a self, topics: &'a [Topic]) -> BoxFuture<'a, Result<Heads, Unreadable>>;
}

/// How far a log goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heads {
    /// Its line of history: another one after a restore, and on a standby that took over.
    pub epoch: u128,
    /// The last number of each topic.
    pub last: Vec<(Topic, i64)>,
}
