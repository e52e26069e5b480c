//! Against a real Redis: what its users see when it dies, hangs and comes back.

#[expect(dead_code, reason = "the service's tests have it too; not all of it is used here")]
mod cluster;
mod clustered;
mod server;

use std::{
    num::NonZeroU32,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::Mutex;
use slog::{Discard, Logger, o};
use tokio::time::{sleep, timeout};

use self::server::Server;
use super::{Config, Inbox, Redis, RedisActor, RedisError, build};
use crate::kernel::{Handle, Supervisor};

const SOON: Duration = Duration::from_secs(5);
const MS: Duration = Duration::from_millis(1);
/// What the contract's limits are given on a busy machine.
const NOISE: Duration = Duration::from_millis(400);

#[derive(Default)]
struct Heard {
    messages: Mutex<Vec<(String, Bytes)>>,
    gaps: AtomicUsize,
    /// The way to Redis, and whether it was open at each gap.
    redis: OnceLock<Redis>,
    was_open: Mutex<Vec<bool>>,
}

impl Heard {
    fn gaps(&self) -> usize {
        self.gaps.load(Ordering::SeqCst)
    }

    fn take(&self) -> Vec<(String, Bytes)> {
        std::mem::take(&mut self.messages.lock())
    }
}

impl Inbox for Heard {
    fn message(&self, topic: &str, payload: Bytes) {
        self.messages.lock().push((topic.to_owned(), payload));
    }

    fn gap(&self) {
        self.was_open.lock().push(self.redis.get().is_some_and(|redis| redis.outage().is_none()));
        self.gaps.fetch_add(1, Ordering::SeqCst);
    }
}

/// A pod as far as Redis is concerned.
struct Pod {
    redis: Redis,
    heard: Arc<Heard>,
    handle: Handle<RedisActor>,
    supervisor: Supervisor,
}

impl Pod {
    async fn start(config: &Config) -> Self {
        let heard = Arc::new(Heard::default());
        let (redis, child) = build(config, Some(Arc::clone(&heard) as Arc<dyn Inbox>)).unwrap();
        _ = heard.redis.set(redis.clone());
        let supervisor = Supervisor::start(Logger::root(Discard, o!())).unwrap();
        let handle = supervisor.add(child).await.unwrap();
        Self { redis, heard, handle, supervisor }
    }

    async fn connected(server: &Server) -> Self {
        Self::connected_with(&Config::new(server.url())).await
    }

    async fn connected_with(config: &Config) -> Self {
        let pod = Self::start(config).await;
        pod.healed().await;
        pod
    }

    /// Waits until the breaker is closed.
    async fn healed(&self) {
        let mut outage = self.redis.breaker().watch();
        timeout(SOON, outage.wait_for(Option::is_none)).await.expect("Redis is not reached").unwrap();
    }

    /// Waits until the breaker is open. Gives why.
    async fn told(&self, within: Duration) -> &'static str {
        let mut outage = self.redis.breaker().watch();
        let outage = timeout(within, outage.wait_for(Option::is_some)).await.expect("not told").unwrap();
        outage.unwrap().reason
    }

    async fn count(&self) -> Result<u64, RedisError> {
        self.redis.run(async |connection| redis::cmd("INCR").arg("n").query_async(connection).await).await
    }

    /// A message published to `topic` comes back to this pod exactly once.
    async fn assert_hears(&self, topic: &str) {
        assert_eq!(self.redis.publish(topic, b"\0hello\xff").await.unwrap(), 1);
        until("the message arrives", || !self.heard.messages.lock().is_empty()).await;
        assert_eq!(self.heard.take(), [(topic.to_owned(), Bytes::from_static(b"\0hello\xff"))]);
    }
}

async fn until(what: &str, condition: impl Fn() -> bool) {
    let deadline = Instant::now() + SOON;
    while !condition() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(MS).await;
    }
}

#[tokio::test]
async fn commands_are_answered_and_refusals_are_told_apart() {
    let server = Server::running().await;
    let pod = Pod::connected(&server).await;
    assert_eq!(pod.count().await.unwrap(), 1);
    assert_eq!(pod.count().await.unwrap(), 2);
    let nonsense =
        pod.redis.run(async |connection| redis::cmd("NONSENSE").query_async::<()>(connection).await).await;
    assert!(matches!(nonsense, Err(RedisError::Refused(_))), "{nonsense:?}");
    assert!(pod.redis.check().await.unwrap() < SOON);
    assert_eq!(pod.redis.pool().unwrap().limit, 8);
}

#[tokio::test]
async fn a_subscriber_hears_each_message_until_the_last_wish_is_taken_back() {
    let server = Server::running().await;
    let pod = Pod::connected(&server).await;
    pod.redis.subscribe("party");
    pod.redis.subscribe("party");
    pod.redis.settled().await.unwrap();
    for n in 0..100_u32 {
        pod.redis.publish("party", &n.to_be_bytes()).await.unwrap();
    }
    until("all arrived", || pod.heard.messages.lock().len() == 100).await;
    let payloads: Vec<_> = pod.heard.take().into_iter().map(|(_, payload)| payload).collect();
    let sent: Vec<_> = (0..100_u32).map(|n| Bytes::copy_from_slice(&n.to_be_bytes())).collect();
    assert_eq!(payloads, sent);

    pod.redis.unsubscribe("party");
    pod.redis.settled().await.unwrap();
    pod.assert_hears("party").await;
    pod.redis.unsubscribe("party");
    pod.redis.settled().await.unwrap();
    assert_eq!(pod.redis.publish("party", b"?").await.unwrap(), 0);
    assert_eq!(pod.heard.gaps(), 0);
}

#[tokio::test]
async fn a_killed_redis_is_told_at_once_and_heals_with_its_subscriptions() {
    let mut server = Server::running().await;
    let pod = Pod::connected(&server).await;
    for n in 0..600 {
        pod.redis.subscribe(&format!("party:{n}"));
    }
    pod.redis.settled().await.unwrap();
    let mut reports = pod.redis.reports();
    reports.mark_unchanged();

    server.kill();
    let killed = Instant::now();
    assert_eq!(pod.told(Duration::from_secs(1)).await, "connection closed");
    let refused = pod.count().await;
    assert!(matches!(refused, Err(RedisError::Unavailable { .. })), "{refused:?}");
    assert!(killed.elapsed() < 100 * MS + NOISE, "refused after {:?}", killed.elapsed());
    timeout(SOON, reports.changed()).await.expect("not reported").unwrap();
    assert_eq!(pod.redis.check().await, Err("connection closed"));
    assert_eq!(pod.redis.pool(), None);
    let unsettled = pod.redis.settled().await;
    assert!(unsettled.is_err_and(|error| error.is_unsent()));

    let accepted = server.start().await;
    pod.healed().await;
    assert!(accepted.elapsed() < 200 * MS + NOISE, "healed after {:?}", accepted.elapsed());
    assert_eq!(pod.count().await.unwrap(), 1);
    until("the gap is told", || pod.heard.gaps() == 1).await;
    pod.assert_hears("party:0").await;
    pod.assert_hears("party:599").await;
    assert_eq!(pod.handle.report().restarts, 0, "an outage is not a crash");
}

#[tokio::test]
async fn a_gap_is_told_when_the_way_is_open_again() {
    let mut server = Server::running().await;
    let pod = Pod::connected(&server).await;
    pod.redis.subscribe("party:1");
    pod.redis.settled().await.unwrap();
    server.kill();
    pod.told(SOON).await;
    server.start().await;
    until("the gap is told", || pod.heard.gaps() == 1).await;
    assert_eq!(*pod.heard.was_open.lock(), [true]);
}

#[tokio::test]
async fn what_is_wanted_for_a_while_during_an_outage_is_not_remembered() {
    let mut server = Server::running().await;
    let pod = Pod::connected(&server).await;
    pod.redis.subscribe("party:1");
    pod.redis.settled().await.unwrap();
    server.kill();
    pod.told(SOON).await;
    for n in 0..1000 {
        pod.redis.subscribe(&format!("passing:{n}"));
        pod.redis.unsubscribe(&format!("passing:{n}"));
    }
    until("a trial fails", || pod.redis.link.topics.changes() == 0).await;
    server.start().await;
    pod.healed().await;
    pod.redis.settled().await.unwrap();
    pod.assert_hears("party:1").await;
}

#[tokio::test]
async fn calls_under_way_are_answered_when_redis_is_killed() {
    let mut server = Server::running().await;
    let mut config = Config::new(server.url());
    config.command_deadline = SOON;
    let pod = Pod::connected_with(&config).await;
    let leased = AtomicUsize::new(0);
    let wait = pod.redis.run(async |connection| {
        leased.store(1, Ordering::SeqCst);
        redis::cmd("BLPOP").arg("nothing").arg(0).query_async::<()>(connection).await
    });
    let kill = async {
        until("it waits", || leased.load(Ordering::SeqCst) == 1).await;
        server.kill();
        Instant::now()
    };
    let (answer, killed) = tokio::join!(wait, kill);
    assert!(matches!(answer, Err(RedisError::Interrupted)), "{answer:?}");
    assert!(killed.elapsed() < 500 * MS + NOISE, "answered after {:?}", killed.elapsed());
}

#[tokio::test]
async fn a_frozen_redis_is_told_within_a_second_and_heals_when_it_thaws() {
    let server = Server::running().await;
    let mut config = Config::new(server.url());
    config.command_deadline = SOON;
    let pod = Pod::connected_with(&config).await;
    pod.redis.subscribe("party");
    pod.redis.settled().await.unwrap();

    server.freeze();
    let frozen = Instant::now();
    let outstanding = tokio::join!(pod.count(), pod.count());
    let answered = frozen.elapsed();
    for answer in [outstanding.0, outstanding.1] {
        assert!(answer.is_err(), "{answer:?}");
    }
    assert!(answered < 1100 * MS + NOISE, "answered after {answered:?}");
    assert_eq!(pod.told(NOISE).await, "no answer");
    let refusing = Instant::now();
    assert!(matches!(pod.count().await, Err(RedisError::Unavailable { .. })));
    assert!(refusing.elapsed() < 100 * MS + NOISE);

    server.thaw();
    let thawed = Instant::now();
    pod.healed().await;
    assert!(thawed.elapsed() < 200 * MS + NOISE, "healed after {:?}", thawed.elapsed());
    pod.count().await.unwrap();
    until("the gap is told", || pod.heard.gaps() == 1).await;
    pod.assert_hears("party").await;
}

#[tokio::test]
async fn a_silent_freeze_is_found_by_the_probe() {
    let server = Server::running().await;
    let pod = Pod::connected(&server).await;
    server.freeze();
    assert_eq!(pod.redis.check().await, Err("no answer"));
    pod.told(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn a_pool_that_is_used_up_is_no_outage() {
    let server = Server::running().await;
    let mut config = Config::new(server.url());
    config.pool_size = NonZeroU32::MIN;
    config.command_deadline = 200 * MS;
    let pod = Pod::connected_with(&config).await;
    let mut reports = pod.redis.reports();
    reports.mark_unchanged();
    let means = pod.redis.link.means().unwrap();
    let only = means.pool.get().await.unwrap();
    let refused = pod.count().await;
    assert!(matches!(refused, Err(RedisError::Busy)), "{refused:?}");
    assert!(reports.has_changed().unwrap());
    drop(only);
    pod.count().await.unwrap();
    assert_eq!(pod.redis.outage(), None);
}

#[tokio::test]
async fn it_starts_while_redis_is_away_and_fulfils_early_wishes() {
    let mut server = Server::absent();
    let pod = Pod::start(&Config::new(server.url())).await;
    pod.redis.subscribe("party");
    assert!(matches!(pod.count().await, Err(RedisError::Unavailable { .. })));
    server.start().await;
    pod.healed().await;
    pod.count().await.unwrap();
    pod.assert_hears("party").await;
}

#[tokio::test]
async fn a_panic_costs_neither_service_nor_subscriptions() {
    let server = Server::running().await;
    let pod = Pod::connected(&server).await;
    pod.redis.subscribe("party");
    pod.redis.settled().await.unwrap();
    pod.handle.inject_panic().await;
    until("it lives anew", || pod.handle.report().restarts == 1).await;
    pod.healed().await;
    pod.count().await.unwrap();
    until("the gap is told", || pod.heard.gaps() == 1).await;
    pod.assert_hears("party").await;
}

#[tokio::test]
async fn after_the_stop_calls_are_refused_at_once() {
    let server = Server::running().await;
    let pod = Pod::connected(&server).await;
    let stopped = pod.supervisor.stop_all().await;
    assert!(stopped.iter().all(|child| child.clean), "{stopped:?}");
    assert!(matches!(pod.count().await, Err(RedisError::Unavailable { .. })));
}
