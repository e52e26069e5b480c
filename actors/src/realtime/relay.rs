//! Topics between pods: what is said on all of them, and who is in where.
//!
//! *Invariant:* Redis is a hint. Whatever is lost here is found in the log, told again, or forgotten.

use std::{sync::Arc, time::Instant};

use super::{
    channel::Channel,
    counts::{add, count},
    crowd::What,
    crowds::Changes,
    frame::Frame,
    stream::Stream,
    topic::{Audience, Topic},
    topics::Topics,
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
    pub(super) fn say(&self, topic: Topic, audience: Audience, frame: Frame, now: Instant) {
        self.with(topic, |stream| stream.say(audience, &frame, None, now));
        if let Some(ties) = self.ties.get() {
            let word = Word::Said { pod: ties.pod, audience, frame };
            self.leave_word(self.outgoing.word(Channel::Topic(topic), word));
        }
    }

    /// Once a second: tells what time has changed, counts where not all were named, and the other pods who is in here.
    pub(super) fn beat(&self, now: Instant) {
        for (topic, place) in self.places() {
            let changes = {
                let mut stream = place.lock();
                let (changes, counts) = stream.crowds.beat(now);
                self.tell_here(&mut stream, &changes, now);
                for (room, count) in counts {
                    let Some(ties) = self.ties.get() else { continue };
                    if let Some(frame) = ties.voice.count(topic, room, count) {
                        stream.say(ties.voice.audience(room), &frame, None, now);
                    }
                }
                changes
            };
            self.pass_on(topic, changes, now);
            self.announce_people(topic, true, now);
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
            Word::People { pod, room, is_news, people } if own != Some(pod) => {
                self.change(topic, now, |stream| ((), stream.crowds.hear(room, pod, people, is_news, now)));
            }
            Word::Nobody { pod } if own != Some(pod) => {
                self.change(topic, now, |stream| ((), stream.crowds.hear_nobody(pod, now)));
            }
            Word::Sign { pod, room, is_on, subject, face } if own != Some(pod) => {
                self.with(topic, |stream| {
                    let heard = stream.crowds.hear_sign(room, subject, face, is_on, now);
                    self.tell_here(stream, &heard, now);
                });
            }
            Word::Who { pod } if own != Some(pod) => {
                self.with(topic, |stream| stream.crowds.announce_again());
                self.announce_people(topic, false, now);
            }
            Word::Said { .. }
            | Word::People { .. }
            | Word::Nobody { .. }
            | Word::Sign { .. }
            | Word::Who { .. }
            | Word::Doubt { .. } => {}
        }
    }

    /// Wants to hear of a topic, and who is in elsewhere.
    pub(super) fn listen(&self, topic: Topic) {
        if let Some(ties) = self.ties.get() {
            ties.redis.subscribe(&Channel::Topic(topic).name());
            self.leave_word(self.outgoing.word(Channel::Topic(topic), Word::Who { pod: ties.pod }));
        }
    }

    /// Wants to hear of it no more; nobody is in here.
    pub(super) fn unlisten(&self, topic: Topic) {
        if let Some(ties) = self.ties.get() {
            ties.redis.unsubscribe(&Channel::Topic(topic).name());
            let word = Word::Nobody { pod: ties.pod };
            self.leave_word(self.outgoing.word(Channel::Topic(topic), word));
        }
    }

    /// Wants to hear hints of it, though nobody may be in here.
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
        let (hints, words): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|(_, word)| matches!(word, Word::Hint(_)));
        // They wait for nobody's subscription
        self.publish_now(ties, hints).await;
        if words.iter().any(|(_, word)| matches!(word, Word::Who { .. })) {
            // Who asks wants to hear the answer. Redis away: then there is none
            _ = ties.redis.settled().await;
        }
        self.publish_now(ties, words).await;
    }

    async fn publish_now(&self, ties: &Ties, batch: Vec<(Channel, Word)>) {
        if batch.is_empty() {
            return;
        }
        let words = batch.iter().map(|(channel, word)| (channel.name(), word.encode()));
        if ties.redis.publish_all(words).await.is_err() {
            add(&self.counters.unpublished, batch.len() as u64);
        }
    }

    /// Does something with a topic's stream, if there is one, and tells what that changes.
    pub(super) fn change<T>(
        &self,
        topic: Topic,
        now: Instant,
        work: impl FnOnce(&mut Stream) -> (T, Changes),
    ) -> Option<T> {
        let (result, changes) = self.with(topic, |stream| {
            let (result, changes) = work(stream);
            self.tell_here(stream, &changes, now);
            (result, changes)
        })?;
        self.pass_on(topic, changes, now);
        Some(result)
    }

    /// Tells the other pods of people who came and went here, or who show something: they find out by what they are told.
    pub(super) fn pass_on(&self, topic: Topic, changes: Changes, now: Instant) {
        if changes.is_empty() {
            return;
        }
        if let Some(ties) = self.ties.get() {
            for (room, change) in changes {
                let What::Shows(is_on) = change.what else { continue };
                let is_here = |stream: &mut Stream| stream.crowds.is_here(room, &change.subject);
                if self.with(topic, is_here) == Some(true) {
                    let (subject, face) = (change.subject, change.face);
                    let word = Word::Sign { pod: ties.pod, room, is_on, subject, face };
                    self.leave_word(self.outgoing.word(Channel::Topic(topic), word));
                }
            }
        }
        self.announce_people(topic, false, now);
    }

    /// Tells sessions of this pod what became of others: under the lock under which it did, so that it is told in that
    /// order.
    pub(super) fn tell_here(&self, stream: &mut Stream, changes: &Changes, now: Instant) {
        let Some(ties) = self.ties.get() else { return };
        let topic = stream.topic();
        for (room, change) in changes {
            let (room, face) = (*room, &change.face);
            let frame = match change.what {
                What::Came(count) => ties.voice.came(topic, room, face, count),
                What::Went(count) => ties.voice.went(topic, room, face, count),
                What::Shows(is_on) => ties.voice.shows(topic, room, face, is_on),
            };
            if let Some(frame) = frame {
                let audience = ties.voice.audience(room);
                stream.say(audience, &frame, Some(change.subject), now);
            }
        }
    }

    /// Tells the other pods who is in here, if they are to be told now.
    pub(super) fn announce_people(&self, topic: Topic, is_beat: bool, now: Instant) {
        let Some(ties) = self.ties.get() else { return };
        let announced = self.with(topic, |stream| stream.crowds.take_announcements(is_beat, now));
        for (room, people, is_news) in announced.unwrap_or_default() {
            let word = Word::People { pod: ties.pod, room, is_news, people };
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
                place.lock().crowds.announce_again();
                let word = Word::Who { pod: ties.pod };
                self.leave_word(self.outgoing.word(Channel::Topic(topic), word));
                self.announce_people(topic, false, Instant::now());
            }
        }
        self.work.doubt();
    }
}
