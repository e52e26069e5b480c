//! An object that nothing tells of yet.

use super::disk::remove_soon;
use super::{Key, Store};

/// Takes its object away when it is dropped before somebody keeps it: whoever stores an object for a row that is still to be
/// written may be dropped in between, with the request.
pub struct Provisional {
    store: Store,
    key: Option<Key>,
}

impl Provisional {
    pub(super) fn new(store: Store, key: Key) -> Self {
        Self { store, key: Some(key) }
    }

    /// Something may tell of the object from now on.
    pub fn keep(&mut self) {
        self.key = None;
    }
}

impl Drop for Provisional {
    fn drop(&mut self) {
        if let Some(key) = self.key {
            remove_soon(self.store.object(&key));
        }
    }
}
