//! Where a party is in its life, and how it goes on.

use serde::{Serialize, Serializer};

/// Where a party is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Nobody but its host and cohosts knows of it.
    Draft,
    /// It will be.
    Planned,
    /// It is.
    Live,
    /// It was.
    Ended,
    /// It will not be.
    Cancelled,
}

/// What a host does with a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Lets it be known.
    Publish,
    /// Begins it, at any time.
    Start,
    /// Ends it.
    End,
    /// Says that it will not be, or not go on.
    Cancel,
}

/// The status does not allow this.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not in this status")]
pub struct InvalidStatus;

impl Status {
    /// Every status.
    pub const ALL: [Self; 5] = [Self::Draft, Self::Planned, Self::Live, Self::Ended, Self::Cancelled];

    /// The contract's word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Planned => "PLANNED",
            Self::Live => "LIVE",
            Self::Ended => "ENDED",
            Self::Cancelled => "CANCELLED",
        }
    }

    /// The status of that name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// Whether one can join.
    pub fn takes_people(self) -> bool {
        matches!(self, Self::Planned | Self::Live)
    }

    /// The status after `step`; the same when the party is there already.
    ///
    /// # Errors
    ///
    /// No such step from here.
    pub fn after(self, step: Step) -> Result<Self, InvalidStatus> {
        match (self, step) {
            (Self::Draft | Self::Planned, Step::Publish) => Ok(Self::Planned),
            (Self::Draft | Self::Planned | Self::Live, Step::Start) => Ok(Self::Live),
            (Self::Live | Self::Ended, Step::End) => Ok(Self::Ended),
            (Self::Draft | Self::Planned | Self::Live | Self::Cancelled, Step::Cancel) => Ok(Self::Cancelled),
            _ => Err(InvalidStatus),
        }
    }
}

impl Serialize for Status {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_state_machine_of_the_contract() {
        use Status::{Cancelled, Draft, Ended, Live, Planned};
        for (step, expected) in [
            // From DRAFT, PLANNED, LIVE, ENDED, CANCELLED
            (Step::Publish, [Some(Planned), Some(Planned), None, None, None]),
            (Step::Start, [Some(Live), Some(Live), Some(Live), None, None]),
            (Step::End, [None, None, Some(Ended), Some(Ended), None]),
            (Step::Cancel, [Some(Cancelled), Some(Cancelled), Some(Cancelled), None, Some(Cancelled)]),
        ] {
            assert_eq!(Status::ALL.map(|status| status.after(step).ok()), expected, "{step:?}");
        }
        assert_eq!(Draft.after(Step::End), Err(InvalidStatus));
    }

    #[test]
    fn what_is_kept_is_found_by_its_name() {
        assert!(Status::ALL.into_iter().all(|status| Status::named(status.name()) == Some(status)));
    }
}
