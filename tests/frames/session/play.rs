//! Plays a session as the actor does: in order, one that takes time at once, and looks at all that is sent.

use std::{
    cell::Cell,
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    task::Poll,
    time::{Duration, Instant},
};

use futures_util::future::BoxFuture;
use party_gallery::realtime::{Close, Frame};
use party_gallery_actors::realtime::{Action, Config, Join, Joined, Protocol, Received};

use super::{
    grammar::{Id, Said, Script},
    rooms::{House, ask},
    wire::Wire,
};

/// Refused frames that are borne, and within which time.
const BORNE: usize = 50;
const WITHIN: Duration = Duration::from_secs(10);
const MAX_DEPTH: usize = 32;

/// How often each thing has happened.
#[derive(Debug, Default)]
pub(super) struct Tally {
    frames: Cell<u64>,
    answered: Cell<u64>,
    refused: Cell<u64>,
    ran: Cell<u64>,
    unfinished: Cell<u64>,
    joined: Cell<u64>,
    crowded: Cell<u64>,
    abuse: Cell<u64>,
    /// Only in packets: what came back binary, and what was not a packet.
    attached: Cell<u64>,
    rubbish: Cell<u64>,
}

impl Tally {
    pub(super) fn is_thorough(&self, is_in_packets: bool) -> bool {
        let in_packets = [&self.attached, &self.rubbish];
        let all = [
            &self.frames,
            &self.answered,
            &self.refused,
            &self.ran,
            &self.unfinished,
            &self.joined,
            &self.crowded,
            &self.abuse,
        ];
        let more = in_packets.iter().filter(|_| is_in_packets);
        all.iter().chain(more).all(|count| count.get() > 0)
    }
}

fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

/// What has come of a frame.
#[derive(Debug)]
struct Chain {
    came: Instant,
    /// Under which number, and whether as an error.
    acks: Vec<(u64, bool)>,
    errors: usize,
    /// Nothing more comes of it, and it did not come too late.
    is_done: bool,
}

struct Running {
    chain: usize,
    work: BoxFuture<'static, Vec<Action>>,
    otherwise: Vec<Action>,
    since: Instant,
}

struct Session<'a> {
    wire: Box<dyn Wire>,
    protocol: Box<dyn Protocol>,
    config: Config,
    script: &'a Script,
    tally: &'a Tally,
    now: Instant,
    is_known: bool,
    running: Option<Running>,
    waiting: VecDeque<(usize, Received)>,
    joins: Vec<(usize, Join, Joined, u8)>,
    /// How many have been entered so far.
    entered: usize,
    chains: Vec<Chain>,
    /// When the frames came that were refused, and when they were.
    refused: Vec<(Instant, Instant)>,
    /// Whether something is just left out for which there is no room.
    is_crowding: bool,
    closed: Option<Close>,
}

/// Plays a script to its end, and holds what was sent against the contract.
pub(super) fn play(script: &Script, wire: Box<dyn Wire>, tally: &Tally) {
    let now = Instant::now();
    let rooms = Arc::new(House::new(&script.moods));
    let opening = wire.open(script.is_known, rooms, now);
    let mut session = Session {
        is_known: script.is_known && opening.identity.is_some(),
        wire,
        protocol: opening.protocol,
        config: Config::default(),
        script,
        tally,
        now,
        running: None,
        waiting: VecDeque::new(),
        joins: Vec::new(),
        entered: 0,
        chains: Vec::new(),
        refused: Vec::new(),
        is_crowding: false,
        closed: None,
    };
    for said in &script.said {
        session.now += said.after;
        session.go_on();
        if session.closed.is_none() {
            session.receive(said.received.clone());
        }
    }
    while session.running.is_some() || !session.joins.is_empty() {
        session.now += Duration::from_secs(1);
        session.go_on();
    }
    for (said, chain) in script.said.iter().zip(&session.chains) {
        hold(said, chain, session.closed.is_some());
    }
}

/// The contract's words on one frame.
fn hold(said: &Said, chain: &Chain, is_closed: bool) {
    let answers = chain.acks.len();
    assert!(answers + chain.errors <= 1, "once, and never both: {chain:?} for {said:?}");
    assert!(chain.is_done || is_closed, "it is left without an end: {chain:?} for {said:?}");
    match said.id {
        Id::Known(Some(id)) => {
            assert!(chain.acks.iter().all(|(ack, _)| *ack == id), "under its number: {chain:?} for {said:?}");
            assert!(answers == 1 || !chain.is_done, "it had a number: {chain:?} for {said:?}");
            assert_eq!(chain.errors, 0, "it had a number: {chain:?} for {said:?}");
        }
        Id::Known(None) => assert_eq!(answers, 0, "it had no number: {chain:?} for {said:?}"),
        Id::Unknown => {}
    }
    if chain.acks.iter().any(|(_, is_error)| !is_error) {
        assert!(said.depth <= MAX_DEPTH, "nested {} deep and served", said.depth);
    }
}

impl Session<'_> {
    fn receive(&mut self, received: Received) {
        count(&self.tally.frames);
        let chain = self.chains.len();
        self.chains.push(Chain { came: self.now, acks: Vec::new(), errors: 0, is_done: false });
        if self.running.is_none() || received == Received::Other {
            self.serve(chain, received);
        } else if self.has_room_for(&received) {
            self.waiting.push_back((chain, received));
        } else {
            count(&self.tally.crowded);
            let actions = self.protocol.on_crowded(received, self.now);
            self.is_crowding = true;
            self.perform(chain, actions, true);
            self.is_crowding = false;
        }
    }

    fn has_room_for(&self, received: &Received) -> bool {
        let bytes: usize = self.waiting.iter().map(|(_, waiting)| length(waiting)).sum();
        self.waiting.len() < self.config.waiting_messages
            && bytes + length(received) <= self.config.waiting_bytes
    }

    fn serve(&mut self, chain: usize, received: Received) {
        let actions = self.protocol.on_received(received, self.chains[chain].came);
        self.perform(chain, actions, true);
    }

    /// Does what is said. `is_counted`: whether a refusal is the client's.
    fn perform(&mut self, chain: usize, actions: Vec<Action>, is_counted: bool) {
        let (mut goes_on, refused) = (false, self.refused.len());
        for action in actions {
            if self.closed.is_some() {
                return;
            }
            match action {
                Action::Send(frame) => self.send(chain, &frame, is_counted),
                Action::SendAll(frames) => {
                    frames.iter().for_each(|frame| self.send(chain, frame, is_counted));
                }
                Action::Close(close) => self.close(close),
                Action::Identify(_) => self.is_known = true,
                Action::Run { work, otherwise } => {
                    assert!(self.running.is_none(), "one at a time");
                    count(&self.tally.ran);
                    self.running = Some(Running { chain, work, otherwise, since: self.now });
                    goes_on = true;
                }
                Action::Join(join) => {
                    let (joined, steps) = self.script.joined[self.entered % self.script.joined.len()];
                    self.entered += 1;
                    self.joins.push((chain, join, joined, steps));
                    goes_on = true;
                }
                Action::Show(show) => self.perform(chain, (show.answer)(false), is_counted),
                Action::Leave(..) => assert!(self.is_known, "nothing is done for who is not known"),
            }
        }
        self.chains[chain].is_done = !goes_on && self.closed.is_none();
        // A join that is refused by its welcome counts, and the next refusal closes
        if self.refused.len() > refused {
            self.must_be_closed_for_abuse();
        }
    }

    /// Looks after what takes time, and serves what has waited for it.
    fn go_on(&mut self) {
        for (chain, join, joined, steps) in std::mem::take(&mut self.joins) {
            if let Some(steps) = steps.checked_sub(1) {
                self.joins.push((chain, join, joined, steps));
                continue;
            }
            count(&self.tally.joined);
            for frame in (join.welcome)(joined) {
                if self.closed.is_none() {
                    self.send(chain, &frame, true);
                }
            }
            self.chains[chain].is_done = self.closed.is_none();
        }
        let Some(mut running) = self.running.take() else { return };
        let is_late = self.now >= running.since + self.config.answer_deadline;
        let asked = catch_unwind(AssertUnwindSafe(|| ask(&mut running.work)));
        match asked {
            Ok(Poll::Ready(actions)) => self.perform(running.chain, actions, true),
            Ok(Poll::Pending) if !is_late => return self.running = Some(running),
            Ok(Poll::Pending) | Err(_) => {
                count(&self.tally.unfinished);
                self.perform(running.chain, running.otherwise, false);
            }
        }
        while self.running.is_none()
            && let Some((chain, received)) = self.waiting.pop_front()
            && self.closed.is_none()
        {
            self.serve(chain, received);
        }
    }

    fn send(&mut self, chain: usize, frame: &Frame, is_counted: bool) {
        // What is binary belongs to what it follows
        let Some(sent) = self.wire.read(frame) else { return count(&self.tally.attached) };
        assert!(sent.is_refusal || self.is_known, "who is not known is only refused: {sent:?}");
        if sent.is_refusal {
            count(&self.tally.refused);
            if is_counted {
                self.refused.push((self.chains[chain].came, self.now));
            }
        } else {
            count(&self.tally.answered);
        }
        let chain = &mut self.chains[chain];
        if let Some(id) = sent.ack {
            chain.acks.push((id, sent.is_refusal));
        } else if sent.is_refusal {
            chain.errors += 1;
        }
    }

    fn close(&mut self, close: Close) {
        self.closed = Some(close);
        if close == Close::ABUSE {
            count(&self.tally.abuse);
            let has_cause = self.refused.len() > BORNE || (self.is_crowding && self.wire.is_in_packets());
            assert!(has_cause, "closed without a cause: {:?}", self.refused);
        } else {
            count(&self.tally.rubbish);
            assert!(self.wire.may_close(close), "it is not the protocol's: {close:?}");
        }
    }

    /// Whoever was refused one time too many within the time, however it is counted.
    fn must_be_closed_for_abuse(&self) {
        let last = self.refused.iter().rev().take(BORNE + 1);
        let is_recent = |(came, _): &&(Instant, Instant)| self.now.duration_since(*came) < WITHIN;
        let is_too_much = last.filter(is_recent).count() > BORNE;
        assert!(!is_too_much || self.closed.is_some(), "refused too often and not closed");
    }
}

fn length(received: &Received) -> usize {
    match received {
        Received::Text(bytes) | Received::Binary(bytes) => bytes.len(),
        Received::Other => 0,
    }
}
