//! In order, once, and nothing missing: whatever reads the log when, and however late what it read is told.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use proptest::prelude::*;

use super::client::{CHAT, Client, GALLERY, Got, MemoryLog, TOPIC};
use crate::realtime::{
    mailbag::Mailbag,
    stream::{Lack, Progress},
    *,
};

/// All numbers are of events and clients as far as there are such.
#[derive(Clone, Debug)]
enum Step {
    Append {
        is_chat: bool,
    },
    Hint,
    /// The tail reads a page; `Tell` tells one that was read before, perhaps long before or by an older life.
    Read,
    Tell {
        nth: usize,
    },
    Join {
        client: usize,
        is_chat: bool,
        is_attendee: bool,
        since: Option<usize>,
    },
    /// A session reads for itself; `Serve` serves what was read before.
    Pull {
        client: usize,
    },
    Serve {
        nth: usize,
    },
    Drain {
        client: usize,
        frames: usize,
    },
}

fn step() -> impl Strategy<Value = Step> {
    let client = || 0..3_usize;
    prop_oneof![
        3 => any::<bool>().prop_map(|is_chat| Step::Append { is_chat }),
        1 => Just(Step::Hint),
        3 => Just(Step::Read),
        3 => (0..4_usize).prop_map(|nth| Step::Tell { nth }),
        1 => (client(), any::<bool>(), any::<bool>(), prop::option::of(prop_oneof![Just(0), 0..600_usize]))
            .prop_map(|(client, is_chat, is_attendee, since)| Step::Join { client, is_chat, is_attendee, since }),
        3 => client().prop_map(|client| Step::Pull { client }),
        3 => (0..4_usize).prop_map(|nth| Step::Serve { nth }),
        2 => (client(), 1..64_usize).prop_map(|(client, frames)| Step::Drain { client, frames }),
    ]
}

/// Under what one came in, for what, and after which number, if that was said.
type Room = (u8, Audience, Option<i64>);

struct House {
    log: MemoryLog,
    registry: Arc<Registry>,
    clients: Vec<(Client, Vec<Room>)>,
    pages: Vec<(i64, i64, Vec<Logged>)>,
    pulled: Vec<(usize, Lack, Vec<Logged>)>,
}

const ANYONE: Audience = Audience(1);
const TALK: Audience = Audience(4);

impl House {
    fn new(prefill: usize) -> Self {
        let registry = Registry::new(Config { outbox_frames: 64, ..Config::default() });
        let log = MemoryLog::default();
        for n in 0..prefill {
            log.append(TOPIC, if n % 3 == 0 { TALK } else { ANYONE });
        }
        let clients = (0..3).map(|n| (Client::connect(&registry, n), Vec::new())).collect();
        Self { log, registry, clients, pages: Vec::new(), pulled: Vec::new() }
    }

    fn step(&mut self, step: &Step) {
        let (topics, now) = (&self.registry.topics, Instant::now());
        match *step {
            Step::Append { is_chat } => _ = self.log.append(TOPIC, if is_chat { TALK } else { ANYONE }),
            Step::Hint => topics.hint(TOPIC, self.log.head(TOPIC), now),
            Step::Read => {
                if let Some((after, goal)) = topics.behind(TOPIC) {
                    self.pages.push((after, goal, self.log.read(TOPIC, after, PAGE)));
                }
            }
            Step::Tell { nth } if nth < self.pages.len() => {
                let (after, goal, page) = self.pages.remove(nth);
                for event in &page {
                    topics.deliver(TOPIC, after, event, &mut Mailbag::default(), now);
                    // A live client is quick
                    self.clients.iter_mut().for_each(|(client, _)| client.take(usize::MAX));
                }
                if page.len() < PAGE {
                    topics.reach(TOPIC, after, goal);
                }
            }
            Step::Join { client, is_chat, is_attendee, since } => {
                let (client, rooms) = &mut self.clients[client];
                let (room, audience) = match (is_chat, is_attendee) {
                    (true, _) => (CHAT, TALK),
                    (false, true) => (GALLERY, ANYONE.and(TALK)),
                    (false, false) => (GALLERY, ANYONE),
                };
                let head = self.log.head(TOPIC);
                let since = since.map(|since| i64::try_from(since).unwrap().min(head));
                // One that comes in again would be right to get again what it asks for
                if rooms.iter().all(|(known, ..)| *known != room) {
                    rooms.push((room, audience, since));
                    client.enter(TOPIC, room, audience, head, since);
                }
            }
            Step::Pull { client } => {
                let id = self.clients[client].0.entry().id();
                if let Some(lack) = topics.lacks(TOPIC, id) {
                    self.pulled.push((client, lack, self.log.read(TOPIC, lack.after, PAGE)));
                }
            }
            Step::Serve { nth } if nth < self.pulled.len() => {
                let (client, lack, page) = self.pulled.remove(nth);
                topics.advance(TOPIC, self.clients[client].0.entry().id(), lack, &page, now);
            }
            Step::Drain { client, frames } => self.clients[client].0.take(frames),
            Step::Tell { .. } | Step::Serve { .. } => {}
        }
    }

    /// Lets everything come to its end, as the hub does.
    fn settle(&mut self) {
        let topics = &self.registry.topics;
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let now = Instant::now();
            topics.hint(TOPIC, self.log.head(TOPIC), now);
            let mut is_quiet = true;
            if let Some((after, goal)) = topics.behind(TOPIC) {
                is_quiet = false;
                for event in self.log.read(TOPIC, after, PAGE) {
                    topics.deliver(TOPIC, after, &event, &mut Mailbag::default(), now);
                    self.clients.iter_mut().for_each(|(client, _)| client.take(usize::MAX));
                }
                topics.reach(TOPIC, after, goal);
            }
            for (client, _) in &mut self.clients {
                client.take(usize::MAX);
                let id = client.entry().id();
                if let Some(lack) = topics.lacks(TOPIC, id) {
                    let page = self.log.read(TOPIC, lack.after, PAGE);
                    is_quiet &= topics.advance(TOPIC, id, lack, &page, now) == Progress::Done;
                    client.take(usize::MAX);
                }
            }
            if is_quiet {
                return;
            }
            assert!(now < deadline, "it does not come to an end");
        }
    }

    fn check(&self) -> Result<(), TestCaseError> {
        for (client, rooms) in &self.clients {
            prop_assert_eq!(client.close, None);
            let mut events = client.events();
            prop_assert_eq!(client.welcomes().len(), rooms.len());
            let since = |nth: usize| match (rooms[nth].2, client.welcomes()[nth]) {
                (Some(since), _) => since,
                (None, Joined::Live { seq, .. }) => seq,
                (None, joined) => panic!("{joined:?}"),
            };
            if let [(_, audience, _)] = rooms.as_slice() {
                prop_assert_eq!(&events, &self.log.expected(TOPIC, since(0), *audience));
                self.check_welcome(client)?;
            }
            let mut expected: Vec<i64> =
                (0..rooms.len()).flat_map(|nth| self.log.expected(TOPIC, since(nth), rooms[nth].1)).collect();
            expected.sort_unstable();
            expected.dedup();
            events.sort_unstable();
            prop_assert_eq!(events, expected);
        }
        Ok(())
    }

    /// It comes behind all that it tells of and ahead of all the rest.
    fn check_welcome(&self, client: &Client) -> Result<(), TestCaseError> {
        let at = client.got.iter().position(|got| matches!(got, Got::Welcome(_))).unwrap();
        let [Joined::Live { seq, replayed, .. }] = client.welcomes()[..] else {
            return Err(TestCaseError::fail(format!("{:?}", client.welcomes())));
        };
        prop_assert_eq!(u64::try_from(at).unwrap(), replayed);
        for (place, got) in client.got.iter().enumerate() {
            let Got::Event(event) = got else { continue };
            prop_assert_eq!(*event > seq, place > at, "event {} welcome {}", event, seq);
        }
        Ok(())
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn every_client_gets_all_that_is_its_own_in_order_and_once(
        prefill in prop_oneof![2 => 0..600_usize, 1 => Just(PAGE), 1 => Just(2 * PAGE)],
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let mut house = House::new(prefill);
        for step in &steps {
            house.step(step);
        }
        house.settle();
        house.check()?;
    }
}
