//! Joining a party by its code, with an account or without one.
//!
//! *Invariant:* who joins holds the party's row until the commit: seats are counted by one at a time. A guest's tokens are
//! drawn for each answer and kept nowhere.

use std::sync::Arc;

use serde_json::json;
use uuid::Uuid;

use super::{
    announce::Announce,
    codes::Codes,
    error::{Conflict, Error},
    once::{Answer, Ticket, once},
    seal::Seal,
    sessions::{Pair, Sessions},
};
use crate::{
    db::{
        Connection, Database, attendances, events, guests,
        parties::{self, Found},
    },
    domain::{
        access::Standing,
        access_code::AccessCode,
        attendance::{Role, standing},
        caller::Caller,
        event::EventKind,
        fields::Wrong,
        party::admission::{Admission, Refusal},
        text::DisplayName,
    },
    realtime::Kind,
    view::{AttendeeView, GuestView, PartyView},
};

/// How one joins.
pub struct Joining {
    database: Database,
    codes: Arc<Codes>,
    answers: Arc<Seal>,
    sessions: Sessions,
    announce: Arc<dyn Announce>,
}

const NO_NAME: Wrong = Wrong::new("REQUIRED", "is required without an account");

/// What a join has changed, if anything: the party and the number of the event.
type Logged = Option<(Uuid, i64)>;

impl Joining {
    /// Out of its parts; `answers` seals what may be answered again.
    pub fn new(
        database: Database,
        codes: Arc<Codes>,
        answers: Arc<Seal>,
        sessions: Sessions,
        announce: Arc<dyn Announce>,
    ) -> Self {
        Self { database, codes, answers, sessions, announce }
    }

    /// Lets the caller in, once for each `ticket`: a user as they are; whoever has no account as a guest called `name`, or
    /// as the guest of that party that they are already.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for an unknown code; [`Conflict::InvalidStatus`], [`Conflict::PartyFull`].
    pub async fn join(
        &self,
        caller: Caller,
        code: &AccessCode,
        name: Option<&DisplayName>,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
        if name.is_none() && caller.person().is_none() {
            return Err(Error::field("displayName", &NO_NAME));
        }
        let mut logged = None;
        let answer = self
            .database
            .transaction(async |connection| match caller {
                Caller::User(user) => {
                    once(connection, &self.answers, ticket, async |connection| {
                        self.join_as_user(connection, user, code, &mut logged).await
                    })
                    .await
                }
                Caller::Guest(_) | Caller::Anonymous | Caller::Display(_) => {
                    let answer = once(connection, &self.answers, ticket, async |connection| {
                        self.join_as_guest(connection, caller.person(), code, name, &mut logged).await
                    })
                    .await?;
                    self.welcome(connection, answer).await
                }
            })
            .await?;
        if let Some((party, seq)) = logged {
            self.announce.announce(party, seq);
        }
        Ok(answer)
    }

    async fn join_as_user(
        &self,
        connection: &mut Connection,
        user: Uuid,
        code: &AccessCode,
        logged: &mut Logged,
    ) -> Result<Answer, Error> {
        let (found, admission) = self.ask(connection, code, Some(user)).await?;
        let party = found.party.id;
        if admission == Admission::Seat {
            seat(connection, party, user, Role::Attendee, logged).await?;
        }
        let found = parties::find(connection, party, Some(user)).await?.ok_or(Error::NotFound)?;
        let attendee = attendances::find(connection, party, user).await?;
        let data = json!({
            "party": PartyView::from(&found.party).seen_from(found.attendance),
            "attendee": attendee.as_ref().map(AttendeeView::from),
        });
        answer(party, admission, &data)
    }

    /// Answers with the guest's id alone, which may be kept.
    async fn join_as_guest(
        &self,
        connection: &mut Connection,
        guest: Option<Uuid>,
        code: &AccessCode,
        name: Option<&DisplayName>,
        logged: &mut Logged,
    ) -> Result<Answer, Error> {
        let (found, admission) = self.ask(connection, code, guest).await?;
        let party = found.party.id;
        let guest = match guest.filter(|_| found.attendance.is_some()) {
            Some(guest) => guest,
            // A guest of another party is nobody here
            None => {
                let name = name.ok_or_else(|| Error::field("displayName", &NO_NAME))?;
                let guest = Uuid::now_v7();
                guests::insert(connection, guest, party, name).await?;
                guest
            }
        };
        if admission == Admission::Seat {
            seat(connection, party, guest, Role::Guest, logged).await?;
        }
        answer(party, admission, &guest)
    }

    /// Locks the party of that code and decides whether that person is let in.
    async fn ask(
        &self,
        connection: &mut Connection,
        code: &AccessCode,
        person: Option<Uuid>,
    ) -> Result<(Found, Admission), Error> {
        let id = parties::lock_by_code(connection, &self.codes.marks(code)).await?;
        let id = id.ok_or(Error::NotFound)?;
        let found = parties::find(connection, id, person).await?.ok_or(Error::NotFound)?;
        let admission = found.party.admits(standing(found.attendance))?;
        Ok((found, admission))
    }

    /// Gives the guest of that answer their tokens, unless they were sent away since it was first given.
    async fn welcome(&self, connection: &mut Connection, kept: Answer) -> Result<Answer, Error> {
        let id: Uuid = serde_json::from_str(kept.data.get()).map_err(Error::internal)?;
        let guest = guests::find(connection, id).await?.ok_or(Error::NotFound)?;
        let found = parties::find(connection, guest.party_id, Some(id)).await?.ok_or(Error::NotFound)?;
        if standing(found.attendance) != Standing::Guest {
            return Err(Error::NotFound);
        }
        let attendee = attendances::find(connection, guest.party_id, id).await?;
        let Pair { access_token, refresh_token, expires_in } =
            self.sessions.open(connection, id, Kind::Guest).await?;
        let data = json!({
            "party": PartyView::from(&found.party).seen_from(found.attendance),
            "guest": GuestView::from(&guest),
            "attendee": attendee.as_ref().map(AttendeeView::from),
            "accessToken": access_token.expose(),
            "refreshToken": refresh_token.expose(),
            "expiresIn": expires_in.as_secs(),
        });
        let fresh = Answer::ok(&data)?;
        Ok(Answer { data: fresh.data, ..kept })
    }
}

impl std::fmt::Debug for Joining {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Joining").finish_non_exhaustive()
    }
}

/// Takes a seat, and logs it last.
async fn seat(
    connection: &mut Connection,
    party: Uuid,
    person: Uuid,
    role: Role,
    logged: &mut Logged,
) -> Result<(), Error> {
    attendances::admit(connection, party, person, role).await?;
    parties::take_seat(connection, party).await?;
    let seq = events::append(connection, party, EventKind::AttendeeJoined, Some(person), &json!({})).await?;
    *logged = Some((party, seq));
    Ok(())
}

fn answer(party: Uuid, admission: Admission, data: &impl serde::Serialize) -> Result<Answer, Error> {
    match admission {
        Admission::AlreadyIn => Answer::ok(data),
        Admission::Seat => Answer::created(format!("/api/v1/parties/{party}"), data),
    }
}

impl From<Refusal> for Error {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unknown => Self::NotFound,
            Refusal::Banned => Self::Forbidden("you were banned from this party"),
            Refusal::InvalidStatus => Self::Conflict(Conflict::InvalidStatus),
            Refusal::Full => Self::Conflict(Conflict::PartyFull),
        }
    }
}
