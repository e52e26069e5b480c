//! Who is let into a party by its code.

use super::Party;
use crate::domain::{access::Standing, attendance::Attendance};

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

    /// Whether somebody with that place is let in who names the party and holds its code or not: on a private one a code
    /// is needed by who is not in.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn opens_to(&self, standing: Standing, holds_code: bool) -> Result<Admission, Refusal> {
        match self.admits(standing) {
            Ok(Admission::Seat) | Err(_) if self.plan.is_private && !holds_code => Err(Refusal::Unknown),
            admission => admission,
        }
    }

    /// Whether somebody who is at `before` may be at `after`, as far as seats decide that.
    ///
    /// # Errors
    ///
    /// [`Refusal::Full`].
    pub fn has_room(&self, before: Option<Attendance>, after: Attendance) -> Result<(), Refusal> {
        let takes_one = after.has_seat() && !before.is_some_and(Attendance::has_seat);
        if takes_one && self.is_full() { Err(Refusal::Full) } else { Ok(()) }
    }

    /// Whether somebody with that place, who holds the code, is let in.
    ///
    /// # Errors
    ///
    /// [`Refusal`].
    pub fn admits(&self, standing: Standing) -> Result<Admission, Refusal> {
        match standing {
            Standing::Host | Standing::Cohost => return Ok(Admission::AlreadyIn),
            _ if self.openness().is_draft => return Err(Refusal::Unknown),
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
    use super::{
        super::{Status, tests::party},
        *,
    };

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
        let withheld = Party { cancelled_as_draft: true, ..at(Status::Cancelled) };
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
            (&withheld, &[Host, Cohost], Ok(Admission::AlreadyIn)),
            (&withheld, &[Going, Guest, Stranger, Banned], Err(Refusal::Unknown)),
        ] {
            for standing in standings {
                assert_eq!(party.admits(*standing), expected, "{:?} {standing:?}", party.status);
            }
        }
    }

    #[test]
    fn who_names_a_private_party_needs_its_code_unless_they_are_in() {
        use Standing::{Away, Banned, Cohost, Going, Host, Maybe, Stranger};
        let mut private = party(Status::Live);
        private.plan.max_attendees = None;
        let mut public = private.clone();
        public.plan.is_private = false;
        let mut full = public.clone();
        full.plan.max_attendees = Some(2);
        full.attendees_count = 2;
        let mut shut = full.clone();
        shut.plan.is_private = true;
        let draft = Party { status: Status::Draft, ..public.clone() };
        let ended = Party { status: Status::Ended, ..private.clone() };
        for (party, standings, without, with) in [
            (&private, &[Host, Cohost, Going, Maybe][..], Ok(Admission::AlreadyIn), Ok(Admission::AlreadyIn)),
            (&private, &[Away, Stranger], Err(Refusal::Unknown), Ok(Admission::Seat)),
            (&private, &[Banned], Err(Refusal::Unknown), Err(Refusal::Unknown)),
            (&public, &[Away, Stranger], Ok(Admission::Seat), Ok(Admission::Seat)),
            (&public, &[Banned], Err(Refusal::Banned), Err(Refusal::Banned)),
            (&full, &[Stranger], Err(Refusal::Full), Err(Refusal::Full)),
            (&shut, &[Stranger], Err(Refusal::Unknown), Err(Refusal::Full)),
            (&ended, &[Stranger], Err(Refusal::Unknown), Err(Refusal::InvalidStatus)),
            (&draft, &[Going, Stranger], Err(Refusal::Unknown), Err(Refusal::Unknown)),
        ] {
            for standing in standings {
                let opens = [false, true].map(|holds_code| party.opens_to(*standing, holds_code));
                assert_eq!(opens, [without, with], "{:?} {standing:?}", party.status);
            }
        }
    }

    #[test]
    fn only_who_takes_a_seat_needs_one_that_is_free() {
        use crate::domain::attendance::{Presence, Role, Rsvp};
        let mut full = party(Status::Live);
        full.attendees_count = 2;
        let free = party(Status::Live);
        let at = |rsvp| Attendance { role: Role::Attendee, presence: Presence::In, rsvp };
        let left = Attendance { presence: Presence::Left, ..at(Rsvp::Going) };
        for (before, after, has_room) in [
            (None, Rsvp::Going, Err(Refusal::Full)),
            (Some(left), Rsvp::Going, Err(Refusal::Full)),
            (Some(at(Rsvp::Maybe)), Rsvp::Going, Err(Refusal::Full)),
            (Some(at(Rsvp::Going)), Rsvp::Going, Ok(())),
            (Some(at(Rsvp::Going)), Rsvp::Maybe, Ok(())),
            (None, Rsvp::NotGoing, Ok(())),
        ] {
            assert_eq!(full.has_room(before, at(after)), has_room, "{before:?} {after:?}");
            assert_eq!(free.has_room(before, at(after)), Ok(()), "{before:?} {after:?}");
        }
    }
}
