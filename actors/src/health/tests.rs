//! The actor under a real supervisor, with probes that do as they are told.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
        mpsc::{Receiver, sync_channel},
    },
    time::{Duration, Instant, SystemTime},
};

use futures_util::{FutureExt as _, future::BoxFuture};
use parking_lot::Mutex;
use slog::{Discard, Logger, o};
use tokio::{sync::Notify, time::interval};

use super::*;
use crate::kernel::{ChildReport, Handle, State, Status, Supervisor};

const SOON: Duration = Duration::from_secs(5);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(2);
const AT: SystemTime = SystemTime::UNIX_EPOCH;

#[derive(Clone, Copy)]
enum Act {
    Say(Heard),
    Hang,
    Panic,
}

/// A part that does as it is told.
struct Fake {
    name: &'static str,
    act: Mutex<Act>,
    owner: Mutex<Option<State>>,
    stir: Notify,
    asked: AtomicUsize,
    asking: AtomicUsize,
    overlaps: AtomicUsize,
}

/// A question that is being put.
struct Asked<'a>(&'a Fake);

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.0.asking.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Fake {
    fn new(name: &'static str, act: Act) -> Arc<Self> {
        Arc::new(Self {
            name,
            act: Mutex::new(act),
            owner: Mutex::new(None),
            stir: Notify::new(),
            asked: AtomicUsize::new(0),
            asking: AtomicUsize::new(0),
            overlaps: AtomicUsize::new(0),
        })
    }

    fn turn(&self, act: Act) {
        *self.act.lock() = act;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl Probe for Fake {
    fn name(&self) -> &'static str {
        self.name
    }

    fn check(&self) -> BoxFuture<'_, Heard> {
        if self.asking.fetch_add(1, Ordering::SeqCst) > 0 {
            self.overlaps.fetch_add(1, Ordering::SeqCst);
        }
        let asked = Asked(self);
        self.asked.fetch_add(1, Ordering::SeqCst);
        let act = *self.act.lock();
        Box::pin(async move {
            let _asked = asked;
            match act {
                Act::Say(heard) => heard,
                Act::Hang => pending().await,
                Act::Panic => panic!("a bug in a probe"),
            }
        })
    }

    fn stirred(&self) -> BoxFuture<'_, ()> {
        self.stir.notified().boxed()
    }

    fn owner(&self) -> Option<ChildReport> {
        let status = Status { state: (*self.owner.lock())?, epoch: 2, generation: 1, exhausted: false };
        let name = self.name;
        Some(ChildReport { name, status, restarts: 1, last_failure: None, calls: 0, calls_limit: 1 })
    }
}

struct House {
    /// What it looks after ends with it.
    _supervisor: Supervisor,
    health: Handle<Health>,
    board: Board,
}

/// An hour between probes: whatever is asked again was asked for a reason.
fn hourly() -> Rhythm {
    Rhythm::every(Duration::from_secs(3600))
}

async fn house(fakes: &[&Arc<Fake>], rhythm: Rhythm) -> House {
    let probes: Vec<Arc<dyn Probe>> = fakes.iter().map(|fake| Arc::clone(fake) as Arc<dyn Probe>).collect();
    let board = Board::awaiting(&probes, Instant::now(), AT);
    let supervisor = Supervisor::start(Logger::root(Discard, o!())).unwrap();
    let child = Health::child(&probes, board.clone(), rhythm, || AT);
    let health = supervisor.add(child).await.unwrap();
    House { _supervisor: supervisor, health, board }
}

impl House {
    async fn until(&self, what: &str, mut holds: impl FnMut(&Snapshot) -> bool) {
        let deadline = Instant::now() + SOON;
        let mut look = interval(LOOK);
        while !holds(&self.board.load()) {
            assert!(Instant::now() < deadline, "{what}: {:?}", self.board.load());
            look.tick().await;
        }
    }

    async fn until_error(&self, name: &str, error: Option<&str>) {
        self.until(&format!("{name} says {error:?}"), |snapshot| {
            snapshot.check(name).is_some_and(|check| check.error == error && check.checked_at.is_some())
        })
        .await;
    }
}

#[test]
fn before_the_first_answer_everything_is_unhealthy_and_starting() {
    let probes: [Arc<dyn Probe>; 1] = [Fake::new("database", Act::Hang)];
    let board = Board::awaiting(&probes, Instant::now(), AT);
    let snapshot = board.load();
    let check = snapshot.check("database").unwrap();
    assert_eq!((check.status, check.error), (CheckStatus::Unhealthy, Some("starting")));
    assert_eq!((check.latency, check.checked_at), (None, None));
}

#[tokio::test]
async fn each_part_is_asked_at_once_and_memory_is_read() {
    let (well, ill) = (Fake::new("database", Act::Say(Ok(()))), Fake::new("redis", Act::Say(Err("refused"))));
    let house = house(&[&well, &ill], hourly()).await;
    house.until_error("database", None).await;
    house.until_error("redis", Some("refused")).await;
    house.until("memory", |snapshot| snapshot.memory.rss.is_some_and(|rss| rss > 1 << 20)).await;
    let snapshot = house.board.load();
    let database = snapshot.check("database").unwrap();
    assert_eq!(database.status, CheckStatus::Healthy);
    assert!(database.latency.is_some());
    assert_eq!(database.checked_at, Some(AT));
    assert_eq!(snapshot.check("redis").unwrap().latency, None);
}

#[tokio::test]
async fn at_a_quick_rhythm_the_snapshot_stays_fresh() {
    let fake = Fake::new("database", Act::Say(Ok(())));
    let rhythm = Rhythm::every(Duration::from_millis(100));
    let house = house(&[&fake], rhythm).await;
    house.until_error("database", None).await;
    let first = house.board.load().memory.read;
    house.until("memory is read again", |snapshot| snapshot.memory.read > first).await;
    let again = house.board.load().memory.read.duration_since(first);
    assert!(again < rhythm.stale_after(), "after {again:?}");
}

#[tokio::test]
async fn a_part_that_stirs_is_asked_at_once() {
    let fake = Fake::new("database", Act::Say(Ok(())));
    let house = house(&[&fake], hourly()).await;
    house.until_error("database", None).await;
    fake.turn(Act::Say(Err("closed")));
    fake.stir.notify_one();
    house.until_error("database", Some("closed")).await;
}

#[tokio::test]
async fn a_part_that_stirs_while_it_is_asked_is_asked_anew() {
    let fake = Fake::new("database", Act::Hang);
    let patient = Rhythm { answer_within: Duration::from_secs(3600), ..hourly() };
    let house = house(&[&fake], patient).await;
    house.until("asked", |_| fake.asked() == 1).await;
    fake.turn(Act::Say(Err("closed")));
    fake.stir.notify_one();
    house.until_error("database", Some("closed")).await;
    assert_eq!(fake.overlaps.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_unhealthy_part_is_asked_soon_again_and_a_healthy_one_is_not() {
    let (well, ill) = (Fake::new("database", Act::Say(Ok(()))), Fake::new("redis", Act::Say(Err("refused"))));
    let house = house(&[&well, &ill], hourly()).await;
    house.until("asked thrice", |_| ill.asked() >= 3).await;
    assert_eq!(well.asked(), 1);
    ill.turn(Act::Say(Ok(())));
    house.until_error("redis", None).await;
}

#[tokio::test]
async fn rounds_of_one_part_never_overlap() {
    let fake = Fake::new("database", Act::Hang);
    let hasty = Rhythm { interval: Duration::from_millis(1), answer_within: Duration::from_millis(20) };
    let house = house(&[&fake], hasty).await;
    house
        .until("asked often", |_| {
            fake.stir.notify_one();
            fake.asked() >= 10
        })
        .await;
    assert_eq!(fake.overlaps.load(Ordering::SeqCst), 0);
    // One that always stirs is heard all the same
    house.until_error("database", Some("timed out")).await;
}

#[tokio::test]
async fn a_part_that_hangs_is_unhealthy_and_delays_no_other() {
    let (stuck, well) = (Fake::new("database", Act::Hang), Fake::new("redis", Act::Say(Ok(()))));
    let house =
        house(&[&stuck, &well], Rhythm { answer_within: Duration::from_millis(50), ..hourly() }).await;
    house.until_error("redis", None).await;
    house.until_error("database", Some("timed out")).await;
}

#[tokio::test]
async fn a_probe_that_panics_hurts_itself_only() {
    let (broken, well) = (Fake::new("database", Act::Panic), Fake::new("redis", Act::Say(Ok(()))));
    let house = house(&[&broken, &well], hourly()).await;
    house.until_error("database", Some("probe failed")).await;
    house.until_error("redis", None).await;
    assert_eq!(house.health.report().restarts, 0);
    broken.turn(Act::Say(Ok(())));
    house.until_error("database", None).await;
}

#[tokio::test]
async fn a_part_whose_actor_restarts_is_restarting() {
    let fake = Fake::new("database", Act::Say(Err("refused")));
    *fake.owner.lock() = Some(State::Restarting { until: Instant::now() });
    let house = house(&[&fake], hourly()).await;
    house.until_error("database", Some("restarting")).await;
    assert_eq!(house.board.load().check("database").unwrap().status, CheckStatus::Restarting);
    *fake.owner.lock() = Some(State::Running);
    fake.turn(Act::Say(Ok(())));
    house.until_error("database", None).await;
    assert_eq!(house.board.load().check("database").unwrap().restarts, 1);
}

#[cfg(feature = "chaos")]
#[tokio::test]
async fn the_snapshot_outlives_a_life_and_the_next_one_goes_on_writing() {
    let fake = Fake::new("database", Act::Say(Ok(())));
    let house = house(&[&fake], hourly()).await;
    house.until_error("database", None).await;
    fake.turn(Act::Say(Err("refused")));
    house.health.inject_panic().await;
    house.until("still shown", |snapshot| snapshot.check("database").is_some()).await;
    house.until_error("database", Some("refused")).await;
    assert_eq!(house.health.report().restarts, 1);
    // What the first life measured is still there
    assert!(house.board.load().check("database").unwrap().window.percentile(50).is_some());
}

/// Blocks its thread in the first life, as a bug would, until it is let go.
struct Blocking {
    lives: AtomicUsize,
    released: Mutex<Receiver<()>>,
    recorded: AtomicUsize,
}

impl Probe for Blocking {
    fn name(&self) -> &'static str {
        "database"
    }

    fn check(&self) -> BoxFuture<'_, Heard> {
        if self.lives.fetch_add(1, Ordering::SeqCst) > 0 {
            return Box::pin(async { Ok(()) });
        }
        _ = self.released.lock().recv();
        Box::pin(async { Err("from a former life") })
    }

    fn owner(&self) -> Option<ChildReport> {
        self.recorded.fetch_add(1, Ordering::SeqCst);
        None
    }
}

#[tokio::test]
async fn a_life_that_was_abandoned_writes_nothing() {
    let (release, released) = sync_channel(0);
    let blocking = Arc::new(Blocking {
        lives: AtomicUsize::new(0),
        released: Mutex::new(released),
        recorded: AtomicUsize::new(0),
    });
    let probes: [Arc<dyn Probe>; 1] = [Arc::clone(&blocking) as Arc<dyn Probe>];
    let board = Board::awaiting(&probes, Instant::now(), AT);
    let supervisor = Supervisor::start(Logger::root(Discard, o!())).unwrap();
    let limits = crate::kernel::Limits { silence: Duration::from_millis(200), ..Default::default() };
    let child = Health::child(&probes, board.clone(), hourly(), || AT).limits(limits);
    let health = supervisor.add(child).await.unwrap();
    let house = House { _supervisor: supervisor, health, board };
    house.until_error("database", None).await;
    drop(release);
    house.until("the former life ends its round", |_| blocking.recorded.load(Ordering::SeqCst) == 2).await;
    let deadline = Instant::now() + Duration::from_millis(100);
    let mut look = interval(LOOK);
    while Instant::now() < deadline {
        assert_eq!(house.board.load().check("database").unwrap().error, None);
        look.tick().await;
    }
}
