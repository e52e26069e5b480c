//! Who wants to know that logs grow, beside the sessions that listen.

use super::topic::Topic;

/// Hears hints, of this pod and, for topics that it follows, of the others.
pub trait Watcher: Send + Sync {
    /// The log of `topic` goes at least up to `seq`. Told in passing: it must not wait.
    fn grown(&self, topic: Topic, seq: i64);
}
