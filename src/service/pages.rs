//! Gallery pages of public parties as they were last read, for a while: shown when PostgreSQL cannot be asked.
//!
//! *Invariant:* a page is shown to the caller whom it was made for and to nobody else, for as long as this pod knows of
//! nothing that happened in the party since. Who may see it was decided when it was read; what is not for everybody is
//! never kept.

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;
use parking_lot::Mutex;
use uuid::Uuid;

use self::shelves::Shelves;
use super::{
    announce::Follow,
    error::Error,
    gallery::{Filter, GalleryPage},
};
use crate::{
    db::{Connection, Database, DatabaseError, parties},
    domain::{caller::Caller, media::MediaStatus},
    realtime::{self, Topic, Watcher},
};

mod shelves;

/// How old a page may be that is shown.
pub const FRESH_FOR: Duration = Duration::from_secs(60);

/// Which page, and whose.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    /// Whose gallery.
    pub party: Uuid,
    /// Who sees it: pages differ in what their viewer may do.
    pub caller: Caller,
    /// What was asked for.
    pub filter: Filter,
    /// How many.
    pub limit: i64,
    /// From where on.
    pub after: Option<(i64, i32)>,
}

/// A page that was read before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stale {
    /// What its caller was sent then.
    pub body: Bytes,
    /// How long ago it was read.
    pub age: Duration,
}

/// The pages of this pod.
pub struct Pages {
    shelves: Mutex<Shelves>,
    follow: Arc<dyn Follow>,
}

impl Pages {
    /// None yet. Parties whose pages are kept are followed.
    pub fn new(follow: Arc<dyn Follow>) -> Self {
        Self { shelves: Mutex::default(), follow }
    }

    /// Keeps what `page` was sent as, if everybody may see it; it was asked for at `asked`.
    pub fn keep(&self, key: Key, page: &GalleryPage, body: &Bytes, asked: Instant) {
        let party = key.party;
        if !page.is_open {
            return self.forget(party);
        }
        // Of the rest each caller sees their own, and what that is may have changed
        if !matches!(key.filter.status, None | Some(MediaStatus::Ready)) {
            return;
        }
        if self.shelves.lock().keep(key, page.seq, body, asked) {
            self.follow.follow(party);
        }
    }

    /// What is shown in place of a page that was refused for `error`.
    ///
    /// # Errors
    ///
    /// The same, where there is nothing that may be shown instead.
    pub fn instead(&self, key: &Key, error: Error, now: Instant) -> Result<Stale, Error> {
        match error {
            Error::Unavailable { .. } => self.shelves.lock().find(key, now).ok_or(error),
            Error::NotFound => {
                self.forget(key.party);
                Err(error)
            }
            other => Err(other),
        }
    }

    /// What the database has said of a party is not what its pages say.
    fn forget(&self, party: Uuid) {
        self.shelves.lock().clear(party);
    }

    /// How many pages there are, and how many bytes they take.
    pub fn counts(&self) -> (usize, usize) {
        self.shelves.lock().counts()
    }

    /// Lets go of what is too old, and compares the rest with the database: hints of other pods get lost.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`].
    pub async fn compare(&self, database: &Database, now: Instant) -> Result<(), DatabaseError> {
        let left = self.shelves.lock().sweep(now);
        left.into_iter().for_each(|party| self.follow.unfollow(party));
        let shown = self.shelves.lock().shown();
        if shown.is_empty() {
            return Ok(());
        }
        let open =
            database.run(async |connection: &mut Connection| parties::open(connection, &shown).await).await?;
        let mut shelves = self.shelves.lock();
        for party in shown {
            match open.get(&party) {
                Some(seq) => shelves.grow(party, *seq, now),
                None => shelves.clear(party),
            }
        }
        Ok(())
    }
}

impl Watcher for Pages {
    fn grown(&self, topic: Topic, seq: i64) {
        self.shelves.lock().grow(realtime::party(topic), seq, Instant::now());
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").field("counts", &self.counts()).finish_non_exhaustive()
    }
}
