//! The actor under a real supervisor.

use super::*;
use crate::{
    kernel::{Handle, Supervisor},
    worker::Worker,
};

const PATIENCE: Duration = Duration::from_secs(20);

async fn employ(house: &House) -> (Supervisor, Handle<Worker<Memory>>) {
    let supervisor = Supervisor::start(Logger::root(Discard, o!())).unwrap();
    let run: Arc<dyn crate::worker::Run<fake::Job>> = Arc::<Hands>::clone(&house.hands);
    let queue = Arc::clone(&house.queue);
    let child = Worker::child("worker", queue, run, house.config, &house.wake, &house.tally);
    let worker = supervisor.add(child).await.unwrap();
    (supervisor, worker)
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let mut look = tokio::time::interval(Duration::from_millis(2));
    let seen = async {
        while !holds() {
            look.tick().await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.unwrap_or_else(|_elapsed| panic!("not in time: {what}"));
}

#[cfg(feature = "chaos")]
#[tokio::test]
async fn a_panic_of_the_actor_loses_no_job() {
    let house = House::new(&[&[Act::Hang, Act::Take(10)][..]; 6], config());
    let (_supervisor, worker) = employ(&house).await;
    for _ in 0..2 {
        eventually("all hands are full", || house.tally.read().running == 3).await;
        worker.inject_panic().await;
        eventually("they were let go", || house.tally.read().running < 3).await;
    }
    // Far less than a lease: what the dead lives held was given back
    eventually("all are done", || house.queue.ends().iter().all(|end| *end == End::Done)).await;
    assert_eq!(worker.report().restarts, 2);
    assert!((0..6).all(|job| house.queue.endings(job) == 1));
}

#[tokio::test]
async fn a_panic_in_the_queue_restarts_the_actor() {
    let house = House::new(&[&[Act::Take(0)]], config());
    house.queue.panic_once();
    let (_supervisor, worker) = employ(&house).await;
    eventually("it is done", || house.queue.ends() == [End::Done]).await;
    assert_eq!(worker.report().restarts, 1);
}

#[tokio::test]
async fn the_supervisors_stop_is_clean_and_gives_back_what_is_not_done() {
    let config = Config { finish_within: Duration::from_millis(100), ..config() };
    let house = House::new(&[&[Act::Take(30)], &[Act::Hang]], config);
    let (supervisor, _worker) = employ(&house).await;
    eventually("both run", || house.hands.most_at_once() == 2).await;
    let stopped = supervisor.stop("worker").await.unwrap();
    assert!(stopped.clean);
    assert_eq!(house.queue.ends(), [End::Done, End::Waiting]);
    assert_eq!(house.queue.attempts(1), 0);
}

#[tokio::test]
async fn a_wake_is_answered_within_milliseconds() {
    let house = House::new(&[], Config { poll: Duration::from_secs(3600), ..config() });
    let (_supervisor, _worker) = employ(&house).await;
    eventually("it has looked once", || house.queue.claims() == 1).await;
    house.queue.add(&[Act::Take(0)]);
    house.wake.wake();
    eventually("it is done", || house.queue.ends() == [End::Done]).await;
}
