//! One session of Engine.IO, whatever carries it now.

use std::{
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
    time::Instant,
};

use parking_lot::Mutex;
use slog::Logger;

use super::{
    error::EngineError,
    packet::{CLOSE, NOOP, Packet},
    payload::{Room, encode},
};
use crate::realtime::{Close, Config, Cut, Entry, Opening, Received, Refused, Registry, dialogue::Dialogue};

/// What came is not Engine.IO, or not in its turn.
pub(super) const NOT_A_PACKET: Close = Close::new(1002, "not an Engine.IO packet");

/// One session of Engine.IO.
pub(super) struct Line {
    /// Under which requests find it.
    pub(super) sid: Box<str>,
    pub(super) dialogue: Arc<Dialogue>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Whether a socket carries it; else requests do.
    is_upgraded: bool,
    probe: Option<Probe>,
    /// Whether a GET waits, and what wakes it for other things than what the outbox has.
    is_polled: bool,
    waker: Option<Waker>,
    is_posted: bool,
    /// Whether the client has closed it.
    has_left: bool,
    /// With what a GET that waits is let go, once the session is over.
    ended: Option<&'static str>,
}

/// A socket that may carry the session soon.
struct Probe {
    since: Instant,
    cut: Weak<Cut>,
    /// Whether the client has asked: requests are to end then.
    is_answered: bool,
}

impl Line {
    /// Opens a session that requests carry.
    pub(super) fn open_polled(
        sid: &str,
        opening: Opening,
        registry: &Arc<Registry>,
        log: &Logger,
        now: Instant,
    ) -> Result<Arc<Self>, Refused> {
        Self::open(sid, opening, Weak::new(), false, registry, log, now)
    }

    /// Opens a session that the socket of that connection carries.
    pub(super) fn open(
        sid: &str,
        Opening { protocol, notices, address, identity }: Opening,
        cut: Weak<Cut>,
        is_upgraded: bool,
        registry: &Arc<Registry>,
        log: &Logger,
        now: Instant,
    ) -> Result<Arc<Self>, Refused> {
        let membership = registry.open(address, identity, (cut, true), notices, now)?;
        let dialogue = Dialogue::new(membership, protocol, log.clone());
        let state = Mutex::new(State { is_upgraded, ..State::default() });
        let line = Arc::new(Self { sid: sid.into(), dialogue, state });
        registry.lines.enter(&line);
        Ok(line)
    }

    /// The session of that id, as it is now.
    pub(super) fn find(registry: &Registry, sid: &str, now: Instant) -> Result<Arc<Self>, EngineError> {
        let line = registry.lines.find(sid).ok_or(EngineError::Unknown)?;
        // Nobody hears from a session that should be over, however late the sweeper is
        registry.look_at(line.entry(), now);
        line.sweep(now);
        if line.state.lock().ended.is_some() { Err(EngineError::Unknown) } else { Ok(line) }
    }

    pub(super) fn entry(&self) -> &Arc<Entry> {
        self.dialogue.entry()
    }

    pub(super) fn config(&self) -> &Config {
        self.dialogue.registry().config()
    }

    /// What the client is told of the session first.
    pub(super) fn greeting(&self, upgrades: &str) -> String {
        let Config { ping_every, answer_within, payload_bytes, .. } = self.config();
        format!(
            r#"0{{"sid":"{}","upgrades":[{upgrades}],"pingInterval":{},"pingTimeout":{},"maxPayload":{payload_bytes}}}"#,
            self.sid,
            ping_every.as_millis(),
            answer_within.as_millis(),
        )
    }

    /// Does what a packet asks. `false`: it is not in its turn.
    pub(super) fn receive(&self, packet: Packet, now: Instant) -> bool {
        match packet {
            Packet::Message(received) => self.dialogue.receive(received, now),
            Packet::Pong => {
                self.entry().note_alive(now);
                self.dialogue.receive(Received::Other, now);
            }
            Packet::Noop => self.dialogue.receive(Received::Other, now),
            Packet::Close => {
                self.state.lock().has_left = true;
                self.entry().outbox.close_at_once(Close::NORMAL, now);
            }
            Packet::Probe | Packet::Upgrade => return false,
        }
        true
    }

    /// A GET begins to wait.
    pub(super) fn begin_poll(&self) -> Result<(), EngineError> {
        let mut state = self.state.lock();
        if state.is_upgraded {
            return Err(EngineError::Elsewhere);
        }
        if std::mem::replace(&mut state.is_polled, true) {
            drop(state);
            self.end();
            return Err(EngineError::Overlap);
        }
        Ok(())
    }

    /// What the GET that waits is answered.
    pub(super) fn answer(&self, task: &Context<'_>) -> Poll<String> {
        let mut state = self.state.lock();
        if let Some(last) = state.ended {
            return Poll::Ready(last.to_owned());
        }
        if state.is_upgraded {
            return Poll::Ready(NOOP.to_owned());
        }
        let mut room = Room::new(self.config().payload_bytes);
        let batch = self.entry().outbox.take_while(task.waker(), |frame| room.take(frame));
        if !batch.is_empty() {
            self.entry().note_delivered(batch.frames.len());
            if batch.close.is_some() {
                state.ended = Some(CLOSE);
                drop(state);
                self.dialogue.registry().lines.leave(&self.sid);
            }
            return Poll::Ready(encode(&batch, &*self.entry().notices));
        }
        if state.probe.as_ref().is_some_and(|probe| probe.is_answered) {
            return Poll::Ready(NOOP.to_owned());
        }
        state.waker = Some(task.waker().clone());
        Poll::Pending
    }

    /// The GET has its answer.
    pub(super) fn end_poll(&self, now: Instant) {
        let mut state = self.state.lock();
        state.is_polled = false;
        state.waker = None;
        drop(state);
        self.entry().note_out(now);
    }

    /// A POST begins to come.
    pub(super) fn begin_post(&self) -> Result<(), EngineError> {
        let mut state = self.state.lock();
        if state.is_upgraded {
            return Err(EngineError::Elsewhere);
        }
        if state.has_left {
            return Err(EngineError::Unknown);
        }
        if std::mem::replace(&mut state.is_posted, true) {
            drop(state);
            self.end();
            return Err(EngineError::Overlap);
        }
        Ok(())
    }

    /// The POST is through.
    pub(super) fn end_post(&self) {
        self.state.lock().is_posted = false;
    }

    /// A socket comes that may carry the session. `false`: there is one already.
    pub(super) fn begin_probe(&self, cut: Weak<Cut>, now: Instant) -> bool {
        let mut state = self.state.lock();
        let may = !state.is_upgraded && state.probe.is_none() && state.ended.is_none();
        if may {
            state.probe = Some(Probe { since: now, cut, is_answered: false });
        }
        may
    }

    /// The client has asked on that socket: a GET that waits is let go. `false`: it has asked already.
    pub(super) fn answer_probe(&self) -> bool {
        let mut state = self.state.lock();
        let Some(probe) = &mut state.probe else { return false };
        let is_first = !std::mem::replace(&mut probe.is_answered, true);
        wake(state);
        is_first
    }

    /// The socket is gone before it carried the session.
    pub(super) fn end_probe(&self) {
        self.state.lock().probe = None;
    }

    /// The socket carries the session from now on. `false`: it was not asked, or the session is over.
    pub(super) fn upgrade(&self) -> bool {
        let mut state = self.state.lock();
        let probe = state.probe.take_if(|probe| probe.is_answered);
        let Some(probe) = probe.filter(|_| state.ended.is_none()) else { return false };
        state.is_upgraded = true;
        *self.entry().cut.lock() = probe.cut;
        wake(state);
        true
    }

    /// Ends the session, from any thread; a GET that waits is told.
    pub(super) fn end(&self) {
        let mut state = self.state.lock();
        state.ended.get_or_insert(CLOSE);
        let probe = state.probe.take();
        wake(state);
        self.entry().outbox.close_at_once(Close::AWAY, Instant::now());
        self.dialogue.registry().lines.leave(&self.sid);
        if let Some(cut) = probe.and_then(|probe| probe.cut.upgrade()) {
            cut.cut();
        }
    }

    /// Does what is due `now`: ends a session that requests carry and that was given up, and cuts a socket that was to
    /// carry one and does not come to it.
    pub(super) fn sweep(&self, now: Instant) {
        let state = self.state.lock();
        let is_overdue = |probe: &&Probe| now >= probe.since + self.config().upgrade_within;
        let overdue = state.probe.as_ref().filter(is_overdue).and_then(|probe| probe.cut.upgrade());
        let is_over = !state.is_upgraded && state.ended.is_none() && self.entry().is_cut();
        drop(state);
        if let Some(cut) = overdue {
            cut.cut();
        }
        if is_over {
            self.end();
        }
    }
}

/// Wakes the GET that waits, without the lock that it will want.
fn wake(mut state: parking_lot::MutexGuard<'_, State>) {
    let waker = state.waker.take();
    drop(state);
    if let Some(waker) = waker {
        waker.wake();
    }
}
