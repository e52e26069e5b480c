//! The hub at its work: hints, their loss, slow and dead readers, and its own death.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use slog::{Discard, Logger, o};
use tokio::time::{interval, sleep, timeout};

use super::{
    client::{Client, GALLERY, Got, MemoryLog, Names, Register, TOPIC},
    pod::{Pod, config, hear, say, until},
};
use crate::{
    kernel::{Child, Handle, Supervisor},
    realtime::*,
    redis,
};

const PATIENCE: Duration = Duration::from_secs(20);
const ALL: Audience = Audience(1);

/// A hub that reads `log`. The actor of its Redis is not started: Redis is away.
fn hub(registry: &Arc<Registry>, log: &Arc<MemoryLog>) -> Child<Hub> {
    let (redis, _) = redis::build(&redis::Config::new("unix:///nowhere"), Some(registry.inbox())).unwrap();
    let (log, revocation) = (Arc::clone(log) as Arc<dyn Log>, Arc::<Register>::default());
    Hub::feeding(Arc::clone(registry), Feed { log, voice: Arc::new(Names), revocation, redis, pod: 1 })
}

/// A pod without sockets, and without Redis.
struct House {
    registry: Arc<Registry>,
    log: Arc<MemoryLog>,
    hub: Handle<Hub>,
    supervisor: Supervisor,
}

impl House {
    async fn start(config: Config) -> Self {
        let registry = Registry::new(config);
        let log = Arc::new(MemoryLog::default());
        let supervisor = Supervisor::start(Logger::root(Discard, o!())).unwrap();
        let hub = supervisor.add(hub(&registry, &log)).await.unwrap();
        Self { registry, log, hub, supervisor }
    }

    fn append(&self) -> i64 {
        self.log.append(TOPIC, ALL)
    }

    fn announce(&self, seq: i64) {
        self.registry.announcer().announce(TOPIC, seq);
    }

    fn client(&self, subject: u128, since: Option<i64>) -> Client {
        let client = Client::connect(&self.registry, subject);
        client.enter(TOPIC, GALLERY, ALL, self.log.head(TOPIC), since);
        client
    }

    async fn stop(self) {
        self.supervisor.stop_all().await;
    }
}

/// Serves the clients as their sockets would until all have had event `last`.
async fn until_all_have(clients: &mut [Client], last: i64, within: Duration) {
    let mut tick = interval(Duration::from_millis(1));
    let done = async {
        while clients.iter().any(|client| client.events().last().copied().unwrap_or_default() < last) {
            clients.iter_mut().for_each(|client| client.take(16 * 1024));
            tick.tick().await;
        }
    };
    timeout(within, done).await.expect("an event did not arrive in time");
}

#[tokio::test]
async fn an_event_is_told_once_to_everybody_and_soon() {
    let house = House::start(Config::default()).await;
    let mut clients: Vec<_> = (0..50).map(|n| house.client(n, None)).collect();
    for _ in 0..20 {
        let seq = house.append();
        house.announce(seq);
        house.announce(seq);
        until_all_have(&mut clients, seq, PATIENCE).await;
    }
    for client in &clients {
        assert_eq!(client.events(), (1..=20).collect::<Vec<_>>());
    }
    let counts = house.registry.counts();
    assert_eq!((counts.events, counts.fanned_out), (20, 1000));
    assert!(counts.catch_ups > 0 && counts.reconciled == 0, "{counts:?}");
    house.stop().await;
}

#[tokio::test]
async fn an_event_whose_hint_is_lost_arrives_within_a_second() {
    let house = House::start(Config::default()).await;
    let mut clients = [house.client(1, None)];
    for _ in 0..3 {
        // A read that goes on already might find it
        until("the tail rests", || house.registry.topics.behind(TOPIC).is_none()).await;
        let seq = house.append();
        let start = Instant::now();
        until_all_have(&mut clients, seq, PATIENCE).await;
        // 1 s, and what a busy machine takes
        assert!(start.elapsed() < Duration::from_millis(1800), "{:?}", start.elapsed());
    }
    assert_eq!(house.registry.counts().reconciled, 3);
    house.stop().await;
}

#[cfg(feature = "chaos")]
#[tokio::test]
async fn a_hub_that_panics_loses_nothing() {
    let house = House::start(Config::default()).await;
    let mut clients: Vec<_> = (0..10).map(|n| house.client(n, Some(0))).collect();
    let mut tick = interval(Duration::from_millis(2));
    for n in 0..600 {
        let seq = house.append();
        if n % 3 > 0 {
            house.announce(seq);
        }
        if n % 150 == 75 {
            house.hub.inject_panic().await;
        }
        if n % 40 == 0 {
            // Some come while the hub is dead
            clients.push(house.client(100 + n, Some(0)));
        }
        clients.iter_mut().for_each(|client| client.take(16 * 1024));
        tick.tick().await;
    }
    let seq = house.append();
    until_all_have(&mut clients, seq, PATIENCE).await;
    for client in &clients {
        assert_eq!(client.events(), (1..=601).collect::<Vec<_>>());
        assert_eq!(client.welcomes().len(), 1);
    }
    assert_eq!(house.hub.report().restarts, 4);
    house.stop().await;
}

#[tokio::test]
async fn who_reads_slowly_is_replayed_in_bounded_memory_and_delays_nobody() {
    let house = House::start(Config::default()).await;
    (0..10_000).for_each(|_| _ = house.log.append_with(TOPIC, ALL, None, 500));
    let mut slow = house.client(1, Some(0));
    let mut quick = [house.client(2, None)];
    let mut tick = interval(Duration::from_millis(1));
    let start = Instant::now();
    let mut last = 10_000;
    while slow.welcomes().is_empty() {
        assert!(start.elapsed() < 2 * PATIENCE, "at {:?}", slow.events().last());
        slow.take(16 * 1024);
        let (frames, bytes) = slow.entry().outbox().depth();
        assert!(frames <= 513 && bytes <= 513 * 1024, "{frames} frames of {bytes} bytes wait");
        if slow.events().len() % 50 == 0 {
            last = house.append();
            house.announce(last);
            until_all_have(&mut quick, last, Duration::from_secs(2)).await;
        }
        tick.tick().await;
    }
    let last_seen = house.append();
    house.announce(last_seen);
    let mut all = [slow, quick.into_iter().next().unwrap()];
    until_all_have(&mut all, last_seen, PATIENCE).await;
    assert!(last_seen > last);
    assert_eq!(all[0].events(), (1..=last_seen).collect::<Vec<_>>());
    house.stop().await;
}

#[tokio::test]
async fn who_takes_nothing_is_closed_alone() {
    let house = House::start(Config { outbox_frames: 64, ..Config::default() }).await;
    let mut clients: Vec<_> = (0..100).map(|n| house.client(n, None)).collect();
    let mut deaf = clients.pop().unwrap();
    for _ in 0..100 {
        let seq = house.append();
        house.announce(seq);
        until_all_have(&mut clients, seq, PATIENCE).await;
    }
    deaf.take(usize::MAX);
    assert_eq!((deaf.got.len(), deaf.close), (0, Some(Close::TOO_SLOW)));
    for client in &mut clients {
        client.take(usize::MAX);
        assert_eq!((client.events().len(), client.close), (100, None));
    }
    house.stop().await;
}

#[tokio::test]
async fn a_log_that_is_away_or_fails_delays_and_no_more() {
    let house = House::start(Config::default()).await;
    let mut clients = vec![house.client(1, None)];
    for trouble in [&house.log.is_away, &house.log.is_broken] {
        trouble.store(true, Ordering::Relaxed);
        let seq = house.append();
        house.announce(seq);
        clients.push(house.client(2, Some(0)));
        sleep(Duration::from_millis(300)).await;
        clients.iter_mut().for_each(|client| client.take(usize::MAX));
        assert!(!clients[0].events().contains(&seq));
        trouble.store(false, Ordering::Relaxed);
        until_all_have(&mut clients, seq, Duration::from_secs(1)).await;
    }
    for client in &clients {
        assert_eq!(client.events(), [1, 2]);
    }
    assert_eq!(house.hub.report().restarts, 0);
    assert!(house.registry.counts().unreadable > 0);
    house.stop().await;
}

#[tokio::test]
async fn no_more_than_8_sessions_read_the_log_at_once() {
    let house = House::start(Config::default()).await;
    (0..1000).for_each(|_| _ = house.append());
    // Who lacks the same would read it together
    let mut clients: Vec<_> = (0..60_u8).map(|n| house.client(n.into(), Some(n.into()))).collect();
    until_all_have(&mut clients, 1000, PATIENCE).await;
    let mut tick = interval(Duration::from_millis(1));
    let welcomed = async {
        while clients.iter().any(|client| client.welcomes().is_empty()) {
            clients.iter_mut().for_each(|client| client.take(usize::MAX));
            tick.tick().await;
        }
    };
    timeout(PATIENCE, welcomed).await.expect("a welcome in time");
    let most = house.log.most_reads.load(Ordering::SeqCst);
    // One more: the tail's own
    assert!((2..=9).contains(&most), "{most} at once");
    for (since, client) in (0..).zip(&clients) {
        let live = Joined::Live { seq: 1000, replayed: 1000 - since, present: 0 };
        assert_eq!(client.got.last(), Some(&Got::Welcome(live)));
    }
    house.stop().await;
}

#[actix_web::test]
async fn a_socket_hears_what_it_missed_and_what_comes_until_it_leaves() {
    let log = Arc::new(MemoryLog::default());
    (0..300).for_each(|_| _ = log.append(TOPIC, ALL));
    let pod = Pod::start_with(config(), |registry| hub(registry, &log)).await;
    let mut client = pod.connect().await;
    say(&mut client, "follow 10/300").await;
    for seq in 11..=300 {
        assert_eq!(hear(&mut client).await, Ok(seq.to_string()));
    }
    let live = Joined::Live { seq: 300, replayed: 290, present: 0 };
    assert_eq!(hear(&mut client).await, Ok(format!("{live:?}")));
    pod.registry.announcer().announce(TOPIC, log.append(TOPIC, ALL));
    assert_eq!(hear(&mut client).await, Ok("301".to_owned()));
    say(&mut client, "leave it").await;
    assert_eq!(hear(&mut client).await, Ok("left".to_owned()));
    assert!(pod.registry.topics.cursors().is_empty());
    say(&mut client, "follow 301/301").await;
    assert!(hear(&mut client).await.is_ok_and(|said| said.starts_with("Live")));
    drop(client);
    until("a session that ends is in nothing", || pod.registry.topics.cursors().is_empty()).await;
    pod.stop().await;
}
