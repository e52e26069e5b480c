//! What others are told after a commit: hints that may be lost, since everything is in the database.

use uuid::Uuid;

use crate::realtime::{Announcer, topic};

/// Tells the screens of all pods that a party's log has grown.
pub trait Announce: Send + Sync + 'static {
    /// The log of `party` reaches `seq`. Neither waits nor fails.
    fn announce(&self, party: Uuid, seq: i64);
}

impl Announce for Announcer {
    fn announce(&self, party: Uuid, seq: i64) {
        Self::announce(self, topic(party), seq);
    }
}

/// Tells the workers of this pod that there is work.
pub trait Wake: Send + Sync + 'static {
    /// Neither waits nor fails.
    fn wake(&self);
}
