//! The shift in a time that stands still, over a queue in memory and with jobs that do as they are told.

mod fake;
mod lives;
mod promise;

use std::{num::NonZeroUsize, sync::Arc, time::Duration};

use futures_util::future::{pending, ready};
use slog::{Discard, Logger, o};
use tokio::time::{Instant, advance, sleep};

use self::fake::{Act, End, Hands, Memory};
use super::{Cancel, Config, Queue, QueueError, Tally, Wake, desk::Desk, held::Held, shift::Shift};
use crate::kernel::BackoffConfig;

/// 3 hands, a look every second, leases of 30 s, retries after 1, 4, 16 and 64 s.
fn config() -> Config {
    let retry = BackoffConfig { jitter: 0.0, ..Config::default().retry };
    Config { jobs: NonZeroUsize::new(3).unwrap(), retry, ..Config::default() }
}

/// A worker without its actor.
struct House {
    queue: Arc<Memory>,
    hands: Arc<Hands>,
    held: Arc<Held<fake::Ticket>>,
    config: Config,
    wake: Wake,
    tally: Tally,
}

impl House {
    fn new(jobs: &[&[Act]], config: Config) -> Self {
        let (wake, tally) = (Wake::default(), Tally::default());
        let queue = Memory::with(jobs);
        Self { queue, hands: Hands::new(), held: Held::new(), config, wake, tally }
    }

    /// One life, until `stopping`.
    async fn live(&self, stopping: impl Future<Output = ()>) {
        let run: Arc<dyn super::Run<fake::Job>> = Arc::<Hands>::clone(&self.hands);
        let desk = Desk {
            queue: Arc::clone(&self.queue),
            run,
            config: self.config,
            held: Arc::clone(&self.held),
            tally: self.tally.clone(),
            log: Logger::root(Discard, o!()),
        };
        Shift::new(desk, self.wake.clone()).work(stopping).await;
    }

    /// One life that lasts until all jobs have ended. Gives how long that took.
    async fn live_until_done(&self) -> Duration {
        let began = Instant::now();
        tokio::select! {
            () = self.live(pending()) => unreachable!("nobody stopped it"),
            () = self.queue.all_ended() => began.elapsed(),
        }
    }
}

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[tokio::test(start_paused = true)]
async fn no_more_jobs_run_at_once_than_there_are_hands_and_none_is_idle() {
    let house = House::new(&[&[Act::Take(100)][..]; 20], config());
    let took = house.live_until_done().await;
    assert_eq!(house.hands.most_at_once(), 3);
    assert!(took < Duration::from_millis(750), "{took:?}");
    assert!(house.queue.ends().iter().all(|end| *end == End::Done));
    let counts = house.tally.read();
    assert_eq!((counts.claimed, counts.completed, counts.running), (20, 20, 0));
}

#[tokio::test(start_paused = true)]
async fn a_long_job_keeps_its_lease() {
    let config = Config { deadline: seconds(1000), ..config() };
    let house = House::new(&[&[Act::Take(500_000)]], config);
    house.live_until_done().await;
    assert_eq!(house.hands.begun(0).len(), 1);
    assert_eq!(house.tally.read().lost, 0);
}

#[tokio::test(start_paused = true)]
async fn a_job_whose_lease_was_lost_is_cancelled_and_not_ended() {
    let house = House::new(&[&[Act::Take(25_000)]], config());
    let steal = async {
        sleep(seconds(5)).await;
        house.queue.steal(0);
        sleep(seconds(30)).await;
    };
    house.live(steal).await;
    assert_eq!(house.hands.finished(), 0);
    assert!(house.hands.cancels().iter().all(Cancel::is_cancelled));
    assert_eq!(house.queue.ends(), [End::Held]);
    assert_eq!(house.tally.read().lost, 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_is_cancelled_when_its_lease_could_not_be_extended_and_runs_again() {
    let house = House::new(&[&[Act::Hang, Act::Take(0)]], Config { deadline: seconds(300), ..config() });
    let outage = async {
        sleep(seconds(5)).await;
        house.queue.go_away(true);
        sleep(seconds(24)).await;
        assert_eq!(house.tally.read().running, 1);
        sleep(seconds(2)).await;
        assert_eq!(house.tally.read().running, 0, "30 s after it was last heard of");
        house.queue.go_away(false);
        sleep(seconds(10)).await;
    };
    house.live(outage).await;
    assert_eq!(house.queue.ends(), [End::Done]);
}

#[tokio::test]
async fn a_stale_ticket_ends_nothing() {
    let queue = Memory::with(&[&[]]);
    let claimed = queue.claim(1, seconds(30)).await.unwrap().remove(0);
    queue.steal(0);
    let ticket = &claimed.ticket;
    assert!(matches!(queue.complete(ticket).await, Err(QueueError::Lost)));
    assert!(matches!(queue.extend(ticket, seconds(30)).await, Err(QueueError::Lost)));
    assert_eq!(queue.ends(), [End::Held]);
}

#[tokio::test(start_paused = true)]
async fn failed_attempts_are_repeated_after_growing_delays_and_buried_at_last() {
    let house = House::new(&[&[Act::Retry]], Config { poll: Duration::from_millis(100), ..config() });
    house.live_until_done().await;
    let begun = house.hands.begun(0);
    let gaps: Vec<_> = begun.windows(2).map(|pair| (pair[1] - pair[0]).as_secs_f64().round()).collect();
    assert_eq!(gaps, [1.0, 4.0, 16.0, 64.0]);
    assert_eq!(house.queue.ends(), [End::Buried("odd".to_owned())]);
    assert_eq!(house.hands.given_up(), [0]);
    let counts = house.tally.read();
    assert_eq!((counts.retried, counts.buried), (4, 1));
}

#[tokio::test(start_paused = true)]
async fn a_permanent_failure_is_buried_at_once() {
    let house = House::new(&[&[Act::Permanent]], config());
    house.live_until_done().await;
    assert_eq!(house.hands.begun(0).len(), 1);
    assert_eq!(house.queue.ends(), [End::Buried("no picture".to_owned())]);
    assert_eq!(house.hands.given_up(), [0]);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_panics_is_buried_after_its_attempts_and_hurts_no_other() {
    let house = House::new(&[&[Act::Panic], &[Act::Take(60_000)], &[Act::PanicEarly]], config());
    house.live_until_done().await;
    let buried = || End::Buried("panicked".to_owned());
    assert_eq!(house.queue.ends(), [buried(), End::Done, buried()]);
    assert_eq!(house.hands.begun(0).len(), 5);
    assert_eq!(house.hands.begun(1).len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_takes_too_long_is_tried_again() {
    let house = House::new(&[&[Act::Hang, Act::Take(0)]], config());
    let took = house.live_until_done().await;
    assert_eq!(house.queue.ends(), [End::Done]);
    assert!((seconds(61)..seconds(63)).contains(&took), "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_job_that_ends_its_worker_each_time_is_buried_untried() {
    let house = House::new(&[&[Act::Hang]], config());
    for _ in 0..5 {
        // Gone without a word, and nothing was left to give back
        tokio::select! {
            () = house.live(pending()) => {}
            () = sleep(seconds(1)) => {}
        }
        house.held.take_all();
        advance(seconds(31)).await;
    }
    house.live_until_done().await;
    assert_eq!(house.hands.begun(0).len(), 5);
    assert!(matches!(house.queue.ends()[0], End::Buried(_)));
    assert_eq!(house.hands.given_up(), [0]);
}

#[tokio::test(start_paused = true)]
async fn what_a_life_leaves_behind_is_given_back_by_the_next() {
    let house = House::new(&[&[Act::Hang, Act::Take(0)]], config());
    tokio::select! {
        () = house.live(pending()) => {}
        () = sleep(seconds(1)) => {}
    }
    assert_eq!(house.tally.read().running, 0);
    assert!(house.live_until_done().await < seconds(1), "long before the lease expires");
}

#[tokio::test(start_paused = true)]
async fn an_outage_counts_no_attempt_and_slows_the_worker_down() {
    let lack: Vec<Act> = std::iter::repeat_n(Act::Lack, 4).chain([Act::Take(0)]).collect();
    let house = House::new(&[&lack[..]; 40], config());
    house.live(sleep(seconds(20))).await;
    let counts = house.tally.read();
    assert!((20..60).contains(&counts.released), "3 at a time, every 2 s at last: {counts:?}");
    assert!((0..40).all(|job| house.queue.attempts(job) == 0));
    house.live_until_done().await;
    assert!(house.queue.ends().iter().all(|end| *end == End::Done));
    let counts = house.tally.read();
    assert_eq!((counts.released, counts.retried, counts.completed), (160, 0, 40));
}

#[tokio::test(start_paused = true)]
async fn a_queue_that_is_away_is_asked_patiently_and_served_when_it_is_back() {
    let house = House::new(&[&[Act::Take(0)]], config());
    house.queue.go_away(true);
    let outage = async {
        sleep(seconds(60)).await;
        assert!((20..70).contains(&house.queue.claims()), "{}", house.queue.claims());
        house.queue.go_away(false);
        sleep(Duration::from_millis(2500)).await;
    };
    house.live(outage).await;
    assert_eq!(house.queue.ends(), [End::Done]);
}

#[tokio::test(start_paused = true)]
async fn a_job_ends_once_though_the_answer_was_not_seen() {
    let house = House::new(&[&[Act::Take(1000)]], config());
    house.queue.swallow_answers(2);
    house.live(sleep(seconds(120))).await;
    assert_eq!(house.queue.ends(), [End::Done]);
    assert_eq!(house.queue.endings(0), 1);
}

#[tokio::test(start_paused = true)]
async fn a_wake_is_answered_at_once_and_not_lost_while_all_hands_are_full() {
    let hourly = Config { poll: seconds(3600), ..config() };
    let house = House::new(&[], hourly);
    let waking = async {
        sleep(seconds(10)).await;
        for _ in 0..4 {
            house.queue.add(&[Act::Take(2000)]);
        }
        house.wake.wake();
        sleep(seconds(1)).await;
        assert_eq!(house.tally.read().running, 3);
        house.queue.add(&[Act::Take(0)]);
        house.wake.wake();
        sleep(seconds(5)).await;
    };
    let began = Instant::now();
    house.live(waking).await;
    let at = |job| (house.hands.begun(job)[0] - began).as_millis();
    assert_eq!([at(0), at(1), at(2)], [10_000; 3]);
    assert!(at(3) <= 12_010 && at(4) <= 12_010, "{} {}", at(3), at(4));
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_jobs_finish_and_gives_back_the_rest() {
    let house = House::new(&[&[Act::Take(3000)], &[Act::Hang], &[Act::Hang], &[Act::Take(0)]], config());
    let began = Instant::now();
    house.live(sleep(seconds(1))).await;
    assert_eq!(began.elapsed().as_secs(), 6);
    assert_eq!(house.queue.ends(), [End::Done, End::Waiting, End::Waiting, End::Waiting]);
    assert_eq!(house.queue.attempts(1), 0, "as if it had not been claimed");
    assert!(house.hands.begun(3).is_empty(), "nothing new is begun");
    let counts = house.tally.read();
    assert_eq!((counts.completed, counts.released, counts.running), (1, 2, 0));
}

#[tokio::test(start_paused = true)]
async fn what_a_claim_brings_after_the_stop_is_given_back_unbegun() {
    let house = House::new(&[&[Act::Take(0)]], config());
    house.queue.take_its_time(seconds(2));
    house.live(sleep(seconds(1))).await;
    assert_eq!(house.queue.ends(), [End::Waiting]);
    assert_eq!(house.queue.attempts(0), 0);
    assert!(house.hands.begun(0).is_empty());
    // One that is stopped before it has begun leaves the queue alone
    let claims = house.queue.claims();
    house.live(ready(())).await;
    assert_eq!(house.queue.claims(), claims);
}
