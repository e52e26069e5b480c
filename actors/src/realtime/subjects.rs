//! The sessions of each subject on this pod, and the way to those on the others.
//!
//! *Invariant:* it lives outside of every actor. What is said to a subject may be lost; that a subject's sessions are
//! over is only hinted at, and found again by asking.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::Arc,
    time::Instant,
};

use bytes::Bytes;
use parking_lot::Mutex;

use super::{
    channel::Channel,
    close::Close,
    counts::{add, count},
    entry::{Entry, SessionId},
    frame::Frame,
    protocol::Subject,
    revocation::Credential,
    topic::Audience,
    topics::Topics,
    wire::Word,
};
use crate::redis::Inbox;

/// About how many channels Redis is asked at once.
const ASKED: usize = 1000;
/// How many words are published at once.
const TOLD: usize = 256;
/// A subject's sessions are not told apart.
const ALL: Audience = Audience(u8::MAX);

/// The sessions of each subject on this pod.
pub(super) struct Subjects {
    here: Mutex<HashMap<Subject, HashMap<SessionId, Arc<Entry>>>>,
    /// Whose sessions may be over.
    doubted: Mutex<HashSet<Subject>>,
    pub(super) topics: Arc<Topics>,
}

impl Subjects {
    pub(super) fn new(topics: Arc<Topics>) -> Self {
        Self { here: Mutex::default(), doubted: Mutex::default(), topics }
    }

    /// One more session of a subject. `false`: it has `most` of them.
    pub(super) fn enter(&self, subject: Subject, entry: &Arc<Entry>, most: usize) -> bool {
        let mut here = self.here.lock();
        let sessions = here.entry(subject).or_default();
        let (is_first, has_room) = (sessions.is_empty(), sessions.len() < most);
        if has_room {
            sessions.insert(entry.id, Arc::clone(entry));
        }
        if sessions.is_empty() {
            here.remove(&subject);
        } else if is_first && let Some(ties) = self.topics.ties.get() {
            ties.redis.subscribe(&Channel::Subject(subject).name());
        }
        has_room
    }

    /// One session less.
    pub(super) fn leave(&self, subject: Subject, id: SessionId) {
        let mut here = self.here.lock();
        let Some(sessions) = here.get_mut(&subject) else { return };
        sessions.remove(&id);
        if sessions.is_empty() {
            here.remove(&subject);
            if let Some(ties) = self.topics.ties.get() {
                ties.redis.unsubscribe(&Channel::Subject(subject).name());
            }
        }
    }

    fn of(&self, subject: Subject) -> Vec<Arc<Entry>> {
        self.here.lock().get(&subject).into_iter().flat_map(HashMap::values).map(Arc::clone).collect()
    }

    fn is_here(&self, subject: Subject) -> bool {
        self.here.lock().contains_key(&subject)
    }

    /// Says something to all sessions of a subject on this pod.
    fn tell_here(&self, subject: Subject, frame: &Frame, now: Instant) {
        for entry in self.of(subject) {
            // Full: it is being closed for that already
            _ = entry.offer(frame, now);
        }
    }

    /// Says something to all sessions of each of these subjects, on all pods; some hundred of them cost one round trip.
    pub(super) async fn tell_many(&self, told: Vec<(Subject, Frame)>, now: Instant) {
        for (subject, frame) in &told {
            self.tell_here(*subject, frame, now);
        }
        let Some(ties) = self.topics.ties.get() else { return };
        for told in told.chunks(TOLD) {
            let words = told.iter().map(|(subject, frame)| {
                let word = Word::Said { pod: ties.pod, audience: ALL, frame: frame.clone() };
                (Channel::Subject(*subject).name(), word.encode())
            });
            if ties.redis.publish_all(words).await.is_err() {
                add(&self.topics.counters.unpublished, told.len() as u64);
            }
        }
    }

    /// Which of these have sessions: here, and on other pods as far as Redis tells.
    pub(super) async fn present(&self, subjects: &[Subject]) -> HashSet<Subject> {
        let (present, others): (Vec<Subject>, Vec<Subject>) = {
            let here = self.here.lock();
            subjects.iter().copied().partition(|subject| here.contains_key(subject))
        };
        let mut present = HashSet::from_iter(present);
        let Some(ties) = self.topics.ties.get() else { return present };
        for others in others.chunks(ASKED) {
            let names: Vec<String> = others.iter().map(|subject| Channel::Subject(*subject).name()).collect();
            // Redis away: nobody elsewhere can be told anything either
            let Ok(heard) = ties.redis.heard(&names).await else { break };
            let listens = |name: &String| heard.contains(name);
            present
                .extend(others.iter().zip(&names).filter(|(_, name)| listens(name)).map(|(other, _)| *other));
        }
        present
    }

    /// Sessions of a subject may be over, on any pod.
    pub(super) fn doubt(&self, subject: Subject) {
        self.doubt_here(subject);
        if let Some(ties) = self.topics.ties.get() {
            let word = Word::Doubt { pod: ties.pod };
            self.topics.leave_word(self.topics.outgoing.word(Channel::Subject(subject), word));
        }
    }

    fn doubt_here(&self, subject: Subject) {
        // So that there are never more than there are sessions
        if self.is_here(subject) {
            self.doubted.lock().insert(subject);
            self.topics.work.ring();
        }
    }

    /// By what the sessions of those are theirs whose sessions may be over.
    pub(super) fn take_doubted(&self) -> HashSet<Credential> {
        let doubted = mem::take(&mut *self.doubted.lock());
        doubted.into_iter().flat_map(|subject| credentials(&self.of(subject))).collect()
    }

    /// By what all sessions of this pod are somebody's.
    pub(super) fn credentials(&self) -> HashSet<Credential> {
        let all: Vec<_> = self.here.lock().values().flat_map(HashMap::values).map(Arc::clone).collect();
        credentials(&all)
    }

    /// Closes all sessions that are somebody's by that.
    pub(super) fn end(&self, credential: Credential, close: Close, now: Instant) {
        for entry in self.of(credential.subject) {
            if entry.credential() == Some(credential) && entry.outbox.closing().is_none() {
                count(&self.topics.counters.revoked);
                entry.outbox.close(close, now);
            }
        }
    }

    /// What another pod, or this one itself, has said to a subject.
    fn hear(&self, subject: Subject, word: Word, now: Instant) {
        let own = self.topics.ties.get().map(|ties| ties.pod);
        match word {
            Word::Said { pod, frame, .. } if own != Some(pod) => self.tell_here(subject, &frame, now),
            Word::Doubt { pod } if own != Some(pod) => self.doubt_here(subject),
            _ => {}
        }
    }
}

/// By what those are somebody's that are not being closed already.
fn credentials(entries: &[Arc<Entry>]) -> HashSet<Credential> {
    let open = entries.iter().filter(|entry| entry.outbox.closing().is_none());
    open.filter_map(|entry| entry.credential()).collect()
}

impl Inbox for Subjects {
    fn message(&self, channel: &str, payload: Bytes) {
        let now = Instant::now();
        match Channel::named(channel).zip(Word::decode(&payload)) {
            Some((Channel::Topic(topic), word)) => self.topics.hear(topic, word, now),
            Some((Channel::Subject(subject), word)) => self.hear(subject, word, now),
            None => {}
        }
    }

    fn gap(&self) {
        // Who was ended meanwhile is found by the next question
        self.topics.mind_the_gap();
    }
}
