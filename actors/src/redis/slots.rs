//! Which node of a cluster has which slot, as one of its nodes tells.

use std::collections::HashMap;

use redis::{ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value, cluster_routing::Slot};

/// How many slots a cluster has.
const SLOTS: u16 = 16_384;
/// How many nodes are remembered at most.
const NODES: usize = 64;

/// A host and a port.
pub(super) type Node = (String, u16);

/// Which node has which slot. *Invariant:* each slot has a master.
pub(super) struct Slots {
    /// The nodes that have slots.
    pub(super) masters: Vec<Node>,
    /// All nodes that were told of, masters first.
    pub(super) nodes: Vec<Node>,
    places: HashMap<Slot, usize>,
}

impl Slots {
    /// Reads the answer to `CLUSTER SLOTS` of the node that was reached at `host`.
    ///
    /// # Errors
    ///
    /// There are slots that nobody has, or it is no such answer.
    pub(super) fn read(answer: Value, host: &str) -> Result<Self, RedisError> {
        let ranges: Vec<Vec<Value>> = FromRedisValue::from_redis_value(answer)?;
        let mut slots = Self { masters: Vec::new(), nodes: Vec::new(), places: HashMap::new() };
        let mut replicas = Vec::new();
        for range in ranges {
            let mut range = range.into_iter();
            let (first, last) = (number(range.next())?, number(range.next())?);
            // One without an address has no slots as far as anybody can tell
            let Some(master) = range.next().and_then(|node| address(node, host)) else { continue };
            replicas.extend(range.filter_map(|node| address(node, host)));
            let place = slots.masters.iter().position(|known| *known == master).unwrap_or_else(|| {
                slots.masters.push(master);
                slots.masters.len() - 1
            });
            slots.places.extend((first..=last).filter_map(Slot::new).map(|slot| (slot, place)));
        }
        if slots.places.len() < usize::from(SLOTS) {
            return Err(down());
        }
        slots.nodes = slots.masters.iter().cloned().chain(replicas).take(NODES).collect();
        Ok(slots)
    }

    /// Which of the masters has the slot of `topic`.
    pub(super) fn master_of(&self, topic: &str) -> usize {
        self.places.get(&Slot::for_key(topic)).copied().unwrap_or_default()
    }
}

/// A part of the cluster is down.
pub(super) fn down() -> RedisError {
    (ErrorKind::Server(ServerErrorKind::ClusterDown), "a part of the cluster is down").into()
}

fn number(value: Option<Value>) -> Result<u16, RedisError> {
    Ok(u16::from_redis_value(value.unwrap_or(Value::Nil))?)
}

/// A node without a host of its own is where the answer came from; `?` is one that nobody knows.
fn address(node: Value, host: &str) -> Option<Node> {
    let mut node = Vec::<Value>::from_redis_value(node).ok()?.into_iter();
    let name: Option<String> = FromRedisValue::from_redis_value(node.next()?).ok()?;
    let port = number(node.next()).ok()?;
    match name.as_deref() {
        Some("?") => None,
        None | Some("") => Some((host.to_owned(), port)),
        Some(name) => Some((name.to_owned(), port)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::BulkString(text.as_bytes().to_vec())
    }

    fn range(first: i64, last: i64, nodes: &[(Value, i64)]) -> Value {
        let nodes = nodes.iter().map(|(host, port)| {
            Value::Array(vec![host.clone(), Value::Int(*port), text("0123"), Value::Array(vec![])])
        });
        Value::Array([Value::Int(first), Value::Int(last)].into_iter().chain(nodes).collect())
    }

    #[test]
    fn each_topic_has_the_master_of_its_slot() {
        let answer = Value::Array(vec![
            range(0, 5_060, &[(text("a"), 1), (text("c"), 3)]),
            range(5_061, 5_061, &[(text(""), 2)]),
            range(5_062, 12_181, &[(Value::Nil, 7)]),
            range(12_182, 16_383, &[(text("a"), 1)]),
        ]);
        let slots = Slots::read(answer, "here").unwrap();
        let node = |name: &str, port| (name.to_owned(), port);
        assert_eq!(slots.masters, [node("a", 1), node("here", 2), node("here", 7)]);
        assert_eq!(slots.nodes.last(), Some(&node("c", 3)));
        // What Redis says of these with CLUSTER KEYSLOT: 12182, 5061, 5061 and 866
        for (topic, master) in [("foo", 0), ("bar", 1), ("x{bar}y", 1), ("hello", 0)] {
            assert_eq!(slots.master_of(topic), master, "{topic}");
        }
    }

    #[test]
    fn a_cluster_with_slots_that_nobody_has_is_down() {
        let whole = || range(0, 16_383, &[(text("a"), 1)]);
        assert!(Slots::read(Value::Array(vec![whole()]), "here").is_ok());
        for ranges in [
            vec![],
            vec![range(1, 16_383, &[(text("a"), 1)])],
            vec![range(0, 16_383, &[(text("?"), 1)])],
            vec![range(0, 16_383, &[])],
        ] {
            let error = Slots::read(Value::Array(ranges), "here").err().unwrap();
            assert_eq!(error.kind(), ErrorKind::Server(ServerErrorKind::ClusterDown));
        }
        assert!(Slots::read(Value::Array(vec![text("?")]), "here").is_err());
    }
}
