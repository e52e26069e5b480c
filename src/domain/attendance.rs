//! A person's place in a party, as it is kept.

use serde::{Serialize, Serializer};

use super::{access::Standing, event::EventKind, moment::Moment, person::Person};

/// What somebody is in a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// Made it.
    Host,
    /// Helps the host.
    Cohost,
    /// A user.
    Attendee,
    /// Joined by the code, without an account.
    Guest,
}

/// Whether somebody is still there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Presence {
    /// In the party.
    In,
    /// Left by themselves.
    Left,
    /// Was sent away, and may come back.
    Removed,
    /// Was sent away for good.
    Banned,
}

/// Whether somebody comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Rsvp {
    /// Comes: takes a seat.
    Going,
    /// May come.
    Maybe,
    /// Does not come.
    NotGoing,
}

/// A person's place in a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attendance {
    /// What they are.
    pub role: Role,
    /// Whether they are still there.
    pub presence: Presence,
    /// Whether they come.
    pub rsvp: Rsvp,
}

/// Somebody in a party, as others see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attendee {
    /// Who.
    pub person: Person,
    /// What they are.
    pub role: Role,
    /// Whether they come.
    pub rsvp: Rsvp,
    /// Since when; later than that of all who joined before.
    pub joined_at: Moment,
    /// When they arrived.
    pub checked_in_at: Option<Moment>,
}

impl Attendance {
    /// Whether it takes a seat: the host's does not.
    pub fn has_seat(self) -> bool {
        self.presence == Presence::In && self.rsvp == Rsvp::Going && self.role != Role::Host
    }

    /// What others are told when somebody who was at `before` is here. `None`: nothing, they were not there and are not.
    pub fn news(self, before: Option<Self>) -> Option<EventKind> {
        let was_in = before.is_some_and(|before| before.presence == Presence::In);
        match (was_in, self.presence == Presence::In) {
            (false, true) => Some(EventKind::AttendeeJoined),
            (true, true) => Some(EventKind::AttendeeUpdated),
            (true, false) => Some(EventKind::AttendeeLeft),
            (false, false) => None,
        }
    }

    /// What it gives the right to.
    pub fn standing(self) -> Standing {
        match (self.presence, self.role, self.rsvp) {
            (Presence::Banned, ..) => Standing::Banned,
            (Presence::Left | Presence::Removed, ..) => Standing::Away,
            (Presence::In, Role::Host, _) => Standing::Host,
            (Presence::In, Role::Cohost, _) => Standing::Cohost,
            (Presence::In, Role::Guest, _) => Standing::Guest,
            (Presence::In, Role::Attendee, Rsvp::Going) => Standing::Going,
            (Presence::In, Role::Attendee, Rsvp::Maybe) => Standing::Maybe,
            (Presence::In, Role::Attendee, Rsvp::NotGoing) => Standing::Away,
        }
    }
}

/// What a place, or none, gives the right to.
pub fn standing(place: Option<Attendance>) -> Standing {
    place.map_or(Standing::Stranger, Attendance::standing)
}

impl Role {
    const ALL: [Self; 4] = [Self::Host, Self::Cohost, Self::Attendee, Self::Guest];

    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Cohost => "cohost",
            Self::Attendee => "attendee",
            Self::Guest => "guest",
        }
    }

    /// The role of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}

impl Presence {
    const ALL: [Self; 4] = [Self::In, Self::Left, Self::Removed, Self::Banned];

    /// Why somebody is not in any more, as it is logged.
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::In => None,
            Self::Left => Some("LEFT"),
            Self::Removed => Some("REMOVED"),
            Self::Banned => Some("BANNED"),
        }
    }

    /// The word that it is kept by.
    pub fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Left => "left",
            Self::Removed => "removed",
            Self::Banned => "banned",
        }
    }

    /// The presence of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|presence| presence.name() == name)
    }
}

impl Rsvp {
    const ALL: [Self; 3] = [Self::Going, Self::Maybe, Self::NotGoing];

    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Going => "GOING",
            Self::Maybe => "MAYBE",
            Self::NotGoing => "NOT_GOING",
        }
    }

    /// The RSVP of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rsvp| rsvp.name() == name)
    }
}

impl Serialize for Role {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl Serialize for Rsvp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_gives_a_standing() {
        use Presence::{Banned, In, Left, Removed};
        use Rsvp::{Going, Maybe, NotGoing};
        for (role, presence, rsvp, standing) in [
            (Role::Host, In, Going, Standing::Host),
            (Role::Cohost, In, Going, Standing::Cohost),
            (Role::Cohost, In, Maybe, Standing::Cohost),
            (Role::Attendee, In, Going, Standing::Going),
            (Role::Attendee, In, Maybe, Standing::Maybe),
            (Role::Attendee, In, NotGoing, Standing::Away),
            (Role::Guest, In, Going, Standing::Guest),
            (Role::Attendee, Left, Going, Standing::Away),
            (Role::Guest, Left, Going, Standing::Away),
            (Role::Cohost, Removed, Going, Standing::Away),
            (Role::Guest, Banned, Going, Standing::Banned),
            (Role::Attendee, Banned, Maybe, Standing::Banned),
        ] {
            let place = Attendance { role, presence, rsvp };
            assert_eq!(place.standing(), standing, "{place:?}");
        }
    }

    #[test]
    fn who_is_in_and_comes_takes_a_seat_but_the_host() {
        use Presence::{Banned, In, Left};
        use Rsvp::{Going, Maybe, NotGoing};
        for (role, presence, rsvp, has_seat) in [
            (Role::Host, In, Going, false),
            (Role::Cohost, In, Going, true),
            (Role::Attendee, In, Going, true),
            (Role::Guest, In, Going, true),
            (Role::Attendee, In, Maybe, false),
            (Role::Attendee, In, NotGoing, false),
            (Role::Attendee, Left, Going, false),
            (Role::Guest, Banned, Going, false),
        ] {
            let place = Attendance { role, presence, rsvp };
            assert_eq!(place.has_seat(), has_seat, "{place:?}");
        }
    }

    #[test]
    fn others_are_told_who_comes_changes_and_goes() {
        use Presence::{Banned, In, Left, Removed};
        let at = |presence| Attendance { role: Role::Attendee, presence, rsvp: Rsvp::Going };
        for (before, after, news) in [
            (None, In, Some(EventKind::AttendeeJoined)),
            (Some(Left), In, Some(EventKind::AttendeeJoined)),
            (Some(In), In, Some(EventKind::AttendeeUpdated)),
            (Some(In), Removed, Some(EventKind::AttendeeLeft)),
            (Some(Left), Banned, None),
            (None, Banned, None),
        ] {
            assert_eq!(at(after).news(before.map(at)), news, "{before:?} {after:?}");
        }
    }

    #[test]
    fn what_is_kept_is_found_by_its_name() {
        assert!(Role::ALL.into_iter().all(|role| Role::named(role.name()) == Some(role)));
        assert!(Presence::ALL.into_iter().all(|it| Presence::named(it.name()) == Some(it)));
        assert!(Rsvp::ALL.into_iter().all(|rsvp| Rsvp::named(rsvp.name()) == Some(rsvp)));
    }
}
