//! How many like a media, told to who follows its party: at most twice a second, and the last count always.
//!
//! Who likes leaves the media here and waits for nothing. Of a media that was left, whichever pod gets the turn tells the
//! count that is then: what changes later is left again.
//!
//! *Invariant:* a media is taken out before its count is read, and put back when it cannot be.

use std::{
    collections::{HashSet, VecDeque},
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use serde::Serialize;
use uuid::Uuid;

use super::announce::Reach;
use crate::{
    cache::Marks,
    db::{Connection, Database, DatabaseError, marks},
    domain::event::EventKind,
    realtime::{ONLOOKERS, audience_of, emitted},
};

/// How long a media's count is not told again, on any pod.
pub const ONCE_IN: Duration = Duration::from_millis(500);
/// Where turns are in Redis.
pub const PREFIX: &str = "pg:liked";

/// Media that wait to be told of, at most.
const WAITING: usize = 8_192;
/// Media that are told of at once.
const BATCH: usize = 512;

/// Counts of likes, to be told.
pub struct Likes {
    database: Database,
    turns: Marks,
    reach: Arc<dyn Reach>,
    waiting: Mutex<Waiting>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Liked {
    party_id: Uuid,
    media_id: Uuid,
    likes_count: i32,
}

impl Likes {
    /// With `turns` that last for [`ONCE_IN`].
    pub fn new(database: Database, turns: Marks, reach: Arc<dyn Reach>) -> Self {
        Self { database, turns, reach, waiting: Mutex::default() }
    }

    /// The likes of a media have changed: to be called after the commit. Neither waits nor fails.
    pub(super) fn changed(&self, media: Uuid) {
        self.waiting.lock().add(media);
    }

    /// Tells of those whose turn it is `now`.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`]; nothing was told then, and all of it waits.
    pub async fn tell(&self, now: Instant) -> Result<(), DatabaseError> {
        let waiting = self.waiting.lock().take(BATCH);
        if waiting.is_empty() {
            return Ok(());
        }
        let asked: Vec<_> = waiting.iter().map(|media| media.into_bytes()).collect();
        let turns = self.turns.fresh(&asked, now).await;
        let (due, later): (Vec<_>, Vec<_>) = waiting.into_iter().zip(turns).partition(|(_, is_due)| *is_due);
        self.put_back(later.into_iter().map(|(media, _)| media));
        let due: Vec<Uuid> = due.into_iter().map(|(media, _)| media).collect();
        if due.is_empty() {
            return Ok(());
        }
        let counts =
            self.database.run(async |connection: &mut Connection| marks::likes(connection, &due).await);
        let counts = counts.await.inspect_err(|_| self.put_back(due.iter().copied()))?;
        for marks::Likes { media: media_id, party: party_id, count: likes_count, is_private } in counts {
            let audience = audience_of(EventKind::MediaReady);
            let audience = if is_private { audience.without(ONLOOKERS) } else { audience };
            let frame = emitted("party:media_liked", &Liked { party_id, media_id, likes_count });
            self.reach.say(party_id, audience, frame);
        }
        Ok(())
    }

    fn put_back(&self, media: impl Iterator<Item = Uuid>) {
        let mut waiting = self.waiting.lock();
        media.for_each(|media| waiting.add(media));
    }
}

impl fmt::Debug for Likes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Likes").finish_non_exhaustive()
    }
}

/// Each once, in the order in which they came.
#[derive(Debug, Default)]
struct Waiting {
    order: VecDeque<Uuid>,
    known: HashSet<Uuid>,
}

impl Waiting {
    /// What there is no room for is not told of until it changes again.
    fn add(&mut self, media: Uuid) {
        if self.known.len() < WAITING && self.known.insert(media) {
            self.order.push_back(media);
        }
    }

    fn take(&mut self, most: usize) -> Vec<Uuid> {
        let most = most.min(self.order.len());
        let taken: Vec<Uuid> = self.order.drain(..most).collect();
        taken.iter().for_each(|media| _ = self.known.remove(media));
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_waits_once_in_its_order_and_there_is_an_end_to_it() {
        let mut waiting = Waiting::default();
        let media = |n: usize| Uuid::from_u128(n as u128);
        for n in [3, 1, 3, 2, 1] {
            waiting.add(media(n));
        }
        assert_eq!(waiting.take(2), [media(3), media(1)]);
        waiting.add(media(3));
        assert_eq!(waiting.take(9), [media(2), media(3)]);
        assert_eq!(waiting.take(9).len(), 0);
        (0..WAITING + 10).for_each(|n| waiting.add(media(n)));
        assert_eq!(waiting.take(usize::MAX).len(), WAITING);
    }
}
