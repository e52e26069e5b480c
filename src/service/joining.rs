//! Joining a party by its code, with an account or without one.
//!
//! *Invariant:* who joins holds the party's row until the commit: seats are counted by one at a time. A guest's tokens are
//! drawn for each answer and kept nowhere.

mod by_id;

use std::{net::IpAddr, sync::Arc};

use uuid::Uuid;

use super::{
    announce::Hints,
    attendances::put,
    codes::Codes,
    error::{Conflict, Error},
    links::Links,
    once::{Answer, Ticket, once},
    rates::{self, Rates},
    seal::{Mark, Seal},
    sessions::{Pair, Sessions},
    tasks::Task,
    turnstile::Turnstile,
};
use crate::{
    db::{
        Connection, Database, accounts, attendances, guests,
        parties::{self, Found},
    },
    domain::{
        access::Standing,
        access_code::AccessCode,
        attendance::{Attendance, Presence, Role, Rsvp, standing},
        caller::Caller,
        fields::Wrong,
        notification::Cause,
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
    hints: Hints,
    addresses: Mark,
    links: Arc<Links>,
    // Whoever guesses codes gains no more by making all guesses at once than goes through
    joins: Turnstile,
    previews: Turnstile,
}

const NO_NAME: Wrong = Wrong::new("REQUIRED", "is required without an account");

/// What a join has changed, if anything: the party and the number of the event.
type Logged = Option<(Uuid, i64)>;

impl Joining {
    /// Out of its parts; of the secrets one seals what may be answered again, the other marks where guests come from.
    pub fn new(
        database: Database,
        codes: Arc<Codes>,
        (answers, addresses): (Arc<Seal>, Mark),
        sessions: Sessions,
        rates: Rates,
        hints: Hints,
        links: Arc<Links>,
    ) -> Self {
        let [joins, previews] = [(); 2].map(|()| Turnstile::new());
        Self { database, codes, answers, sessions, rates, hints, addresses, links, joins, previews }
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
        let attempt = self.let_in(caller, code, name, ticket, from);
        self.guarded(&self.joins, caller, from, self.counted(from, attempt)).await
    }

    /// Counts a join that succeeds or finds the party full; of an address that has had too many of them none is tried. To be
    /// called when it is one's turn.
    async fn counted(
        &self,
        from: IpAddr,
        attempt: impl Future<Output = Result<Answer, Error>>,
    ) -> Result<Answer, Error> {
        let joins = [self.rates.joins(from)];
        self.rates.look(&joins).await?;
        let answer = attempt.await;
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
        turnstile: &Turnstile,
        caller: Caller,
        from: IpAddr,
        attempt: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let _turn = turnstile.turn().await?;
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
        from: IpAddr,
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
                        let guest = caller.person();
                        self.join_as_guest(connection, guest, code, (name, from), &mut logged).await
                    })
                    .await?;
                    self.welcome(connection, answer).await
                }
            })
            .await?;
        self.told(caller, logged);
        Ok(answer)
    }

    /// After the commit: tells the screens of who has come, and who tells the hosts of a user.
    fn told(&self, caller: Caller, logged: Logged) {
        let Some((party, seq)) = logged else { return };
        self.hints.logged(party, Some(seq));
        if caller.user().is_some() {
            self.hints.wake();
        }
    }

    async fn join_as_user(
        &self,
        connection: &mut Connection,
        user: Uuid,
        code: &AccessCode,
        logged: &mut Logged,
    ) -> Result<Answer, Error> {
        let (found, admission) = self.ask(connection, code, Some(user)).await?;
        self.let_user_in(connection, user, &found, admission, logged).await
    }

    async fn let_user_in(
        &self,
        connection: &mut Connection,
        user: Uuid,
        found: &Found,
        admission: Admission,
        logged: &mut Logged,
    ) -> Result<Answer, Error> {
        let party = found.party.id;
        if admission == Admission::Seat {
            Task::tell(Cause::NewRsvp { party, person: user }).leave(connection).await?;
            seat(connection, found, user, Role::Attendee, logged).await?;
        }
        let found = parties::find(connection, party, Some(user)).await?.ok_or(Error::NotFound)?;
        let attendee = attendances::find(connection, party, user).await?;
        let data = Joined {
            party: PartyView::new(&found.party, &*self.links)
                .seen_from(found.attendance, found.favorite_since.is_some()),
            attendee: attendee.as_ref().map(|attendee| AttendeeView::new(attendee, &*self.links)),
        };
        answer(party, admission, &data)
    }

    /// Answers with the guest's id alone, which may be kept.
    async fn join_as_guest(
        &self,
        connection: &mut Connection,
        guest: Option<Uuid>,
        code: &AccessCode,
        (name, from): (Option<&DisplayName>, IpAddr),
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
                guests::insert(connection, guest, party, name, &self.mark(party, from)).await?;
                guest
            }
        };
        if admission == Admission::Seat {
            seat(connection, &found, guest, Role::Guest, logged).await?;
        }
        answer(party, admission, &guest)
    }

    /// Names an address among those that guests of this party came from, and nowhere else.
    fn mark(&self, party: Uuid, from: IpAddr) -> Vec<u8> {
        self.addresses.of(format!("{party} {}", rates::network(from)).as_bytes())
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
        if kept.replayed {
            // Whoever bans them ends their sign-ins before this one begins, or after
            parties::lock(connection, guest.party_id).await?;
        }
        let found = parties::find(connection, guest.party_id, Some(id)).await?.ok_or(Error::NotFound)?;
        if standing(found.attendance) != Standing::Guest {
            return Err(Error::NotFound);
        }
        let attendee = attendances::find(connection, guest.party_id, id).await?;
        let Pair { access_token, refresh_token, expires_in } =
            self.sessions.open(connection, id, Kind::Guest).await?;
        let data = Welcome {
            party: PartyView::new(&found.party, &*self.links)
                .seen_from(found.attendance, found.favorite_since.is_some()),
            guest: OwnGuest::from(&guest),
            attendee: attendee.as_ref().map(|attendee| AttendeeView::new(attendee, &*self.links)),
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
    found: &Found,
    person: Uuid,
    role: Role,
    logged: &mut Logged,
) -> Result<(), Error> {
    let party = found.party.id;
    let place = Attendance { role, presence: Presence::In, rsvp: Rsvp::Going };
    let seq = put(connection, party, person, found.attendance, place).await?;
    *logged = seq.map(|seq| (party, seq));
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
