//! Gallery pages as they were last read. *Hot* ones are for everybody, for a second: what one has read is shown to others
//! without reading it again. *Stale* ones are each caller's own, of public parties, for a minute: they are shown when
//! PostgreSQL cannot be asked.
//!
//! *Invariant:* a page is shown for as long as this pod knows of nothing that happened in the party since. Who may see a
//! hot page is asked each time, but of what everybody may see; a stale page is shown to the caller whom it was made for and to
//! nobody else, and what is not for everybody is never kept as one.

mod flights;
mod reading;
mod shelves;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use uuid::Uuid;

use self::{
    flights::{Flights, Landing, Lead, Turn},
    shelves::{Place, Shelves, Weight},
};
use super::{announce::Follow, error::Error, gallery::Filter};
use crate::{
    db::{Connection, Database, DatabaseError, parties},
    domain::{access::Openness, caller::Caller, media::MediaStatus, party::Party},
    realtime::{self, Topic, Watcher},
    view::{Sheet, media::MediaViewer},
};

/// How old a stale page may be.
const STALE_FOR: Duration = Duration::from_secs(60);
/// How old a hot page may be: of what takes no number, looks and names, nobody sees less than a second ago.
const HOT_FOR: Duration = Duration::from_secs(1);
/// What the pages of each sort may take, in bytes.
const ROOM: usize = 16_000_000;

/// Which page.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Asked {
    /// Whose gallery.
    pub party: Uuid,
    /// What was asked for.
    pub filter: Filter,
    /// How many.
    pub limit: i64,
    /// From where on.
    pub after: Option<(i64, i32)>,
}

/// Which page, and whose.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    asked: Asked,
    /// Who sees it: pages differ in what their viewer may do.
    caller: Caller,
}

/// A page as a caller is shown it.
#[derive(Clone, Debug)]
pub struct Shown {
    /// What everybody is shown.
    pub sheet: Arc<Sheet>,
    /// What the caller is to each of its items, if they are somebody.
    pub viewers: Option<Arc<[MediaViewer]>>,
    /// How long ago it was read, if that was before PostgreSQL went away.
    pub age: Option<Duration>,
}

/// A page for everybody, and what its callers have to know of it.
#[derive(Debug)]
struct Hot {
    sheet: Arc<Sheet>,
    state: State,
    /// Which media are on it, in its order, and who brought them.
    media: Vec<Uuid>,
    uploaders: Vec<Uuid>,
    read_at: Instant,
}

/// What of a party decides how its pages look, and who may see them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    seq: i64,
    openness: Openness,
    signed_for: Option<i32>,
}

/// Where a page is to come from.
enum Source {
    Kept(Arc<Hot>),
    Read(Lead),
    Wait(Landing),
}

/// The pages of this pod.
pub struct Pages {
    hot: Mutex<Shelves<Asked, Arc<Hot>>>,
    stale: Mutex<Shelves<Key, Shown>>,
    flights: Arc<Flights>,
    follow: Arc<dyn Follow>,
    hits: AtomicU64,
    misses: AtomicU64,
}

impl Pages {
    /// None yet. Parties whose stale pages are kept are followed.
    pub fn new(follow: Arc<dyn Follow>) -> Self {
        Self {
            hot: Mutex::new(Shelves::new(HOT_FOR, ROOM)),
            stale: Mutex::new(Shelves::new(STALE_FOR, ROOM)),
            flights: Arc::default(),
            follow,
            hits: AtomicU64::new(0),
            misses: AtomicU64::new(0),
        }
    }

    /// The page if there is one, or who reads it.
    fn seek(&self, asked: &Asked, now: Instant) -> Source {
        let hot = self.hot.lock();
        if let Some((kept, _age)) = hot.find(asked, now) {
            return Source::Kept(kept);
        }
        match self.flights.board(asked, now, |began| hot.is_news(asked.party, began)) {
            Turn::Read(lead) => Source::Read(lead),
            Turn::Wait(landing) => Source::Wait(landing),
        }
    }

    fn find(&self, asked: &Asked, now: Instant) -> Option<Arc<Hot>> {
        self.hot.lock().find(asked, now).map(|(kept, _age)| kept)
    }

    /// Keeps what was read.
    fn keep(&self, asked: &Asked, hot: &Arc<Hot>) {
        self.hot.lock().keep(asked.clone(), hot.state.seq, Arc::clone(hot), hot.read_at);
        if !hot.is_open() {
            self.stale.lock().clear(asked.party);
        }
    }

    /// Keeps what a caller is shown, if everybody may see it, for when it cannot be read again.
    fn note(&self, key: Key, hot: &Hot, shown: &Shown) {
        if !hot.is_open() {
            return;
        }
        let mut stale = self.stale.lock();
        let is_known = stale.find(&key, hot.read_at).is_some_and(|(known, _age)| {
            Arc::ptr_eq(&known.sheet, &shown.sheet) && known.viewers == shown.viewers
        });
        let party = key.asked.party;
        if !is_known && stale.keep(key, hot.state.seq, shown.clone(), hot.read_at) {
            drop(stale);
            self.follow.follow(party);
        }
    }

    /// What is shown in place of a page that was refused for `error`.
    ///
    /// # Errors
    ///
    /// The same, where there is nothing that may be shown instead.
    fn instead(&self, key: &Key, error: Error, now: Instant) -> Result<Shown, Error> {
        match error {
            Error::Unavailable { .. } => match self.stale.lock().find(key, now) {
                Some((shown, age)) => Ok(Shown { age: Some(age), ..shown }),
                None => Err(error),
            },
            Error::NotFound => {
                self.forget(key.asked.party);
                Err(error)
            }
            other => Err(other),
        }
    }

    /// What the database has said of a party is not what its pages say.
    fn forget(&self, party: Uuid) {
        self.stale.lock().clear(party);
    }

    /// Something of a party has changed here that takes no number: to be called after the commit.
    pub(super) fn changed(&self, party: Uuid) {
        self.hot.lock().change(party, Instant::now());
    }

    fn grow(&self, party: Uuid, seq: i64, now: Instant) {
        self.hot.lock().grow(party, seq, now);
        self.stale.lock().grow(party, seq, now);
    }

    /// How many stale pages there are, and how many bytes they take.
    pub fn counts(&self) -> (usize, usize) {
        self.stale.lock().counts()
    }

    /// The same of hot pages.
    pub fn hot_counts(&self) -> (usize, usize) {
        self.hot.lock().counts()
    }

    /// How many pages were shown without reading them again, and how many were read, since the start.
    pub fn lookups(&self) -> (u64, u64) {
        (self.hits.load(Ordering::Relaxed), self.misses.load(Ordering::Relaxed))
    }

    /// Lets go of what is too old, and compares the rest with the database: hints of other pods get lost.
    ///
    /// # Errors
    ///
    /// [`DatabaseError`].
    pub async fn compare(&self, database: &Database, now: Instant) -> Result<(), DatabaseError> {
        self.hot.lock().sweep(now);
        let left = self.stale.lock().sweep(now);
        left.into_iter().for_each(|party| self.follow.unfollow(party));
        let shown = self.stale.lock().shown();
        if shown.is_empty() {
            return Ok(());
        }
        let open =
            database.run(async |connection: &mut Connection| parties::open(connection, &shown).await).await?;
        for party in shown {
            match open.get(&party) {
                Some(seq) => self.grow(party, *seq, now),
                None => {
                    self.hot.lock().change(party, now);
                    self.forget(party);
                }
            }
        }
        Ok(())
    }
}

impl Watcher for Pages {
    fn grown(&self, topic: Topic, seq: i64) {
        self.grow(realtime::party(topic), seq, Instant::now());
    }
}

impl Hot {
    /// Whether everybody may see it.
    fn is_open(&self) -> bool {
        let Openness { is_private, is_draft } = self.state.openness;
        !is_private && !is_draft
    }
}

impl State {
    fn of(party: &Party) -> Self {
        Self { seq: party.seq, openness: party.openness(), signed_for: party.signed_for() }
    }
}

impl Asked {
    /// Whether all who may see the party see the same; of the rest each caller sees their own.
    fn is_for_all(&self) -> bool {
        matches!(self.filter.status, None | Some(MediaStatus::Ready))
    }
}

impl Place for Asked {
    fn party(&self) -> Uuid {
        self.party
    }
}

impl Place for Key {
    fn party(&self) -> Uuid {
        self.asked.party
    }
}

impl Weight for Arc<Hot> {
    fn bytes(&self) -> usize {
        self.sheet.bytes() + (self.media.len() + self.uploaders.len()) * size_of::<Uuid>()
    }
}

impl Weight for Shown {
    fn bytes(&self) -> usize {
        self.sheet.bytes()
            + self.viewers.as_ref().map_or(0, |viewers| viewers.len() * size_of::<MediaViewer>())
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (stale, hot) = (self.counts(), self.hot_counts());
        f.debug_struct("Pages").field("stale", &stale).field("hot", &hot).finish_non_exhaustive()
    }
}
