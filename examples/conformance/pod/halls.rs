//! Who is in which room, and the way to all of them.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Weak},
    time::Instant,
};

use parking_lot::Mutex;
use party_gallery_actors::realtime::{Frame, Registry, Subject};

/// How many rooms one session may be in.
const MOST: usize = 1_000;

type Room = (&'static str, String);

/// The rooms of all namespaces.
pub(super) struct Halls {
    registry: Weak<Registry>,
    rooms: Mutex<HashMap<Room, HashSet<Subject>>>,
}

impl Halls {
    pub(super) fn new(registry: &Arc<Registry>) -> Arc<Self> {
        Arc::new(Self { registry: Arc::downgrade(registry), rooms: Mutex::default() })
    }

    /// Says `frames` to all who are in a room, with nothing between them.
    fn say(&self, room: &Room, frames: &[Frame], now: Instant) {
        let inside = self.rooms.lock().get(room).cloned().unwrap_or_default();
        for entry in self.registry.upgrade().into_iter().flat_map(|registry| registry.entries()) {
            if entry.identity().is_some_and(|known| inside.contains(&known.subject)) {
                // Full: it is being closed for that already
                _ = entry.outbox().push_all(frames.iter().cloned(), now);
            }
        }
    }
}

/// The rooms that one session is in. It is out of all of them when this is dropped.
pub(super) struct Stay {
    halls: Arc<Halls>,
    subject: Subject,
    rooms: HashSet<Room>,
}

impl Stay {
    pub(super) fn new(halls: Arc<Halls>, subject: Subject) -> Self {
        Self { halls, subject, rooms: HashSet::new() }
    }

    /// `false`: it is in too many already.
    pub(super) fn join(&mut self, namespace: &'static str, room: String) -> bool {
        let may = self.rooms.len() < MOST;
        if may && self.rooms.insert((namespace, room.clone())) {
            self.halls.rooms.lock().entry((namespace, room)).or_default().insert(self.subject);
        }
        may
    }

    pub(super) fn leave(&mut self, namespace: &'static str, room: String) {
        if let Some(room) = self.rooms.take(&(namespace, room)) {
            self.forget(&room);
        }
    }

    pub(super) fn leave_all(&mut self, namespace: &str) {
        for room in self.rooms.extract_if(|(within, _)| *within == namespace).collect::<Vec<_>>() {
            self.forget(&room);
        }
    }

    /// Says `frames` to all who are in a room, be it from within or not.
    pub(super) fn say(&self, namespace: &'static str, room: String, frames: &[Frame], now: Instant) {
        self.halls.say(&(namespace, room), frames, now);
    }

    fn forget(&self, room: &Room) {
        let mut rooms = self.halls.rooms.lock();
        if let Some(inside) = rooms.get_mut(room) {
            inside.remove(&self.subject);
            if inside.is_empty() {
                rooms.remove(room);
            }
        }
    }
}

impl Drop for Stay {
    fn drop(&mut self) {
        for room in std::mem::take(&mut self.rooms) {
            self.forget(&room);
        }
    }
}
