//! How a session enters a topic, and how that ended.

use std::fmt;

use bytes::Bytes;

use super::{
    frame::Frame,
    topic::{Audience, Topic},
};

/// How far a session has been served in one room of a topic: it was sent what it wants of the numbers
/// `after < seq <= upto`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The room.
    pub room: u8,
    /// Nothing up to this number was meant for it.
    pub after: i64,
    /// Everything up to this number has been dealt with.
    pub upto: i64,
}

/// What became of a join.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Joined {
    /// Everything up to `seq` was sent; what comes later follows by itself.
    Live {
        /// The last number that was dealt with.
        seq: i64,
        /// How many events were sent because of it.
        replayed: u64,
        /// How many distinct ones with a face are in the room, on all pods.
        present: usize,
    },
    /// The session is in as many rooms as it may be.
    TooMany,
    /// What is asked for is kept no longer: the session is not in.
    Expired,
    /// The session left, or came in again, before it had everything.
    Left,
    /// The session was put out before it had everything.
    Removed,
}

/// Says what is sent when a join is through: called exactly once unless the session ends. What it gives goes out
/// behind the last event that was asked for and ahead of the first that comes later.
pub type Welcome = Box<dyn FnOnce(Joined) -> Vec<Frame> + Send>;

/// How a session enters a topic.
///
/// One topic may be entered under several rooms; each event is sent once all the same. To enter under the same room
/// again is to leave it first.
pub struct Join {
    /// What to listen to.
    pub topic: Topic,
    /// Under what it is left again.
    pub room: u8,
    /// What to hear of it.
    pub audience: Audience,
    /// The topic's last number when the session was let in: removals up to there are known and forgiven.
    pub head: i64,
    /// The log's line of history then, where it was told: another one sends the session back.
    pub epoch: Option<u128>,
    /// The last number that the client has; without one it is sent nothing that is older than its welcome.
    pub since: Option<i64>,
    /// After which number it has heard what it wants up to there, if it was in here before: none of that is sent again.
    pub heard_after: Option<i64>,
    /// The session's face, if it is to be counted among those who are in the room.
    pub face: Option<Bytes>,
    /// What follows.
    pub welcome: Welcome,
}

impl fmt::Debug for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join")
            .field("topic", &self.topic)
            .field("room", &self.room)
            .field("audience", &self.audience)
            .field("head", &self.head)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}
