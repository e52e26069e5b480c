//! What this pod has to tell the others: bounded, and given to whichever life of the hub asks.
//!
//! *Invariant:* nobody waits for it and nothing in it is worth waiting for: what is too much is dropped.

use std::collections::{HashMap, VecDeque, hash_map::Entry};

use parking_lot::Mutex;

use super::{channel::Channel, topic::Topic, wire::Word};

/// How many topics' hints and how many other words may wait.
const WAITING: usize = 4096;

/// How much is given at once.
const BATCH: usize = 256;

/// What this pod has to tell the others.
#[derive(Debug, Default)]
pub(super) struct Outgoing(Mutex<Waiting>);

#[derive(Debug, Default)]
struct Waiting {
    /// The highest number is enough.
    hints: HashMap<Topic, i64>,
    words: VecDeque<(Channel, Word)>,
}

impl Outgoing {
    /// Leaves a hint. Gives whether there was room.
    pub(super) fn hint(&self, topic: Topic, seq: i64) -> bool {
        let mut waiting = self.0.lock();
        let is_full = waiting.hints.len() >= WAITING;
        match waiting.hints.entry(topic) {
            Entry::Occupied(mut hint) => *hint.get_mut() = seq.max(*hint.get()),
            Entry::Vacant(_) if is_full => return false,
            Entry::Vacant(hint) => _ = hint.insert(seq),
        }
        true
    }

    /// Leaves a word. Gives whether there was room.
    pub(super) fn word(&self, channel: Channel, word: Word) -> bool {
        let mut waiting = self.0.lock();
        let has_room = waiting.words.len() < WAITING;
        if has_room {
            waiting.words.push_back((channel, word));
        }
        has_room
    }

    /// Takes what is to be published next: hints first.
    pub(super) fn take(&self) -> Vec<(Channel, Word)> {
        let mut waiting = self.0.lock();
        let topics: Vec<Topic> = waiting.hints.keys().copied().take(BATCH).collect();
        let mut batch: Vec<_> = topics
            .into_iter()
            .filter_map(|topic| Some((Channel::Topic(topic), Word::Hint(waiting.hints.remove(&topic)?))))
            .collect();
        let words = (BATCH - batch.len()).min(waiting.words.len());
        batch.extend(waiting.words.drain(..words));
        batch
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::realtime::Subject;

    #[test]
    fn hints_of_a_topic_merge_and_go_first() {
        let outgoing = Outgoing::default();
        let of = |id| Channel::Topic(Topic(id));
        assert!(outgoing.word(of(9), Word::Who { pod: 1 }));
        for seq in [5, 7, 6] {
            assert!(outgoing.hint(Topic(1), seq));
        }
        assert_eq!(outgoing.take(), [(of(1), Word::Hint(7)), (of(9), Word::Who { pod: 1 })]);
        assert_eq!(outgoing.take(), []);
    }

    #[test]
    fn words_keep_their_order_behind_hints_and_over_batches() {
        let (outgoing, subject) = (Outgoing::default(), Subject { kind: 0, id: 1 });
        let mut left = Vec::new();
        for n in 0..2 * BATCH as u128 + 7 {
            // Somebody types, and no more; people come and go; in two rooms
            let sign = Word::Sign { pod: 1, room: 2, is_on: n % 2 == 0, subject, face: Bytes::new() };
            let people = Word::People {
                pod: 1,
                room: 1,
                is_news: true,
                people: [(Subject { kind: 0, id: n }, None)].into(),
            };
            let word = (Channel::Topic(Topic(n / 2 % 2)), if n % 3 == 0 { people } else { sign });
            assert!(outgoing.word(word.0, word.1.clone()));
            assert!(outgoing.hint(Topic(n % 5), 1));
            left.push(word);
        }
        let mut taken = Vec::new();
        while taken.len() < left.len() {
            let batch = outgoing.take();
            assert!(!batch.is_empty(), "{} of {}", taken.len(), left.len());
            taken.extend(batch.into_iter().filter(|(_, word)| !matches!(word, Word::Hint(_))));
            // What comes meanwhile does not overtake it
            assert!(outgoing.hint(Topic(9), 1));
        }
        assert_eq!(taken, left);
    }

    #[test]
    fn what_is_too_much_is_dropped() {
        let outgoing = Outgoing::default();
        let nowhere = Channel::Topic(Topic(0));
        for n in 0..WAITING {
            assert!(outgoing.hint(Topic(n as u128), 1) && outgoing.word(nowhere, Word::Hint(0)));
        }
        assert!(!outgoing.hint(Topic(u128::MAX), 1) && !outgoing.word(nowhere, Word::Hint(0)));
        assert!(outgoing.hint(Topic(7), 2), "a topic that waits already");
        let batches: Vec<_> =
            std::iter::repeat_with(|| outgoing.take().len()).take_while(|n| *n > 0).collect();
        assert_eq!((batches.iter().sum::<usize>(), batches.iter().max()), (2 * WAITING, Some(&BATCH)));
    }
}
