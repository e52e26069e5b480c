//! Parties: made, found, edited.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::{
    announce::{Announce, Wake},
    codes::{self, Codes},
    door::{self, Inside, user},
    error::{Conflict, Error},
    links::Links,
    once::{Answer, Ticket, once},
    seal::Seal,
    tasks::Task,
};
use crate::{
    db::{
        Connection, Database, attendances, events,
        parties::{self, NewParty, Place, Shown},
    },
    domain::{
        access::Act,
        attendance::Attendee,
        caller::Caller,
        event::EventKind,
        fields::Fields,
        moment::Exact,
        party::{
            Edit, Party, Plan, Status,
            filter::{Filter, HostFilter},
            news,
        },
    },
    view::{Invitation, One, PartyView},
};

pub use crate::db::parties::Found;

/// What can be done with parties.
pub struct Parties {
    pub(super) database: Database,
    pub(super) codes: Arc<Codes>,
    pub(super) answers: Arc<Seal>,
    pub(super) announce: Arc<dyn Announce>,
    pub(super) wake: Arc<dyn Wake>,
    pub(super) links: Arc<Links>,
}

/// A party for the eyes of one caller.
#[derive(Clone, Debug)]
pub struct Seen {
    inside: Inside,
    is_known: bool,
    invitation: Option<Invitation>,
    links: Arc<Links>,
}

impl Seen {
    /// Raised with every change of what can be edited.
    pub fn revision(&self) -> i32 {
        self.inside.party.revision
    }

    /// How others join it, for its hosts.
    pub fn invitation(&self) -> Option<&Invitation> {
        self.invitation.as_ref()
    }

    /// What they see.
    pub fn view(&self) -> PartyView<'_> {
        let view = PartyView::new(&self.inside.party, &*self.links).inviting(self.invitation.as_ref());
        if self.is_known { view.seen_from(self.inside.attendance, self.inside.is_favorite) } else { view }
    }
}

impl Parties {
    /// Out of its parts; `answers` seals what may be answered again.
    pub fn new(
        database: Database,
        codes: Arc<Codes>,
        answers: Arc<Seal>,
        announce: Arc<dyn Announce>,
        wake: Arc<dyn Wake>,
        links: Arc<Links>,
    ) -> Self {
        Self { database, codes, answers, announce, wake, links }
    }

    /// Makes a party of `fields`, with the caller as its host, once for each `ticket`.
    ///
    /// # Errors
    ///
    /// Users only; [`Error::Invalid`].
    pub async fn create(
        &self,
        caller: Caller,
        fields: Fields,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
        let host = user(caller)?;
        let (plan, status) = Plan::read(fields)?;
        let answer = self
            .database
            .transaction(async |connection| {
                once(connection, &self.answers, ticket, async |connection| {
                    let id = Uuid::now_v7();
                    let code = plan.is_private.then(|| self.codes.draw(id)).transpose()?;
                    let new = NewParty { id, host, plan: &plan, status, code: code.as_ref() };
                    parties::insert(connection, &new).await.map_err(codes::refused)?;
                    attendances::add_host(connection, id, host).await?;
                    for cause in news(id, plan.is_private, None, status, Some(host)) {
                        Task::tell(cause).leave(connection).await?;
                    }
                    let seen = self.look(connection, id, caller).await?;
                    Answer::created(format!("/api/v1/parties/{id}"), &One::Party(&seen.view()))
                })
                .await
            })
            .await?;
        self.wake.wake();
        Ok(answer)
    }

    /// The party, as the caller sees it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for what they may not know of.
    pub async fn find(&self, caller: Caller, id: Uuid) -> Result<Seen, Error> {
        self.database.run(async |connection| self.look(connection, id, caller).await).await
    }

    /// A page of the parties that `filter` asks for, and where the next one begins.
    ///
    /// # Errors
    ///
    /// One's own are for users only.
    pub async fn list(
        &self,
        caller: Caller,
        filter: &Filter,
        after: Option<Place>,
        limit: i64,
    ) -> Result<(Vec<Found>, Option<Place>), Error> {
        let shown = match filter.host {
            None => Shown::Public(None),
            Some(HostFilter::Me) => Shown::Own(user(caller)?),
            Some(HostFilter::Of(host)) if caller.user() == Some(host) => Shown::Own(host),
            Some(HostFilter::Of(host)) => Shown::Public(Some(host)),
        };
        let viewer = caller.person();
        self.database
            .run(async |connection| {
                let found = parties::list(connection, shown, filter, viewer, after, limit + 1).await?;
                Ok(cut(found, limit, |found| place(&found.party)))
            })
            .await
    }

    /// A page of the public parties that are LIVE, the fullest first, and where the next one begins.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn live(
        &self,
        caller: Caller,
        after: Option<(i32, Uuid)>,
        limit: i64,
    ) -> Result<(Vec<Found>, Option<(i32, Uuid)>), Error> {
        let viewer = caller.person();
        self.database
            .run(async |connection| {
                let found = parties::live(connection, viewer, after, limit + 1).await?;
                Ok(cut(found, limit, |found| (found.party.attendees_count, found.party.id)))
            })
            .await
    }

    /// Edits the party by `fields`. With `expected`, only while its revision is one of them.
    ///
    /// # Errors
    ///
    /// Hosts and cohosts only; [`Error::Precondition`], [`Error::Invalid`], [`Error::Conflict`] for fewer seats than are
    /// taken.
    pub async fn edit(
        &self,
        caller: Caller,
        id: Uuid,
        fields: Fields,
        expected: Option<&[i32]>,
    ) -> Result<Seen, Error> {
        let seen = self
            .database
            .transaction(async |connection| {
                let Inside { party: before, .. } =
                    door::enter_alone(connection, id, caller, Act::Steer).await?;
                if expected.is_some_and(|revisions| !revisions.contains(&before.revision)) {
                    return Err(Error::Precondition);
                }
                let plan = Edit::read(fields)?.apply(&before.plan)?;
                if plan == before.plan {
                    return Ok((self.look(connection, id, caller).await?, false));
                }
                let is_lowered = plan.max_attendees != before.plan.max_attendees;
                if is_lowered && plan.max_attendees.is_some_and(|most| most < before.attendees_count) {
                    return Err(Error::Conflict(Conflict::Other("maxAttendees is below attendeesCount")));
                }
                let turns_private = plan.is_private && !before.plan.is_private;
                let code = turns_private.then(|| self.codes.draw(id)).transpose()?;
                parties::update(connection, id, &plan, code.as_ref()).await.map_err(codes::refused)?;
                events::append(connection, id, EventKind::PartyUpdated, None, &json!({})).await?;
                Ok((self.look(connection, id, caller).await?, true))
            })
            .await?;
        Ok(self.told(seen))
    }

    /// A page of the people in the party, and where the next one begins.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a party that the caller may not know of.
    pub async fn attendees(
        &self,
        caller: Caller,
        id: Uuid,
        after: Option<(Exact, Uuid)>,
        limit: i64,
    ) -> Result<(Vec<Attendee>, Option<(Exact, Uuid)>), Error> {
        self.database
            .run(async |connection| {
                door::enter(connection, id, caller, Act::Read).await?;
                let found = attendances::page(connection, id, after, limit + 1).await?;
                Ok(cut(found, limit, |attendee| (Exact(attendee.joined_at), attendee.person.id)))
            })
            .await
    }

    pub(super) async fn look(
        &self,
        connection: &mut Connection,
        id: Uuid,
        caller: Caller,
    ) -> Result<Seen, Error> {
        let inside = door::enter(connection, id, caller, Act::Read).await?;
        let invitation = inside
            .standing
            .is_hosting()
            .then(|| Invitation::new(self.codes.of(&inside.party).as_ref(), self.links.public_url()));
        let links = Arc::clone(&self.links);
        Ok(Seen { inside, is_known: caller.is_known(), invitation, links })
    }

    /// After the commit: tells the screens and the worker, if something was logged.
    pub(super) fn told(&self, (seen, is_logged): (Seen, bool)) -> Seen {
        if is_logged {
            self.wake.wake();
            self.announce.announce(seen.inside.party.id, seen.inside.party.seq);
        }
        seen
    }
}

impl std::fmt::Debug for Parties {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parties").finish_non_exhaustive()
    }
}

fn place(party: &Party) -> Place {
    let is_later = party.status != Status::Live;
    (is_later, Exact(party.plan.starts_at), party.id)
}

/// `limit` of `found`, which has one more where there is more, and the key of the last.
pub(super) fn cut<T, K>(mut found: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> (Vec<T>, Option<K>) {
    let limit = usize::try_from(limit).unwrap_or_default();
    let has_more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| has_more).map(key);
    (found, next)
}
