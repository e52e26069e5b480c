//! Topics between pods: what is said on all of them, and who watches where.
//!
//! *Invariant:* Redis is a hint. Whatever is lost here is found in the log, told again, or forgotten.

use std::{collections::HashSet, sync::Arc, time::Instant};

use super::{
    channel::Channel,
    counts::{add, count},
    entry::SessionId,
    frame::Frame,
    stream::Change,
    topic::{Audience, Topic},
    topics::Topics,
    viewers::NAMED,
    voice::Voice,
    wire::Word,
};
use crate::redis::Redis;

/// What ties the topics of this pod to those of the others.
pub(super) struct Ties {
    pub(super) redis: Redis,
    pub(super) voice: Arc<dyn Voice>,
    /// This pod's own number.
    pub(super) pod: u64,
}

impl Topics {
    /// Ties it to the other pods; the first ties stay.
    pub(super) fn tie(&self, ties: Ties) {
        _ = self.ties.set(ties);
    }

    /// As [`Topics::hint`], and the other pods are told.
    pub(super) fn announce(&self, topic: Topic, seq: i64, now: Instant) {
        self.hint(topic, seq, now);
        self.leave_word(self.outgoing.hint(topic, seq));
    }

    /// Says something that is not logged to whom it is for, on all pods.
    pub(super) fn say(
        &self,
        topic: Topic,
        audience: Audience,
        frame: Frame,
        except: Option<SessionId>,
        now: Instant,
    ) {
        self.with(topic, |stream| stream.say(audience, &frame, except, now));
        if let Some(ties) = self.ties.get() {
            let word = Word::Said { pod: ties.pod, audience, frame };
            self.leave_word(self.outgoing.word(Channel::Topic(topic), word));
        }
    }

    /// Once a second: tells counts that are not told by name, and the other pods who watches here.
    pub(super) fn beat(&self, now: Instant) {
        for (topic, place) in self.places() {
            let news = place.lock().viewers.take_news(now);
            if let Some((count, ties)) = news.zip(self.ties.get()) {
                let frame = ties.voice.count(topic, count);
                place.lock().say(ties.voice.audience(), &frame, None, now);
            }
            self.announce_viewers(topic, true, now);
        }
    }

    /// What another pod, or this one itself, has said.
    pub(super) fn hear(&self, topic: Topic, word: Word, now: Instant) {
        let own = self.ties.get().map(|ties| ties.pod);
        match word {
            Word::Hint(seq) => self.hint(topic, seq, now),
            Word::Said { pod, audience, frame } if own != Some(pod) => {
                self.with(topic, |stream| stream.say(audience, &frame, None, now));
            }
            Word::Watching { pod, viewers } if own != Some(pod) => {
                self.with(topic, |stream| stream.viewers.hear(pod, viewers, now));
            }
            Word::Who { pod } if own != Some(pod) => {
                self.with(topic, |stream| stream.viewers.announce_again());
                self.announce_viewers(topic, false, now);
            }
            Word::Said { .. } | Word::Watching { .. } | Word::Who { .. } | Word::Doubt { .. } => {}
        }
    }

    /// Wants to hear of a topic, and who watches elsewhere.
    pub(super) fn listen(&self, topic: Topic) {
        if let Some(ties) = self.ties.get() {
            ties.redis.subscribe(&Channel::Topic(topic).name());
            self.leave_word(self.outgoing.word(Channel::Topic(topic), Word::Who { pod: ties.pod }));
        }
    }

    /// Wants to hear of it no more; nobody watches it here.
    pub(super) fn unlisten(&self, topic: Topic) {
        if let Some(ties) = self.ties.get() {
            ties.redis.unsubscribe(&Channel::Topic(topic).name());
            let word = Word::Watching { pod: ties.pod, viewers: HashSet::new() };
            self.leave_word(self.outgoing.word(Channel::Topic(topic), word));
        }
    }

    /// Wants to hear hints of it, though nobody may watch it here.
    pub(super) fn follow(&self, topic: Topic) {
        if let Some(ties) = self.ties.get() {
            ties.redis.subscribe(&Channel::Topic(topic).name());
        }
    }

    /// Takes one [`Topics::follow`] back.
    pub(super) fn unfollow(&self, topic: Topic) {
        if let Some(ties) = self.ties.get() {
            ties.redis.unsubscribe(&Channel::Topic(topic).name());
        }
    }

    /// Tells the other pods. What fails is not repeated: they find out by themselves.
    pub(super) async fn publish(&self, batch: Vec<(Channel, Word)>) {
        let Some(ties) = self.ties.get() else { return };
        if batch.iter().any(|(_, word)| matches!(word, Word::Who { .. })) {
            // Who asks wants to hear the answer. Redis away: then there is none
            _ = ties.redis.settled().await;
        }
        let words = batch.iter().map(|(channel, word)| (channel.name(), word.encode()));
        if ties.redis.publish_all(words).await.is_err() {
            add(&self.counters.unpublished, batch.len() as u64);
        }
    }

    /// Tells of viewers that came and went.
    pub(super) fn tell(&self, topic: Topic, changes: Vec<Change>, except: Option<SessionId>, now: Instant) {
        let Some(ties) = self.ties.get().filter(|_| !changes.is_empty()) else { return };
        for change in changes {
            let frame = match change {
                Change::Came(face, count) if count <= NAMED => ties.voice.came(topic, &face, count),
                Change::Went(face, count) if count <= NAMED => ties.voice.went(topic, &face, count),
                // Told with all others once a second
                Change::Came(..) | Change::Went(..) => continue,
            };
            self.say(topic, ties.voice.audience(), frame, except, now);
        }
        self.announce_viewers(topic, false, now);
    }

    fn announce_viewers(&self, topic: Topic, is_beat: bool, now: Instant) {
        let Some(ties) = self.ties.get() else { return };
        let viewers = self.with(topic, |stream| stream.viewers.take_announcement(is_beat, now)).flatten();
        if let Some(viewers) = viewers {
            let word = Word::Watching { pod: ties.pod, viewers };
            self.leave_word(self.outgoing.word(Channel::Topic(topic), word));
        }
    }

    pub(super) fn leave_word(&self, had_room: bool) {
        if had_room { self.work.ring() } else { count(&self.counters.unpublished) }
    }

    /// Redis may have lost what was said meanwhile.
    pub(super) fn mind_the_gap(&self) {
        if let Some(ties) = self.ties.get() {
            for (topic, place) in self.places() {
                place.lock().viewers.announce_again();
                let word = Word::Who { pod: ties.pod };
                self.leave_word(self.outgoing.word(Channel::Topic(topic), word));
                self.announce_viewers(topic, false, Instant::now());
            }
        }
        self.work.doubt();
    }
}
