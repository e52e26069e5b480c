//! The way to Redis for everybody else: commands and topics, without a hop through the actor's mailbox.

use std::{
    collections::HashSet,
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use redis::RedisResult;
use tokio::{sync::watch, time::timeout};

use super::{
    config::Hosts,
    connection::Connection,
    error::{RedisError, public_reason},
    link::{Cut, Link},
    pool::PoolReport,
    subscriber::PING_WITHIN,
};
use crate::breaker::{Breaker, Outage};

/// A way to Redis, whether it is there or not and whichever life its actor is in.
#[derive(Clone)]
pub struct Redis {
    pub(super) link: Arc<Link>,
    /// On a cluster a topic is heard where its slot is, and all other nodes are left in peace.
    publish: &'static str,
}

impl Redis {
    pub(super) fn new(link: Arc<Link>, hosts: &Hosts) -> Self {
        let publish = match hosts {
            Hosts::Server(_) => "PUBLISH",
            Hosts::Cluster(_) => "SPUBLISH",
        };
        Self { link, publish }
    }

    /// Does `work` with a connection of the pool, within the command deadline.
    ///
    /// Refused at once while Redis is away, and answered at once when it goes away meanwhile.
    ///
    /// # Errors
    ///
    /// [`RedisError`]; [`RedisError::is_unsent`] tells whether a repeat is safe.
    pub async fn run<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, RedisError> {
        let deadline = Instant::now() + self.link.command_deadline;
        let means = self.link.means()?;
        let mut pooled = match self.link.race(deadline, means.pool.get()).await {
            Ok(Ok(pooled)) => pooled,
            Err(Cut::Away) => return Err(self.link.refusal()),
            Ok(Err(_)) | Err(Cut::Late) => {
                self.link.doubt();
                self.link.report();
                return Err(RedisError::Busy);
            }
        };
        match self.link.race(deadline, work(pooled.ask())).await {
            Ok(Ok(value)) => {
                pooled.answered();
                Ok(value)
            }
            Ok(Err(error)) => Err(self.judge(error)),
            Err(Cut::Away) => Err(RedisError::Interrupted),
            Err(Cut::Late) => Err(RedisError::Timeout),
        }
    }

    /// Publishes `payload` on `topic`. Gives how many connections of all pods heard it; on a cluster, how many of those
    /// that hear it from the topic's master.
    ///
    /// # Errors
    ///
    /// As [`Redis::run`].
    pub async fn publish(&self, topic: &str, payload: &[u8]) -> Result<u64, RedisError> {
        self.run(async |connection| {
            redis::cmd(self.publish).arg(topic).arg(payload).query_async(connection).await
        })
        .await
    }

    /// Publishes each payload on its topic, in one go; those on one topic in their order.
    ///
    /// # Errors
    ///
    /// As [`Redis::run`]; some may have been published.
    pub async fn publish_all(
        &self,
        batch: impl IntoIterator<Item = (String, Vec<u8>)>,
    ) -> Result<(), RedisError> {
        let mut pipe = redis::pipe();
        for (topic, payload) in batch {
            pipe.cmd(self.publish).arg(topic).arg(payload).ignore();
        }
        self.run(async |connection| pipe.query_async(connection).await).await
    }

    /// Which of these topics somebody hears, on any pod; on a cluster all its masters are asked.
    ///
    /// # Errors
    ///
    /// As [`Redis::run`].
    pub async fn heard(&self, topics: &[String]) -> Result<HashSet<String>, RedisError> {
        let deadline = Instant::now() + self.link.command_deadline;
        let means = self.link.means()?;
        match self.link.race(deadline, means.lines.heard(topics)).await {
            Ok(answer) => answer.map_err(|error| self.judge(error)),
            Err(Cut::Away) => Err(RedisError::Interrupted),
            Err(Cut::Late) => Err(RedisError::Timeout),
        }
    }

    /// Wants to hear `topic`, once more. The wish outlives outages and restarts, until [`Redis::unsubscribe`].
    pub fn subscribe(&self, topic: &str) {
        self.link.topics.want(topic);
    }

    /// Takes one wish to hear `topic` back.
    pub fn unsubscribe(&self, topic: &str) {
        self.link.topics.unwant(topic);
    }

    /// Waits until Redis has confirmed all subscriptions that are wanted by now.
    ///
    /// # Errors
    ///
    /// Redis is away, or did not confirm within the command deadline. The wishes stay: they are fulfilled when it
    /// is back, and the inbox is told of a gap.
    pub async fn settled(&self) -> Result<(), RedisError> {
        let deadline = Instant::now() + self.link.command_deadline;
        self.link.means()?;
        match self.link.race(deadline, self.link.topics.settled()).await {
            Ok(()) => Ok(()),
            Err(Cut::Away) => Err(self.link.refusal()),
            Err(Cut::Late) => Err(RedisError::Timeout),
        }
    }

    /// One probe: a question on the actor's own connections. Gives how long the answer took, on a cluster the last of
    /// its masters'.
    ///
    /// # Errors
    ///
    /// Why there was none, in words that are fit for the public.
    pub async fn check(&self) -> Result<Duration, &'static str> {
        let means =
            self.link.means().map_err(|_away| self.outage().map_or("restarting", |outage| outage.reason))?;
        let began = Instant::now();
        let answer = match timeout(PING_WITHIN, means.lines.ping()).await {
            Ok(answer) => answer.map_err(|error| public_reason(&error)),
            Err(_late) => Err("no answer"),
        };
        if answer.is_err() {
            // Only the actor opens the breaker
            self.link.doubt();
        }
        answer.map(|()| began.elapsed())
    }

    /// Whether Redis is away, to be watched.
    pub fn breaker(&self) -> &Breaker {
        &self.link.breaker
    }

    /// The present outage, if any.
    pub fn outage(&self) -> Option<Outage> {
        self.link.breaker.outage()
    }

    /// Changes whenever a probe may find something new: an outage begins or ends, or no connection could be had.
    pub fn reports(&self) -> watch::Receiver<u64> {
        self.link.reports()
    }

    /// The pool's numbers; none while Redis is away.
    pub fn pool(&self) -> Option<PoolReport> {
        self.link.means().ok().map(|means| PoolReport::of(&means.pool))
    }

    fn judge(&self, error: redis::RedisError) -> RedisError {
        let is_astray = error.is_cluster_error();
        let error = RedisError::from(error);
        if is_astray || matches!(error, RedisError::Interrupted | RedisError::Timeout) {
            self.link.doubt();
        }
        error
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis").field("outage", &self.outage()).finish_non_exhaustive()
    }
}
