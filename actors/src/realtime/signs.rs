//! What people in a room show for a while, such as that they type.
//!
//! *Invariant:* of one person at most one word a second is told; the last one always is.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use super::protocol::Subject;

/// How long a sign is shown that is not renewed.
const LASTS: Duration = Duration::from_secs(5);
/// How long after one word the next may follow.
const PACE: Duration = Duration::from_secs(1);
/// How many may show theirs at once; of further ones nothing is told.
const MOST: usize = 10;

/// A word to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) subject: Subject,
    pub(super) is_on: bool,
}

/// What people in a room show.
#[derive(Debug, Default)]
pub(super) struct Signs(HashMap<Subject, Sign>);

#[derive(Debug)]
struct Sign {
    is_on: bool,
    until: Instant,
    /// What was told last, and when.
    told: bool,
    told_at: Instant,
}

impl Sign {
    /// The word that is due, if there is one.
    fn take_word(&mut self, subject: Subject, now: Instant) -> Option<Told> {
        let may = now.saturating_duration_since(self.told_at) >= PACE;
        // Whoever is told again that it is on knows that it lasts
        (may && (self.is_on || self.told)).then(|| {
            (self.told, self.told_at) = (self.is_on, now);
            Told { subject, is_on: self.is_on }
        })
    }
}

impl Signs {
    /// Somebody shows theirs, still or again, or no more. Gives what is told now; the rest follows with a tick.
    pub(super) fn set(&mut self, subject: Subject, is_on: bool, now: Instant) -> Option<Told> {
        if let Some(sign) = self.0.get_mut(&subject) {
            sign.is_on = is_on;
            sign.until = now + LASTS;
            return sign.take_word(subject, now);
        }
        if !is_on || self.0.len() >= MOST {
            return None;
        }
        self.0.insert(subject, Sign { is_on, until: now + LASTS, told: is_on, told_at: now });
        Some(Told { subject, is_on })
    }

    /// What is due by the time, at least once a second.
    pub(super) fn tick(&mut self, now: Instant) -> Vec<Told> {
        let mut told = Vec::new();
        for (subject, sign) in &mut self.0 {
            sign.is_on &= now < sign.until;
            if sign.is_on != sign.told {
                told.extend(sign.take_word(*subject, now));
            }
        }
        let is_over =
            |sign: &Sign| !sign.is_on && !sign.told && now.saturating_duration_since(sign.told_at) >= PACE;
        self.0.retain(|_, sign| !is_over(sign));
        told
    }

    /// Somebody is gone. Gives whether theirs was shown.
    pub(super) fn end(&mut self, subject: &Subject) -> bool {
        self.0.remove(subject).is_some_and(|sign| sign.told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subject(id: u128) -> Subject {
        Subject { kind: 0, id }
    }

    /// What is told of somebody who does so at these milliseconds; `None` is a tick.
    fn told(steps: &[(u64, Option<bool>)]) -> Vec<(u64, bool)> {
        let (start, mut signs) = (Instant::now(), Signs::default());
        let mut told = Vec::new();
        for (at, step) in steps {
            let now = start + Duration::from_millis(*at);
            let words = match step {
                Some(is_on) => signs.set(subject(1), *is_on, now).into_iter().collect(),
                None => signs.tick(now),
            };
            told.extend(words.iter().map(|word| (*at, word.is_on)));
        }
        told
    }

    #[test]
    fn at_most_one_word_a_second_and_the_last_one_always() {
        let (on, off) = (Some(true), Some(false));
        for (what, steps, expected) in [
            ("once", vec![(0, on)], vec![(0, true)]),
            ("nothing began", vec![(0, off), (10, None)], vec![]),
            ("every key", vec![(0, on), (100, on), (999, on), (1000, on)], vec![(0, true), (1000, true)]),
            ("and ends", vec![(0, on), (1500, off), (1600, off)], vec![(0, true), (1500, false)]),
            (
                "ends at once",
                vec![(0, on), (300, off), (900, None), (1900, None)],
                vec![(0, true), (1900, false)],
            ),
            ("and begins again", vec![(0, on), (300, off), (600, on), (1200, None)], vec![(0, true)]),
            (
                "a storm",
                vec![(0, on), (1100, off), (1200, on), (1300, off), (1400, on), (2200, None)],
                vec![(0, true), (1100, false), (2200, true)],
            ),
            (
                "by itself",
                vec![(0, on), (4999, None), (5000, None), (6000, None)],
                vec![(0, true), (5000, false)],
            ),
            (
                "unless renewed",
                vec![(0, on), (3000, on), (7999, None), (8000, None)],
                vec![(0, true), (3000, true), (8000, false)],
            ),
        ] {
            assert_eq!(told(&steps), expected, "{what}");
        }
    }

    #[test]
    fn of_a_crowd_that_types_ten_are_shown_until_one_ends() {
        let (now, mut signs) = (Instant::now(), Signs::default());
        let shown = (0..100).filter(|id| signs.set(subject(*id), true, now).is_some()).count();
        assert_eq!(shown, MOST);
        assert!(signs.end(&subject(0)));
        assert!(!signs.end(&subject(0)));
        assert!(signs.set(subject(99), true, now).is_some());
        assert_eq!(signs.tick(now + LASTS).len(), MOST);
        assert_eq!(signs.tick(now + LASTS + PACE), []);
        assert!(signs.0.is_empty());
    }
}
