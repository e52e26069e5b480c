//! Who helps the host.

use uuid::Uuid;

use super::{Attendances, find, place, put_other};
use crate::{
    db::attendances,
    domain::{
        access::{Act, Standing},
        attendance::{Attendance, Presence, Role, Rsvp, standing},
        caller::Caller,
        notification::Cause,
        party::Status,
    },
    service::{
        door,
        error::{Conflict, Error},
        tasks::Task,
    },
};

/// The most cohosts of a party.
const COHOSTS: i64 = 5;

impl Attendances {
    /// Makes a user a cohost, in the party or not; who comes new takes a seat.
    ///
    /// # Errors
    ///
    /// The host only; [`Error::NotFound`] for who is no user; [`Error::Conflict`] for the host and who is banned;
    /// [`Conflict::QuotaExceeded`], [`Conflict::PartyFull`], and [`Conflict::InvalidStatus`] where the party is over.
    pub async fn appoint(&self, caller: Caller, party: Uuid, user: Uuid) -> Result<(), Error> {
        let seq = self
            .database
            .transaction(async |connection| {
                let inside = door::enter_alone(connection, party, caller, Act::Own).await?;
                let (person, before) = find(connection, party, user).await?;
                if person.is_guest() {
                    return Err(Error::NotFound);
                }
                match standing(before) {
                    Standing::Cohost => return Ok(None),
                    Standing::Host => return Err(conflict("the host is no cohost")),
                    Standing::Banned => return Err(conflict("who is banned is no cohost")),
                    _ => {}
                }
                let after = Attendance { role: Role::Cohost, presence: Presence::In, rsvp: Rsvp::Going };
                let is_new = !before.is_some_and(Attendance::has_seat);
                if is_new && !(inside.party.status == Status::Draft || inside.party.status.takes_people()) {
                    return Err(Error::Conflict(Conflict::InvalidStatus));
                }
                if attendances::cohosts(connection, party).await? >= COHOSTS {
                    return Err(Error::Conflict(Conflict::QuotaExceeded));
                }
                inside.party.has_room(before, after)?;
                Task::tell(Cause::PartyInvite { party, person: user }).leave(connection).await?;
                put_other(connection, party, user, before, after).await
            })
            .await?;
        self.hints.logged(party, seq);
        self.hints.wake();
        Ok(())
    }

    /// Makes a cohost an attendee again; everybody else stays what they are.
    ///
    /// # Errors
    ///
    /// The host only.
    pub async fn dismiss(&self, caller: Caller, party: Uuid, user: Uuid) -> Result<(), Error> {
        let seq = self
            .database
            .transaction(async |connection| {
                door::enter_alone(connection, party, caller, Act::Own).await?;
                match place(connection, party, user).await? {
                    Some(before) if before.standing() == Standing::Cohost => {
                        let after = Attendance { role: Role::Attendee, ..before };
                        put_other(connection, party, user, Some(before), after).await
                    }
                    _ => Ok(None),
                }
            })
            .await?;
        self.hints.logged(party, seq);
        Ok(())
    }
}

fn conflict(why: &'static str) -> Error {
    Error::Conflict(Conflict::Other(why))
}
