//! The loop in a time that stands still, and the actor under a real supervisor.

use std::{
    io,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
};

use futures_util::future::{pending, ready};
use slog::{Drain, Never, OwnedKVList, Record};
use tokio::{
    sync::oneshot,
    time::{Instant, interval},
};

use super::*;
use crate::kernel::{Handle, Supervisor};

const PATIENCE: Duration = Duration::from_secs(20);

#[derive(Clone, Copy)]
enum Act {
    Take(u64),
    Fail,
    Lack,
    Hang,
    Panic,
}

/// Does as its script says, the last line again and again.
#[derive(Default)]
struct Script {
    acts: Vec<Act>,
    begun: Mutex<Vec<Instant>>,
    running: AtomicUsize,
    overlaps: AtomicUsize,
    finished: AtomicUsize,
}

struct Running<'a>(&'a Script);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, SeqCst);
    }
}

impl Script {
    fn of(acts: &[Act]) -> Arc<Self> {
        Arc::new(Self { acts: acts.to_vec(), ..Self::default() })
    }

    fn begun(&self) -> usize {
        self.begun.lock().unwrap().len()
    }

    /// Milliseconds from one beginning to the next.
    fn gaps(&self) -> Vec<u128> {
        self.begun.lock().unwrap().windows(2).map(|pair| (pair[1] - pair[0]).as_millis()).collect()
    }
}

impl Task for Script {
    fn name(&self) -> &'static str {
        "script"
    }

    fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
        let nth = self.begun();
        self.begun.lock().unwrap().push(Instant::now());
        self.overlaps.fetch_add(self.running.fetch_add(1, SeqCst), SeqCst);
        let act = self.acts[nth.min(self.acts.len() - 1)];
        Box::pin(async move {
            let _running = Running(self);
            match act {
                Act::Take(millis) => sleep(Duration::from_millis(millis)).await,
                Act::Fail => return Err(TaskError::Failed(Box::new(io::Error::other("odd row")))),
                Act::Lack => return Err(TaskError::Unavailable(Box::new(io::Error::other("refused")))),
                Act::Hang => pending().await,
                Act::Panic => panic!("a bug in a task"),
            }
            self.finished.fetch_add(1, SeqCst);
            Ok(())
        })
    }
}

/// What was logged.
#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<String>>>);

impl Drain for Lines {
    type Ok = ();
    type Err = Never;

    fn log(&self, record: &Record<'_>, _: &OwnedKVList) -> Result<(), Never> {
        self.0.lock().unwrap().push(record.msg().to_string());
        Ok(())
    }
}

fn rhythm(every: u64, deadline: u64) -> Rhythm {
    Rhythm { every: Duration::from_millis(every), deadline: Duration::from_millis(deadline), jitter: 0.0 }
}

/// The loop for `millis`, then a stop. Gives what was logged.
async fn play(script: &Arc<Script>, rhythm: Rhythm, millis: u64) -> Vec<String> {
    let lines = Lines::default();
    let log = Logger::root(lines.clone(), o!());
    let task: Arc<dyn Task> = Arc::<Script>::clone(script);
    Beat { task, rhythm, nudge: Nudge::default(), log }.go_on(sleep(Duration::from_millis(millis))).await;
    let lines = lines.0.lock().unwrap();
    lines.clone()
}

#[tokio::test(start_paused = true)]
async fn the_next_run_begins_a_pause_after_the_last_one_ended() {
    let script = Script::of(&[Act::Take(30), Act::Take(250), Act::Take(0)]);
    play(&script, rhythm(100, 1000), 650).await;
    assert_eq!(script.gaps(), [130, 350, 100]);
    assert_eq!(script.overlaps.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_run_past_its_deadline_is_dropped_and_told_and_the_ticker_goes_on() {
    let script = Script::of(&[Act::Hang, Act::Take(0)]);
    let lines = play(&script, rhythm(100, 500), 650).await;
    assert_eq!(script.gaps(), [600]);
    assert_eq!(script.running.load(SeqCst), 0, "it was dropped");
    assert_eq!(lines, ["Task took too long and was dropped"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_past_its_deadline_holds_nothing_during_the_pause() {
    let script = Script::of(&[Act::Hang]);
    let look = async {
        sleep(Duration::from_millis(400)).await;
        assert_eq!(script.running.load(SeqCst), 1);
        sleep(Duration::from_millis(200)).await;
        assert_eq!(script.running.load(SeqCst), 0);
    };
    tokio::join!(look, play(&script, rhythm(3_600_000, 500), 700));
    assert_eq!(script.begun(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_failure_is_told_each_time_and_an_outage_once() {
    let script =
        Script::of(&[Act::Fail, Act::Fail, Act::Lack, Act::Lack, Act::Lack, Act::Take(0), Act::Lack]);
    let lines = play(&script, rhythm(100, 500), 650).await;
    assert_eq!(script.begun(), 7);
    let told = ["Task failed", "Task failed", "Task waits for a dependency", "Task runs again"];
    assert_eq!(lines[..4], told);
    assert_eq!(lines[4..], ["Task waits for a dependency"]);
}

#[tokio::test(start_paused = true)]
async fn pauses_differ_within_their_jitter() {
    let script = Script::of(&[Act::Take(0)]);
    play(&script, Rhythm { jitter: 0.2, ..rhythm(1000, 500) }, 60_000).await;
    let gaps = script.gaps();
    assert!(gaps.iter().all(|gap| (799..=1202).contains(gap)), "{gaps:?}");
    assert!(gaps.iter().any(|gap| *gap != gaps[0]), "{gaps:?}");
}

#[tokio::test(start_paused = true)]
async fn a_nudge_runs_at_once_and_many_are_one() {
    let script = Script::of(&[Act::Take(50)]);
    let task: Arc<dyn Task> = Arc::<Script>::clone(&script);
    let nudge = Nudge::default();
    let log = Logger::root(slog::Discard, o!());
    let beat = Beat { task, rhythm: rhythm(3_600_000, 1000), nudge: nudge.clone(), log };
    let nudging = async {
        // While it runs: another run follows
        sleep(Duration::from_millis(10)).await;
        (0..5).for_each(|_| nudge.nudge());
        sleep(Duration::from_millis(290)).await;
        nudge.nudge();
        sleep(Duration::from_millis(100)).await;
    };
    tokio::join!(nudging, beat.go_on(sleep(Duration::from_millis(400))));
    assert_eq!(script.gaps(), [50, 250]);
    assert_eq!(script.overlaps.load(SeqCst), 0);
}

#[tokio::test(start_paused = true)]
async fn a_stop_lets_a_run_finish_but_not_for_ever_and_begins_none() {
    let script = Script::of(&[Act::Take(3000)]);
    assert!(play(&script, rhythm(100, 10_000), 1000).await.is_empty());
    assert_eq!(script.finished.load(SeqCst), 1);

    let script = Script::of(&[Act::Hang]);
    let began = Instant::now();
    assert_eq!(play(&script, rhythm(100, 10_000), 1000).await, ["Task was cut off by a stop"]);
    assert_eq!(began.elapsed().as_millis(), 5000);

    let script = Script::of(&[Act::Take(0)]);
    let task: Arc<dyn Task> = Arc::<Script>::clone(&script);
    let log = Logger::root(slog::Discard, o!());
    Beat { task, rhythm: rhythm(1, 1), nudge: Nudge::default(), log }.go_on(ready(())).await;
    assert_eq!(script.begun(), 0);
}

async fn house(script: &Arc<Script>) -> (Supervisor, Handle<Ticker>, Nudge) {
    let supervisor = Supervisor::start(Logger::root(slog::Discard, o!())).unwrap();
    let nudge = Nudge::default();
    let task: Arc<dyn Task> = Arc::<Script>::clone(script);
    let ticker = supervisor.add(Ticker::child(task, rhythm(5, 10_000), &nudge)).await.unwrap();
    (supervisor, ticker, nudge)
}

async fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let mut look = interval(Duration::from_millis(2));
    let seen = async {
        while !holds() {
            look.tick().await;
        }
    };
    timeout(PATIENCE, seen).await.unwrap_or_else(|_elapsed| panic!("not in time: {what}"));
}

#[tokio::test]
async fn a_panic_in_a_run_restarts_the_ticker() {
    let script = Script::of(&[Act::Take(0), Act::Panic, Act::Take(0)]);
    let (_supervisor, ticker, _nudge) = house(&script).await;
    eventually("it runs again", || script.finished.load(SeqCst) >= 3).await;
    assert_eq!(ticker.report().restarts, 1);
    assert_eq!(script.overlaps.load(SeqCst), 0);
}

#[tokio::test]
async fn the_supervisor_waits_for_the_run_that_is_under_way() {
    struct Gate(Mutex<Option<oneshot::Receiver<()>>>, AtomicUsize);

    impl Task for Gate {
        fn name(&self) -> &'static str {
            "gate"
        }

        fn run(&self) -> BoxFuture<'_, Result<(), TaskError>> {
            let opened = self.0.lock().unwrap().take();
            Box::pin(async move {
                self.1.fetch_add(1, SeqCst);
                if let Some(opened) = opened {
                    _ = opened.await;
                    // Longer than the stop of an actor that has nothing to do
                    sleep(Duration::from_millis(150)).await;
                }
                self.1.fetch_add(1, SeqCst);
                Ok(())
            })
        }
    }

    let (open, opened) = oneshot::channel();
    let gate = Arc::new(Gate(Mutex::new(Some(opened)), AtomicUsize::new(0)));
    let supervisor = Supervisor::start(Logger::root(slog::Discard, o!())).unwrap();
    let task: Arc<dyn Task> = Arc::<Gate>::clone(&gate);
    let child = Ticker::child(task, rhythm(3_600_000, 60_000), &Nudge::default());
    let ticker = supervisor.add(child).await.unwrap();
    eventually("it runs", || gate.1.load(SeqCst) == 1).await;
    let stop = async {
        let mut status = ticker.watch();
        let is_stopping = status.wait_for(|status| status.state == crate::kernel::State::Stopping);
        timeout(PATIENCE, is_stopping).await.expect("it is asked to stop").unwrap();
        open.send(()).unwrap();
    };
    let (stopped, ()) = tokio::join!(supervisor.stop("gate"), stop);
    assert!(stopped.unwrap().clean);
    assert_eq!(gate.1.load(SeqCst), 2, "the run came to its end");
}
