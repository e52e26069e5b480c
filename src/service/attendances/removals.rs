//! Who is sent away: for now, or for good.

use uuid::Uuid;

use super::{Attendances, find, log, place, put_other};
use crate::{
    db::{attendances, sessions},
    domain::{
        access::{Act, Standing},
        attendance::{Attendance, Presence, Role, Rsvp, standing},
        caller::Caller,
        event::EventKind,
        fields::{Fields, flag},
    },
    service::{door, error::Error},
};

const NOT_THEM: Error = Error::Forbidden("your place in this party does not allow to send them away");

impl Attendances {
    /// Sends somebody away who may come back. Who is away already stays so.
    ///
    /// # Errors
    ///
    /// Host and cohosts only, and the host alone where it is a cohost; [`Error::NotFound`] for who never was in.
    pub async fn remove(&self, caller: Caller, party: Uuid, person: Uuid) -> Result<(), Error> {
        let seq = self
            .database
            .transaction(async |connection| {
                let inside = door::enter_alone(connection, party, caller, Act::Steer).await?;
                let before = place(connection, party, person).await?.ok_or(Error::NotFound)?;
                if !inside.standing.may_send_away(before.standing()) {
                    return Err(NOT_THEM);
                }
                if before.presence != Presence::In {
                    return Ok(None);
                }
                let after = Attendance { presence: Presence::Removed, ..before };
                put_other(connection, party, person, Some(before), after).await
            })
            .await?;
        self.hints.logged(party, seq);
        Ok(())
    }

    /// Sends somebody away for good, in the party or not. A guest's sign-ins end; with `rotateCode` the party's code is
    /// another from now on, so that who has no account does not come back as somebody else.
    ///
    /// # Errors
    ///
    /// Host and cohosts only, and the host alone where it is a cohost; [`Error::NotFound`] for who is neither a user nor a
    /// guest of this party; [`Error::Invalid`].
    pub async fn ban(
        &self,
        caller: Caller,
        party: Uuid,
        person: Uuid,
        mut fields: Fields,
    ) -> Result<(), Error> {
        let seq = self
            .database
            .transaction(async |connection| {
                let inside = door::enter_alone(connection, party, caller, Act::Steer).await?;
                let rotates = fields.optional("rotateCode", flag);
                let rotates = fields.finish(rotates)?.unwrap_or_default();
                let (face, before) = find(connection, party, person).await?;
                if !inside.standing.may_send_away(standing(before)) {
                    return Err(NOT_THEM);
                }
                // A public party that never had a code needs no other
                let rotated = if rotates && inside.party.code_sealed.is_some() {
                    Some(self.codes.rotate(connection, party).await?)
                } else {
                    None
                };
                if standing(before) == Standing::Banned {
                    return Ok(rotated);
                }
                if face.is_guest() {
                    sessions::end_all(connection, person).await?;
                }
                let nobody =
                    Attendance { role: Role::Attendee, presence: Presence::Banned, rsvp: Rsvp::NotGoing };
                let after =
                    before.map_or(nobody, |before| Attendance { presence: Presence::Banned, ..before });
                let seq = put_other(connection, party, person, before, after).await?;
                // A guest who had left may still listen as a stranger: their sockets end by what is logged
                if seq.is_none() && face.is_guest() {
                    return log(connection, party, person, EventKind::AttendeeLeft, after).await.map(Some);
                }
                Ok(seq.or(rotated))
            })
            .await?;
        self.reach.doubt(person);
        self.hints.logged(party, seq);
        Ok(())
    }

    /// Lets somebody who was banned come back, by the ways that are open to all.
    ///
    /// # Errors
    ///
    /// Host and cohosts only.
    pub async fn pardon(&self, caller: Caller, party: Uuid, person: Uuid) -> Result<(), Error> {
        self.database
            .transaction(async |connection| {
                door::enter_alone(connection, party, caller, Act::Steer).await?;
                match place(connection, party, person).await? {
                    Some(before) if before.standing() == Standing::Banned => {
                        let after = Attendance { presence: Presence::Removed, ..before };
                        Ok::<_, Error>(attendances::put(connection, party, person, after).await?)
                    }
                    _ => Ok(()),
                }
            })
            .await
    }
}
