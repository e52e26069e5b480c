//! Two pods over a real Redis that is killed and comes back.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use slog::{Discard, Logger, o};
use tokio::time::{interval, timeout};

use super::client::{CHAT, Client, GALLERY, MemoryLog, Names, Register, TOPIC};
use crate::{
    kernel::Supervisor,
    realtime::*,
    redis::{self, Redis},
};

#[expect(
    dead_code,
    clippy::duplicate_mod,
    reason = "the tests of the Redis actor have it; not all of it is used here"
)]
#[path = "../../redis/tests/server.rs"]
mod server;
use server::Server;

#[expect(
    dead_code,
    clippy::duplicate_mod,
    reason = "the tests of the Redis actor have it; not all of it is used here"
)]
#[path = "../../redis/tests/cluster.rs"]
mod cluster;
use cluster::Cluster;

mod subjects;

const PATIENCE: Duration = Duration::from_secs(20);
const ALL: Audience = Audience(1);

struct Pod {
    registry: Arc<Registry>,
    redis: Redis,
    supervisor: Supervisor,
}

impl Pod {
    async fn start(server: &Server, log: &Arc<MemoryLog>, number: u64) -> Self {
        // Comparison with the log is for when hints are lost
        let config = Config { reconcile_every: Duration::from_millis(800), ..Config::default() };
        Self::start_with(&redis::Config::new(server.url()), log, Arc::default(), number, config).await
    }

    async fn start_with(
        redis: &redis::Config,
        log: &Arc<MemoryLog>,
        revocation: Arc<Register>,
        number: u64,
        config: Config,
    ) -> Self {
        let registry = Registry::new(config);
        let supervisor = Supervisor::start(Logger::root(Discard, o!())).unwrap();
        let (redis, child) = redis::build(redis, Some(registry.inbox())).unwrap();
        supervisor.add(child).await.unwrap();
        let log = Arc::clone(log) as Arc<dyn Log>;
        let feed = Feed { log, voice: Arc::new(Names), revocation, redis: redis.clone(), pod: number };
        supervisor.add(Hub::feeding(Arc::clone(&registry), feed)).await.unwrap();
        let pod = Self { registry, redis, supervisor };
        pod.healed().await;
        pod
    }

    async fn healed(&self) {
        let mut outage = self.redis.breaker().watch();
        timeout(PATIENCE, outage.wait_for(Option::is_none)).await.expect("Redis is not reached").unwrap();
    }

    fn client(&self, subject: u128, head: i64) -> Client {
        let client = Client::connect(&self.registry, subject);
        client.enter(TOPIC, GALLERY, ALL, head, None);
        client
    }

    fn watcher(&self, subject: u128) -> Client {
        let client = Client::connect(&self.registry, subject);
        let form = client.form(TOPIC, GALLERY, ALL, 0, None);
        client.join(Join { face: Some(Bytes::from(subject.to_string())), ..form });
        client
    }

    async fn stop(self) {
        self.supervisor.stop_all().await;
    }
}

async fn until(what: &str, clients: &mut [&mut Client], holds: impl Fn(&[&mut Client]) -> bool) -> Duration {
    let start = Instant::now();
    let mut tick = interval(Duration::from_millis(1));
    loop {
        clients.iter_mut().for_each(|client| client.take(usize::MAX));
        if holds(clients) {
            return start.elapsed();
        }
        assert!(start.elapsed() < PATIENCE, "not in time: {what}");
        tick.tick().await;
    }
}

fn have(last: i64) -> impl Fn(&[&mut Client]) -> bool {
    move |clients| clients.iter().all(|client| client.events().last() == Some(&last))
}

#[tokio::test]
async fn events_reach_the_other_pod_by_hints_and_without_redis_by_the_log() {
    let mut server = Server::running().await;
    let log = Arc::new(MemoryLog::default());
    let (a, b) = (Pod::start(&server, &log, 1).await, Pod::start(&server, &log, 2).await);
    let (mut on_a, mut on_b) = (a.client(1, 0), b.client(2, 0));
    b.redis.settled().await.unwrap();
    for _ in 0..20 {
        let seq = log.append(TOPIC, ALL);
        a.registry.announcer().announce(TOPIC, seq);
        until("a hint arrives", &mut [&mut on_a, &mut on_b], have(seq)).await;
    }
    // A loaded machine may be slow, but not every time by a comparison
    assert!(b.registry.counts().reconciled < 10, "{:?}", b.registry.counts());

    server.kill();
    for _ in 0..3 {
        let seq = log.append(TOPIC, ALL);
        a.registry.announcer().announce(TOPIC, seq);
        let took = until("the log is compared", &mut [&mut on_a, &mut on_b], have(seq)).await;
        // 1 s, and what a busy machine takes
        assert!(took < Duration::from_millis(1800), "{took:?}");
    }

    // What is logged while nobody can be told is found at once when Redis is back
    let seq = log.append(TOPIC, ALL);
    server.start().await;
    a.healed().await;
    b.healed().await;
    until("all is caught up", &mut [&mut on_a, &mut on_b], have(seq)).await;
    let before = b.registry.counts().reconciled;
    for _ in 0..20 {
        let seq = log.append(TOPIC, ALL);
        a.registry.announcer().announce(TOPIC, seq);
        until("hints arrive again", &mut [&mut on_a, &mut on_b], have(seq)).await;
    }
    assert!(b.registry.counts().reconciled < before + 10, "{:?}", b.registry.counts());
    for client in [&on_a, &on_b] {
        assert_eq!(client.events(), (1..=44).collect::<Vec<_>>());
    }
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn what_is_not_logged_is_said_once_on_each_pod() {
    let server = Server::running().await;
    let log = Arc::new(MemoryLog::default());
    let (a, b) = (Pod::start(&server, &log, 1).await, Pod::start(&server, &log, 2).await);
    let (mut on_a, mut on_b) = (a.client(1, 0), b.client(2, 0));
    let mut elsewhere = Client::connect(&b.registry, 3);
    elsewhere.enter(TOPIC, CHAT, Audience(2), 0, None);
    b.redis.settled().await.unwrap();
    a.redis.settled().await.unwrap();
    for said in ["one", "two", "three"] {
        a.registry.announcer().say(TOPIC, ALL, Frame::text(said));
    }
    until("all is said", &mut [&mut on_a, &mut on_b], |clients| {
        clients.iter().all(|client| client.words().contains(&"three".to_owned()))
    })
    .await;
    // The pod's own words have come back before what follows them
    let seq = log.append(TOPIC, ALL);
    b.registry.announcer().announce(TOPIC, seq);
    until("an event follows", &mut [&mut on_a, &mut on_b], have(seq)).await;
    assert_eq!(on_a.words(), ["one", "two", "three"]);
    assert_eq!(on_b.words(), ["one", "two", "three"]);
    elsewhere.take(usize::MAX);
    assert_eq!(elsewhere.words(), Vec::<String>::new());
    a.stop().await;
    b.stop().await;
}

#[tokio::test]
async fn viewers_are_counted_over_all_pods_each_once() {
    let server = Server::running().await;
    let log = Arc::new(MemoryLog::default());
    let (a, b) = (Pod::start(&server, &log, 1).await, Pod::start(&server, &log, 2).await);
    let mut first = a.watcher(1);
    a.redis.settled().await.unwrap();
    let second = b.watcher(2);
    until("the first hears of the second", &mut [&mut first], |clients| !clients[0].words().is_empty()).await;
    assert!(first.words()[0].starts_with("+2 "), "{:?}", first.words());
    // Both pods know both by now or soon: who asks again is told two
    let mut counted = first.welcomes().len();
    let mut tick = interval(Duration::from_millis(5));
    let start = Instant::now();
    loop {
        let mut asks = b.client(3, 0);
        asks.take(usize::MAX);
        counted += 1;
        if matches!(asks.welcomes()[..], [Joined::Live { present: 2, .. }]) {
            break;
        }
        assert!(start.elapsed() < PATIENCE, "never two, asked {counted} times");
        tick.tick().await;
    }
    // A second socket on the other pod is nobody new
    let again = b.watcher(1);
    drop((second, again));
    until("the first hears that the second is gone", &mut [&mut first], |clients| {
        clients[0].words().last().is_some_and(|word| word.starts_with("-2 "))
    })
    .await;
    assert!(!first.words().iter().any(|word| word.contains("1 ")), "{:?}", first.words());
    a.stop().await;
    b.stop().await;
}
