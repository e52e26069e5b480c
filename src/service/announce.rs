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

/// Hears hints of other pods.
pub trait Follow: Send + Sync + 'static {
    /// Wants to hear of `party`. Neither waits nor fails.
    fn follow(&self, party: Uuid);

    /// Wants to hear of it no more.
    fn unfollow(&self, party: Uuid);
}

impl Follow for Announcer {
    fn follow(&self, party: Uuid) {
        Self::follow(self, topic(party));
    }

    fn unfollow(&self, party: Uuid) {
        Self::unfollow(self, topic(party));
    }
}

/// Tells the workers of this pod that there is work.
pub trait Wake: Send + Sync + 'static {
    /// Neither waits nor fails.
    fn wake(&self);
}
