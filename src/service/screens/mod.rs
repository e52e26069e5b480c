//! A party's log as screens get it: a page of events is read, what it tells of is loaded, and each event is put into
//! words once for all who get it.
//!
//! *Invariant:* an event shows what a plain attendee may see, at the moment when it is sent; what was removed
//! meanwhile is told as removed.

mod revocation;
mod rooms;
mod subjects;
mod telling;

use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use slog::Logger;
use uuid::Uuid;

use self::{subjects::Subjects, telling::Telling};
use super::{
    batch::Batch, chat::Chat, links::Links, notifications::Notifications, presence::Presences,
    recoveries::Kept,
};
use crate::{
    db::{Connection, Database, DatabaseError, entrances::Entrance, events, parties::Found},
    domain::{
        access::{Act, Openness, Standing},
        caller::Caller,
    },
    realtime::{Credential, Heads, Log, Logged, Place, Topic, Unreadable, party, topic},
};

/// A caller, and the party whose door they stand at.
type Door = (Option<Uuid>, Uuid);

/// What screens ask of the service: a party's log, and who is let into its rooms.
#[derive(Clone)]
pub struct Screens {
    database: Database,
    links: Arc<Links>,
    chat: Chat,
    presences: Arc<Presences>,
    notifications: Notifications,
    recoveries: Arc<Kept>,
    /// Who stands at which door, and whose sessions are over: when many come at once, many are looked up at once.
    doors: Batch<Door, Option<Entrance>>,
    known: Batch<Credential, bool>,
    log: Logger,
}

impl Screens {
    /// Puts it together.
    pub fn new(
        database: Database,
        links: Arc<Links>,
        chat: Chat,
        presences: Arc<Presences>,
        recoveries: Kept,
        log: Logger,
    ) -> Self {
        let notifications = Notifications::new(database.clone());
        let (doors, known) = (Batch::new(), Batch::new());
        let recoveries = Arc::new(recoveries);
        Self { database, links, chat, presences, notifications, recoveries, doors, known, log }
    }

    async fn read(&self, party: Uuid, after: i64, limit: i64) -> Result<Vec<Logged>, DatabaseError> {
        self.database
            .run(async |connection: &mut Connection| {
                let (events, found) = events::page(connection, party, after, limit).await?;
                let Some(Found { party, .. }) = found.filter(|_| !events.is_empty()) else {
                    return Ok(Vec::new());
                };
                // Loaded after the events: never older than what they tell
                let subjects = &Subjects::load(connection, party, &events).await?;
                let told =
                    events.iter().map(|event| Telling { event, subjects, links: &self.links }.logged());
                Ok(told.collect())
            })
            .await
    }
}

impl Log for Screens {
    fn page(&self, topic: Topic, after: i64, limit: usize) -> BoxFuture<'_, Result<Vec<Logged>, Unreadable>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        async move { self.read(party(topic), after, limit).await.map_err(unreadable) }.boxed()
    }

    fn heads<'a>(&'a self, topics: &'a [Topic]) -> BoxFuture<'a, Result<Heads, Unreadable>> {
        let parties: Vec<Uuid> = topics.iter().map(|topic| party(*topic)).collect();
        async move {
            let heads = self
                .database
                .run(async |connection: &mut Connection| events::heads(connection, &parties).await);
            let (epoch, last) = heads.await.map_err(unreadable)?;
            let last = last.into_iter().map(|(party, seq)| (topic(party), seq)).collect();
            Ok(Heads { epoch: epoch.as_u128(), last })
        }
        .boxed()
    }
}

/// What somebody with that standing is to a party; `None`: they may not read it.
fn place(standing: Standing, openness: Openness) -> Option<Place> {
    // Reading asks nobody for a token
    let may_read = |openness| standing.may(Act::Read, openness, Caller::Anonymous).is_ok();
    if !may_read(openness) {
        None
    } else if standing.is_attendee() {
        Some(Place::Attendee)
    } else if may_read(Openness { is_private: true, ..openness }) {
        Some(Place::Member)
    } else {
        Some(Place::Onlooker)
    }
}

fn unreadable(error: DatabaseError) -> Unreadable {
    Unreadable(error.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_standing_is_to_a_party() {
        let openness = |is_private, is_draft| Openness { is_private, is_draft };
        for (standing, private, public, draft) in [
            (Standing::Host, Some(Place::Attendee), Some(Place::Attendee), Some(Place::Attendee)),
            (Standing::Cohost, Some(Place::Attendee), Some(Place::Attendee), Some(Place::Attendee)),
            (Standing::Going, Some(Place::Attendee), Some(Place::Attendee), None),
            (Standing::Guest, Some(Place::Attendee), Some(Place::Attendee), None),
            (Standing::Maybe, Some(Place::Member), Some(Place::Member), None),
            (Standing::Away, None, Some(Place::Onlooker), None),
            (Standing::Banned, None, Some(Place::Onlooker), None),
            (Standing::Stranger, None, Some(Place::Onlooker), None),
        ] {
            assert_eq!(place(standing, openness(true, false)), private, "{standing:?} of a private party");
            assert_eq!(place(standing, openness(false, false)), public, "{standing:?} of a public party");
            assert_eq!(place(standing, openness(false, true)), draft, "{standing:?} of a draft");
        }
    }
}
