//! The topics that this pod wants to hear: a counted set that outlives every connection.
//!
//! *Invariant:* it says what is wanted and never what is subscribed; whoever owns the connection catches up with it
//! and says up to which revision.

use std::{
    collections::{HashMap, HashSet},
    mem,
    sync::Arc,
};

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

pub(super) type Topic = Arc<str>;

#[derive(Debug)]
pub(super) struct Topics {
    wanted: Mutex<Wanted>,
    changed: Notify,
    settled: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct Wanted {
    counts: HashMap<Topic, usize>,
    /// What became wanted or unwanted since the owner of the connection looked.
    dirty: HashSet<Topic>,
    revision: u64,
}

/// What brings a connection from an older revision to this one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Changes {
    pub(super) join: Vec<Topic>,
    pub(super) leave: Vec<Topic>,
    pub(super) revision: u64,
}

impl Topics {
    pub(super) fn new() -> Self {
        Self { wanted: Mutex::default(), changed: Notify::new(), settled: watch::Sender::new(0) }
    }

    pub(super) fn want(&self, topic: &str) {
        let mut wanted = self.wanted.lock();
        if let Some(count) = wanted.counts.get_mut(topic) {
            *count += 1;
            return;
        }
        let topic = Topic::from(topic);
        wanted.counts.insert(Arc::clone(&topic), 1);
        wanted.touch(topic);
        self.changed.notify_one();
    }

    /// Takes one wish back; of a topic that nobody wanted there is none.
    pub(super) fn unwant(&self, topic: &str) {
        let mut wanted = self.wanted.lock();
        match wanted.counts.get_mut(topic) {
            None => return,
            Some(count) if *count > 1 => {
                *count -= 1;
                return;
            }
            Some(_last) => {}
        }
        if let Some((topic, _last)) = wanted.counts.remove_entry(topic) {
            wanted.touch(topic);
            self.changed.notify_one();
        }
    }

    /// Everything that is wanted, for a connection that has subscribed to nothing yet.
    pub(super) fn take_all(&self) -> Changes {
        let mut wanted = self.wanted.lock();
        wanted.dirty.clear();
        let join = wanted.counts.keys().map(Arc::clone).collect();
        Changes { join, leave: Vec::new(), revision: wanted.revision }
    }

    /// What changed since the last look. A topic may be told although its subscription is as it should be.
    pub(super) fn take_changes(&self) -> Changes {
        let mut wanted = self.wanted.lock();
        let dirty = mem::take(&mut wanted.dirty);
        let (join, leave) = dirty.into_iter().partition(|topic| wanted.counts.contains_key(topic));
        Changes { join, leave, revision: wanted.revision }
    }

    /// Nobody will ask what has changed up to now: the next connection takes everything.
    pub(super) fn forget_changes(&self) {
        self.wanted.lock().dirty = HashSet::new();
    }

    /// How many changes are remembered.
    #[cfg(test)]
    pub(super) fn changes(&self) -> usize {
        self.wanted.lock().dirty.len()
    }

    /// Waits until something changes.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Redis has confirmed everything up to `revision`.
    pub(super) fn settle(&self, revision: u64) {
        self.settled.send_replace(revision);
    }

    /// Waits until Redis has confirmed everything that was wanted up to now.
    pub(super) async fn settled(&self) {
        let revision = self.wanted.lock().revision;
        // The sender is ours, so that it cannot be gone
        _ = self.settled.subscribe().wait_for(|settled| *settled >= revision).await;
    }
}

impl Wanted {
    fn touch(&mut self, topic: Topic) {
        self.dirty.insert(topic);
        self.revision += 1;
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    fn topic(name: &str) -> Topic {
        Topic::from(name)
    }

    #[test]
    fn a_topic_is_joined_by_the_first_and_left_by_the_last() {
        let topics = Topics::new();
        topics.want("a");
        topics.want("a");
        assert_eq!(topics.take_changes(), Changes { join: vec![topic("a")], leave: vec![], revision: 1 });
        topics.unwant("a");
        assert_eq!(topics.take_changes(), Changes { revision: 1, ..Changes::default() });
        topics.unwant("a");
        assert_eq!(topics.take_changes(), Changes { join: vec![], leave: vec![topic("a")], revision: 2 });
        topics.unwant("a");
        assert_eq!(topics.take_changes(), Changes { revision: 2, ..Changes::default() });
    }

    #[test]
    fn a_new_connection_joins_all_that_is_wanted() {
        let topics = Topics::new();
        topics.want("a");
        topics.want("b");
        topics.unwant("a");
        assert_eq!(topics.take_all(), Changes { join: vec![topic("b")], leave: vec![], revision: 3 });
        assert_eq!(topics.take_changes(), Changes { revision: 3, ..Changes::default() });
    }

    #[test]
    fn settled_means_all_wishes_up_to_now() {
        let topics = Topics::new();
        assert!(topics.settled().now_or_never().is_some());
        topics.want("a");
        assert!(topics.settled().now_or_never().is_none());
        topics.settle(topics.take_changes().revision);
        assert!(topics.settled().now_or_never().is_some());
    }
}
