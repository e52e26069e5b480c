//! What people do with their own place: answer, arrive, leave.

use uuid::Uuid;

use super::{Attendances, put};
use crate::{
    db::{attendances, events},
    domain::{
        access::Act,
        attendance::{Attendance, Attendee, Presence, Role, Rsvp},
        caller::Caller,
        event::EventKind,
        fields::{Fields, word},
        notification::Cause,
    },
    service::{
        door,
        error::{Conflict, Error},
        tasks::Task,
    },
};

impl Attendances {
    /// Answers whether a user comes. Only who comes takes a seat.
    ///
    /// # Errors
    ///
    /// Users only: every one on a public party, on a private one those who are in, but not its host and cohosts;
    /// [`Error::Invalid`]; [`Conflict::InvalidStatus`], [`Conflict::PartyFull`].
    pub async fn answer(&self, caller: Caller, party: Uuid, mut fields: Fields) -> Result<Attendee, Error> {
        let _turn = self.turnstile.turn().await?;
        let (attendee, seq, has_come) = self
            .database
            .transaction(async |connection| {
                let inside = door::enter_alone(connection, party, caller, Act::Answer).await?;
                let user = caller.user().ok_or(Error::Forbidden("an account is needed for this"))?;
                let rsvp = fields.required("status", word(Rsvp::named));
                let rsvp = fields.finish(rsvp)?;
                let before = inside.attendance;
                let after = Attendance { role: Role::Attendee, presence: Presence::In, rsvp };
                let has_come = before.is_none_or(|before| before.presence != Presence::In);
                let mut seq = None;
                if before != Some(after) {
                    if !inside.party.status.takes_people() {
                        return Err(Error::Conflict(Conflict::InvalidStatus));
                    }
                    inside.party.has_room(before, after)?;
                    if has_come {
                        Task::tell(Cause::NewRsvp { party, person: user }).leave(connection).await?;
                    }
                    seq = put(connection, party, user, before, after).await?;
                }
                let attendee = attendances::find(connection, party, user).await?.ok_or(Error::NotFound)?;
                Ok::<_, Error>((attendee, seq, has_come))
            })
            .await?;
        self.hints.logged(party, seq);
        if has_come {
            self.hints.wake();
        }
        Ok(attendee)
    }

    /// Notes that the caller has arrived; the first time counts.
    ///
    /// # Errors
    ///
    /// Who is in; [`Conflict::InvalidStatus`].
    pub async fn check_in(&self, caller: Caller, party: Uuid) -> Result<Attendee, Error> {
        let _turn = self.turnstile.turn().await?;
        let (attendee, seq) = self
            .database
            .transaction(async |connection| {
                let inside = door::enter_alone(connection, party, caller, Act::CheckIn).await?;
                let person = caller.person().ok_or(Error::Forbidden("screens do not arrive"))?;
                let attendee = attendances::find(connection, party, person).await?;
                let attendee = attendee.ok_or(Error::NotFound)?;
                if attendee.checked_in_at.is_some() {
                    return Ok((attendee, None));
                }
                if !inside.party.status.takes_people() {
                    return Err(Error::Conflict(Conflict::InvalidStatus));
                }
                attendances::check_in(connection, party, person).await?;
                let attendee = attendances::find(connection, party, person).await?.ok_or(Error::NotFound)?;
                let facts = serde_json::json!({});
                let seq = events::append(connection, party, EventKind::AttendeeUpdated, Some(person), &facts)
                    .await?;
                Ok((attendee, Some(seq)))
            })
            .await?;
        self.hints.logged(party, seq);
        Ok(attendee)
    }

    /// Takes the caller out of the party; who comes back has to be let in again.
    ///
    /// # Errors
    ///
    /// Who is in, but not its host.
    pub async fn leave(&self, caller: Caller, party: Uuid) -> Result<(), Error> {
        let _turn = self.turnstile.turn().await?;
        let seq = self
            .database
            .transaction(async |connection| {
                let inside = door::enter_alone(connection, party, caller, Act::Leave).await?;
                let (person, before) =
                    caller.person().zip(inside.attendance).ok_or(Error::Forbidden("you are not in"))?;
                let after = Attendance { presence: Presence::Left, ..before };
                put(connection, party, person, Some(before), after).await
            })
            .await?;
        self.hints.logged(party, seq);
        Ok(())
    }
}
