//! Pages by party, how many there may be, and how long each is good.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    time::{Duration, Instant},
};

use uuid::Uuid;

/// The largest page that is kept, in bytes.
const LARGEST: usize = 256 * 1024;
/// What a page takes beside what it says, about, in bytes.
const OVERHEAD: usize = 512;
/// Parties that are known at most.
const PARTIES: usize = 4_096;
/// How long a party is known of which nobody asks or tells: longer than any page can be on its way.
const KNOWN_FOR: Duration = Duration::from_secs(60);

/// Which page.
pub(super) trait Place: Clone + Eq + Hash {
    /// Whose gallery it is of.
    fn party(&self) -> Uuid;
}

/// What is kept.
pub(super) trait Weight: Clone {
    /// In bytes.
    fn bytes(&self) -> usize;
}

/// Pages by party.
#[derive(Debug)]
pub(super) struct Shelves<K, P> {
    /// How long a page is good.
    fresh_for: Duration,
    /// What all of them may take, in bytes.
    room: usize,
    parties: HashMap<Uuid, Shelf<K, P>>,
    /// All pages, the one that was kept first before the others.
    order: BTreeMap<u64, K>,
    kept: u64,
    bytes: usize,
}

/// What is known of a party.
#[derive(Debug)]
struct Shelf<K, P> {
    /// Its log goes at least up to there; a page of an earlier number is history.
    head: i64,
    /// When something last changed that takes no number; a page that was asked for before is history.
    changed: Option<Instant>,
    touched: Instant,
    is_followed: bool,
    pages: HashMap<K, Held<P>>,
}

#[derive(Debug)]
struct Held<P> {
    nth: u64,
    page: P,
    at: Instant,
}

impl<K: Place, P: Weight> Shelves<K, P> {
    pub(super) fn new(fresh_for: Duration, room: usize) -> Self {
        let (parties, order) = (HashMap::new(), BTreeMap::new());
        Self { fresh_for, room, parties, order, kept: 0, bytes: 0 }
    }

    /// Keeps a page that was asked for at `at`, when the party's number was `seq`. Whether the party is to be followed from
    /// now on.
    pub(super) fn keep(&mut self, key: K, seq: i64, page: P, at: Instant) -> bool {
        let party = key.party();
        self.grow(party, seq, at);
        let is_news = |shelf: &&mut Shelf<K, P>| shelf.head == seq && shelf.is_after_changes(at);
        let Some(shelf) = self.parties.get_mut(&party).filter(is_news) else { return false };
        if page.bytes() > LARGEST {
            return false;
        }
        let (nth, held) = (self.kept, Held { nth: self.kept, page, at });
        self.kept += 1;
        self.bytes += cost(&held);
        let follows = !std::mem::replace(&mut shelf.is_followed, true);
        if let Some(former) = shelf.pages.insert(key.clone(), held) {
            self.order.remove(&former.nth);
            self.bytes -= cost(&former);
        }
        self.order.insert(nth, key);
        while self.bytes > self.room && self.drop_first() {}
        follows
    }

    /// A page that is still good, and how old it is.
    pub(super) fn find(&self, key: &K, now: Instant) -> Option<(P, Duration)> {
        let held = self.parties.get(&key.party())?.pages.get(key)?;
        let age = now.saturating_duration_since(held.at);
        (age <= self.fresh_for).then(|| (held.page.clone(), age))
    }

    /// Whether a page that was asked for at `at` can be one to keep, as far as is known.
    pub(super) fn is_news(&self, party: Uuid, at: Instant) -> bool {
        self.parties.get(&party).is_none_or(|shelf| shelf.is_after_changes(at))
    }

    /// The log of `party` goes at least up to `seq`: its pages of before are history. Noted also where there are none,
    /// for one that was asked for already.
    pub(super) fn grow(&mut self, party: Uuid, seq: i64, now: Instant) {
        if let Some(shelf) = self.shelf(party, now)
            && seq > shelf.head
        {
            shelf.head = seq;
            self.clear(party);
        }
    }

    /// Something of `party` has changed that takes no number. Noted as [`Shelves::grow`] does.
    pub(super) fn change(&mut self, party: Uuid, now: Instant) {
        if let Some(shelf) = self.shelf(party, now) {
            shelf.changed = Some(now);
            self.clear(party);
        }
    }

    /// Drops the pages of `party`.
    pub(super) fn clear(&mut self, party: Uuid) {
        let Some(shelf) = self.parties.get_mut(&party) else { return };
        for held in shelf.pages.drain().map(|(_, held)| held) {
            self.order.remove(&held.nth);
            self.bytes -= cost(&held);
        }
    }

    /// Drops pages that are too old, and forgets parties of which nobody has asked or told for a while. Gives those of
    /// them that were followed.
    pub(super) fn sweep(&mut self, now: Instant) -> Vec<Uuid> {
        let age = |at: Instant| now.saturating_duration_since(at);
        while let Some(key) = self.order.values().next()
            && self
                .parties
                .get(&key.party())
                .and_then(|shelf| shelf.pages.get(key))
                .is_none_or(|held| age(held.at) > self.fresh_for)
            && self.drop_first()
        {}
        let forgotten =
            |_: &Uuid, shelf: &mut Shelf<K, P>| shelf.pages.is_empty() && age(shelf.touched) > KNOWN_FOR;
        let gone = self.parties.extract_if(forgotten).filter(|(_, shelf)| shelf.is_followed);
        gone.map(|(party, _)| party).collect()
    }

    /// Parties of which there are pages.
    pub(super) fn shown(&self) -> Vec<Uuid> {
        let shown = self.parties.iter().filter(|(_, shelf)| !shelf.pages.is_empty());
        shown.map(|(party, _)| *party).collect()
    }

    /// How many pages there are, and how many bytes they take.
    pub(super) fn counts(&self) -> (usize, usize) {
        (self.order.len(), self.bytes)
    }

    /// That of `party`, if it is known or there is room for it.
    fn shelf(&mut self, party: Uuid, now: Instant) -> Option<&mut Shelf<K, P>> {
        if self.parties.len() >= PARTIES && !self.parties.contains_key(&party) {
            return None;
        }
        let shelf = self.parties.entry(party).or_insert_with(|| Shelf::new(now));
        shelf.touched = now;
        Some(shelf)
    }

    /// Drops the page that was kept first. Whether there was one.
    fn drop_first(&mut self) -> bool {
        let Some((_, key)) = self.order.pop_first() else { return false };
        if let Some(held) = self.parties.get_mut(&key.party()).and_then(|shelf| shelf.pages.remove(&key)) {
            self.bytes -= cost(&held);
        }
        true
    }
}

impl<K, P> Shelf<K, P> {
    fn new(now: Instant) -> Self {
        Self { head: i64::MIN, changed: None, touched: now, is_followed: false, pages: HashMap::new() }
    }

    fn is_after_changes(&self, at: Instant) -> bool {
        self.changed.is_none_or(|changed| at > changed)
    }
}

fn cost<P: Weight>(held: &Held<P>) -> usize {
    held.page.bytes() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::{
        domain::{caller::Caller, media::Sort},
        service::{
            gallery::Filter,
            pages::{Asked, Key},
        },
    };

    const ROOM: usize = 16_000_000;

    impl Weight for Bytes {
        fn bytes(&self) -> usize {
            self.len()
        }
    }

    fn shelves() -> Shelves<Key, Bytes> {
        Shelves::new(after(60), ROOM)
    }

    fn key(party: u128, caller: Caller, limit: i64) -> Key {
        let filter = Filter {
            kind: None,
            mood: None,
            uploader_id: None,
            tag: None,
            status: None,
            since: None,
            sort: Sort::Newest,
        };
        Key { asked: Asked { party: Uuid::from_u128(party), filter, limit, after: None }, caller }
    }

    fn anonymous(party: u128) -> Key {
        key(party, Caller::Anonymous, 20)
    }

    fn after(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn body(text: &'static str) -> Bytes {
        Bytes::from_static(text.as_bytes())
    }

    #[test]
    fn a_page_is_shown_for_60_seconds_and_tells_its_age() {
        let (mut shelves, now) = (shelves(), Instant::now());
        assert!(shelves.keep(anonymous(1), 5, body("page"), now), "it is followed from now on");
        assert!(!shelves.keep(anonymous(1), 5, body("again"), now + after(3)));
        for (seconds, shown) in [(3, true), (40, true), (63, true), (64, false)] {
            let found = shelves.find(&anonymous(1), now + after(seconds));
            let expected = shown.then(|| (body("again"), after(seconds - 3)));
            assert_eq!(found, expected, "after {seconds} s");
        }
    }

    #[test]
    fn a_page_is_its_callers_and_its_querys_own() {
        let (mut shelves, now) = (shelves(), Instant::now());
        let user = Caller::User(Uuid::nil());
        shelves.keep(key(1, user, 20), 5, body("page"), now);
        let mut beyond = key(1, user, 20);
        beyond.asked.after = Some((1, 0));
        for (other, shown) in [
            (key(1, user, 20), true),
            (key(1, user, 21), false),
            (key(2, user, 20), false),
            (key(1, Caller::Anonymous, 20), false),
            (key(1, Caller::Guest(Uuid::nil()), 20), false),
            (key(1, Caller::User(Uuid::max()), 20), false),
            (beyond, false),
        ] {
            assert_eq!(shelves.find(&other, now).is_some(), shown, "{other:?}");
        }
    }

    #[test]
    fn whatever_happens_in_a_party_ends_its_pages_and_no_others() {
        let (mut shelves, now) = (shelves(), Instant::now());
        let party = Uuid::from_u128(1);
        for key in [anonymous(1), key(1, Caller::Anonymous, 7), anonymous(2)] {
            shelves.keep(key, 5, body("page"), now);
        }
        shelves.grow(party, 5, now);
        assert!(shelves.find(&anonymous(1), now).is_some(), "it was made of that");
        shelves.grow(party, 6, now);
        assert!(shelves.find(&anonymous(1), now).is_none() && shelves.find(&anonymous(2), now).is_some());
        assert_eq!(shelves.counts(), (1, OVERHEAD + 4));
        // One that was on its way meanwhile is history when it arrives
        shelves.keep(anonymous(1), 5, body("late"), now);
        assert!(shelves.find(&anonymous(1), now).is_none());
        shelves.keep(anonymous(1), 6, body("new"), now);
        assert!(shelves.find(&anonymous(1), now).is_some());
        // One that tells of more than was heard of ends the others
        shelves.keep(key(1, Caller::Anonymous, 7), 7, body("newer"), now);
        assert!(shelves.find(&anonymous(1), now).is_none());
        shelves.clear(party);
        assert_eq!(shelves.shown(), [Uuid::from_u128(2)]);
    }

    #[test]
    fn what_takes_no_number_ends_pages_that_were_asked_for_before() {
        let (mut shelves, now) = (shelves(), Instant::now());
        let party = Uuid::from_u128(1);
        shelves.keep(anonymous(1), 5, body("page"), now);
        shelves.keep(anonymous(2), 5, body("page"), now);
        shelves.change(party, now + after(1));
        for (at, is_news) in [(0, false), (1, false), (2, true)] {
            let at = now + after(at);
            assert_eq!(shelves.is_news(party, at), is_news, "{at:?}");
            shelves.keep(anonymous(1), 5, body("page"), at);
            assert_eq!(shelves.find(&anonymous(1), at).is_some(), is_news);
            assert!(shelves.find(&anonymous(2), at).is_some() && shelves.is_news(Uuid::from_u128(2), at));
        }
        // Also where nothing is known of the party
        shelves.change(Uuid::from_u128(3), now);
        assert!(!shelves.keep(anonymous(3), 5, body("late"), now));
        assert!(shelves.find(&anonymous(3), now).is_none());
    }

    #[test]
    fn an_event_is_remembered_where_no_page_is_kept_yet() {
        let (mut shelves, now) = (shelves(), Instant::now());
        shelves.grow(Uuid::from_u128(1), 6, now);
        assert!(!shelves.keep(anonymous(1), 5, body("late"), now));
        assert!(shelves.find(&anonymous(1), now).is_none());
    }

    #[test]
    fn there_is_only_so_much_room_and_the_oldest_go_first() {
        let (mut shelves, now) = (shelves(), Instant::now());
        let large = Bytes::from(vec![b' '; LARGEST]);
        shelves.keep(anonymous(0), 1, Bytes::from(vec![b' '; LARGEST + 1]), now);
        assert!(shelves.find(&anonymous(0), now).is_none(), "too large");
        let fits = ROOM / (LARGEST + OVERHEAD);
        for n in 0..=fits as u128 {
            shelves.keep(anonymous(n), 1, large.clone(), now);
            // Asked for again and again, it is never the oldest
            shelves.keep(anonymous(0), 1, large.clone(), now);
        }
        let (pages, bytes) = shelves.counts();
        assert_eq!(pages, fits);
        assert!(bytes <= ROOM && bytes == pages * (LARGEST + OVERHEAD));
        assert!(shelves.find(&anonymous(0), now).is_some() && shelves.find(&anonymous(1), now).is_none());
    }

    #[test]
    fn what_is_too_old_goes_and_its_party_is_followed_no_more() {
        let (mut shelves, now) = (shelves(), Instant::now());
        shelves.keep(anonymous(1), 1, body("page"), now);
        shelves.keep(anonymous(2), 1, body("page"), now + after(30));
        shelves.grow(Uuid::from_u128(3), 1, now);
        assert!(shelves.sweep(now + after(60)).is_empty());
        assert_eq!(shelves.sweep(now + after(61)), [Uuid::from_u128(1)], "3 never was followed");
        assert_eq!((shelves.shown(), shelves.parties.len()), (vec![Uuid::from_u128(2)], 1));
        shelves.sweep(now + after(100));
        assert_eq!((shelves.counts(), shelves.parties.len()), ((0, 0), 0));
    }

    #[test]
    fn only_so_many_parties_are_known() {
        let (mut shelves, now) = (shelves(), Instant::now());
        for n in 0..PARTIES as u128 + 10 {
            shelves.grow(Uuid::from_u128(n), 1, now);
        }
        assert_eq!(shelves.parties.len(), PARTIES);
        assert!(!shelves.keep(anonymous(u128::MAX), 1, body("page"), now));
    }
}
