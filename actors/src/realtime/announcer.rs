//! The way to tell sessions on all pods something.

use std::{collections::HashSet, fmt, sync::Arc, time::Instant};

use super::{
    frame::Frame,
    protocol::Subject,
    subjects::Subjects,
    topic::{Audience, Topic},
};

/// The way to tell all pods of what was logged, and all sessions of a subject what was not. It outlives every life of the
/// hub.
#[derive(Clone)]
pub struct Announcer(pub(super) Arc<Subjects>);

impl Announcer {
    /// The log of `topic` goes at least up to `seq` now: to be called after the commit. It neither waits nor fails;
    /// what it loses is found by comparison with the log.
    pub fn announce(&self, topic: Topic, seq: i64) {
        self.0.topics.announce(topic, seq, Instant::now());
    }

    /// Wants to hear what other pods announce of `topic`, whether or not sessions listen to it.
    pub fn follow(&self, topic: Topic) {
        self.0.topics.follow(topic);
    }

    /// Takes one [`Announcer::follow`] back.
    pub fn unfollow(&self, topic: Topic) {
        self.0.topics.unfollow(topic);
    }

    /// Says something that is not logged to all who hear `audience`, on all pods. It may be lost.
    pub fn say(&self, topic: Topic, audience: Audience, frame: Frame) {
        self.0.topics.say(topic, audience, frame, Instant::now());
    }

    /// Says something that is not logged to all sessions of each of these subjects, on all pods: some hundred of them cost
    /// one round trip, and other pods only hear of their own. Waits for that, so that a crowd is told no faster than Redis
    /// takes it. It does not fail, and may be lost.
    pub async fn tell_many(&self, told: Vec<(Subject, Frame)>) {
        self.0.tell_many(told, Instant::now()).await;
    }

    /// Which of these have sessions: on this pod, and on others as far as Redis tells. A thousand cost one round trip.
    pub async fn present(&self, subjects: &[Subject]) -> HashSet<Subject> {
        self.0.present(subjects).await
    }

    /// Sessions of `subject` may be over: all pods that have some ask [`super::Revocation`] now. To be called after the
    /// commit. It neither waits nor fails; what it loses is found by the next question of all sessions.
    pub fn doubt(&self, subject: Subject) {
        self.0.doubt(subject);
    }
}

impl fmt::Debug for Announcer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announcer").finish_non_exhaustive()
    }
}
