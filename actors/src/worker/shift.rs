//! The work of one life: claims jobs while it has hands free, and gives back what it cannot finish.
//!
//! *Invariant:* one claim at a time, and never for more jobs than hands are free.

use std::{error::Error, pin::pin, sync::Arc, time::Duration};

use futures_util::{
    FutureExt as _, StreamExt as _,
    future::{BoxFuture, join_all},
    stream::FuturesUnordered,
};
use slog::warn;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until, timeout, timeout_at},
};

use super::{
    Queue, QueueError, Wake,
    desk::{Desk, Ended},
    outage::Outage,
    queue::Claim,
};
use crate::kernel::BackoffConfig;

/// How long giving back may take.
pub(super) const RELEASE_WITHIN: Duration = Duration::from_secs(1);

/// How long a dependency that is away is left alone, at first and later.
const OUTAGE: BackoffConfig = BackoffConfig {
    initial: Duration::from_millis(100),
    longest: Duration::from_secs(2),
    factor: 2.0,
    jitter: 0.2,
};

/// What happened to something that was under way.
enum Event<Q: Queue> {
    Ended(Ended),
    Claimed { limit: usize, asked: Instant, answer: Result<Claim<Q>, QueueError> },
}

pub(super) struct Shift<Q: Queue> {
    desk: Arc<Desk<Q>>,
    wake: Wake,
    under_way: FuturesUnordered<BoxFuture<'static, Event<Q>>>,
    /// A claim is under way.
    claiming: bool,
    /// There may be jobs that are due.
    more: bool,
    /// When to look without being woken.
    look_at: Instant,
    queue_away: Outage,
    jobs_away: Outage,
    cut: watch::Sender<bool>,
}

impl<Q: Queue> Shift<Q> {
    pub(super) fn new(desk: Desk<Q>, wake: Wake) -> Self {
        let outage = |of| Outage::none(of, OUTAGE, &desk.log);
        Self {
            queue_away: outage("queue"),
            jobs_away: outage("dependency"),
            desk: Arc::new(desk),
            wake,
            under_way: FuturesUnordered::new(),
            claiming: false,
            more: true,
            look_at: Instant::now(),
            cut: watch::Sender::new(false),
        }
    }

    /// Works until `stopping`, then lets what runs finish and gives back the rest.
    pub(super) async fn work(mut self, stopping: impl Future<Output = ()>) {
        let mut stopping = pin!(stopping);
        self.give_back_what_was_left().await;
        loop {
            let look_at = self.may_look_at();
            let wake = self.wake.clone();
            tokio::select! {
                biased;
                () = &mut stopping => break,
                Some(event) = self.under_way.next() => self.take(event),
                () = wake.0.notified() => self.more = true,
                () = sleep_until(look_at) => self.look(),
            }
        }
        self.finish().await;
    }

    /// A former life held these: the queue has them back now instead of when their leases expire.
    async fn give_back_what_was_left(&self) {
        let left = self.desk.held.take_all();
        let back =
            left.iter().map(|ticket| self.desk.queue.retry(ticket, Duration::ZERO, "its worker failed"));
        // Whatever the answers: what is not given back expires
        _ = timeout(RELEASE_WITHIN, join_all(back)).await;
    }

    fn free(&self) -> usize {
        self.desk.config.jobs.get().saturating_sub(self.under_way.len())
    }

    /// When to look for jobs, as things are.
    fn may_look_at(&self) -> Instant {
        let now = Instant::now();
        let pause = self.queue_away.until().max(self.jobs_away.until());
        let wanted = if self.more { now } else { self.look_at };
        if self.claiming || self.free() == 0 {
            // Something is under way that ends the wait
            return now + self.desk.config.lease;
        }
        pause.map_or(wanted, |pause| wanted.max(pause))
    }

    /// Begins a claim.
    fn look(&mut self) {
        let limit = self.free();
        if self.claiming || limit == 0 {
            return;
        }
        self.claiming = true;
        self.more = false;
        let desk = Arc::clone(&self.desk);
        let claim = async move {
            let (asked, lease) = (Instant::now(), desk.config.lease);
            let answer = timeout(lease, desk.queue.claim(limit, lease)).await;
            Event::Claimed {
                limit,
                asked,
                answer: answer.unwrap_or_else(|elapsed| Err(QueueError::Unavailable(elapsed.into()))),
            }
        };
        self.under_way.push(claim.boxed());
    }

    fn take(&mut self, event: Event<Q>) {
        let now = Instant::now();
        let (limit, asked, answer) = match event {
            Event::Ended(Ended::Tried) => return self.jobs_away.ended(),
            Event::Ended(Ended::Away(reason)) => return self.jobs_away.noticed(now, &reason),
            Event::Ended(Ended::Untold) => return,
            Event::Claimed { limit, asked, answer } => (limit, asked, answer),
        };
        self.claiming = false;
        self.look_at = now + self.desk.config.poll;
        let jobs = match answer {
            Ok(jobs) => jobs,
            Err(failure) => {
                let cause = failure.source().map(ToString::to_string).unwrap_or_default();
                self.queue_away.noticed(now, &format!("{failure}: {cause}"));
                return;
            }
        };
        self.queue_away.ended();
        // As many as were asked for: there may be more where these came from
        self.more |= jobs.len() >= limit;
        let waited = jobs.iter().map(|claimed| claimed.waited).max().unwrap_or_default();
        self.desk.tally.claimed(jobs.len(), waited);
        for claimed in jobs {
            let job =
                Arc::clone(&self.desk).serve(claimed, asked + self.desk.config.lease, self.cut.subscribe());
            self.under_way.push(job.map(Event::Ended).boxed());
        }
    }

    /// Claims no more; what runs may finish, what is left is given back.
    async fn finish(mut self) {
        let until = Instant::now() + self.desk.config.finish_within;
        while let Ok(Some(event)) = timeout_at(until, self.under_way.next()).await {
            self.take_back(event);
        }
        self.cut.send_replace(true);
        let until = Instant::now() + RELEASE_WITHIN;
        while let Ok(Some(event)) = timeout_at(until, self.under_way.next()).await {
            self.take_back(event);
        }
        if !self.under_way.is_empty() {
            warn!(self.desk.log, "Jobs were not given back"; "jobs" => self.under_way.len());
        }
    }

    /// A claim that was under way when the shift ended brings jobs that nobody begins.
    fn take_back(&self, event: Event<Q>) {
        let Event::Claimed { answer: Ok(jobs), .. } = event else { return };
        for claimed in jobs {
            let back = Arc::clone(&self.desk).give_back(claimed);
            self.under_way.push(back.map(Event::Ended).boxed());
        }
    }
}
