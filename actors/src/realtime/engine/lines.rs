//! The sessions of Engine.IO on this pod, by their ids.

use std::{collections::HashMap, sync::Arc, time::Instant};

use parking_lot::Mutex;

use super::line::Line;

/// The sessions of Engine.IO on this pod, by their ids. Who is in here is kept alive by it.
#[derive(Default)]
pub(in crate::realtime) struct Lines(Mutex<HashMap<Box<str>, Arc<Line>>>);

impl Lines {
    pub(super) fn enter(&self, line: &Arc<Line>) {
        self.0.lock().insert(line.sid.clone(), Arc::clone(line));
    }

    pub(super) fn find(&self, sid: &str) -> Option<Arc<Line>> {
        self.0.lock().get(sid).map(Arc::clone)
    }

    /// Lets one go. It may end with that, which takes locks of its own: so not under this one.
    pub(super) fn leave(&self, sid: &str) {
        let left = self.0.lock().remove(sid);
        drop(left);
    }

    /// Does what is due for each.
    pub(in crate::realtime) fn sweep(&self, now: Instant) {
        let lines: Vec<_> = self.0.lock().values().map(Arc::clone).collect();
        for line in lines {
            line.sweep(now);
        }
    }
}
