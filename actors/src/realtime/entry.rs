//! One session as all but itself see it.

use std::{
    collections::HashSet,
    fmt, mem,
    net::IpAddr,
    sync::{
        Arc, OnceLock, Weak,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{
    close::Close,
    config::Config,
    counts::{Counters, count},
    cut::Cut,
    dialogue::Dialogue,
    frame::Frame,
    join::Position,
    outbox::{Full, Outbox},
    protocol::{Identity, Notices},
    revocation::Credential,
    topic::Topic,
    vitals::{Duty, Vitals},
};

/// A session's number on its pod; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub(super) u64);

/// One session as all but itself see it.
pub struct Entry {
    pub(super) id: SessionId,
    pub(super) address: IpAddr,
    pub(super) outbox: Outbox,
    /// The connection; none while requests carry the session.
    pub(super) cut: Mutex<Weak<Cut>>,
    /// Whether only the answer to a ping is a sign of life, not any byte.
    pub(super) is_strict: bool,
    pub(super) notices: Arc<dyn Notices>,
    /// How long its client is to wait before it comes back, if it is sent away.
    pub(super) return_after: Duration,
    pub(super) vitals: Mutex<Vitals>,
    pub(super) counters: Arc<Counters>,
    /// Whether the client has sent its close.
    pub(super) goodbye: AtomicBool,
    /// What its client and it say to each other.
    pub(super) dialogue: OnceLock<Weak<Dialogue>>,
    /// The rooms that it is in.
    pub(super) rooms: Mutex<HashSet<(Topic, u8)>>,
}

impl Entry {
    /// Its number.
    pub fn id(&self) -> SessionId {
        self.id
    }

    /// What waits to be sent to it.
    pub fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Notes its exchange with its client, once.
    pub(super) fn attend(&self, dialogue: &Arc<Dialogue>) {
        _ = self.dialogue.set(Arc::downgrade(dialogue));
    }

    /// Leaves an event for it that many are told, in its own codec.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub fn offer(&self, event: &Frame, now: Instant) -> Result<(), Full> {
        self.outbox.push(self.notices.render(event), now)
    }

    /// Leaves a logged event of `topic` for it, in its own codec; with it, it has been served up to `positions`.
    ///
    /// # Errors
    ///
    /// [`Full`].
    pub(super) fn offer_logged(
        &self,
        event: &Frame,
        topic: Topic,
        positions: &mut dyn Iterator<Item = Position>,
        now: Instant,
    ) -> Result<(), Full> {
        self.outbox.push(self.notices.render_logged(event, topic, positions), now)
    }

    /// Who speaks in it, once known.
    pub fn identity(&self) -> Option<Identity> {
        self.vitals.lock().identity
    }

    /// By what it is somebody's, once known.
    pub(super) fn credential(&self) -> Option<Credential> {
        self.identity().map(|identity| Credential { subject: identity.subject, grant: identity.grant })
    }

    /// Whether it may enter a room, perhaps again, when it may be in `limit` of them.
    pub(super) fn may_enter(&self, topic: Topic, room: u8, limit: usize) -> bool {
        let rooms = self.rooms.lock();
        rooms.len() < limit || rooms.contains(&(topic, room))
    }

    /// Notes a room that it enters, perhaps again. As [`Entry::exit`]: with the topic's stream locked, so that what is
    /// noted here and who is in there agree.
    pub(super) fn enter(&self, topic: Topic, room: u8) {
        self.rooms.lock().insert((topic, room));
    }

    /// Forgets a room.
    pub(super) fn exit(&self, topic: Topic, room: u8) {
        self.rooms.lock().remove(&(topic, room));
    }

    /// Forgets all rooms. Gives their topics.
    pub(super) fn exit_all(&self) -> HashSet<Topic> {
        mem::take(&mut *self.rooms.lock()).into_iter().map(|(topic, _)| topic).collect()
    }

    /// Notes that bytes came from the client.
    pub(super) fn note_in(&self, now: Instant) {
        if !self.is_strict {
            self.note_alive(now);
        }
    }

    /// Notes that a ping was answered.
    pub(super) fn note_alive(&self, now: Instant) {
        self.vitals.lock().last_in = now;
    }

    /// Notes that the socket has taken bytes.
    pub(super) fn note_out(&self, now: Instant) {
        self.vitals.lock().last_out = now;
    }

    /// Notes that the socket has taken `frames` frames.
    pub(super) fn note_delivered(&self, frames: usize) {
        self.counters.delivered.fetch_add(frames as u64, Ordering::Relaxed);
    }

    /// Notes that the client has sent its close: nothing follows.
    pub(super) fn note_goodbye(&self) {
        self.goodbye.store(true, Ordering::Relaxed);
    }

    /// Lets the connection close as soon as all is written, where both sides have said goodbye. Otherwise the server
    /// reads on for a while, so that a reset does not overtake the close.
    pub(super) fn end_reading(&self) {
        if self.goodbye.load(Ordering::Relaxed)
            && let Some(cut) = self.connection()
        {
            cut.end_reading();
        }
    }

    /// Gives its turn on a draining pod; the first one counts.
    pub(super) fn drain_at(&self, at: Instant) {
        self.vitals.lock().drain_at.get_or_insert(at);
    }

    /// Closes it so that its client comes back in its turn.
    pub(super) fn send_back(&self, now: Instant) {
        self.outbox.close_with(self.notices.draining(self.return_after), Close::RESTARTING, now);
    }

    /// Does what is due `now`.
    pub(super) fn sweep(&self, now: Instant, config: &Config) {
        if let Some(dialogue) = self.dialogue.get().and_then(Weak::upgrade) {
            dialogue.expire(now);
        }
        match self.take_duty(now, config) {
            Duty::Rest => {}
            Duty::Cut => {
                count(&self.counters.cut);
                self.cut();
            }
            Duty::Bury => {
                count(&self.counters.lost);
                self.outbox.close_at_once(Close::AWAY, now);
                self.cut();
            }
            Duty::Drain => self.send_back(now),
            Duty::Refuse => self.outbox.close(Close::UNAUTHENTICATED, now),
            Duty::Warn => self.tell(self.notices.expiring(), now),
            Duty::Ping => self.outbox.ping(),
        }
    }

    /// Judges and notes what is due, in one step: the hub and a drain may sweep at the same time, and nothing is done
    /// twice.
    fn take_duty(&self, now: Instant, config: &Config) -> Duty {
        let (closing, ping_waits) = (self.outbox.closing(), self.outbox.is_ping_waiting());
        let mut vitals = self.vitals.lock();
        let duty = vitals.judge(closing, ping_waits, now, config);
        match duty {
            Duty::Warn => vitals.warned = true,
            Duty::Ping => vitals.pinged = Some(vitals.ping_at(self.is_strict, now, config)),
            Duty::Cut | Duty::Bury => vitals.is_cut = true,
            Duty::Drain => vitals.drain_at = None,
            Duty::Rest | Duty::Refuse => {}
        }
        duty
    }

    fn tell(&self, notice: Option<Frame>, now: Instant) {
        if let Some(frame) = notice {
            // Full: then it is being closed for that already
            _ = self.outbox.push(frame, now);
        }
    }

    /// Whether it was given up: its connection was cut, if it had one.
    pub(super) fn is_cut(&self) -> bool {
        self.vitals.lock().is_cut
    }

    fn connection(&self) -> Option<Arc<Cut>> {
        self.cut.lock().upgrade()
    }

    fn cut(&self) {
        if let Some(cut) = self.connection() {
            cut.cut();
        }
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry").field("id", &self.id).finish_non_exhaustive()
    }
}
