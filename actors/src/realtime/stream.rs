//! One topic on this pod: how far its log has been told, and to whom.
//!
//! *Invariant:* a live member has been offered everything up to the tail's cursor, and the tail offers it all that
//! comes after; whether a member is live is decided under the same lock under which the cursor moves.

use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    close::Close,
    crowds::{Changes, Crowds},
    entry::{Entry, SessionId},
    frame::Frame,
    join::{Join, Joined},
    log::{Logged, PAGE},
    mailbag::Mailbag,
    member::{Ended, Member},
    protocol::Subject,
    topic::{Audience, Topic},
};

/// What a read of the log has brought a member that reads for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// There is more to read.
    More,
    /// It reads no more: it is live, or out.
    Done,
}

/// What a session has to read for itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lack {
    /// After which number.
    pub(super) after: i64,
    /// Up to which number the tail had come: the log went at least that far.
    pub(super) tail: i64,
}

/// One topic on this pod.
pub(super) struct Stream {
    topic: Topic,
    /// Up to which number the live members have been served.
    cursor: i64,
    /// Up to which number the log is known to go.
    target: i64,
    /// Whether the log is to be read although nothing is known to be new.
    look: bool,
    behind_since: Option<Instant>,
    members: HashMap<SessionId, Member>,
    pub(super) crowds: Crowds,
    /// Nobody is in it any more and nobody comes in again: its place is for a new one.
    pub(super) is_closed: bool,
}

impl Stream {
    /// A stream whose tail begins after `cursor`.
    pub(super) fn new(topic: Topic, cursor: i64) -> Self {
        Self {
            topic,
            cursor,
            target: cursor,
            // Something may have been logged before anybody listened to hints
            look: true,
            behind_since: None,
            members: HashMap::new(),
            crowds: Crowds::default(),
            is_closed: false,
        }
    }

    /// The log goes at least up to `seq`. Gives whether that is news.
    pub(super) fn hint(&mut self, seq: i64, now: Instant) -> bool {
        let is_news = seq > self.target;
        if is_news {
            self.target = seq;
            self.behind_since.get_or_insert(now);
        }
        is_news
    }

    /// The log says that it goes up to `seq`, when the tail had come to `cursor` before it was asked. Gives whether that
    /// is news.
    pub(super) fn compare(&mut self, seq: i64, cursor: i64, now: Instant) -> bool {
        if seq < cursor {
            // Another line of history: a restore, or a standby that lacked the last commits
            self.send_back(now);
        }
        self.hint(seq, now)
    }

    /// Closes all members' sessions, so that they come back, each at another time, and are judged anew.
    pub(super) fn send_back(&self, now: Instant) {
        self.members.values().for_each(|member| member.entry.send_back(now));
    }

    /// Lets everybody out: there is no such topic any more.
    pub(super) fn end(&mut self, now: Instant) -> Changes {
        let mut changes = Changes::new();
        let members: Vec<_> = self.members.values().map(|member| Arc::clone(&member.entry)).collect();
        for entry in members {
            if let Some(member) = self.members.get_mut(&entry.id()) {
                let ended = member.release(None, Joined::Removed, now);
                self.drop_rooms(&entry, &ended, &mut changes);
            }
        }
        changes
    }

    /// Which topic it is.
    pub(super) fn topic(&self) -> Topic {
        self.topic
    }

    /// Up to which number the live members have been served.
    pub(super) fn cursor(&self) -> i64 {
        self.cursor
    }

    /// After which number the tail has to read, and how far the log was known to go then.
    pub(super) fn behind(&self) -> Option<(i64, i64)> {
        (self.look || self.target > self.cursor).then_some((self.cursor, self.target))
    }

    /// Lets a session in. Gives who that brings, and whether it has to read the log for itself.
    pub(super) fn join(
        &mut self,
        entry: &Arc<Entry>,
        mut join: Join,
        bag: &mut Mailbag,
        now: Instant,
    ) -> (Changes, bool) {
        let member = self.members.entry(entry.id()).or_insert_with(|| Member::new(Arc::clone(entry)));
        let ended = member.release(Some(join.room), Joined::Left, now);
        let comer = member.subject.zip(join.face.take());
        join.face = comer.as_ref().map(|(_, face)| face.clone());
        let (room, head) = (join.room, join.head);
        entry.enter(self.topic, room);
        member.hold(join);
        let mut changes = Changes::new();
        if let Some((subject, face)) = comer {
            changes.extend(self.crowds.enter(room, subject, face, now));
        }
        self.forget_faces(entry.id(), &ended, &mut changes);
        let (cursor, present) = (self.cursor, |room| self.crowds.count(room));
        let reads = self.members.get_mut(&entry.id()).is_some_and(|member| {
            if member.cursor() >= head {
                // It has all there was when it was let in; the tail has the rest
                member.settle(cursor, present, bag, now);
            }
            !member.is_live
        });
        (changes, reads)
    }

    /// Lets a session out of a room, or of all.
    pub(super) fn leave(&mut self, entry: &Entry, room: Option<u8>, now: Instant) -> Changes {
        let mut changes = Changes::new();
        if let Some(member) = self.members.get_mut(&entry.id()) {
            let ended = member.release(room, Joined::Left, now);
            self.drop_rooms(entry, &ended, &mut changes);
        }
        changes
    }

    /// Offers the log's next event, read after number `after`, to all live members. Gives how many were sent it, and
    /// what that changes.
    pub(super) fn deliver(
        &mut self,
        after: i64,
        event: &Logged,
        bag: &mut Mailbag,
        now: Instant,
    ) -> (u64, Changes) {
        let (mut sent, mut changes) = (0, Changes::new());
        if event.seq <= self.cursor || self.is_foreign(after) {
            return (sent, changes);
        }
        if event.seq > self.cursor.saturating_add(1) {
            self.break_off(now);
        }
        let (mut full, topic) = (Vec::new(), self.topic);
        for member in self.members.values_mut().filter(|member| member.is_live) {
            match member.offer(topic, event, bag, now) {
                Ok(is_sent) => sent += u64::from(is_sent),
                Err(_full) => full.push(Arc::clone(&member.entry)),
            }
        }
        self.cursor = event.seq;
        self.target = self.target.max(event.seq);
        for entry in full {
            changes.extend(self.leave(&entry, None, now));
        }
        self.put_out(event, None, now, &mut changes);
        (sent, changes)
    }

    /// The tail has read from `after` up to the log's end, when it was known to go up to `goal`. Gives how long it was
    /// behind.
    pub(super) fn reach(&mut self, after: i64, goal: i64) -> Option<Duration> {
        if self.is_foreign(after) {
            return None;
        }
        self.look = false;
        if self.cursor < goal && self.target == goal {
            // A hint of what was never logged
            self.target = self.cursor;
        }
        let since = self.behind_since.take_if(|_| self.target <= self.cursor)?;
        Some(since.elapsed())
    }

    /// Whether what was read after number `after` was read for an earlier stream of the topic: this one has not come
    /// that far.
    fn is_foreign(&self, after: i64) -> bool {
        after > self.cursor
    }

    /// What a session has to read for itself; `None` when it need not.
    pub(super) fn lacks(&self, session: SessionId) -> Option<Lack> {
        let member = self.members.get(&session).filter(|member| !member.is_live)?;
        Some(Lack { after: member.cursor(), tail: self.cursor })
    }

    /// Serves a session what it read for itself because of `lack`, as far as its outbox has room.
    pub(super) fn advance(
        &mut self,
        session: SessionId,
        Lack { after, tail }: Lack,
        page: &[Logged],
        bag: &mut Mailbag,
        now: Instant,
    ) -> (Progress, u64, Changes) {
        let (mut sent, mut changes) = (0, Changes::new());
        let Some(member) = self.members.get_mut(&session).filter(|member| !member.is_live) else {
            return (Progress::Done, sent, changes);
        };
        if member.cursor() != after {
            return (Progress::More, sent, changes);
        }
        let entry = Arc::clone(&member.entry);
        let lost = page.first().map_or(tail, |first| first.seq.saturating_sub(1));
        let ended = member.expire(lost, now);
        self.drop_rooms(&entry, &ended, &mut changes);
        for event in page {
            if !entry.outbox().has_headroom() {
                return (Progress::More, sent, changes);
            }
            let Some(member) = self.members.get_mut(&session) else { return (Progress::Done, sent, changes) };
            match member.offer(self.topic, event, bag, now) {
                Ok(is_sent) => sent += u64::from(is_sent),
                Err(_full) => {
                    changes.extend(self.leave(&entry, None, now));
                    return (Progress::Done, sent, changes);
                }
            }
            self.put_out(event, Some(session), now, &mut changes);
        }
        let (tail, present) = (self.cursor, |room| self.crowds.count(room));
        let Some(member) = self.members.get_mut(&session) else { return (Progress::Done, sent, changes) };
        if page.len() >= PAGE {
            return (Progress::More, sent, changes);
        }
        member.settle(tail, present, bag, now);
        (if member.is_live { Progress::Done } else { Progress::More }, sent, changes)
    }

    /// Sends something that is not logged to the live members that may hear it.
    pub(super) fn say(&mut self, audience: Audience, frame: &Frame, except: Option<Subject>, now: Instant) {
        let is_meant = |member: &Member| except.is_none() || except != member.subject;
        let hears = |member: &&mut Member| member.is_live && member.hears(audience) && is_meant(member);
        for member in self.members.values_mut().filter(hears) {
            // Full: it is being closed for that already
            _ = member.entry.offer(frame, now);
        }
    }

    /// A session shows its subject's sign in a room, or no more. `None`: it is not in there, with a face.
    pub(super) fn show(&mut self, entry: &Entry, room: u8, is_on: bool, now: Instant) -> Option<Changes> {
        let member = self.members.get(&entry.id()).filter(|member| member.is_in(room))?;
        let subject = member.subject.filter(|subject| self.crowds.is_here(room, subject))?;
        Some(self.crowds.show(room, subject, is_on, now))
    }

    /// The sessions that read the log for themselves.
    pub(super) fn readers(&self) -> Vec<Arc<Entry>> {
        self.members
            .values()
            .filter(|member| !member.is_live)
            .map(|member| Arc::clone(&member.entry))
            .collect()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// The log keeps what the live members lack no longer: they come back and are told so.
    fn break_off(&mut self, now: Instant) {
        for member in self.members.values().filter(|member| member.is_live) {
            member.entry.outbox().close(Close::TOO_SLOW, now);
        }
    }

    /// Puts out whom the event puts out: `only` one session, or all of the subject's.
    fn put_out(&mut self, event: &Logged, only: Option<SessionId>, now: Instant, changes: &mut Changes) {
        let Some(removal) = &event.removal else { return };
        let is_meant = |member: &Member| only.is_none_or(|only| member.entry.id() == only);
        let out: Vec<_> = self
            .members
            .values_mut()
            .filter(|member| is_meant(member))
            .map(|member| (Arc::clone(&member.entry), member.remove(removal, event.seq, now)))
            .filter(|(_, ended)| !ended.is_empty())
            .collect();
        for (entry, ended) in out {
            self.drop_rooms(&entry, &ended, changes);
        }
    }

    /// Forgets what is over for a session, and the session when that was all.
    fn drop_rooms(&mut self, entry: &Entry, ended: &[Ended], changes: &mut Changes) {
        self.forget_faces(entry.id(), ended, changes);
        for Ended { room, .. } in ended {
            entry.exit(self.topic, *room);
        }
        if self.members.get(&entry.id()).is_some_and(Member::is_out) {
            self.members.remove(&entry.id());
        }
    }

    fn forget_faces(&mut self, session: SessionId, ended: &[Ended], changes: &mut Changes) {
        let subject = self.members.get(&session).and_then(|member| member.subject);
        let with_faces = ended.iter().filter(|ended| ended.had_face);
        for Ended { room, .. } in with_faces {
            changes.extend(subject.map(|subject| self.crowds.leave(*room, subject)).unwrap_or_default());
        }
    }

    /// Closes it if nobody is in it. Gives whether it is closed.
    pub(super) fn close_if_empty(&mut self) -> bool {
        self.is_closed |= self.is_empty();
        self.is_closed
    }
}
