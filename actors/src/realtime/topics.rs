//! All topics with sessions on this pod, and what is to be done for them.
//!
//! *Invariant:* it lives outside of every actor. What is to be done follows from cursors and targets in here, so that
//! whichever life of the hub comes next goes on where the last one ended.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, OnceLock, Weak},
    time::Instant,
};

use parking_lot::Mutex;

use super::{
    counts::{Counters, add, count},
    entry::{Entry, SessionId},
    join::{Join, Joined},
    log::{Heads, Logged},
    mailbag::Mailbag,
    outgoing::Outgoing,
    protocol::Action,
    relay::Ties,
    show::Show,
    stream::{Lack, Progress, Stream},
    topic::Topic,
    watcher::Watcher,
    work::Work,
};

/// All topics with sessions on this pod.
pub(super) struct Topics {
    streams: Mutex<HashMap<Topic, Arc<Mutex<Stream>>>>,
    /// The log's line of history, once it has told.
    epoch: Mutex<Option<u128>>,
    rooms_per_session: usize,
    pub(super) work: Work,
    pub(super) ties: OnceLock<Ties>,
    /// Not kept alive by this, since it may be who holds an announcer.
    watcher: OnceLock<Weak<dyn Watcher>>,
    pub(super) outgoing: Outgoing,
    pub(super) counters: Arc<Counters>,
}

impl Topics {
    pub(super) fn new(rooms_per_session: usize, counters: Arc<Counters>) -> Self {
        Self {
            streams: Mutex::default(),
            epoch: Mutex::default(),
            rooms_per_session,
            work: Work::default(),
            ties: OnceLock::new(),
            watcher: OnceLock::new(),
            outgoing: Outgoing::default(),
            counters,
        }
    }

    /// Lets a session in.
    pub(super) fn join(&self, entry: &Arc<Entry>, join: Join, now: Instant) {
        let (topic, head) = (join.topic, join.head);
        if let Some(epoch) = join.epoch {
            self.epoch.lock().get_or_insert(epoch);
        }
        if !entry.may_enter(topic, join.room, self.rooms_per_session) {
            for frame in (join.welcome)(Joined::TooMany) {
                _ = entry.outbox().push(frame, now);
            }
            return;
        }
        let mut bag = Mailbag::default();
        let (changes, reads, is_behind) = loop {
            let place = self.place(topic, head);
            let mut stream = place.lock();
            if stream.is_closed {
                drop(stream);
                self.discard(topic, &place);
                continue;
            }
            let (changes, reads) = stream.join(entry, join, &mut bag, now);
            self.tell_here(&mut stream, &changes, now);
            break (changes, reads, stream.behind().is_some());
        };
        drop(bag);
        if reads {
            count(&self.counters.replays);
            self.work.read([(topic, Arc::clone(entry))]);
        }
        if is_behind {
            self.work.stir(topic);
        }
        self.hint(topic, head, now);
        self.pass_on(topic, changes, now);
        // Also of who is in on another pod already, and may be gone from there next
        self.announce_people(topic, false, now);
    }

    /// Lets a session show its sign. Gives what follows for the session.
    pub(super) fn show(&self, entry: &Entry, show: Show, now: Instant) -> Vec<Action> {
        let Show { topic, room, is_on, answer } = show;
        let is_in = self.change(topic, now, |stream| {
            let changes = stream.show(entry, room, is_on, now);
            (changes.is_some(), changes.unwrap_or_default())
        });
        answer(is_in == Some(true))
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
        self.change(topic, now, |stream| ((), stream.leave(entry, room, now)));
    }

    /// Tells `watcher` of all hints from now on; the first watcher stays.
    pub(super) fn watch(&self, watcher: Weak<dyn Watcher>) {
        _ = self.watcher.set(watcher);
    }

    /// The log of `topic` goes at least up to `seq`.
    pub(super) fn hint(&self, topic: Topic, seq: i64, now: Instant) {
        if let Some(watcher) = self.watcher.get().and_then(Weak::upgrade) {
            watcher.grown(topic, seq);
        }
        if self.with(topic, |stream| stream.hint(seq, now)) == Some(true) {
            self.work.stir(topic);
        }
    }

    /// The log goes up to there, as it says itself when it is asked of `topics`; `before` are the tails' cursors before it
    /// was asked.
    pub(super) fn reconcile(
        &self,
        topics: &[Topic],
        Heads { epoch, last }: &Heads,
        before: &HashMap<Topic, i64>,
        now: Instant,
    ) {
        let known = self.epoch.lock().replace(*epoch);
        if known.is_some_and(|known| known != *epoch) {
            // Whatever was told and is not in this history: all come back and are told so
            self.places().iter().for_each(|(_, place)| place.lock().send_back(now));
        }
        let told: HashSet<Topic> = last.iter().map(|(topic, _)| *topic).collect();
        for gone in topics.iter().filter(|topic| !told.contains(topic)) {
            self.change(*gone, now, |stream| ((), stream.end(now)));
        }
        for (topic, seq) in last {
            let cursor = before.get(topic).copied().unwrap_or_default();
            let looked =
                self.with(*topic, |stream| (stream.compare(*seq, cursor, now), stream.behind().is_some()));
            let (is_news, is_behind) = looked.unwrap_or_default();
            if is_news {
                count(&self.counters.reconciled);
            }
            if is_behind {
                self.work.stir(*topic);
            }
        }
    }

    /// Everything has to be looked at, since nobody knows how far the last life has come.
    pub(super) fn begin_life(&self) {
        let places = self.places();
        let mut readers = Vec::new();
        for (topic, place) in &places {
            readers.extend(place.lock().readers().into_iter().map(|entry| (*topic, entry)));
        }
        self.work.read(readers);
        places.iter().for_each(|(topic, _)| self.work.stir(*topic));
        self.work.doubt();
    }

    /// All topics, and how far their tails have come.
    pub(super) fn cursors(&self) -> HashMap<Topic, i64> {
        self.places().into_iter().map(|(topic, place)| (topic, place.lock().cursor())).collect()
    }

    /// After which number the tail of `topic` has to read, and how far the log is known to go.
    pub(super) fn behind(&self, topic: Topic) -> Option<(i64, i64)> {
        self.with(topic, |stream| stream.behind()).flatten()
    }

    /// Offers the log's next event of `topic`, read after number `after`, to all live members. It is sent when the bag is.
    pub(super) fn deliver(&self, topic: Topic, after: i64, event: &Logged, bag: &mut Mailbag, now: Instant) {
        let delivered = self.change(topic, now, |stream| stream.deliver(after, event, bag, now));
        let Some(sent) = delivered else { return };
        count(&self.counters.events);
        add(&self.counters.fanned_out, sent);
    }

    /// The tail of `topic` has read from `after` to the log's end.
    pub(super) fn reach(&self, topic: Topic, after: i64, goal: i64) {
        if let Some(lag) = self.with(topic, |stream| stream.reach(after, goal)).flatten() {
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
        let mut bag = Mailbag::default();
        let advanced = self.change(topic, now, |stream| {
            let (progress, sent, changes) = stream.advance(session, lack, page, &mut bag, now);
            ((progress, sent), changes)
        });
        drop(bag);
        let Some((progress, sent)) = advanced else { return Progress::Done };
        add(&self.counters.replayed, sent);
        if let Some(last) = page.last() {
            // The tail may not have heard of it
            self.hint(topic, last.seq, now);
        }
        progress
    }

    pub(super) fn places(&self) -> Vec<(Topic, Arc<Mutex<Stream>>)> {
        self.streams.lock().iter().map(|(topic, place)| (*topic, Arc::clone(place))).collect()
    }

    /// The place of a topic; made and listened to if there is none.
    fn place(&self, topic: Topic, head: i64) -> Arc<Mutex<Stream>> {
        let mut streams = self.streams.lock();
        let place = streams.entry(topic).or_insert_with(|| {
            self.listen(topic);
            Arc::new(Mutex::new(Stream::new(topic, head)))
        });
        Arc::clone(place)
    }

    /// Does something with a topic's stream, if there is one, and lets the stream go when that left nobody in it.
    pub(super) fn with<T>(&self, topic: Topic, work: impl FnOnce(&mut Stream) -> T) -> Option<T> {
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
            self.unlisten(topic);
        }
    }
}
