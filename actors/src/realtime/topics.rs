//! All topics with sessions on this pod, and what is to be done for them.
//!
//! *Invariant:* it lives outside of every actor. What is to be done follows from cursors and targets in here, so that
//! whichever life of the hub comes next goes on where the last one ended.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use bytes::Bytes;
use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{
    counts::{Counters, add, count},
    entry::{Entry, SessionId},
    frame::Frame,
    join::{Join, Joined},
    log::Logged,
    outgoing::Outgoing,
    stream::{Change, Lack, Progress, Stream},
    topic::{Audience, Topic},
    viewers::NAMED,
    voice::Voice,
    wire::Word,
};
use crate::redis::{Inbox, Redis};

/// What ties the topics of this pod to those of the others.
pub(super) struct Ties {
    pub(super) redis: Redis,
    pub(super) voice: Arc<dyn Voice>,
    /// This pod's own number.
    pub(super) pod: u64,
}

/// All topics with sessions on this pod.
pub(super) struct Topics {
    streams: Mutex<HashMap<Topic, Arc<Mutex<Stream>>>>,
    rooms_per_session: usize,
    work: Work,
    ties: OnceLock<Ties>,
    outgoing: Outgoing,
    counters: Arc<Counters>,
}

/// What the hub has to look at; it is rung for when there is something.
#[derive(Default)]
struct Work {
    stirred: Mutex<HashSet<Topic>>,
    readers: Mutex<Vec<(Topic, Arc<Entry>)>>,
    is_in_doubt: AtomicBool,
    bell: Notify,
}

impl Topics {
    pub(super) fn new(rooms_per_session: usize, counters: Arc<Counters>) -> Self {
        Self {
            streams: Mutex::default(),
            rooms_per_session,
            work: Work::default(),
            ties: OnceLock::new(),
            outgoing: Outgoing::default(),
            counters,
        }
    }

    /// Ties it to the other pods; the first ties stay.
    pub(super) fn tie(&self, ties: Ties) {
        _ = self.ties.set(ties);
    }

    /// Lets a session in.
    pub(super) fn join(&self, entry: &Arc<Entry>, join: Join, now: Instant) {
        let (topic, head) = (join.topic, join.head);
        if !entry.enter(topic, join.room, self.rooms_per_session) {
            for frame in (join.welcome)(Joined::TooMany) {
                _ = entry.outbox().push(frame, now);
            }
            return;
        }
        let (changes, reads) = loop {
            let place = self.place(topic, head);
            let mut stream = place.lock();
            if stream.is_closed {
                drop(stream);
                self.discard(topic, &place);
                continue;
            }
            break stream.join(entry, join, now);
        };
        if reads {
            count(&self.counters.replays);
            self.work.readers.lock().push((topic, Arc::clone(entry)));
        }
        self.hint(topic, head, now);
        self.stir(topic);
        self.tell(topic, changes, Some(entry.id()), now);
    }

    /// Lets a session out of a room.
    pub(super) fn leave(&self, entry: &Entry, topic: Topic, room: u8, now: Instant) {
        self.let_out(entry, topic, Some(room), now);
    }

    /// Lets a session that ends out of everything.
    pub(super) fn leave_all(&self, entry: &Entry, now: Instant) {
        for topic in entry.exit_all() {
            self.let_out(entry, topic, None, now);
        }
    }

    fn let_out(&self, entry: &Entry, topic: Topic, room: Option<u8>, now: Instant) {
        let changes = self.with(topic, |stream| stream.leave(entry, room, now));
        self.tell(topic, changes.unwrap_or_default(), Some(entry.id()), now);
    }

    /// The log of `topic` goes at least up to `seq`.
    pub(super) fn hint(&self, topic: Topic, seq: i64, now: Instant) {
        if self.with(topic, |stream| stream.hint(seq, now)) == Some(true) {
            self.stir(topic);
        }
    }

    /// The log goes up to there, as it says itself.
    pub(super) fn reconcile(&self, heads: &[(Topic, i64)], now: Instant) {
        for (topic, seq) in heads {
            let looked = self.with(*topic, |stream| (stream.hint(*seq, now), stream.behind().is_some()));
            let (is_news, is_behind) = looked.unwrap_or_default();
            if is_news {
                count(&self.counters.reconciled);
            }
            if is_behind {
                self.stir(*topic);
            }
        }
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
            self.leave_word(self.outgoing.word(topic, word));
        }
    }

    // What the hub does

    /// Everything has to be looked at, since nobody knows how far the last life has come.
    pub(super) fn begin_life(&self) {
        let places = self.places();
        let mut readers = Vec::new();
        for (topic, place) in &places {
            readers.extend(place.lock().readers().into_iter().map(|entry| (*topic, entry)));
        }
        self.work.readers.lock().extend(readers);
        self.work.stirred.lock().extend(places.iter().map(|(topic, _)| *topic));
        self.doubt();
    }

    /// Waits until there is something to do.
    pub(super) async fn stirs(&self) {
        self.work.bell.notified().await;
    }

    pub(super) fn ring(&self) {
        self.work.bell.notify_one();
    }

    pub(super) fn take_stirred(&self) -> HashSet<Topic> {
        mem::take(&mut *self.work.stirred.lock())
    }

    pub(super) fn take_readers(&self) -> Vec<(Topic, Arc<Entry>)> {
        mem::take(&mut *self.work.readers.lock())
    }

    /// Whether hints may have been lost since it was last asked.
    pub(super) fn take_doubt(&self) -> bool {
        self.work.is_in_doubt.swap(false, Ordering::AcqRel)
    }

    pub(super) fn take_outgoing(&self) -> Vec<(Topic, Word)> {
        self.outgoing.take()
    }

    pub(super) fn all(&self) -> Vec<Topic> {
        self.streams.lock().keys().copied().collect()
    }

    /// After which number the tail of `topic` has to read, and how far the log is known to go.
    pub(super) fn behind(&self, topic: Topic) -> Option<(i64, i64)> {
        self.with(topic, |stream| stream.behind()).flatten()
    }

    /// Offers the log's next event of `topic` to all live members.
    pub(super) fn deliver(&self, topic: Topic, event: &Logged, now: Instant) {
        let Some((sent, changes)) = self.with(topic, |stream| stream.deliver(event, now)) else { return };
        count(&self.counters.events);
        add(&self.counters.fanned_out, sent);
        self.tell(topic, changes, None, now);
    }

    /// The tail of `topic` has read to the log's end.
    pub(super) fn reach(&self, topic: Topic, goal: i64) {
        if let Some(lag) = self.with(topic, |stream| stream.reach(goal)).flatten() {
            count(&self.counters.catch_ups);
            add(&self.counters.lag_micros, u64::try_from(lag.as_micros()).unwrap_or(u64::MAX));
        }
    }

    /// What a session has to read for itself.
    pub(super) fn lacks(&self, topic: Topic, session: SessionId) -> Option<Lack> {
        self.with(topic, |stream| stream.lacks(session)).flatten()
    }

    /// Serves a session what it read for itself.
    pub(super) fn advance(
        &self,
        topic: Topic,
        session: SessionId,
        lack: Lack,
        page: &[Logged],
        now: Instant,
    ) -> Progress {
        let advanced = self.with(topic, |stream| stream.advance(session, lack, page, now));
        let Some((progress, sent, changes)) = advanced else { return Progress::Done };
        add(&self.counters.replayed, sent);
        if let Some(last) = page.last() {
            // The tail may not have heard of it
            self.hint(topic, last.seq, now);
        }
        self.tell(topic, changes, None, now);
        progress
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
    fn hear(&self, topic: Topic, word: Word, now: Instant) {
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
            Word::Said { .. } | Word::Watching { .. } | Word::Who { .. } => {}
        }
    }

    // What all of the above is made of

    fn places(&self) -> Vec<(Topic, Arc<Mutex<Stream>>)> {
        self.streams.lock().iter().map(|(topic, place)| (*topic, Arc::clone(place))).collect()
    }

    /// The place of a topic; made and listened to if there is none.
    fn place(&self, topic: Topic, head: i64) -> Arc<Mutex<Stream>> {
        let mut streams = self.streams.lock();
        let place = streams.entry(topic).or_insert_with(|| {
            if let Some(ties) = self.ties.get() {
                ties.redis.subscribe(&topic.channel());
                self.leave_word(self.outgoing.word(topic, Word::Who { pod: ties.pod }));
            }
            Arc::new(Mutex::new(Stream::new(topic, head)))
        });
        Arc::clone(place)
    }

    /// Does something with a topic's stream, if there is one, and lets the stream go when that left nobody in it.
    fn with<T>(&self, topic: Topic, work: impl FnOnce(&mut Stream) -> T) -> Option<T> {
        let place = self.streams.lock().get(&topic).map(Arc::clone)?;
        let (result, is_closed) = {
            let mut stream = place.lock();
            (work(&mut stream), stream.close_if_empty())
        };
        if is_closed {
            self.discard(topic, &place);
        }
        Some(result)
    }

    /// Lets go of a stream that is closed; of whoever comes at the same time, one does.
    fn discard(&self, topic: Topic, place: &Arc<Mutex<Stream>>) {
        let mut streams = self.streams.lock();
        if streams.get(&topic).is_some_and(|present| Arc::ptr_eq(present, place)) {
            streams.remove(&topic);
            if let Some(ties) = self.ties.get() {
                ties.redis.unsubscribe(&topic.channel());
                let word = Word::Watching { pod: ties.pod, viewers: HashSet::new() };
                self.leave_word(self.outgoing.word(topic, word));
            }
        }
    }

    /// Tells of viewers that came and went.
    fn tell(&self, topic: Topic, changes: Vec<Change>, except: Option<SessionId>, now: Instant) {
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
            self.leave_word(self.outgoing.word(topic, word));
        }
    }

    fn leave_word(&self, had_room: bool) {
        if had_room { self.ring() } else { count(&self.counters.unpublished) }
    }

    fn stir(&self, topic: Topic) {
        self.work.stirred.lock().insert(topic);
        self.ring();
    }

    fn doubt(&self) {
        self.work.is_in_doubt.store(true, Ordering::Release);
        self.ring();
    }

    /// Who publishes.
    pub(super) fn ties(&self) -> Option<&Ties> {
        self.ties.get()
    }

    pub(super) fn counters(&self) -> &Counters {
        &self.counters
    }
}

impl Inbox for Topics {
    fn message(&self, channel: &str, payload: Bytes) {
        if let Some((topic, word)) = Topic::of_channel(channel).zip(Word::decode(&payload)) {
            self.hear(topic, word, Instant::now());
        }
    }

    fn gap(&self) {
        if let Some(ties) = self.ties.get() {
            for (topic, place) in self.places() {
                place.lock().viewers.announce_again();
                self.leave_word(self.outgoing.word(topic, Word::Who { pod: ties.pod }));
                self.announce_viewers(topic, false, Instant::now());
            }
        }
        self.doubt();
    }
}
