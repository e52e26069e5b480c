//! Who is in the rooms of a topic: a crowd for each.

use std::{collections::BTreeMap, time::Instant};

use bytes::Bytes;

use super::{
    crowd::{Change, Crowd, People},
    protocol::Subject,
};

/// What has become of people, each in a room.
pub(super) type Changes = Vec<(u8, Change)>;

/// Who is in the rooms of a topic.
#[derive(Debug, Default)]
pub(super) struct Crowds(BTreeMap<u8, Crowd>);

impl Crowds {
    /// How many distinct ones are in a room.
    pub(super) fn count(&self, room: u8) -> usize {
        self.0.get(&room).map_or(0, Crowd::count)
    }

    /// Whether somebody has sessions of this pod in a room.
    pub(super) fn is_here(&self, room: u8, subject: &Subject) -> bool {
        self.0.get(&room).is_some_and(|crowd| crowd.is_here(subject))
    }

    /// One more session of somebody in a room.
    pub(super) fn enter(&mut self, room: u8, subject: Subject, face: Bytes, now: Instant) -> Changes {
        in_room(room, self.crowd(room, now).enter(subject, face))
    }

    /// One session less of somebody in a room.
    pub(super) fn leave(&mut self, room: u8, subject: Subject) -> Changes {
        in_room(room, self.0.get_mut(&room).map(|crowd| crowd.leave(subject)).unwrap_or_default())
    }

    /// Who is in a room on the pod `pod`, as it tells because of a change (`is_news`) or once more.
    pub(super) fn hear(
        &mut self,
        room: u8,
        pod: u64,
        people: People,
        is_news: bool,
        now: Instant,
    ) -> Changes {
        in_room(room, self.crowd(room, now).hear(pod, people, is_news, now))
    }

    /// Nobody is in any room on the pod `pod`.
    pub(super) fn hear_nobody(&mut self, pod: u64, now: Instant) -> Changes {
        let gone =
            |(room, crowd): (&u8, &mut Crowd)| in_room(*room, crowd.hear(pod, People::new(), true, now));
        self.0.iter_mut().flat_map(gone).collect()
    }

    /// Somebody who is in a room here shows their sign, or no more.
    pub(super) fn show(&mut self, room: u8, subject: Subject, is_on: bool, now: Instant) -> Changes {
        let change = self.0.get_mut(&room).and_then(|crowd| crowd.show(subject, is_on, now));
        in_room(room, change)
    }

    /// Somebody who is in a room on another pod shows their sign, or no more.
    pub(super) fn hear_sign(
        &mut self,
        room: u8,
        subject: Subject,
        face: Bytes,
        is_on: bool,
        now: Instant,
    ) -> Changes {
        let change = self.0.get_mut(&room).and_then(|crowd| crowd.hear_sign(subject, face, is_on, now));
        in_room(room, change)
    }

    /// Once a second: what time changes in each room, and the counts that are to be told.
    pub(super) fn beat(&mut self, now: Instant) -> (Changes, Vec<(u8, usize)>) {
        let (mut changes, mut counts) = (Changes::new(), Vec::new());
        for (room, crowd) in &mut self.0 {
            let (changed, count) = crowd.beat(now);
            changes.extend(in_room(*room, changed));
            counts.extend(count.map(|count| (*room, count)));
        }
        (changes, counts)
    }

    /// Who is in here, room by room, where the other pods are to be told now, and whether that is news.
    pub(super) fn take_announcements(&mut self, is_beat: bool, now: Instant) -> Vec<(u8, People, bool)> {
        let announced = |(room, crowd): (&u8, &mut Crowd)| {
            let (people, is_news) = crowd.take_announcement(is_beat, now)?;
            Some((*room, people, is_news))
        };
        self.0.iter_mut().filter_map(announced).collect()
    }

    /// Lets the other pods be told again.
    pub(super) fn announce_again(&mut self) {
        self.0.values_mut().for_each(Crowd::announce_again);
    }

    fn crowd(&mut self, room: u8, now: Instant) -> &mut Crowd {
        self.0.entry(room).or_insert_with(|| Crowd::new(now))
    }
}

fn in_room(room: u8, changes: impl IntoIterator<Item = Change>) -> Changes {
    changes.into_iter().map(|change| (room, change)).collect()
}
