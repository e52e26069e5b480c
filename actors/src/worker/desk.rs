//! One job from its claim to its end: it is run, its lease is kept meanwhile, and the queue is told what became of it.

use std::{borrow::Cow, error::Error, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use futures_util::FutureExt as _;
use slog::{Logger, debug, error, info, warn};
use tokio::{
    sync::watch,
    time::{Instant, sleep, sleep_until, timeout, timeout_at},
};

use super::{Cancel, Claimed, Config, Failure, Queue, QueueError, Run, Tally, held::Held, verdict::Verdict};

/// What the shift has to know of how a job ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// It was tried.
    Tried,
    /// Something that it depends on is away.
    Away(Cow<'static, str>),
    /// Nothing can be said: it was cut off, or its lease was lost.
    Untold,
}

/// Where jobs are done, one future each.
pub(super) struct Desk<Q: Queue> {
    pub(super) queue: Arc<Q>,
    pub(super) run: Arc<dyn Run<Q::Job>>,
    pub(super) config: Config,
    pub(super) held: Arc<Held<Q::Ticket>>,
    pub(super) tally: Tally,
    pub(super) log: Logger,
}

impl<Q: Queue> Desk<Q> {
    /// Does a job that is held until `until`; it is given back when `cut` turns true.
    pub(super) async fn serve(
        self: Arc<Self>,
        claimed: Claimed<Q::Job, Q::Ticket>,
        until: Instant,
        mut cut: watch::Receiver<bool>,
    ) -> Ended {
        let number = self.held.hold(&claimed.ticket);
        let _running = self.tally.running();
        let work = async {
            let verdict = tokio::select! {
                biased;
                verdict = self.attempt(&claimed) => verdict,
                _ = cut.wait_for(|cut| *cut) => Verdict::Release { delay: Duration::ZERO, away: None },
            };
            self.settle(&claimed, verdict).await
        };
        let ended = tokio::select! {
            biased;
            ended = work => ended,
            () = self.keep(&claimed.ticket, until) => {
                self.tally.count(|counters| &counters.lost);
                warn!(self.log, "Lease was lost"; "job" => %claimed.ticket, "attempt" => claimed.attempt);
                Ended::Untold
            }
        };
        self.held.let_go(number);
        ended
    }

    /// Gives a job back that was claimed and not begun.
    pub(super) async fn give_back(self: Arc<Self>, claimed: Claimed<Q::Job, Q::Ticket>) -> Ended {
        self.settle(&claimed, Verdict::Release { delay: Duration::ZERO, away: None }).await
    }

    /// Makes the attempt, and says goodbye to a job that has had its last one.
    async fn attempt(&self, claimed: &Claimed<Q::Job, Q::Ticket>) -> Verdict {
        let outcome = if claimed.attempt > self.config.max_attempts {
            Err(Failure::Permanent("every attempt ended with its worker".into()))
        } else {
            let cancel = Cancel::default();
            let _end = cancel.on_drop();
            self.guard(claimed, async { self.run.run(&claimed.job, cancel.clone()).await }).await
        };
        let verdict = Verdict::on(outcome, claimed.attempt, &self.config);
        let Verdict::Bury { reason } = &verdict else { return verdict };
        match self.guard(claimed, async { self.run.give_up(&claimed.job, reason).await }).await {
            Err(Failure::Unavailable(reason)) => {
                Verdict::on(Err(Failure::Unavailable(reason)), claimed.attempt, &self.config)
            }
            Err(failure) => {
                error!(self.log, "Job's end was not taken note of"; "job" => %claimed.ticket, "error" => #failure);
                verdict
            }
            Ok(()) => verdict,
        }
    }

    /// Lets it take as long as an attempt may; a panic is the job's failure and nobody else's.
    async fn guard(
        &self,
        claimed: &Claimed<Q::Job, Q::Ticket>,
        act: impl Future<Output = Result<(), Failure>>,
    ) -> Result<(), Failure> {
        match timeout(self.config.deadline, AssertUnwindSafe(act).catch_unwind()).await {
            Ok(Ok(outcome)) => outcome,
            Ok(Err(_panic)) => {
                error!(self.log, "Job panicked"; "job" => %claimed.ticket, "attempt" => claimed.attempt);
                Err(Failure::Retry("panicked".into()))
            }
            Err(_elapsed) => Err(Failure::Retry("took too long".into())),
        }
    }

    /// Tells the queue, again while it is away, and says what that means.
    async fn settle(&self, claimed: &Claimed<Q::Job, Q::Ticket>, verdict: Verdict) -> Ended {
        let ticket = &claimed.ticket;
        let tell = async {
            loop {
                let told = match &verdict {
                    Verdict::Complete => self.queue.complete(ticket).await,
                    Verdict::Retry { delay, reason } => self.queue.retry(ticket, *delay, reason).await,
                    Verdict::Release { delay, .. } => self.queue.release(ticket, *delay).await,
                    Verdict::Bury { reason } => self.queue.bury(ticket, reason).await,
                };
                match told {
                    Err(QueueError::Unavailable(_)) => sleep(self.config.lease / 12).await,
                    told => return told,
                }
            }
        };
        match timeout(self.config.lease, tell).await {
            Ok(Ok(())) => self.note(claimed, verdict),
            Ok(Err(QueueError::Lost)) => {
                // Told twice, after an answer that was not seen; or somebody else has it by now
                self.tally.count(|counters| &counters.lost);
                info!(self.log, "Job was ended elsewhere"; "job" => %ticket, "attempt" => claimed.attempt);
                Ended::Untold
            }
            Ok(Err(QueueError::Failed(cause) | QueueError::Unavailable(cause))) => {
                let cause: &(dyn Error + Send + Sync) = &*cause;
                error!(self.log, "Job's end was not told"; "job" => %ticket, "error" => cause);
                Ended::Untold
            }
            Err(_elapsed) => {
                warn!(self.log, "Job's end was not told in time"; "job" => %ticket);
                Ended::Untold
            }
        }
    }

    /// Counts and tells what became of a job.
    fn note(&self, claimed: &Claimed<Q::Job, Q::Ticket>, verdict: Verdict) -> Ended {
        let (ticket, attempt) = (&claimed.ticket, claimed.attempt);
        match verdict {
            Verdict::Complete => {
                self.tally.count(|counters| &counters.completed);
                debug!(self.log, "Job done"; "job" => %ticket, "attempt" => attempt);
            }
            Verdict::Retry { delay, reason } => {
                self.tally.count(|counters| &counters.retried);
                let delay = u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
                warn!(self.log, "Job failed"; "job" => %ticket, "attempt" => attempt, "reason" => %reason,
                    "delay" => delay);
            }
            Verdict::Bury { reason } => {
                self.tally.count(|counters| &counters.buried);
                error!(self.log, "Job buried"; "job" => %ticket, "attempt" => attempt, "reason" => %reason);
            }
            Verdict::Release { away, .. } => {
                self.tally.count(|counters| &counters.released);
                return away.map_or(Ended::Untold, Ended::Away);
            }
        }
        Ended::Tried
    }

    /// Extends the lease every third of it, until it is lost.
    async fn keep(&self, ticket: &Q::Ticket, mut until: Instant) {
        let lease = self.config.lease;
        let mut next = until - lease / 3 * 2;
        loop {
            if next >= until {
                return sleep_until(until).await;
            }
            sleep_until(next).await;
            let asked = Instant::now();
            match timeout_at(until, self.queue.extend(ticket, lease)).await {
                Ok(Ok(())) => {
                    until = asked + lease;
                    next = asked + lease / 3;
                }
                Ok(Err(QueueError::Lost)) | Err(_) => return,
                Ok(Err(QueueError::Unavailable(_) | QueueError::Failed(_))) => next = asked + lease / 12,
            }
        }
    }
}
