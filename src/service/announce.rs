//! What others are told after a commit: hints that may be lost, since everything is in the database.

use std::{collections::HashSet, sync::Arc};

use futures_util::future::{BoxFuture, FutureExt as _};
use uuid::Uuid;

use crate::realtime::{Announcer, Audience, Frame, Kind, subject, topic};

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

/// Reaches sessions on all pods with what is in no log.
pub trait Reach: Send + Sync + 'static {
    /// Which of these users have sessions, as far as can be known: on this pod while Redis is away.
    fn present(&self, users: Vec<Uuid>) -> BoxFuture<'_, HashSet<Uuid>>;

    /// Tells users something, each something of their own. It may be lost.
    fn tell(&self, told: Vec<(Uuid, Frame)>) -> BoxFuture<'_, ()>;

    /// Says something to all who hear `audience` of a party. Neither waits nor fails; it may be lost.
    fn say(&self, party: Uuid, audience: Audience, frame: Frame);

    /// Sessions of that person or screen may be over: to be called after the commit. Neither waits nor fails.
    fn doubt(&self, id: Uuid);
}

impl Reach for Announcer {
    fn present(&self, users: Vec<Uuid>) -> BoxFuture<'_, HashSet<Uuid>> {
        let subjects: Vec<_> = users.iter().map(|user| subject(Kind::User, *user)).collect();
        async move {
            let present = Self::present(self, &subjects).await;
            present.into_iter().map(|subject| Uuid::from_u128(subject.id)).collect()
        }
        .boxed()
    }

    fn tell(&self, told: Vec<(Uuid, Frame)>) -> BoxFuture<'_, ()> {
        let told = told.into_iter().map(|(user, frame)| (subject(Kind::User, user), frame));
        self.tell_many(told.collect()).boxed()
    }

    fn say(&self, party: Uuid, audience: Audience, frame: Frame) {
        Self::say(self, topic(party), audience, frame);
    }

    fn doubt(&self, id: Uuid) {
        // Rare enough that who calls need not know which of these it is
        for kind in [Kind::User, Kind::Guest, Kind::Display] {
            Self::doubt(self, subject(kind, id));
        }
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

/// Both, for what changes a party and leaves work behind.
#[derive(Clone)]
pub struct Hints {
    announce: Arc<dyn Announce>,
    wake: Arc<dyn Wake>,
}

impl Hints {
    /// Who is told.
    pub fn new(announce: Arc<dyn Announce>, wake: Arc<dyn Wake>) -> Self {
        Self { announce, wake }
    }

    /// Something was logged of `party`, if it was.
    pub(super) fn logged(&self, party: Uuid, seq: Option<i64>) {
        if let Some(seq) = seq {
            self.announce.announce(party, seq);
        }
    }

    /// There may be work.
    pub(super) fn wake(&self) {
        self.wake.wake();
    }
}
