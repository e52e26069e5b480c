//! One session's exchange with its client, in turn, whatever carries it.
//!
//! *Invariant:* one thing at a time: while an answer takes time, what came meanwhile waits, in order and within limits.
//! Nobody waits for a session: whoever brings something goes on at once.

use std::{
    collections::VecDeque,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use slog::{Logger, error};

use super::{
    close::Close,
    config::Config,
    entry::Entry,
    protocol::{Action, Protocol, Received},
    registry::{Membership, Registry},
};

/// How much longer than the clerk's deadline a session waits for its answer.
const CLERK_MARGIN: Duration = Duration::from_secs(1);

/// One session's exchange with its client. The session is over when this is dropped.
pub(super) struct Dialogue {
    membership: Membership,
    turn: Mutex<Turn>,
    log: Logger,
}

struct Turn {
    protocol: Box<dyn Protocol>,
    /// The answer that takes time.
    running: Option<Running>,
    /// How many have taken time so far.
    runs: u64,
    waiting: VecDeque<(Received, Instant)>,
    waiting_bytes: usize,
}

struct Running {
    run: u64,
    since: Instant,
    otherwise: Vec<Action>,
}

impl Dialogue {
    /// An exchange that begins.
    pub(super) fn new(membership: Membership, protocol: Box<dyn Protocol>, log: Logger) -> Arc<Self> {
        let turn = Turn { protocol, running: None, runs: 0, waiting: VecDeque::new(), waiting_bytes: 0 };
        let dialogue = Arc::new(Self { membership, turn: Mutex::new(turn), log });
        dialogue.entry().attend(&dialogue);
        dialogue
    }

    /// The session as all others see it.
    pub(super) fn entry(&self) -> &Arc<Entry> {
        &self.membership.entry
    }

    /// Where it is registered.
    pub(super) fn registry(&self) -> &Arc<Registry> {
        &self.membership.registry
    }

    fn config(&self) -> &Config {
        self.registry().config()
    }

    /// Serves what came, in its turn; nothing once the session is being closed.
    pub(super) fn receive(self: &Arc<Self>, received: Received, now: Instant) {
        if self.entry().outbox.closing().is_some() {
            return;
        }
        let mut turn = self.turn.lock();
        if turn.running.is_none() || received == Received::Other {
            self.serve(&mut turn, now, |protocol| protocol.on_received(received, now));
        } else if turn.has_room_for(&received, self.config()) {
            turn.waiting_bytes += received.len();
            turn.waiting.push_back((received, now));
        } else {
            self.serve(&mut turn, now, |protocol| protocol.on_crowded(received, now));
        }
    }

    /// Lets the protocol decide, and does what it says.
    fn serve(
        self: &Arc<Self>,
        turn: &mut Turn,
        now: Instant,
        decide: impl FnOnce(&mut dyn Protocol) -> Vec<Action>,
    ) {
        let protocol = &mut *turn.protocol;
        let Ok(actions) = catch_unwind(AssertUnwindSafe(|| decide(protocol))) else {
            error!(self.log, "Session failed"; "session" => ?self.entry().id);
            return self.entry().outbox.close_at_once(Close::INTERNAL, now);
        };
        self.perform(turn, actions, now);
    }

    fn perform(self: &Arc<Self>, turn: &mut Turn, actions: Vec<Action>, now: Instant) {
        let (registry, entry) = (self.registry(), self.entry());
        for action in actions {
            match action {
                // Full: it is being closed for that already
                Action::Send(frame) => _ = entry.outbox.leave(frame, now),
                Action::SendAll(frames) => _ = entry.outbox.push_all(frames, now),
                Action::Close(close) => entry.outbox.close(close, now),
                Action::Identify(identity) => {
                    if !registry.identify(entry, identity) {
                        entry.outbox.close(Close::TOO_MANY, now);
                    }
                }
                Action::Run { work, otherwise } => {
                    turn.runs += 1;
                    if registry.desk.leave(work, self, turn.runs) {
                        turn.running = Some(Running { run: turn.runs, since: now, otherwise });
                    } else {
                        self.perform(turn, otherwise, now);
                    }
                }
                Action::Join(join) => registry.topics.join(entry, join, now),
                Action::Leave(topic, room) => registry.topics.leave(entry, topic, room, now),
                Action::Show(show) => {
                    let follows = registry.topics.show(entry, show, now);
                    self.perform(turn, follows, now);
                }
            }
        }
        entry.write(now);
    }

    /// Does what the work of `run` gives, or what is done instead, and then serves what came meanwhile, up to the next
    /// that takes time.
    pub(super) fn go_on(self: &Arc<Self>, run: u64, given: Option<Vec<Action>>) {
        let mut turn = self.turn.lock();
        let Some(running) = turn.running.take_if(|running| running.run == run) else { return };
        self.perform(&mut turn, given.unwrap_or(running.otherwise), Instant::now());
        while turn.running.is_none()
            && let Some((received, at)) = turn.waiting.pop_front()
        {
            turn.waiting_bytes -= received.len();
            if self.entry().outbox.closing().is_none() {
                self.serve(&mut turn, at, |protocol| protocol.on_received(received, at));
            }
        }
    }

    /// Whether the answer of `run` is still waited for; whoever is at it just now is taken to wait.
    pub(super) fn awaits(&self, run: u64) -> bool {
        let turn = self.turn.try_lock();
        turn.is_none_or(|turn| turn.running.as_ref().is_some_and(|running| running.run == run))
    }

    /// Waits no longer for an answer that the clerk should have given by now.
    pub(super) fn expire(self: &Arc<Self>, now: Instant) {
        let patience = self.config().answer_deadline + CLERK_MARGIN;
        // Whoever has it is doing something
        let turn = self.turn.try_lock();
        let running = turn.and_then(|turn| turn.running.as_ref().map(|running| (running.run, running.since)));
        if let Some((run, since)) = running
            && now >= since + patience
        {
            self.go_on(run, None);
        }
    }
}

impl Turn {
    /// Whether one more may wait for the answer that takes time.
    fn has_room_for(&self, received: &Received, config: &Config) -> bool {
        self.waiting.len() < config.waiting_messages
            && self.waiting_bytes + received.len() <= config.waiting_bytes
    }
}

impl fmt::Debug for Dialogue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialogue").field("entry", self.entry()).finish_non_exhaustive()
    }
}
