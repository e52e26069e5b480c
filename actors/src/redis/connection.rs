//! What commands are sent through: a connection to one server, or those to the nodes of a cluster.

use std::collections::HashMap;

use futures_util::{FutureExt, future::join_all};
use redis::{
    Arg, Cmd, Pipeline, RedisFuture, RedisResult, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster_async::ClusterConnection,
    cluster_routing::Slot,
};

/// What commands are sent through. On a cluster each goes to where its key is; a pipeline, of commands whose key is their
/// first argument, is cut up by slot, and what it has for one slot keeps its order.
#[derive(Clone)]
pub enum Connection {
    /// To one server.
    Server(MultiplexedConnection),
    /// To all nodes of a cluster.
    Cluster(ClusterConnection),
}

impl ConnectionLike for Connection {
    fn req_packed_command<'a>(&'a mut self, cmd: &'a Cmd) -> RedisFuture<'a, Value> {
        match self {
            Self::Server(connection) => connection.req_packed_command(cmd),
            Self::Cluster(connection) => connection.req_packed_command(cmd),
        }
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        pipeline: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        match self {
            Self::Server(connection) => connection.req_packed_commands(pipeline, offset, count),
            Self::Cluster(connection) => {
                if pipeline.is_transaction() {
                    // It has to be in one slot as it is
                    connection.req_packed_commands(pipeline, offset, count)
                } else {
                    by_slot(connection, pipeline).boxed()
                }
            }
        }
    }

    fn get_db(&self) -> i64 {
        match self {
            Self::Server(connection) => connection.get_db(),
            Self::Cluster(connection) => connection.get_db(),
        }
    }
}

/// All parts at once; the answers in the order of the whole.
async fn by_slot(connection: &ClusterConnection, pipeline: &Pipeline) -> RedisResult<Vec<Value>> {
    let parts = parts(pipeline).into_values().map(|part| {
        let mut connection = connection.clone();
        async move {
            let answers = connection.req_packed_commands(&part.pipeline, 0, part.places.len()).await?;
            Ok::<_, redis::RedisError>(part.places.into_iter().zip(answers))
        }
    });
    let mut answers = Vec::with_capacity(pipeline.len());
    // To the end, whatever becomes of one: who is no longer waited for is not sent
    for part in join_all(parts).await {
        answers.extend(part?);
    }
    answers.sort_unstable_by_key(|(place, _)| *place);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}

/// What a pipeline has for one slot, and where in it that was. The driver refuses what is for several.
#[derive(Default)]
struct Part {
    pipeline: Pipeline,
    places: Vec<usize>,
}

fn parts(pipeline: &Pipeline) -> HashMap<Option<Slot>, Part> {
    let mut parts: HashMap<_, Part> = HashMap::new();
    for (place, cmd) in pipeline.cmd_iter().enumerate() {
        let slot = match cmd.args_iter().nth(1) {
            Some(Arg::Simple(key)) => Some(Slot::for_key(key)),
            _ => None,
        };
        let part = parts.entry(slot).or_default();
        part.pipeline.add_command(cmd.clone());
        part.places.push(place);
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pipeline_is_cut_up_by_slot_and_keeps_its_order_there() {
        let mut pipeline = redis::pipe();
        for (channel, word) in [("a", 0), ("b", 1), ("{a}:too", 2), ("a", 3)] {
            pipeline.cmd("SPUBLISH").arg(channel).arg(word);
        }
        let mut places: Vec<_> = parts(&pipeline).into_values().map(|part| part.places).collect();
        places.sort();
        assert_eq!(places, [vec![0, 2, 3], vec![1]]);
    }
}
