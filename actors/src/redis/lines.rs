//! The actor's own connections: one to a server, or one to each master of a cluster.

use std::{
    collections::{HashMap, HashSet},
    slice,
    sync::Arc,
};

use futures_util::future::try_join_all;
use redis::{RedisError, aio::MultiplexedConnection};

use super::{
    slots::{Slots, down},
    topics::{Changes, Topic},
};

/// How many topics go out at once.
const CHUNK: usize = 256;

/// The actor's own connections while they live.
#[derive(Clone)]
pub(super) enum Lines {
    /// To one server.
    Server(MultiplexedConnection),
    /// To the masters of a cluster, in their order.
    Cluster(Vec<MultiplexedConnection>, Arc<Slots>),
}

impl Lines {
    /// One question of life to each; the connections' own time-out bounds it.
    pub(super) async fn ping(&self) -> Result<(), RedisError> {
        match self {
            Self::Server(line) => redis::cmd("PING").query_async(&mut line.clone()).await,
            Self::Cluster(lines, _) => try_join_all(lines.iter().map(state)).await.map(|_| ()),
        }
    }

    /// Which of these topics somebody hears. A cluster's master tells of those who hear from it.
    pub(super) async fn heard(&self, topics: &[String]) -> Result<HashSet<String>, RedisError> {
        let (question, lines) = match self {
            Self::Server(line) => ("NUMSUB", slice::from_ref(line)),
            Self::Cluster(lines, _) => ("SHARDNUMSUB", lines.as_slice()),
        };
        let mut asked = redis::cmd("PUBSUB");
        asked.arg(question).arg(topics);
        let told = lines.iter().map(async |line| asked.query_async(&mut line.clone()).await);
        let told: Vec<HashMap<String, u64>> = try_join_all(told).await?;
        let heard = told.into_iter().flatten().filter(|(_, ears)| *ears > 0);
        Ok(heard.map(|(topic, _)| topic).collect())
    }

    /// Subscribes and unsubscribes, and waits until Redis has confirmed.
    pub(super) async fn apply(&self, changes: &Changes) -> Result<(), RedisError> {
        for topics in changes.join.chunks(CHUNK) {
            match self {
                Self::Server(line) => line.clone().subscribe(names(topics)).await?,
                Self::Cluster(..) => self.each("SSUBSCRIBE", topics).await?,
            }
        }
        for topics in changes.leave.chunks(CHUNK) {
            match self {
                Self::Server(line) => line.clone().unsubscribe(names(topics)).await?,
                Self::Cluster(..) => self.each("SUNSUBSCRIBE", topics).await?,
            }
        }
        Ok(())
    }

    /// One command may name topics of one slot only, so that each gets its own.
    async fn each(&self, command: &str, topics: &[Topic]) -> Result<(), RedisError> {
        let Self::Cluster(lines, slots) = self else { return Ok(()) };
        let asked = topics.iter().map(async |topic| {
            let mut line = lines.get(slots.master_of(topic)).ok_or_else(down)?.clone();
            redis::cmd(command).arg(topic.as_ref()).query_async::<()>(&mut line).await
        });
        try_join_all(asked).await.map(|_| ())
    }
}

/// Asks a node whether the cluster is whole as far as it knows, for a node lives longer than its slots.
pub(super) async fn state(line: &MultiplexedConnection) -> Result<(), RedisError> {
    let told: String = redis::cmd("CLUSTER").arg("INFO").query_async(&mut line.clone()).await?;
    if told.lines().any(|line| line.trim() == "cluster_state:ok") { Ok(()) } else { Err(down()) }
}

fn names(topics: &[Topic]) -> Vec<&str> {
    topics.iter().map(AsRef::as_ref).collect()
}
