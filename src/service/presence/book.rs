//! Who is there on which pod, as far as this pod knows, and of whom something is to be told.
//!
//! *Invariant:* a person is there while they have sessions on any pod, and a few seconds longer: one who comes right back
//! was never away.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::{
    cache::{Pod, Word},
    domain::presence::{Said, Status},
};

/// How long somebody may be away without a word of it.
pub(super) const FLAP: Duration = Duration::from_secs(5);
/// How long the key of a pod may be missing until the pod is taken for dead: one that was lost is written again sooner.
pub(super) const MISSING: Duration = Duration::from_secs(3);
/// How long ago a pod that is taken for dead was alive, about.
const DEAD_FOR: i64 = 25_000;
/// How many are remembered who are away.
const REMEMBERED: usize = 10_000;
/// Of how many people other pods have yet to be told at most. Of more they hear when they read this pod whole again.
const WORDS: usize = 10_000;

/// Who is there.
#[derive(Debug, Default)]
pub(super) struct Book {
    here: HashMap<Uuid, Said>,
    elsewhere: HashMap<Pod, Elsewhere>,
    people: HashMap<Uuid, Person>,
    /// When those were seen last who are away, in milliseconds since 1970.
    left: HashMap<Uuid, i64>,
    /// What other pods have yet to be told.
    words: HashMap<Uuid, Option<Said>>,
}

#[derive(Debug, Default)]
struct Elsewhere {
    people: HashMap<Uuid, Said>,
    /// Whether all of it was read.
    is_whole: bool,
    missing_since: Option<Instant>,
}

#[derive(Debug)]
struct Person {
    /// On how many pods.
    pods: usize,
    said: Said,
    /// Since when they are on none, and the same in milliseconds since 1970.
    left: Option<(Instant, i64)>,
    /// What was told of them last.
    told: Option<Status>,
    /// Since when that is not how they are, as far as anybody has looked.
    news_since: Option<Instant>,
}

impl Person {
    /// How they are seen.
    fn status(&self, now: Instant) -> Option<Status> {
        let is_gone = self.left.is_some_and(|(at, _)| now.saturating_duration_since(at) >= FLAP);
        (!is_gone).then_some(self.said.status)
    }
}

/// Somebody of whom something is to be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) person: Uuid,
    pub(super) status: Option<Status>,
    /// When they were seen last, where they are not there.
    pub(super) left: Option<i64>,
}

/// Now, by both clocks.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    pub(super) instant: Instant,
    pub(super) millis: i64,
}

impl Book {
    /// Who has sessions here now. Gives who has none any more.
    pub(super) fn meet(&mut self, here: &HashSet<Uuid>, now: Now) -> Vec<Uuid> {
        let gone: Vec<Uuid> = self.here.keys().filter(|id| !here.contains(id)).copied().collect();
        for id in &gone {
            self.here.remove(id);
            self.leave_word(*id, None);
            self.less(*id, (now.instant, now.millis));
        }
        for id in here {
            if !self.here.contains_key(id) {
                let said = self.people.get(id).map_or(Said::NOTHING, |person| person.said);
                self.come(*id, said);
            }
        }
        gone
    }

    /// Somebody with a session here says how they want to be seen.
    pub(super) fn say(&mut self, id: Uuid, status: Status, now: Now) {
        // What is said last counts, whatever the clocks say
        let before = self.people.get(&id).map_or(0, |person| person.said.at);
        self.come(id, Said { status, at: now.millis.max(before + 1) });
    }

    fn come(&mut self, id: Uuid, said: Said) {
        self.leave_word(id, Some(said));
        match self.here.insert(id, said) {
            None => self.more(id, said),
            Some(_) => self.hear_said(id, said),
        }
    }

    /// What a pod tells of its people.
    pub(super) fn hear(&mut self, pod: Pod, words: Vec<Word>, now: Now) {
        for (id, said) in words {
            let people = &mut self.elsewhere.entry(pod).or_default().people;
            match said {
                Some(said) => match people.insert(id, said) {
                    None => self.more(id, said),
                    Some(_) => self.hear_said(id, said),
                },
                None if people.remove(&id).is_some() => self.less(id, (now.instant, now.millis)),
                None => {}
            }
        }
    }

    /// All people of a pod. Of who was there before this pod has heard of any (`is_first`) nothing is told.
    pub(super) fn hear_all(&mut self, pod: Pod, people: &HashMap<Uuid, Said>, is_first: bool, now: Now) {
        let known = self.elsewhere.entry(pod).or_default();
        known.is_whole = true;
        let gone = known.people.keys().filter(|id| !people.contains_key(id)).map(|id| (*id, None));
        let words: Vec<Word> = gone.chain(people.iter().map(|(id, said)| (*id, Some(*said)))).collect();
        let new: Vec<Uuid> = people.keys().filter(|id| !self.people.contains_key(id)).copied().collect();
        self.hear(pod, words, now);
        for id in new.into_iter().filter(|_| is_first) {
            if let Some(person) = self.people.get_mut(&id) {
                person.told = person.status(now.instant);
            }
        }
    }

    /// Which of these pods' keys are there; those whose pods are dead take their people along.
    pub(super) fn look(&mut self, is_there: &HashMap<Pod, bool>, now: Now) {
        let mut dead = Vec::new();
        for (pod, known) in &mut self.elsewhere {
            match is_there.get(pod) {
                Some(false) => {
                    let since = *known.missing_since.get_or_insert(now.instant);
                    if now.instant.saturating_duration_since(since) >= MISSING {
                        dead.push(*pod);
                    }
                }
                Some(true) | None => known.missing_since = None,
            }
        }
        let long_ago = now.instant.checked_sub(FLAP).unwrap_or(now.instant);
        for pod in dead {
            for id in self.elsewhere.remove(&pod).into_iter().flat_map(|pod| pod.people.into_keys()) {
                self.less(id, (long_ago, now.millis - DEAD_FOR));
            }
        }
    }

    /// Redis is away: nobody can tell a dead pod from one that is not heard.
    pub(super) fn pardon(&mut self) {
        for pod in self.elsewhere.values_mut() {
            pod.missing_since = None;
        }
    }

    /// What was heard of other pods may have holes: all of it is to be read again.
    pub(super) fn doubt(&mut self) {
        for pod in self.elsewhere.values_mut() {
            pod.is_whole = false;
        }
    }

    /// The pods that are known.
    pub(super) fn pods(&self) -> Vec<Pod> {
        self.elsewhere.keys().copied().collect()
    }

    /// Whether a pod's people were read.
    pub(super) fn is_whole(&self, pod: Pod) -> bool {
        self.elsewhere.get(&pod).is_some_and(|known| known.is_whole)
    }

    /// What other pods have yet to be told.
    pub(super) fn words(&self) -> Vec<Word> {
        self.words.iter().map(|(id, said)| (*id, *said)).collect()
    }

    /// They were told that; what has changed meanwhile, they were not.
    pub(super) fn note_sent(&mut self, words: &[Word]) {
        for (id, said) in words {
            if self.words.get(id) == Some(said) {
                self.words.remove(id);
            }
        }
    }

    /// Everybody here, for who has heard nothing.
    pub(super) fn all_here(&self) -> Vec<(Uuid, Said)> {
        self.here.iter().map(|(id, said)| (*id, *said)).collect()
    }

    /// Those of whom something is to be told, at most `limit`: who has waited longest goes first.
    pub(super) fn news(&mut self, now: Instant, limit: usize) -> Vec<News> {
        let mut news = Vec::new();
        for (id, known) in &mut self.people {
            let status = known.status(now);
            if status == known.told {
                known.news_since = None;
            } else {
                let left = known.left.filter(|_| status.is_none()).map(|(_, at)| at);
                let since = *known.news_since.get_or_insert(now);
                news.push((since, News { person: *id, status, left }));
            }
        }
        news.sort_unstable_by_key(|(since, news)| (*since, news.person));
        news.into_iter().take(limit).map(|(_, news)| news).collect()
    }

    /// Those were told. Who is away is only remembered from now on.
    pub(super) fn note_told(&mut self, told: &[News], now: Instant) {
        for News { person: id, status, .. } in told {
            let Some(person) = self.people.get_mut(id) else { continue };
            person.told = *status;
            person.news_since = None;
        }
        self.clear(now);
    }

    /// Forgets who is away and of whom nothing is to be told.
    pub(super) fn clear(&mut self, now: Instant) {
        let gone = self.people.extract_if(|_, person| person.told.is_none() && person.status(now).is_none());
        let gone: Vec<_> = gone.filter_map(|(id, person)| Some((id, person.left?.1))).collect();
        if self.left.len() + gone.len() > REMEMBERED {
            self.left.clear();
        }
        self.left.extend(gone.into_iter().take(REMEMBERED));
    }

    /// How somebody is seen.
    pub(super) fn status(&self, id: Uuid, now: Instant) -> Option<Status> {
        self.people.get(&id).and_then(|person| person.status(now))
    }

    /// When somebody was seen last who is away, as far as this pod remembers.
    pub(super) fn left(&self, id: Uuid) -> Option<i64> {
        let known = self.people.get(&id).and_then(|person| person.left).map(|(_, at)| at);
        known.or_else(|| self.left.get(&id).copied())
    }

    /// Everybody with sessions here.
    pub(super) fn here(&self) -> Vec<Uuid> {
        self.here.keys().copied().collect()
    }

    fn more(&mut self, id: Uuid, said: Said) {
        self.left.remove(&id);
        let person = self.people.entry(id).or_insert(Person {
            pods: 0,
            said,
            left: None,
            told: None,
            news_since: None,
        });
        person.pods += 1;
        person.left = None;
        self.hear_said(id, said);
    }

    fn less(&mut self, id: Uuid, left: (Instant, i64)) {
        let Some(person) = self.people.get_mut(&id) else { return };
        person.pods = person.pods.saturating_sub(1);
        if person.pods == 0 {
            person.left = Some(left);
        }
    }

    /// What is said last counts, also for sessions of the same person here.
    fn hear_said(&mut self, id: Uuid, said: Said) {
        let Some(person) = self.people.get_mut(&id) else { return };
        person.said = person.said.or_later(said);
        let said = person.said;
        if let Some(here) = self.here.get_mut(&id).filter(|here| here.at < said.at) {
            *here = said;
            self.leave_word(id, Some(said));
        }
    }

    fn leave_word(&mut self, id: Uuid, said: Option<Said>) {
        if self.words.len() >= WORDS && !self.words.contains_key(&id) {
            self.words.clear();
        }
        self.words.insert(id, said);
    }
}

#[cfg(test)]
mod tests;
