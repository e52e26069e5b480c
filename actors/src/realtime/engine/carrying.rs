//! A session without a server: whatever carries it in whatever order, nothing panics, and what is said is heard once.

use std::{
    sync::{Arc, Weak},
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use bytes::Bytes;
use proptest::prelude::*;
use slog::{Discard, Logger, o};

use super::{
    line::Line,
    packet::{CLOSE, NOOP, PING, Packet, message},
    payload::{Limits, decode},
};
use crate::realtime::{Action, Config, Frame, Notices, Opening, Protocol, Received, Registry};

/// What happens next.
#[derive(Clone, Debug)]
enum Step {
    /// A GET comes, and waits until it is asked for; or is given up.
    BeginPoll,
    AskPoll,
    AbortPoll,
    /// A POST brings that, and is through or is given up.
    Post {
        body: Vec<u8>,
        is_whole: bool,
    },
    /// A socket comes, asks, takes over, goes.
    BeginProbe,
    AskProbe,
    Upgrade,
    EndProbe,
    /// The socket that carries it takes what there is, or says something.
    Take,
    Say {
        text: Vec<u8>,
    },
    Pass {
        millis: u64,
    },
    End,
}

/// A packet that is right, nearly, or not at all.
fn packet() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        8 => "[a-z€]{0,12}".prop_map(|said| format!("4{said}").into_bytes()),
        2 => Just(b"bAQID".to_vec()),
        2 => Just(b"3".to_vec()),
        1 => prop::sample::select(vec!["1", "2", "2probe", "3probe", "5", "6", "0{}", "", "b!", "b", "4"])
            .prop_map(|packet| packet.as_bytes().to_vec()),
        1 => prop::collection::vec(any::<u8>(), 0..20),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    let body = prop::collection::vec(packet(), 1..6).prop_map(|packets| packets.join(&0x1e));
    prop_oneof![
        6 => Just(Step::BeginPoll),
        8 => Just(Step::AskPoll),
        1 => Just(Step::AbortPoll),
        8 => (body, prop::bool::weighted(0.95)).prop_map(|(body, is_whole)| Step::Post { body, is_whole }),
        2 => Just(Step::BeginProbe),
        3 => Just(Step::AskProbe),
        3 => Just(Step::Upgrade),
        1 => Just(Step::EndProbe),
        4 => Just(Step::Take),
        4 => packet().prop_map(|text| Step::Say { text }),
        2 => (0_u64..400).prop_map(|millis| Step::Pass { millis }),
        1 => Just(Step::End),
    ]
}

/// Says everything back.
struct Echo;

impl Protocol for Echo {
    fn on_received(&mut self, received: Received, _: Instant) -> Vec<Action> {
        match received {
            Received::Text(text) => vec![Action::Send(message(std::str::from_utf8(&text).unwrap()))],
            Received::Binary(bytes) => vec![Action::Send(Frame::binary(bytes))],
            Received::Other => Vec::new(),
        }
    }

    fn on_crowded(&mut self, _: Received, _: Instant) -> Vec<Action> {
        Vec::new()
    }
}

struct Silence;

impl Notices for Silence {
    fn expiring(&self) -> Option<Frame> {
        None
    }

    fn draining(&self, _: Duration) -> Option<Frame> {
        None
    }
}

/// What the client knows of its session.
struct Client {
    registry: Arc<Registry>,
    config: Config,
    now: Instant,
    is_polling: bool,
    is_probing: bool,
    is_upgraded: bool,
    said: Vec<Received>,
    heard: Vec<Received>,
}

impl Client {
    fn new() -> Self {
        let config = Config {
            payload_packets: 4,
            message_bytes: 40,
            payload_bytes: 2_000,
            ping_every: Duration::from_millis(300),
            answer_within: Duration::from_secs(3_600),
            authenticate_within: Duration::from_secs(3_600),
            upgrade_within: Duration::from_secs(1),
            ..Config::default()
        };
        let (registry, now) = (Registry::new(config), Instant::now());
        let nowhere = [127, 0, 0, 1].into();
        let opening = Opening {
            protocol: Box::new(Echo),
            notices: Arc::new(Silence),
            address: nowhere,
            identity: None,
        };
        Line::open_polled("sid", opening, &registry, &Logger::root(Discard, o!()), now).unwrap();
        let (said, heard) = (Vec::new(), Vec::new());
        Self { registry, config, now, is_polling: false, is_probing: false, is_upgraded: false, said, heard }
    }

    fn line(&self) -> Option<Arc<Line>> {
        Line::find(&self.registry, "sid", self.now).ok()
    }

    fn take(&mut self, step: &Step) {
        let Some(line) = self.line() else { return };
        match step {
            Step::BeginPoll => {
                let may = line.begin_poll().is_ok();
                assert_eq!(may, !self.is_upgraded && !self.is_polling, "one GET, and none beside a socket");
                self.is_polling |= may;
            }
            Step::AskPoll if self.is_polling => {
                if let Poll::Ready(body) = line.answer(&Context::from_waker(Waker::noop())) {
                    self.read(&body);
                    line.end_poll(self.now);
                    self.is_polling = false;
                }
            }
            Step::AbortPoll if self.is_polling => line.end(),
            Step::Post { body, is_whole } => self.post(&line, body, *is_whole),
            Step::BeginProbe => {
                let may = line.begin_probe(Weak::new(), self.now);
                assert_eq!(may, !self.is_upgraded && !self.is_probing, "one socket");
                self.is_probing |= may;
            }
            Step::AskProbe if self.is_probing => _ = line.answer_probe(),
            Step::Upgrade if self.is_probing => {
                self.is_upgraded = line.upgrade();
                self.is_probing &= !self.is_upgraded;
            }
            Step::EndProbe if self.is_probing => {
                line.end_probe();
                self.is_probing = false;
            }
            Step::Take if self.is_upgraded => {
                let batch = line.entry().outbox.take(1 << 20, Waker::noop());
                for frame in &batch.frames {
                    self.hear(&frame.payload(), frame.is_text());
                }
            }
            Step::Say { text } if self.is_upgraded => {
                let text = Bytes::copy_from_slice(text);
                let is_text = std::str::from_utf8(&text).is_ok();
                if let Some(packet) = Packet::decode(&text).filter(|_| is_text) {
                    self.note(&packet, &line);
                    line.receive(packet, self.now);
                }
            }
            Step::Pass { millis } => {
                self.now += Duration::from_millis(*millis);
                self.registry.sweep(self.now);
            }
            Step::End => line.end(),
            _ => {}
        }
    }

    fn post(&mut self, line: &Line, body: &[u8], is_whole: bool) {
        if line.begin_post().is_err() {
            return;
        }
        let limits = Limits { packets: self.config.payload_packets, bytes: self.config.message_bytes };
        let packets = decode(&Bytes::copy_from_slice(body), limits);
        let Some(packets) = packets.ok().filter(|_| is_whole) else { return line.end() };
        for packet in packets {
            self.note(&packet, line);
            if !line.receive(packet, self.now) {
                return line.end();
            }
        }
        line.end_post();
    }

    /// What is said is to be heard, unless the session is being closed.
    fn note(&mut self, packet: &Packet, line: &Line) {
        if let Packet::Message(received) = packet
            && line.entry().outbox.closing().is_none()
        {
            self.said.push(received.clone());
        }
    }

    fn read(&mut self, body: &str) {
        assert!(body.split('\x1e').count() <= 16 && body.len() <= self.config.payload_bytes, "{body}");
        for part in body.split('\x1e') {
            if [CLOSE, NOOP, PING].contains(&part) {
                continue;
            }
            let limits = Limits { packets: 1, bytes: self.config.message_bytes };
            match decode(&Bytes::copy_from_slice(part.as_bytes()), limits).expect("a packet").as_slice() {
                [Packet::Message(received)] => self.heard.push(received.clone()),
                other => panic!("{other:?}"),
            }
        }
    }

    fn hear(&mut self, bytes: &Bytes, is_text: bool) {
        let text = bytes.slice(usize::from(is_text)..);
        self.heard.push(if is_text { Received::Text(text) } else { Received::Binary(text) });
    }
}

proptest! {
    #[test]
    fn what_is_said_is_heard_once_and_in_order(steps in prop::collection::vec(step(), 0..60)) {
        let mut client = Client::new();
        for step in &steps {
            client.take(step);
        }
        // Whoever still listens hears the rest
        for _ in 0..64 {
            client.take(&if client.is_upgraded { Step::Take } else { Step::BeginPoll });
            client.take(&Step::AskPoll);
        }
        let is_open = client.line().is_some_and(|line| line.entry().outbox.closing().is_none());
        let (said, heard) = (client.said.len(), client.heard.len());
        prop_assert!(client.said.starts_with(&client.heard), "{:?} of {:?}", client.heard, client.said);
        prop_assert!(!is_open || said == heard, "{heard} of {said}");
        // Who is gone leaves nothing behind
        if let Some(line) = client.line() {
            line.end();
        }
        prop_assert!(client.line().is_none());
        prop_assert_eq!(client.registry.counts().open, 0);
    }
}
