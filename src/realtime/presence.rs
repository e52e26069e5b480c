//! Who has sessions on this pod, and what is told of people's being there.

use std::{collections::HashMap, sync::Arc, time::Instant};

use party_gallery_actors::realtime::{Entry, Frame, Registry};
use serde::Serialize;
use uuid::Uuid;

use super::{
    codec_json::{Event, announce},
    principal::person_of,
};
use crate::domain::moment::Moment;

/// Whether somebody is there, as clients are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Who.
    pub user_id: Uuid,
    /// Whether they have sessions on any pod.
    pub is_online: bool,
    /// The contract's word for how they are there.
    pub status: &'static str,
    /// When they were there last, as far as that is known.
    pub last_seen: Option<Moment>,
}

impl Seen {
    /// The event that tells of it.
    pub fn update(&self) -> Frame {
        announce(&Event { event: "presence:update", data: self })
    }
}

/// The people who have sessions on this pod, at one moment.
#[derive(Debug, Default)]
pub struct Gathering(HashMap<Uuid, Vec<Arc<Entry>>>);

impl Gathering {
    /// Those in that registry now.
    pub fn of(registry: &Registry) -> Self {
        let mut people: HashMap<Uuid, Vec<Arc<Entry>>> = HashMap::new();
        for entry in registry.entries() {
            let person = entry.identity().and_then(|identity| person_of(identity.subject));
            if let Some(person) = person.filter(|_| entry.outbox().closing().is_none()) {
                people.entry(person).or_default().push(entry);
            }
        }
        Self(people)
    }

    /// Who they are.
    pub fn people(&self) -> impl Iterator<Item = Uuid> {
        self.0.keys().copied()
    }

    /// Says something to all sessions of one of them.
    pub fn tell(&self, person: Uuid, frame: &Frame, now: Instant) {
        for entry in self.0.get(&person).into_iter().flatten() {
            // Full: it is being closed for that already
            _ = entry.offer(frame, now);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn the_words_for_who_is_there() {
        let (user_id, last_seen) = (Uuid::from_u128(7), Some(Moment(jiff::Timestamp::UNIX_EPOCH)));
        let seen = Seen { user_id, is_online: false, status: "offline", last_seen };
        let told: Value = serde_json::from_slice(seen.update().bytes()).unwrap();
        let data = json!({ "userId": user_id, "isOnline": false, "status": "offline",
            "lastSeen": "1970-01-01T00:00:00.000Z" });
        assert_eq!(told, json!({ "event": "presence:update", "data": data }));
    }
}
