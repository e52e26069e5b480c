//! The pages of each party, and how many there may be.

use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

use bytes::Bytes;
use uuid::Uuid;

use super::{FRESH_FOR, Key, Stale};

/// The largest page that is kept, and all of them together, in bytes.
const LARGEST: usize = 256 * 1024;
const ROOM: usize = 16_000_000;
/// What a page takes beside its body, about.
const OVERHEAD: usize = 512;
/// Parties that are known at most.
const PARTIES: usize = 4_096;

/// The pages of each party.
#[derive(Debug, Default)]
pub(super) struct Shelves {
    parties: HashMap<Uuid, Shelf>,
    /// All pages, the one that was kept first before the others.
    order: BTreeMap<u64, Key>,
    kept: u64,
    bytes: usize,
}

/// What is known of a party.
#[derive(Debug)]
struct Shelf {
    /// Its log goes at least up to there; a page of an earlier number is history.
    head: i64,
    touched: Instant,
    is_followed: bool,
    pages: HashMap<Key, Page>,
}

#[derive(Debug)]
struct Page {
    nth: u64,
    body: Bytes,
    at: Instant,
}

impl Shelves {
    /// Keeps a page that was read at `at`, when the party's number was `seq`. Whether the party is to be followed from
    /// now on.
    pub(super) fn keep(&mut self, key: Key, seq: i64, body: &Bytes, at: Instant) -> bool {
        let party = key.party;
        self.grow(party, seq, at);
        let Some(shelf) = self.parties.get_mut(&party).filter(|shelf| shelf.head == seq) else {
            return false;
        };
        if body.len() > LARGEST {
            return false;
        }
        let (nth, page) = (self.kept, Page { nth: self.kept, body: body.clone(), at });
        self.kept += 1;
        self.bytes += cost(&page);
        let follows = !std::mem::replace(&mut shelf.is_followed, true);
        if let Some(former) = shelf.pages.insert(key.clone(), page) {
            self.order.remove(&former.nth);
            self.bytes -= cost(&former);
        }
        self.order.insert(nth, key);
        while self.bytes > ROOM && self.drop_first() {}
        follows
    }

    pub(super) fn find(&self, key: &Key, now: Instant) -> Option<Stale> {
        let page = self.parties.get(&key.party)?.pages.get(key)?;
        let age = now.saturating_duration_since(page.at);
        (age <= FRESH_FOR).then(|| Stale { body: page.body.clone(), age })
    }

    /// The log of `party` goes at least up to `seq`: its pages of before are history. Noted also where there are none,
    /// for one that was asked for already.
    pub(super) fn grow(&mut self, party: Uuid, seq: i64, now: Instant) {
        let has_room = self.parties.len() < PARTIES;
        match self.parties.get_mut(&party) {
            Some(shelf) => {
                shelf.touched = now;
                if seq > shelf.head {
                    shelf.head = seq;
                    self.clear(party);
                }
            }
            None if has_room => {
                let shelf = Shelf { head: seq, touched: now, is_followed: false, pages: HashMap::new() };
                self.parties.insert(party, shelf);
            }
            None => {}
        }
    }

    /// Drops the pages of `party`.
    pub(super) fn clear(&mut self, party: Uuid) {
        let Some(shelf) = self.parties.get_mut(&party) else { return };
        for page in shelf.pages.drain().map(|(_, page)| page) {
            self.order.remove(&page.nth);
            self.bytes -= cost(&page);
        }
    }

    /// Drops pages that are too old, and forgets parties of which nobody has asked or told for as long. Gives those of
    /// them that were followed.
    pub(super) fn sweep(&mut self, now: Instant) -> Vec<Uuid> {
        let is_over = |at: Instant| now.saturating_duration_since(at) > FRESH_FOR;
        while let Some(key) = self.order.values().next()
            && self
                .parties
                .get(&key.party)
                .and_then(|shelf| shelf.pages.get(key))
                .is_none_or(|page| is_over(page.at))
            && self.drop_first()
        {}
        let forgotten = |_: &Uuid, shelf: &mut Shelf| shelf.pages.is_empty() && is_over(shelf.touched);
        let gone = self.parties.extract_if(forgotten).filter(|(_, shelf)| shelf.is_followed);
        gone.map(|(party, _)| party).collect()
    }

    /// Parties of which there are pages.
    pub(super) fn shown(&self) -> Vec<Uuid> {
        let shown = self.parties.iter().filter(|(_, shelf)| !shelf.pages.is_empty());
        shown.map(|(party, _)| *party).collect()
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        (self.order.len(), self.bytes)
    }

    /// Drops the page that was kept first. Whether there was one.
    fn drop_first(&mut self) -> bool {
        let Some((_, key)) = self.order.pop_first() else { return false };
        if let Some(page) = self.parties.get_mut(&key.party).and_then(|shelf| shelf.pages.remove(&key)) {
            self.bytes -= cost(&page);
        }
        true
    }
}

fn cost(page: &Page) -> usize {
    page.body.len() + OVERHEAD
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        domain::{caller::Caller, media::Sort},
        service::gallery::Filter,
    };

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
        Key { party: Uuid::from_u128(party), caller, filter, limit, after: None }
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
        let (mut shelves, now) = (Shelves::default(), Instant::now());
        assert!(shelves.keep(anonymous(1), 5, &body("page"), now), "it is followed from now on");
        assert!(!shelves.keep(anonymous(1), 5, &body("again"), now + after(3)));
        for (seconds, shown) in [(3, true), (40, true), (63, true), (64, false)] {
            let found = shelves.find(&anonymous(1), now + after(seconds));
            let expected = shown.then(|| Stale { body: body("again"), age: after(seconds - 3) });
            assert_eq!(found, expected, "after {seconds} s");
        }
    }

    #[test]
    fn a_page_is_its_callers_and_its_querys_own() {
        let (mut shelves, now) = (Shelves::default(), Instant::now());
        let user = Caller::User(Uuid::nil());
        shelves.keep(key(1, user, 20), 5, &body("page"), now);
        for (other, shown) in [
            (key(1, user, 20), true),
            (key(1, user, 21), false),
            (key(2, user, 20), false),
            (key(1, Caller::Anonymous, 20), false),
            (key(1, Caller::Guest(Uuid::nil()), 20), false),
            (key(1, Caller::User(Uuid::max()), 20), false),
            (Key { after: Some((1, 0)), ..key(1, user, 20) }, false),
        ] {
            assert_eq!(shelves.find(&other, now).is_some(), shown, "{other:?}");
        }
    }

    #[test]
    fn whatever_happens_in_a_party_ends_its_pages_and_no_others() {
        let (mut shelves, now) = (Shelves::default(), Instant::now());
        let party = Uuid::from_u128(1);
        for key in [anonymous(1), key(1, Caller::Anonymous, 7), anonymous(2)] {
            shelves.keep(key, 5, &body("page"), now);
        }
        shelves.grow(party, 5, now);
        assert!(shelves.find(&anonymous(1), now).is_some(), "it was made of that");
        shelves.grow(party, 6, now);
        assert!(shelves.find(&anonymous(1), now).is_none() && shelves.find(&anonymous(2), now).is_some());
        assert_eq!(shelves.counts(), (1, OVERHEAD + 4));
        // One that was on its way meanwhile is history when it arrives
        shelves.keep(anonymous(1), 5, &body("late"), now);
        assert!(shelves.find(&anonymous(1), now).is_none());
        shelves.keep(anonymous(1), 6, &body("new"), now);
        assert!(shelves.find(&anonymous(1), now).is_some());
        // One that tells of more than was heard of ends the others
        shelves.keep(key(1, Caller::Anonymous, 7), 7, &body("newer"), now);
        assert!(shelves.find(&anonymous(1), now).is_none());
        shelves.clear(party);
        assert_eq!(shelves.shown(), [Uuid::from_u128(2)]);
    }

    #[test]
    fn an_event_is_remembered_where_no_page_is_kept_yet() {
        let (mut shelves, now) = (Shelves::default(), Instant::now());
        shelves.grow(Uuid::from_u128(1), 6, now);
        assert!(!shelves.keep(anonymous(1), 5, &body("late"), now));
        assert!(shelves.find(&anonymous(1), now).is_none());
    }

    #[test]
    fn there_is_only_so_much_room_and_the_oldest_go_first() {
        let (mut shelves, now) = (Shelves::default(), Instant::now());
        let large = Bytes::from(vec![b' '; LARGEST]);
        shelves.keep(anonymous(0), 1, &Bytes::from(vec![b' '; LARGEST + 1]), now);
        assert!(shelves.find(&anonymous(0), now).is_none(), "too large");
        let fits = ROOM / (LARGEST + OVERHEAD);
        for n in 0..=fits as u128 {
            shelves.keep(anonymous(n), 1, &large, now);
            // Asked for again and again, it is never the oldest
            shelves.keep(anonymous(0), 1, &large, now);
        }
        let (pages, bytes) = shelves.counts();
        assert_eq!(pages, fits);
        assert!(bytes <= ROOM && bytes == pages * (LARGEST + OVERHEAD));
        assert!(shelves.find(&anonymous(0), now).is_some() && shelves.find(&anonymous(1), now).is_none());
    }

    #[test]
    fn what_is_too_old_goes_and_its_party_is_followed_no_more() {
        let (mut shelves, now) = (Shelves::default(), Instant::now());
        shelves.keep(anonymous(1), 1, &body("page"), now);
        shelves.keep(anonymous(2), 1, &body("page"), now + after(30));
        shelves.grow(Uuid::from_u128(3), 1, now);
        assert!(shelves.sweep(now + after(60)).is_empty());
        assert_eq!(shelves.sweep(now + after(61)), [Uuid::from_u128(1)], "3 never was followed");
        assert_eq!((shelves.shown(), shelves.parties.len()), (vec![Uuid::from_u128(2)], 1));
        shelves.sweep(now + after(100));
        assert_eq!((shelves.counts(), shelves.parties.len()), ((0, 0), 0));
    }

    #[test]
    fn only_so_many_parties_are_known() {
        let (mut shelves, now) = (Shelves::default(), Instant::now());
        for n in 0..PARTIES as u128 + 10 {
            shelves.grow(Uuid::from_u128(n), 1, now);
        }
        assert_eq!(shelves.parties.len(), PARTIES);
        assert!(!shelves.keep(anonymous(u128::MAX), 1, &body("page"), now));
    }
}
