//! What was left for many sessions and is still to be written to their connections.
//!
//! *Invariant:* whatever becomes of who carries it, what is in it is written: at the latest when it is dropped.

use std::{mem, sync::Arc, time::Instant};

use super::{entry::Entry, frame::Frame, outbox::Full};

/// Sessions for which something was left.
#[derive(Debug, Default)]
pub(super) struct Mailbag(Vec<Arc<Entry>>);

impl Mailbag {
    /// Leaves a frame for a session, in its own codec.
    pub(super) fn leave(&mut self, entry: &Arc<Entry>, frame: Frame, now: Instant) -> Result<(), Full> {
        if entry.outbox.leave(frame, now)? {
            self.0.push(Arc::clone(entry));
        }
        Ok(())
    }

    /// Takes some out, so that they are written before the others.
    pub(super) fn split(&mut self, at_most: usize) -> Self {
        let rest = self.0.split_off(self.0.len().min(at_most));
        Self(mem::replace(&mut self.0, rest))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Mailbag {
    fn drop(&mut self) {
        for entry in mem::take(&mut self.0) {
            entry.write(Instant::now());
        }
    }
}
