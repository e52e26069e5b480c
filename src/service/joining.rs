//! Joining a party by its code, with an account or without one.
//!
//! *Invariant:* who joins holds the party's row until the commit: seats are counted by one at a time. A guest's tokens are
//! drawn for each answer and kept nowhere.

use std::{net::IpAddr, sync::Arc, time::Duration};

use serde_json::json;
use tokio::{sync::Semaphore, time::timeout};
use uuid::Uuid;

use super::{
    announce::Announce,
    codes::Codes,
    error::{Conflict, Error},
    once::{Answer, Ticket, once},
    rates::Rates,
    seal::Seal,
    sessions::{Pair, Sessions},
};
use crate::{
    db::{
        Connection, Database, DatabaseError, accounts, attendances, events, guests,
        parties::{self, Found},
        violated,
    },
    domain::{
        access::Standing,
        access_code::AccessCode,
        attendance::{Role, standing},
        caller::Caller,
        event::EventKind,
        fields::Wrong,
        party::{
            Party,
            admission::{Admission, Refusal},
        },
        text::DisplayName,
    },
    realtime::Kind,
    view::{
        AttendeeView, OwnGuest, PartyView,
        one::{Joined, Welcome},
    },
};

/// How one joins.
pub struct Joining {
    database: Database,
    codes: Arc<Codes>,
    answers: Arc<Seal>,
    sessions: Sessions,
    rates: Rates,
    joins: Semaphore,
    previews: Semaphore,
    announce: Arc<dyn Announce>,
}

/// Joins of one party wait for each other in PostgreSQL, each with a connection: more than a few at once would only take
/// them away from everything else. Whoever guesses codes gains no more than so many guesses by making them all at once.
const AT_ONCE: usize = 4;
/// How long one waits for one's turn.
const TURN: Duration = Duration::from_secs(5);

const NO_NAME: Wrong = Wrong::new("REQUIRED", "is required without an account");

const CROWDED: Error = Error::Unavailable {
    reason: "too many come with a code at once",
    retry_after: Duration::from_secs(1),
    source: None,
};

/// What a join has changed, if anything: the party and the number of the event.
type Logged = Option<(Uuid, i64)>;

impl Joining {
    /// Out of its parts; `answers` seals what may be answered again.
    pub fn new(
        database: Database,
        codes: Arc<Codes>,
        answers: Arc<Seal>,
        sessions: Sessions,
        rates: Rates,
        announce: Arc<dyn Announce>,
    ) -> Self {
        let [joins, previews] = [(); 2].map(|()| Semaphore::new(AT_ONCE));
        Self { database, codes, answers, sessions, rates, joins, previews, announce }
    }

    /// The party of that code, before one joins it.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for a code that is nobody's, or whose party the caller may not know of; [`Error::TooOften`].
    pub async fn preview(&self, caller: Caller, code: &AccessCode, from: IpAddr) -> Result<Party, Error> {
        let marks = self.codes.marks(code);
        let found = self.guarded(&self.previews, caller, from, async {
            let found = self
                .database
                .run(async |connection| parties::find_by_code(connection, &marks, caller.person()).await)
                .await?;
            let Found { party, attendance, .. } = found.ok_or(Error::NotFound)?;
            party.is_known_to(standing(attendance)).then_some(party).ok_or(Error::NotFound)
        });
        found.await
    }

    /// Lets the caller in, once for each `ticket`: a user as they are; whoever has no account as a guest called `name`, or
    /// as the guest of that party that they are already.
    ///
    /// # Errors
    ///
    /// [`Error::NotFound`] for an unknown code; [`Conflict::InvalidStatus`], [`Conflict::PartyFull`]; [`Error::TooOften`].
    pub async fn join(
        &self,
        caller: Caller,
        code: &AccessCode,
        name: Option<&DisplayName>,
        ticket: Option<&Ticket>,
        from: IpAddr,
    ) -> Result<Answer, Error> {
        if name.is_none() && caller.person().is_none() {
            return Err(Error::field("displayName", &NO_NAME));
        }
        let joins = [self.rates.joins(from)];
        self.rates.look(&joins).await?;
        let answer = self.guarded(&self.joins, caller, from, self.let_in(caller, code, name, ticket)).await;
        let is_full = matches!(answer, Err(Error::Conflict(Conflict::PartyFull)));
        if is_full || answer.is_ok() {
            self.rates.count(&joins).await;
        }
        answer
    }

    /// Counts a code that turns out unknown; who has tried too many hears of none any more. Only those who are in at once
    /// can have looked before another has counted.
    async fn guarded<T>(
        &self,
        turnstile: &Semaphore,
        caller: Caller,
        from: IpAddr,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        // It is never closed: only waiting too long has no turn
        let Ok(_turn) = timeout(TURN, turnstile.acquire()).await else { return Err(CROWDED) };
        let unknown = self.rates.unknown_codes(caller.person(), from);
        self.rates.look(&unknown).await?;
        let outcome = attempt.await;
        if matches!(outcome, Err(Error::NotFound)) {
            self.rates.count(&unknown).await;
        }
        outcome
    }

    async fn let_in(
        &self,
        caller: Caller,
        code: &AccessCode,
        name: Option<&DisplayName>,
        ticket: Option<&Ticket>,
    ) -> Result<Answer, Error> {
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
        let data = Joined {
            party: PartyView::from(&found.party).seen_from(found.attendance, found.favorite_since.is_some()),
            attendee: attendee.as_ref().map(AttendeeView::from),
        };
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
        let guest = accounts::guest(connection, id).await?.ok_or(Error::NotFound)?;
        let found = parties::find(connection, guest.party_id, Some(id)).await?.ok_or(Error::NotFound)?;
        if standing(found.attendance) != Standing::Guest {
            return Err(Error::NotFound);
        }
        let attendee = attendances::find(connection, guest.party_id, id).await?;
        let Pair { access_token, refresh_token, expires_in } =
            self.sessions.open(connection, id, Kind::Guest).await?;
        let data = Welcome {
            party: PartyView::from(&found.party).seen_from(found.attendance, found.favorite_since.is_some()),
            guest: OwnGuest::from(&guest),
            attendee: attendee.as_ref().map(AttendeeView::from),
            access_token: access_token.expose(),
            refresh_token: refresh_token.expose(),
            expires_in: expires_in.as_secs(),
        };
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
    attendances::seat(connection, party, person, role).await.map_err(gone)?;
    let seq = events::append(connection, party, EventKind::AttendeeJoined, Some(person), &json!({})).await?;
    *logged = Some((party, seq));
    Ok(())
}

/// What a refused seat means: whoever was to take it was erased.
fn gone(error: DatabaseError) -> Error {
    match violated(&error) {
        Some("attendances_person_id_fkey") => Error::Unauthenticated("the account of this token is gone"),
        _ => error.into(),
    }
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
