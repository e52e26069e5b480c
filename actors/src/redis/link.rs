//! What the client and all lives of the actor share: whether Redis is there, and through what it is reached.
//!
//! *Invariant:* while the breaker is closed there are means; they are published before it closes and withdrawn
//! after it opened.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use arc_swap::ArcSwapOption;
use tokio::{
    sync::{Notify, watch},
    time::{sleep, timeout_at},
};

use super::{error::RedisError, lines::Lines, pool::CommandPool, topics::Topics};
use crate::breaker::{Breaker, Outage};

/// How long silence is normal, and how long the answer to the question after it may take.
pub(super) const STALL: Duration = Duration::from_millis(500);

/// Through what Redis is reached while it is there.
pub(super) struct Means {
    pub(super) pool: CommandPool,
    /// The actor's own connections.
    pub(super) lines: Lines,
}

pub(super) struct Link {
    pub(super) breaker: Breaker,
    pub(super) topics: Topics,
    pub(super) command_deadline: Duration,
    means: ArcSwapOption<Means>,
    doubt: Notify,
    reports: watch::Sender<u64>,
}

/// Why something was not waited for any longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cut {
    Away,
    Late,
}

impl Link {
    pub(super) fn new(command_deadline: Duration) -> Self {
        Self {
            breaker: Breaker::opened("not reached yet"),
            topics: Topics::new(),
            command_deadline,
            means: ArcSwapOption::empty(),
            doubt: Notify::new(),
            reports: watch::Sender::new(0),
        }
    }

    /// Redis is there.
    pub(super) fn open(&self, means: Means) -> Option<Outage> {
        self.means.store(Some(Arc::new(means)));
        let ended = self.breaker.close();
        self.report();
        ended
    }

    /// Redis is away: from here on calls are refused, and those under way are answered.
    pub(super) fn cut(&self, reason: &'static str) {
        let news = self.breaker.open(reason);
        self.means.store(None);
        if news {
            self.report();
        }
    }

    /// Through what Redis is reached now.
    pub(super) fn means(&self) -> Result<Arc<Means>, RedisError> {
        match self.breaker.outage() {
            Some(outage) => Err(away(outage)),
            // It went away since the line above
            None => self.means.load_full().ok_or_else(|| self.refusal()),
        }
    }

    /// The answer to a call that was not sent.
    pub(super) fn refusal(&self) -> RedisError {
        let now = Outage { since: Instant::now(), reason: "restarting" };
        away(self.breaker.outage().unwrap_or(now))
    }

    /// Waits for `answer` until `deadline` or until Redis is known to be away, and asks the actor to look when
    /// there is silence.
    pub(super) async fn race<T>(&self, deadline: Instant, answer: impl Future<Output = T>) -> Result<T, Cut> {
        let mut outage = self.breaker.watch();
        let silence = async {
            sleep(STALL).await;
            self.doubt();
            std::future::pending().await
        };
        let answer = async {
            tokio::select! {
                biased;
                answer = answer => Ok(answer),
                _ = outage.wait_for(Option::is_some) => Err(Cut::Away),
                never = silence => never,
            }
        };
        let answered = timeout_at(deadline.into(), answer).await;
        answered.unwrap_or_else(|_late| {
            self.doubt();
            Err(Cut::Late)
        })
    }

    /// Asks the actor to look whether Redis is still there.
    pub(super) fn doubt(&self) {
        self.doubt.notify_one();
    }

    /// Waits until somebody doubts.
    pub(super) async fn doubted(&self) {
        self.doubt.notified().await;
    }

    /// There is news for those who probe.
    pub(super) fn report(&self) {
        self.reports.send_modify(|count| *count += 1);
    }

    pub(super) fn reports(&self) -> watch::Receiver<u64> {
        self.reports.subscribe()
    }
}

fn away(outage: Outage) -> RedisError {
    RedisError::Unavailable { retry_after: outage.next_trial(Instant::now()), reason: outage.reason }
}
