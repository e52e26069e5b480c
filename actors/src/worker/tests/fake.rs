//! A queue in memory, which keeps the rules of [`Queue`], and hands that do what a job's script says.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use futures_util::{
    FutureExt as _,
    future::{BoxFuture, pending},
};
use parking_lot::Mutex;
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::worker::{Answer, Cancel, Claim, Claimed, Failure, Queue, QueueError, Run};

/// What happens in an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) enum Act {
    /// It is done after so many milliseconds.
    Take(u64),
    Retry,
    Permanent,
    Lack,
    Hang,
    Panic,
    /// Before there is a future.
    PanicEarly,
}

/// How a job stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    Waiting,
    Held,
    Done,
    Buried(String),
}

/// A job: what happens in each attempt, the last one again and again.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) number: usize,
    acts: Arc<[Act]>,
}

#[derive(Clone, Debug)]
pub(super) struct Ticket {
    job: usize,
    token: u64,
}

impl fmt::Display for Ticket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.job.fmt(f)
    }
}

struct Entry {
    job: Job,
    end: End,
    attempts: u32,
    token: u64,
    due: Instant,
    endings: usize,
}

#[derive(Default)]
pub(super) struct Memory {
    entries: Mutex<Vec<Entry>>,
    changed: watch::Sender<()>,
    away: AtomicBool,
    panics: AtomicBool,
    claims: AtomicUsize,
    swallow: AtomicUsize,
    claim_takes: Mutex<Duration>,
}

impl Memory {
    pub(super) fn with(jobs: &[&[Act]]) -> Arc<Self> {
        let memory = Self::default();
        jobs.iter().for_each(|acts| memory.add(acts));
        Arc::new(memory)
    }

    pub(super) fn add(&self, acts: &[Act]) {
        let mut entries = self.entries.lock();
        let job = Job { number: entries.len(), acts: acts.into() };
        let due = Instant::now();
        entries.push(Entry { job, end: End::Waiting, attempts: 0, token: 0, due, endings: 0 });
    }

    pub(super) fn go_away(&self, away: bool) {
        self.away.store(away, SeqCst);
    }

    /// The next claim panics.
    pub(super) fn panic_once(&self) {
        self.panics.store(true, SeqCst);
    }

    /// The next `answers` to endings are not seen, though what was asked is done.
    pub(super) fn swallow_answers(&self, answers: usize) {
        self.swallow.store(answers, SeqCst);
    }

    pub(super) fn take_its_time(&self, claim_takes: Duration) {
        *self.claim_takes.lock() = claim_takes;
    }

    /// Somebody else claims a job for a long time, as if its lease had expired.
    pub(super) fn steal(&self, job: usize) {
        let entry = &mut self.entries.lock()[job];
        entry.token += 1;
        entry.due = Instant::now() + Duration::from_secs(3600);
    }

    pub(super) fn ends(&self) -> Vec<End> {
        self.entries.lock().iter().map(|entry| entry.end.clone()).collect()
    }

    pub(super) fn attempts(&self, job: usize) -> u32 {
        self.entries.lock()[job].attempts
    }

    /// How often a job was ended.
    pub(super) fn endings(&self, job: usize) -> usize {
        self.entries.lock()[job].endings
    }

    pub(super) fn claims(&self) -> usize {
        self.claims.load(SeqCst)
    }

    pub(super) async fn all_ended(&self) {
        let over = |end: &End| matches!(end, End::Done | End::Buried(_));
        let mut changed = self.changed.subscribe();
        while !self.ends().iter().all(over) {
            changed.changed().await.unwrap();
        }
    }

    fn present(&self) -> Result<(), QueueError> {
        if self.away.load(SeqCst) { Err(away()) } else { Ok(()) }
    }

    fn with_held(&self, ticket: &Ticket, act: impl FnOnce(&mut Entry)) -> Result<(), QueueError> {
        self.present()?;
        let mut entries = self.entries.lock();
        let entry = &mut entries[ticket.job];
        if entry.end != End::Held || entry.token != ticket.token || entry.due <= Instant::now() {
            return Err(QueueError::Lost);
        }
        act(entry);
        drop(entries);
        self.changed.send_replace(());
        Ok(())
    }

    fn end(&self, ticket: &Ticket, end: End) -> Result<(), QueueError> {
        self.with_held(ticket, |entry| {
            entry.end = end;
            entry.endings += 1;
        })?;
        let swallowed = self.swallow.fetch_update(SeqCst, SeqCst, |left| left.checked_sub(1));
        if swallowed.is_ok() { Err(away()) } else { Ok(()) }
    }
}

fn away() -> QueueError {
    QueueError::Unavailable(Box::new(io::Error::other("refused")))
}

impl Queue for Memory {
    type Job = Job;
    type Ticket = Ticket;

    fn claim(&self, limit: usize, lease: Duration) -> Answer<'_, Claim<Self>> {
        Box::pin(async move {
            self.claims.fetch_add(1, SeqCst);
            assert!(!self.panics.swap(false, SeqCst), "a bug in a queue");
            let takes = *self.claim_takes.lock();
            sleep(takes).await;
            self.present()?;
            let now = Instant::now();
            let mut entries = self.entries.lock();
            let mut due: Vec<_> = entries
                .iter_mut()
                .filter(|entry| matches!(entry.end, End::Waiting | End::Held) && entry.due <= now)
                .collect();
            due.sort_by_key(|entry| entry.due);
            let claim = due.into_iter().take(limit).map(|entry| {
                let waited = now - entry.due;
                entry.end = End::Held;
                entry.due = now + lease;
                entry.attempts += 1;
                entry.token += 1;
                let ticket = Ticket { job: entry.job.number, token: entry.token };
                Claimed { job: entry.job.clone(), ticket, attempt: entry.attempts, waited }
            });
            Ok(claim.collect())
        })
    }

    fn extend<'a>(&'a self, ticket: &'a Ticket, lease: Duration) -> Answer<'a, ()> {
        Box::pin(async move { self.with_held(ticket, |entry| entry.due = Instant::now() + lease) })
    }

    fn complete<'a>(&'a self, ticket: &'a Ticket) -> Answer<'a, ()> {
        Box::pin(async move { self.end(ticket, End::Done) })
    }

    fn retry<'a>(&'a self, ticket: &'a Ticket, delay: Duration, _reason: &'a str) -> Answer<'a, ()> {
        Box::pin(async move {
            self.with_held(ticket, |entry| {
                entry.end = End::Waiting;
                entry.due = Instant::now() + delay;
            })
        })
    }

    fn release<'a>(&'a self, ticket: &'a Ticket, delay: Duration) -> Answer<'a, ()> {
        Box::pin(async move {
            self.with_held(ticket, |entry| {
                entry.end = End::Waiting;
                entry.due = Instant::now() + delay;
                entry.attempts -= 1;
            })
        })
    }

    fn bury<'a>(&'a self, ticket: &'a Ticket, reason: &'a str) -> Answer<'a, ()> {
        Box::pin(async move { self.end(ticket, End::Buried(reason.to_owned())) })
    }
}

/// Do what jobs say, and remember.
#[derive(Default)]
pub(super) struct Hands {
    begun: Mutex<Vec<(usize, Instant)>>,
    cancels: Mutex<Vec<Cancel>>,
    given_up: Mutex<Vec<usize>>,
    finished: AtomicUsize,
    now: AtomicUsize,
    most: AtomicUsize,
}

struct Busy<'a>(&'a Hands);

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, SeqCst);
    }
}

impl Hands {
    pub(super) fn new() -> Arc<Self> {
        Arc::default()
    }

    /// When the attempts of a job began.
    pub(super) fn begun(&self, job: usize) -> Vec<Instant> {
        self.begun.lock().iter().filter(|(number, _)| *number == job).map(|(_, at)| *at).collect()
    }

    pub(super) fn cancels(&self) -> Vec<Cancel> {
        self.cancels.lock().clone()
    }

    pub(super) fn given_up(&self) -> Vec<usize> {
        self.given_up.lock().clone()
    }

    pub(super) fn finished(&self) -> usize {
        self.finished.load(SeqCst)
    }

    pub(super) fn most_at_once(&self) -> usize {
        self.most.load(SeqCst)
    }
}

impl Run<Job> for Hands {
    fn run<'a>(&'a self, job: &'a Job, cancel: Cancel) -> BoxFuture<'a, Result<(), Failure>> {
        let nth = self.begun(job.number).len();
        self.begun.lock().push((job.number, Instant::now()));
        self.cancels.lock().push(cancel);
        let act = job.acts[nth.min(job.acts.len() - 1)];
        assert!(!matches!(act, Act::PanicEarly), "a bug before the job");
        self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
        let busy = Busy(self);
        let work = async move {
            let _busy = busy;
            match act {
                Act::Take(millis) => sleep(Duration::from_millis(millis)).await,
                Act::Retry => return Err(Failure::Retry("odd".into())),
                Act::Permanent => return Err(Failure::Permanent("no picture".into())),
                Act::Lack => return Err(Failure::Unavailable("no storage".into())),
                Act::Hang => pending().await,
                Act::Panic | Act::PanicEarly => panic!("a bug in a job"),
            }
            self.finished.fetch_add(1, SeqCst);
            Ok(())
        };
        work.boxed()
    }

    fn give_up<'a>(&'a self, job: &'a Job, _reason: &'a str) -> BoxFuture<'a, Result<(), Failure>> {
        Box::pin(async move {
            self.given_up.lock().push(job.number);
            Ok(())
        })
    }
}
