//! Who is let into a party by its code.

use super::{Party, Status};
use crate::domain::access::Standing;

/// What becomes of somebody who holds the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// They are in already, and stay what they are.
    AlreadyIn,
    /// They take a seat.
    Seat,
}

/// Why somebody is not let in, although they hold the code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The code is nobody's, as far as they may know.
    Unknown,
    /// They were banned from a party that they may know of.
    Banned,
    /// Not in this status.
    InvalidStatus,
    /// No seat is left.
    Full,
}

impl Party {
    /// Whether somebody with that place, who holds the code, may know of it.
    pub fn is_known_to(&self, standing: Standing) -> bool {
        self.admits(standing) != Err(Refusal::Unknown)
    }

    /// Whether somebody with that place, who holds the code, is let in.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn admits(&self, standing: Standing) -> Result<Admission, Refusal> {
        match standing {
            Standing::Host | Standing::Cohost => return Ok(Admission::AlreadyIn),
            _ if self.status == Status::Draft => return Err(Refusal::Unknown),
            Standing::Going | Standing::Maybe | Standing::Guest => return Ok(Admission::AlreadyIn),
            Standing::Banned if self.plan.is_private => return Err(Refusal::Unknown),
            Standing::Banned => return Err(Refusal::Banned),
            Standing::Away | Standing::Stranger | Standing::Display => {}
        }
        if !self.status.takes_people() {
            return Err(Refusal::InvalidStatus);
        }
        if self.is_full() { Err(Refusal::Full) } else { Ok(Admission::Seat) }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::party, *};

    #[test]
    fn who_holds_the_code_is_let_in() {
        use Standing::{Away, Banned, Cohost, Going, Guest, Host, Maybe, Stranger};
        let mut private = party(Status::Live);
        private.plan.max_attendees = None;
        let mut public = private.clone();
        public.plan.is_private = false;
        let mut full = private.clone();
        full.plan.max_attendees = Some(2);
        full.attendees_count = 2;
        let at = |status| Party { status, ..private.clone() };
        for (party, standings, expected) in [
            (&private, &[Host, Cohost, Going, Maybe, Guest][..], Ok(Admission::AlreadyIn)),
            (&private, &[Away, Stranger], Ok(Admission::Seat)),
            (&private, &[Banned], Err(Refusal::Unknown)),
            (&public, &[Banned], Err(Refusal::Banned)),
            (&full, &[Host, Going, Guest], Ok(Admission::AlreadyIn)),
            (&full, &[Away, Stranger], Err(Refusal::Full)),
            (&at(Status::Planned), &[Stranger], Ok(Admission::Seat)),
            (&at(Status::Draft), &[Host, Cohost], Ok(Admission::AlreadyIn)),
            (&at(Status::Draft), &[Going, Guest, Stranger, Banned], Err(Refusal::Unknown)),
            (&at(Status::Ended), &[Guest], Ok(Admission::AlreadyIn)),
            (&at(Status::Ended), &[Away, Stranger], Err(Refusal::InvalidStatus)),
            (&at(Status::Cancelled), &[Stranger], Err(Refusal::InvalidStatus)),
        ] {
            for standing in standings {
                assert_eq!(party.admits(*standing), expected, "{:?} {standing:?}", party.status);
            }
        }
    }
}
