//! Who watches a topic, here and on other pods.
//!
//! *Invariant:* nothing is kept of a pod that has not been heard for [`FORGET_AFTER`]: a dead pod leaves no ghosts.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::protocol::Subject;

/// How often a pod tells who watches there.
pub(super) const TELL_EVERY: Duration = Duration::from_secs(10);
/// How long a pod is believed that is not heard.
pub(super) const FORGET_AFTER: Duration = Duration::from_secs(30);
/// Up to how many viewers are told by name.
pub(super) const NAMED: usize = 50;

/// Who watches a topic.
#[derive(Debug, Default)]
pub(super) struct Viewers {
    here: HashMap<Subject, Here>,
    elsewhere: HashMap<u64, Elsewhere>,
    /// How many are elsewhere alone: counted when that changes, for every join asks.
    strangers: usize,
    /// The count that local sessions were last told without names; 0 when they were told names since.
    told: usize,
    /// When the other pods were last told, and whether that is not true any more.
    announced: Option<Instant>,
    is_changed: bool,
}

#[derive(Debug)]
struct Here {
    sessions: usize,
    face: Bytes,
}

#[derive(Debug)]
struct Elsewhere {
    heard: Instant,
    viewers: HashSet<Subject>,
}

impl Viewers {
    /// One more session of a viewer. Gives whether they are new to the topic.
    pub(super) fn enter(&mut self, subject: Subject, face: Bytes) -> bool {
        let is_new = !self.is_elsewhere(&subject);
        let here = self.here.entry(subject).or_insert(Here { sessions: 0, face });
        here.sessions += 1;
        let is_first = here.sessions == 1;
        self.is_changed |= is_first;
        if is_first && !is_new {
            self.strangers = self.strangers.saturating_sub(1);
        }
        is_new && is_first
    }

    /// One session less of a viewer. Gives their face when the topic has lost them.
    pub(super) fn leave(&mut self, subject: Subject) -> Option<Bytes> {
        let here = self.here.get_mut(&subject)?;
        here.sessions = here.sessions.saturating_sub(1);
        if here.sessions > 0 {
            return None;
        }
        let here = self.here.remove(&subject)?;
        self.is_changed = true;
        let is_elsewhere = self.is_elsewhere(&subject);
        self.strangers += usize::from(is_elsewhere);
        self.note_names();
        (!is_elsewhere).then_some(here.face)
    }

    /// Who watches on the pod `pod`, as it tells.
    pub(super) fn hear(&mut self, pod: u64, viewers: HashSet<Subject>, now: Instant) {
        if viewers.is_empty() {
            self.elsewhere.remove(&pod);
        } else {
            self.elsewhere.insert(pod, Elsewhere { heard: now, viewers });
        }
        self.strangers = self.count_strangers();
        self.note_names();
    }

    /// Whoever went to leave so few was told by name, with the count.
    fn note_names(&mut self) {
        if self.told > 0 && self.count() <= NAMED {
            self.told = 0;
        }
    }

    fn forget(&mut self, now: Instant) -> bool {
        let before = self.elsewhere.len();
        self.elsewhere.retain(|_, pod| now.saturating_duration_since(pod.heard) < FORGET_AFTER);
        let has_forgotten = self.elsewhere.len() != before;
        if has_forgotten {
            self.strangers = self.count_strangers();
        }
        has_forgotten
    }

    /// How many distinct ones there are.
    pub(super) fn count(&self) -> usize {
        self.here.len() + self.strangers
    }

    fn count_strangers(&self) -> usize {
        let elsewhere = self.elsewhere.values().flat_map(|pod| &pod.viewers);
        elsewhere.filter(|subject| !self.here.contains_key(subject)).collect::<HashSet<_>>().len()
    }

    /// Who watches here, if the other pods are to be told now: at once while they are few, else on the `beat` of a
    /// second, and again every ten seconds.
    pub(super) fn take_announcement(&mut self, is_beat: bool, now: Instant) -> Option<HashSet<Subject>> {
        let is_old = self.announced.is_some_and(|at| now.saturating_duration_since(at) >= TELL_EVERY);
        let is_due = match self.is_changed {
            true => is_beat || self.here.len() <= NAMED,
            false => is_old && !self.here.is_empty(),
        };
        is_due.then(|| {
            self.announced = Some(now);
            self.is_changed = false;
            self.here.keys().copied().collect()
        })
    }

    /// Lets the other pods be told again.
    pub(super) fn announce_again(&mut self) {
        self.is_changed |= !self.here.is_empty();
    }

    /// The count that local sessions have to be told once a second: while there are too many for names, or when some
    /// went without a word.
    pub(super) fn take_news(&mut self, now: Instant) -> Option<usize> {
        let has_forgotten = self.forget(now);
        let count = self.count();
        let is_news = has_forgotten || (count > NAMED && count != self.told);
        is_news.then(|| {
            self.told = count;
            count
        })
    }

    fn is_elsewhere(&self, subject: &Subject) -> bool {
        self.elsewhere.values().any(|pod| pod.viewers.contains(subject))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn subject(id: u128) -> Subject {
        Subject { kind: 0, id }
    }

    #[test]
    fn a_viewer_counts_once_however_many_sockets_and_pods() {
        let now = Instant::now();
        let mut viewers = Viewers::default();
        assert!(viewers.enter(subject(1), Bytes::new()));
        assert!(!viewers.enter(subject(1), Bytes::new()), "a second socket");
        viewers.hear(7, HashSet::from([subject(1), subject(2)]), now);
        viewers.hear(8, HashSet::from([subject(2), subject(3)]), now);
        assert_eq!(viewers.count(), 3);
        assert!(!viewers.enter(subject(2), Bytes::new()), "somebody from another pod");
        assert_eq!(viewers.leave(subject(1)), None);
        assert_eq!(viewers.leave(subject(1)), None, "still on pod 7");
        assert_eq!(viewers.count(), 3);
        viewers.hear(7, HashSet::new(), now);
        assert_eq!(viewers.count(), 2);
    }

    #[test]
    fn a_pod_that_is_silent_for_30_s_leaves_no_ghosts() {
        let now = Instant::now();
        let mut viewers = Viewers::default();
        viewers.hear(7, HashSet::from([subject(1)]), now);
        assert_eq!(viewers.take_news(now + Duration::from_secs(29)), None);
        assert_eq!(viewers.take_news(now + Duration::from_secs(30)), Some(0));
        assert_eq!(viewers.take_news(now + Duration::from_secs(31)), None);
    }

    #[test]
    fn above_50_the_count_is_told_once_a_second_if_it_is_another() {
        let now = Instant::now();
        let mut viewers = Viewers::default();
        for id in 0..50 {
            viewers.enter(subject(id), Bytes::new());
        }
        assert_eq!(viewers.take_news(now), None);
        viewers.enter(subject(50), Bytes::new());
        assert_eq!(viewers.take_news(now), Some(51));
        assert_eq!(viewers.take_news(now), None);
    }

    #[test]
    fn a_count_that_comes_back_above_50_is_told_again() {
        let now = Instant::now();
        let mut viewers = Viewers::default();
        for id in 0..51 {
            viewers.enter(subject(id), Bytes::new());
        }
        assert_eq!(viewers.take_news(now), Some(51));
        // Told by name: here, and by the other pod
        viewers.leave(subject(0));
        viewers.enter(subject(0), Bytes::new());
        assert_eq!(viewers.take_news(now), Some(51));
        viewers.leave(subject(0));
        viewers.hear(7, HashSet::from([subject(0)]), now);
        assert_eq!(viewers.take_news(now), Some(51));
        viewers.hear(7, HashSet::new(), now);
        viewers.hear(7, HashSet::from([subject(0)]), now);
        assert_eq!(viewers.take_news(now), Some(51));
        assert_eq!(viewers.take_news(now), None);
    }

    #[test]
    fn that_nobody_is_left_is_not_forgotten_when_all_is_told_again() {
        let now = Instant::now();
        let mut viewers = Viewers::default();
        viewers.enter(subject(1), Bytes::new());
        assert!(viewers.take_announcement(false, now).is_some());
        viewers.leave(subject(1));
        viewers.announce_again();
        assert_eq!(viewers.take_announcement(false, now), Some(HashSet::new()));
    }

    #[test]
    fn other_pods_are_told_of_changes_and_every_ten_seconds() {
        let now = Instant::now();
        let mut viewers = Viewers::default();
        assert_eq!(viewers.take_announcement(true, now), None, "nobody is here");
        viewers.enter(subject(1), Bytes::new());
        assert_eq!(viewers.take_announcement(false, now), Some(HashSet::from([subject(1)])));
        assert_eq!(viewers.take_announcement(true, now + Duration::from_secs(9)), None);
        let again = viewers.take_announcement(false, now + Duration::from_secs(10));
        assert_eq!(again, Some(HashSet::from([subject(1)])));
        viewers.leave(subject(1));
        assert_eq!(viewers.take_announcement(false, now), Some(HashSet::new()), "the last one is gone");
        for id in 0..51 {
            viewers.enter(subject(id), Bytes::new());
        }
        assert_eq!(viewers.take_announcement(false, now), None, "many wait for the beat");
        assert_eq!(viewers.take_announcement(true, now).map(|viewers| viewers.len()), Some(51));
    }

    proptest! {
        /// Whoever comes, goes and is told of, the count is that of distinct ones.
        #[test]
        fn the_count_is_that_of_distinct_viewers(steps in prop::collection::vec((0_u8..5, 0_u128..4, 0_u64..3), 1..60)) {
            let start = Instant::now();
            let mut viewers = Viewers::default();
            for (nth, (step, id, pod)) in (0_u32..).zip(steps) {
                let now = start + nth * (FORGET_AFTER / 8);
                match step {
                    0 => _ = viewers.enter(subject(id), Bytes::new()),
                    1 => _ = viewers.leave(subject(id)),
                    2 => viewers.hear(pod, HashSet::from([subject(id), subject(id / 2)]), now),
                    3 => viewers.hear(pod, HashSet::new(), now),
                    _ => _ = viewers.take_news(now),
                }
                let here = viewers.here.keys();
                let all: HashSet<_> = here.chain(viewers.elsewhere.values().flat_map(|pod| &pod.viewers)).collect();
                prop_assert_eq!(viewers.count(), all.len());
            }
        }
    }
}
