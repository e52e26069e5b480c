//! Who is in a room of a topic, here and on other pods.
//!
//! Pods tell each other who is in there; who came and who went, each finds by itself. So what is lost is found with the
//! next telling, and a pod that dies tells by its silence.
//!
//! *Invariant:* nothing is kept of a pod that has not been heard for [`FORGET_AFTER`]: a dead pod leaves no ghosts.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    protocol::Subject,
    signs::{Signs, Told},
};

/// How often a pod tells who is in there.
pub(super) const TELL_EVERY: Duration = Duration::from_secs(10);
/// How long a pod is believed that is not heard.
pub(super) const FORGET_AFTER: Duration = Duration::from_secs(30);
/// Up to how many are told by name.
pub(super) const NAMED: usize = 50;
/// How long answers to the question who is there may take: they tell how things stood.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

/// Those who are in on one pod, and their faces where they are few.
pub(super) type People = HashMap<Subject, Option<Bytes>>;

/// What local sessions are told of somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) subject: Subject,
    pub(super) face: Bytes,
    pub(super) what: What,
}

/// What has become of somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum What {
    /// They are new; with them there are so many.
    Came(usize),
    /// They are gone; without them there are so many.
    Went(usize),
    /// They show their sign, or no more.
    Shows(bool),
}

/// Who is in a room of a topic.
#[derive(Debug)]
pub(super) struct Crowd {
    begun: Instant,
    /// Everybody, each once.
    known: HashMap<Subject, Known>,
    /// How many sessions each has here.
    here: HashMap<Subject, usize>,
    elsewhere: HashMap<u64, Elsewhere>,
    signs: Signs,
    /// Whether somebody came or went of whom local sessions were told nothing.
    is_untold: bool,
    /// When the other pods were last told, whether that is not true any more, and whether they want to hear it again.
    announced: Option<Instant>,
    is_changed: bool,
    is_asked: bool,
}

#[derive(Debug)]
struct Known {
    /// On how many pods.
    pods: usize,
    face: Option<Bytes>,
}

#[derive(Debug)]
struct Elsewhere {
    heard: Instant,
    people: HashSet<Subject>,
}

impl Crowd {
    /// An empty one.
    pub(super) fn new(now: Instant) -> Self {
        Self {
            begun: now,
            known: HashMap::new(),
            here: HashMap::new(),
            elsewhere: HashMap::new(),
            signs: Signs::default(),
            is_untold: false,
            announced: None,
            is_changed: false,
            is_asked: false,
        }
    }

    /// One more session of somebody.
    pub(super) fn enter(&mut self, subject: Subject, face: Bytes) -> Vec<Change> {
        let sessions = self.here.entry(subject).or_default();
        *sessions += 1;
        if *sessions > 1 {
            return Vec::new();
        }
        self.is_changed = true;
        self.add(subject, Some(face)).into_iter().collect()
    }

    /// One session less of somebody.
    pub(super) fn leave(&mut self, subject: Subject) -> Vec<Change> {
        let Some(sessions) = self.here.get_mut(&subject) else { return Vec::new() };
        *sessions = sessions.saturating_sub(1);
        if *sessions > 0 {
            return Vec::new();
        }
        self.here.remove(&subject);
        self.is_changed = true;
        self.remove(subject)
    }

    /// Who is in on the pod `pod`, as it tells because of a change (`is_news`) or once more.
    pub(super) fn hear(&mut self, pod: u64, people: People, is_news: bool, now: Instant) -> Vec<Change> {
        let before = self.elsewhere.remove(&pod);
        let is_young = now.saturating_duration_since(self.begun) < ANSWERED_WITHIN;
        let how_it_stood = before.is_none() && !is_news && is_young;
        let before = before.map(|pod| pod.people).unwrap_or_default();
        let after: HashSet<Subject> = people.keys().copied().collect();
        let mut changes = Vec::new();
        for (subject, face) in people {
            if !before.contains(&subject) {
                changes.extend(self.add(subject, face));
            } else if let Some(known) = self.known.get_mut(&subject) {
                known.face = face.or(known.face.take());
            }
        }
        if how_it_stood {
            self.is_untold |= !changes.is_empty();
            changes.clear();
        }
        for subject in before.difference(&after) {
            changes.extend(self.remove(*subject));
        }
        if !after.is_empty() {
            self.elsewhere.insert(pod, Elsewhere { heard: now, people: after });
        }
        changes
    }

    /// Somebody here shows their sign, or no more; `None` where nobody is to be told.
    pub(super) fn show(&mut self, subject: Subject, is_on: bool, now: Instant) -> Option<Change> {
        let face = self.known.get(&subject)?.face.clone()?;
        let told = self.signs.set(subject, is_on, now)?;
        Some(Change { subject, face, what: What::Shows(told.is_on) })
    }

    /// Somebody on another pod shows their sign, or no more.
    pub(super) fn hear_sign(
        &mut self,
        subject: Subject,
        face: Bytes,
        is_on: bool,
        now: Instant,
    ) -> Option<Change> {
        let known = self.known.get_mut(&subject)?;
        known.face = Some(face);
        self.show(subject, is_on, now)
    }

    /// Once a second: who is gone with their pod, and whose sign has ended. Then the count, if somebody came or went
    /// without a word.
    pub(super) fn beat(&mut self, now: Instant) -> (Vec<Change>, Option<usize>) {
        let is_silent = |pod: &Elsewhere| now.saturating_duration_since(pod.heard) >= FORGET_AFTER;
        let silent: Vec<Elsewhere> =
            self.elsewhere.extract_if(|_, pod| is_silent(pod)).map(|(_, p)| p).collect();
        let mut changes = Vec::new();
        for subject in silent.into_iter().flat_map(|pod| pod.people) {
            changes.extend(self.remove(subject));
        }
        for Told { subject, is_on } in self.signs.tick(now) {
            let face = self.known.get(&subject).and_then(|known| known.face.clone());
            changes.extend(face.map(|face| Change { subject, face, what: What::Shows(is_on) }));
        }
        let count = std::mem::take(&mut self.is_untold).then(|| self.count());
        (changes, count)
    }

    /// How many distinct ones there are.
    pub(super) fn count(&self) -> usize {
        self.known.len()
    }

    /// Whether somebody has sessions here.
    pub(super) fn is_here(&self, subject: &Subject) -> bool {
        self.here.contains_key(subject)
    }

    /// Who is in here, if the other pods are to be told now, and whether that is news: at once while they are few, else
    /// on the `beat` of a second, and again every ten seconds.
    pub(super) fn take_announcement(&mut self, is_beat: bool, now: Instant) -> Option<(People, bool)> {
        let is_old = self.announced.is_some_and(|at| now.saturating_duration_since(at) >= TELL_EVERY);
        let is_due = match self.is_changed || self.is_asked {
            true => is_beat || self.here.len() <= NAMED,
            false => is_old && !self.here.is_empty(),
        };
        let are_few = self.count() <= NAMED;
        is_due.then(|| {
            self.announced = Some(now);
            self.is_asked = false;
            let face =
                |subject| self.known.get(subject).filter(|_| are_few).and_then(|known| known.face.clone());
            let people = self.here.keys().map(|subject| (*subject, face(subject))).collect();
            (people, std::mem::take(&mut self.is_changed))
        })
    }

    /// Lets the other pods be told again.
    pub(super) fn announce_again(&mut self) {
        self.is_asked |= !self.here.is_empty();
    }

    /// One pod more that somebody is in on.
    fn add(&mut self, subject: Subject, face: Option<Bytes>) -> Option<Change> {
        let known = self.known.entry(subject).or_insert(Known { pods: 0, face: None });
        known.pods += 1;
        known.face = face.or(known.face.take());
        let (is_new, face) = (known.pods == 1, known.face.clone());
        is_new.then(|| self.name(subject, face, What::Came)).flatten()
    }

    /// One pod less that somebody is in on.
    fn remove(&mut self, subject: Subject) -> Vec<Change> {
        let Some(known) = self.known.get_mut(&subject) else { return Vec::new() };
        known.pods = known.pods.saturating_sub(1);
        if known.pods > 0 {
            return Vec::new();
        }
        let face = self.known.remove(&subject).and_then(|known| known.face);
        let showed = face.clone().filter(|_| self.signs.end(&subject));
        let sign = showed.map(|face| Change { subject, face, what: What::Shows(false) });
        sign.into_iter().chain(self.name(subject, face, What::Went)).collect()
    }

    /// What is told of somebody who came or went: nothing where there are too many for names, or the name is not known.
    fn name(&mut self, subject: Subject, face: Option<Bytes>, what: fn(usize) -> What) -> Option<Change> {
        let count = self.count();
        let face = face.filter(|_| count <= NAMED);
        self.is_untold |= face.is_none();
        face.map(|face| Change { subject, face, what: what(count) })
    }
}

#[cfg(test)]
mod tests;
