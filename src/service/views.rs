//! How often media are looked at: once for each caller and hour.
//!
//! Who looks leaves a mark here and waits for nothing. Once a second the marks are compared with those of all pods, and
//! what is new is counted in one transaction.
//!
//! *Invariant:* no address is kept, only marks that nobody can turn back; a look may get lost, and is never counted twice
//! for what happens to PostgreSQL.

use std::{
    collections::{HashMap, hash_map::Entry},
    fmt,
    net::IpAddr,
    sync::atomic::{AtomicU64, Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use uuid::Uuid;

use super::{gallery::Seen, rates::network, seal};
use crate::{
    cache::{Mark, Marks},
    db::{Connection, Database, DatabaseError, views},
    domain::caller::Caller,
};

/// How long a caller's further looks at the same media do not count.
pub const ONCE_IN: Duration = Duration::from_secs(60 * 60);
/// Where marks are in Redis.
pub const PREFIX: &str = "pg:view";
/// What marks are made for.
pub const PURPOSE: &str = "party-gallery views v1";

/// Looks that wait to be counted, and media whose counts wait for PostgreSQL, at most.
const WAITING: usize = 8_192;
/// Looks that are compared at once.
const BATCH: usize = 1_024;

/// Looks at media, to be counted.
pub struct Views {
    database: Database,
    marks: Marks,
    mark: seal::Mark,
    waiting: Mutex<Waiting>,
    counted: AtomicU64,
    dropped: AtomicU64,
}

#[derive(Debug, Default)]
struct Waiting {
    /// Not compared yet.
    looks: HashMap<Mark, Uuid>,
    /// New, and not written yet.
    counts: HashMap<Uuid, i32>,
}

impl Views {
    /// With `marks` that last for [`ONCE_IN`] and are made by `mark`.
    pub fn new(database: Database, marks: Marks, mark: seal::Mark) -> Self {
        let (counted, dropped) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { database, marks, mark, waiting: Mutex::default(), counted, dropped }
    }

    /// `caller` has looked at a media from `address`. What may not be shown yet does not count. Neither waits nor fails.
    pub fn look(&self, caller: Caller, address: IpAddr, seen: &Seen) {
        let media = seen.media();
        if !media.is_shown() {
            return;
        }
        let mark = self.mark(media.id, caller, address);
        if !self.waiting.lock().look(mark, media.id) {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// How many looks were counted, and how many were dropped because too many waited.
    pub fn counts(&self) -> (u64, u64) {
        (self.counted.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed))
    }

    /// Counts what waits.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]: what was certainly not counted waits on.
    pub async fn count(&self, now: Instant) -> Result<(), DatabaseError> {
        loop {
            let looks = self.waiting.lock().take_looks();
            let is_last = looks.len() < BATCH;
            if !looks.is_empty() {
                let marks: Vec<Mark> = looks.iter().map(|(mark, _)| *mark).collect();
                let fresh = self.marks.fresh(&marks, now).await;
                let fresh = looks.iter().zip(fresh).filter(|(_, fresh)| *fresh).map(|((_, media), _)| *media);
                self.add(fresh.map(|media| (media, 1)));
            }
            if is_last {
                return self.write().await;
            }
        }
    }

    async fn write(&self) -> Result<(), DatabaseError> {
        let counts: Vec<_> = self.waiting.lock().counts.drain().collect();
        if counts.is_empty() {
            return Ok(());
        }
        let written = self
            .database
            .transaction(async |connection: &mut Connection| views::count(connection, &counts).await)
            .await;
        match &written {
            Ok(()) => {
                let looks = counts.iter().map(|(_, looks)| u64::from(looks.unsigned_abs())).sum();
                self.counted.fetch_add(looks, Ordering::Relaxed);
            }
            Err(DatabaseError::Unavailable { .. }) => self.add(counts),
            // Counted already, or not to be counted by trying again
            Err(_) => {}
        }
        written
    }

    fn add(&self, counts: impl IntoIterator<Item = (Uuid, i32)>) {
        let mut waiting = self.waiting.lock();
        for (media, looks) in counts {
            if !waiting.add(media, looks) {
                self.dropped.fetch_add(u64::from(looks.unsigned_abs()), Ordering::Relaxed);
            }
        }
    }

    fn mark(&self, media: Uuid, caller: Caller, address: IpAddr) -> Mark {
        let who = match caller {
            Caller::User(id) | Caller::Guest(id) | Caller::Display(id) => id.to_string(),
            Caller::Anonymous => network(address).to_string(),
        };
        let mut mark = Mark::default();
        mark.iter_mut()
            .zip(self.mark.of(format!("{media}\n{who}").as_bytes()))
            .for_each(|(to, from)| *to = from);
        mark
    }
}

impl Waiting {
    /// Whether there was room.
    fn look(&mut self, mark: Mark, media: Uuid) -> bool {
        let has_room = self.looks.len() < WAITING || self.looks.contains_key(&mark);
        if has_room {
            self.looks.insert(mark, media);
        }
        has_room
    }

    fn take_looks(&mut self) -> Vec<(Mark, Uuid)> {
        if self.looks.len() <= BATCH {
            return self.looks.drain().collect();
        }
        let marks: Vec<Mark> = self.looks.keys().copied().take(BATCH).collect();
        marks.into_iter().filter_map(|mark| self.looks.remove_entry(&mark)).collect()
    }

    /// Whether there was room.
    fn add(&mut self, media: Uuid, looks: i32) -> bool {
        let has_room = self.counts.len() < WAITING;
        match self.counts.entry(media) {
            Entry::Occupied(mut count) => *count.get_mut() = count.get().saturating_add(looks),
            Entry::Vacant(count) if has_room => _ = count.insert(looks),
            Entry::Vacant(_) => return false,
        }
        true
    }
}

impl fmt::Debug for Views {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Views").field("counts", &self.counts()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looks_wait_once_each_and_only_so_many() {
        let mut waiting = Waiting::default();
        let mark = |n: usize| (n as u128).to_be_bytes();
        for _ in 0..3 {
            assert!(waiting.look(mark(0), Uuid::nil()));
        }
        assert_eq!(waiting.take_looks(), [(mark(0), Uuid::nil())]);
        let taken = (0..WAITING + 9).filter(|n| waiting.look(mark(*n), Uuid::nil())).count();
        assert_eq!(taken, WAITING);
        assert!(waiting.look(mark(0), Uuid::nil()), "it waits already");
        let batches: Vec<_> =
            std::iter::repeat_with(|| waiting.take_looks().len()).take_while(|n| *n > 0).collect();
        assert_eq!((batches.iter().sum::<usize>(), batches.iter().max()), (WAITING, Some(&BATCH)));
    }

    #[test]
    fn counts_add_up_and_only_so_many_media_wait() {
        let mut waiting = Waiting::default();
        let media = |n: usize| Uuid::from_u128(n as u128);
        assert!((0..WAITING).all(|n| waiting.add(media(n), 1)));
        assert!(!waiting.add(media(WAITING), 1));
        assert!(waiting.add(media(7), 2));
        assert_eq!(waiting.counts[&media(7)], 3);
    }
}
