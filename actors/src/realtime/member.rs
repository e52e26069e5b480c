//! One session in one topic: what it hears, and how far it has been served.
//!
//! *Invariant:* whoever offers an event, tail or replay, once or again, sends it at most once: each hold knows the
//! numbers `after < seq <= upto` that it has dealt with.

use std::{sync::Arc, time::Instant};

use super::{
    close::Close,
    entry::Entry,
    join::{Join, Joined, Position, Welcome},
    log::{Logged, Removal},
    mailbag::Mailbag,
    outbox::Full,
    protocol::Subject,
    topic::{Audience, Topic},
};

/// One room under which a session hears a topic.
struct Hold {
    room: u8,
    audience: Audience,
    /// Nothing up to this number is of its interest; all when it wants nothing but what comes after its welcome.
    after: i64,
    /// Everything up to this number has been dealt with.
    upto: i64,
    /// The topic's last number when it was let in.
    head: i64,
    replayed: u64,
    has_face: bool,
    welcome: Option<Welcome>,
}

impl Hold {
    fn has_had(&self, event: &Logged) -> bool {
        self.audience.meets(event.audience) && self.after < event.seq && event.seq <= self.upto
    }

    fn position(&self) -> Position {
        Position { room: self.room, after: self.after, upto: self.upto }
    }

    fn wants(&self, event: &Logged) -> bool {
        self.audience.meets(event.audience) && self.upto < event.seq && self.after < event.seq
    }
}

/// One session in one topic.
pub(super) struct Member {
    pub(super) entry: Arc<Entry>,
    pub(super) subject: Option<Subject>,
    holds: Vec<Hold>,
    /// Fed by the tail; else it reads the log for itself.
    pub(super) is_live: bool,
}

/// A room that a member is no longer in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ended {
    pub(super) room: u8,
    pub(super) had_face: bool,
}

impl Member {
    pub(super) fn new(entry: Arc<Entry>) -> Self {
        let subject = entry.identity().map(|identity| identity.subject);
        Self { entry, subject, holds: Vec::new(), is_live: true }
    }

    /// Takes a room on. It is live again when it has met the tail.
    pub(super) fn hold(&mut self, join: Join) {
        // Most are in one room or two
        self.holds.reserve_exact(1);
        self.holds.push(Hold {
            room: join.room,
            audience: join.audience,
            after: join.heard_after.or(join.since).unwrap_or(i64::MAX),
            upto: join.since.unwrap_or(join.head),
            head: join.head,
            replayed: 0,
            has_face: join.face.is_some(),
            welcome: Some(join.welcome),
        });
        self.is_live = false;
    }

    /// Up to which number everything has been dealt with.
    pub(super) fn cursor(&self) -> i64 {
        self.holds.iter().map(|hold| hold.upto).min().unwrap_or(i64::MAX)
    }

    pub(super) fn hears(&self, audience: Audience) -> bool {
        self.holds.iter().any(|hold| hold.audience.meets(audience))
    }

    pub(super) fn is_in(&self, room: u8) -> bool {
        self.holds.iter().any(|hold| hold.room == room)
    }

    pub(super) fn is_out(&self) -> bool {
        self.holds.is_empty()
    }

    /// Deals with the next event: sends it if it is wanted and was not sent already. Gives whether it was.
    pub(super) fn offer(
        &mut self,
        topic: Topic,
        event: &Logged,
        bag: &mut Mailbag,
        now: Instant,
    ) -> Result<bool, Full> {
        let has_had = self.holds.iter().any(|hold| hold.has_had(event));
        let mut is_sent = false;
        for hold in &mut self.holds {
            if hold.wants(event) && !has_had {
                is_sent = true;
                hold.replayed += 1;
            }
            hold.upto = hold.upto.max(event.seq);
        }
        if is_sent {
            let mut positions = self.holds.iter().map(Hold::position);
            let frame = self.entry.notices.render_logged(&event.frame, topic, &mut positions);
            bag.leave(&self.entry, frame, now)?;
        }
        Ok(is_sent)
    }

    /// Becomes live if it has met the tail at `tail`, and says so; `present` counts who is in a room.
    pub(super) fn settle(
        &mut self,
        tail: i64,
        present: impl Fn(u8) -> usize,
        bag: &mut Mailbag,
        now: Instant,
    ) {
        if self.is_live || self.cursor() < tail {
            return;
        }
        self.is_live = true;
        for hold in &mut self.holds {
            hold.after = hold.after.min(hold.upto);
            let present = present(hold.room);
            let joined = Joined::Live { seq: hold.upto, replayed: hold.replayed, present };
            let welcome = hold.welcome.take();
            for frame in welcome.into_iter().flat_map(|welcome| welcome(joined)) {
                // Full: it is being closed for that already
                _ = bag.leave(&self.entry, frame, now);
            }
        }
    }

    /// Gives and takes away what a removal of number `seq` does. Gives the rooms that are over with that.
    pub(super) fn remove(&mut self, removal: &Removal, seq: i64, now: Instant) -> Vec<Ended> {
        if removal.id.is_some() && removal.id != self.subject.map(|subject| subject.id) {
            return Vec::new();
        }
        let (mut ended, mut is_hit) = (Vec::new(), false);
        for hold in self.holds.iter_mut().filter(|hold| hold.head < seq) {
            is_hit = true;
            if let Some(grant) = removal.grant.filter(|grant| hold.audience.meets(grant.whom)) {
                hold.audience = hold.audience.and(grant.to);
            }
            hold.audience = hold.audience.without(removal.from);
            if hold.audience.is_nobody() {
                finish(&self.entry, hold.welcome.take(), Joined::Removed, now);
                ended.push(Ended { room: hold.room, had_face: hold.has_face });
            }
        }
        self.holds.retain(|hold| !hold.audience.is_nobody());
        if let Some(close) = removal.close.filter(|_| is_hit) {
            self.entry.outbox().close(close, now);
        }
        ended
    }

    /// Gives a room up, or all of them; whoever waits for its welcome is told `why`.
    pub(super) fn release(&mut self, room: Option<u8>, why: Joined, now: Instant) -> Vec<Ended> {
        self.end(|hold| room.is_none_or(|room| room == hold.room), why, now)
    }

    /// Gives up the rooms that lack events up to `lost`, which are kept no longer. One that was told it is in cannot be
    /// told otherwise: the session is closed, comes back and hears of it then.
    pub(super) fn expire(&mut self, lost: i64, now: Instant) -> Vec<Ended> {
        let is_lost = |hold: &Hold| hold.upto < lost;
        let was_in = self.holds.iter().any(|hold| is_lost(hold) && hold.welcome.is_none());
        let ended = self.end(is_lost, Joined::Expired, now);
        if was_in {
            self.entry.outbox().close(Close::TOO_SLOW, now);
        }
        ended
    }

    fn end(&mut self, is_over: impl Fn(&Hold) -> bool, why: Joined, now: Instant) -> Vec<Ended> {
        let entry = &self.entry;
        let mut ended = Vec::new();
        self.holds.retain_mut(|hold| {
            let is_over = is_over(hold);
            if is_over {
                finish(entry, hold.welcome.take(), why, now);
                ended.push(Ended { room: hold.room, had_face: hold.has_face });
            }
            !is_over
        });
        ended
    }
}

fn finish(entry: &Entry, welcome: Option<Welcome>, joined: Joined, now: Instant) {
    for frame in welcome.into_iter().flat_map(|welcome| welcome(joined)) {
        // Full: it is being closed for that already
        _ = entry.outbox().push(frame, now);
    }
}
