//! The tickets that a worker holds, outside of it: what a life leaves behind is given back by the next one.

use std::{collections::HashMap, mem, sync::Arc};

use parking_lot::Mutex;

/// The tickets of the jobs that are under way.
pub(super) struct Held<T>(Mutex<Tickets<T>>);

struct Tickets<T> {
    next: u64,
    by_number: HashMap<u64, T>,
}

impl<T: Clone> Held<T> {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self(Mutex::new(Tickets { next: 0, by_number: HashMap::new() })))
    }

    /// Holds a ticket and gives its number here.
    pub(super) fn hold(&self, ticket: &T) -> u64 {
        let mut tickets = self.0.lock();
        let number = tickets.next;
        tickets.next += 1;
        tickets.by_number.insert(number, ticket.clone());
        number
    }

    /// The job has ended, or is nobody's business here any more.
    pub(super) fn let_go(&self, number: u64) {
        self.0.lock().by_number.remove(&number);
    }

    /// All that are held, which are not any more.
    pub(super) fn take_all(&self) -> Vec<T> {
        mem::take(&mut self.0.lock().by_number).into_values().collect()
    }
}
