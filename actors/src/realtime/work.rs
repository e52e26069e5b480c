//! What the hub has to look at; it is rung for when there is something.

use std::{
    collections::HashSet,
    mem,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::{entry::Entry, topic::Topic};

/// What the hub has to look at. At most one life takes from it; what a dying one took is found again by the next,
/// which looks at everything.
#[derive(Default)]
pub(super) struct Work {
    stirred: Mutex<HashSet<Topic>>,
    readers: Mutex<Vec<(Topic, Arc<Entry>)>>,
    is_in_doubt: AtomicBool,
    bell: Notify,
}

impl Work {
    /// The log of `topic` may have to be read.
    pub(super) fn stir(&self, topic: Topic) {
        self.stirred.lock().insert(topic);
        self.ring();
    }

    /// These sessions have to read for themselves.
    pub(super) fn read(&self, readers: impl IntoIterator<Item = (Topic, Arc<Entry>)>) {
        self.readers.lock().extend(readers);
        self.ring();
    }

    /// Hints may have been lost.
    pub(super) fn doubt(&self) {
        self.is_in_doubt.store(true, Ordering::Release);
        self.ring();
    }

    pub(super) fn ring(&self) {
        self.bell.notify_one();
    }

    /// Waits until there is something to do.
    pub(super) async fn stirs(&self) {
        self.bell.notified().await;
    }

    pub(super) fn take_stirred(&self) -> HashSet<Topic> {
        mem::take(&mut *self.stirred.lock())
    }

    pub(super) fn take_readers(&self) -> Vec<(Topic, Arc<Entry>)> {
        mem::take(&mut *self.readers.lock())
    }

    /// Whether hints may have been lost since it was last asked.
    pub(super) fn take_doubt(&self) -> bool {
        self.is_in_doubt.swap(false, Ordering::AcqRel)
    }
}
