//! A party: what it is, who may see it, and until when people may add to it.

pub mod admission;
pub mod filter;
pub mod news;
pub mod plan;
pub mod status;

use jiff::SignedDuration;
use uuid::Uuid;

pub use self::{
    news::news,
    plan::{Edit, Plan},
    status::{InvalidStatus, Status, Step},
};
use super::{
    access::{Openness, Standing},
    moment::Moment,
    person::Person,
    picture::Cover,
};

/// How long after its end a party still takes photos and talk, and screens show it, in hours.
pub const AFTERGLOW_HOURS: i32 = 7 * 24;

/// Whether a party that ended then, if it did, is not over yet `now`, or not for more than 7 days.
pub fn glows(ended_at: Option<Moment>, now: Moment) -> bool {
    ended_at.is_none_or(|ended| {
        now.0.duration_since(ended.0) <= SignedDuration::from_hours(AFTERGLOW_HOURS.into())
    })
}

/// A party as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub struct Party {
    /// Which.
    pub id: Uuid,
    /// Who made it.
    pub host: Person,
    /// What its hosts decide.
    pub plan: Plan,
    /// The picture that stands for it.
    pub cover: Option<Cover>,
    /// Where it is in its life.
    pub status: Status,
    /// Whether it was cancelled before others could know of it.
    pub cancelled_as_draft: bool,
    /// When it became LIVE.
    pub started_at: Option<Moment>,
    /// When it became ENDED.
    pub ended_at: Option<Moment>,
    /// GOING users and guests, without the host.
    pub attendees_count: i32,
    /// Media that were taken.
    pub media_count: i32,
    /// The access code, sealed.
    pub code_sealed: Option<Vec<u8>>,
    /// The number of its last logged event.
    pub seq: i64,
    /// Raised with every change of the plan.
    pub revision: i32,
    /// Raised when it turns private.
    pub links_version: i32,
    /// When it was made.
    pub created_at: Moment,
    /// When anything of it but its counters last changed.
    pub updated_at: Moment,
}

impl Party {
    /// What of it decides who may see it.
    pub fn openness(&self) -> Openness {
        let is_draft = self.status == Status::Draft || self.cancelled_as_draft;
        Openness { is_private: self.plan.is_private, is_draft }
    }

    /// The version that links to its media are signed for; `None`: they are open to everybody.
    pub fn signed_for(&self) -> Option<i32> {
        self.plan.is_private.then_some(self.links_version)
    }

    /// The version that a link to its cover is signed for; `None`: it is open to everybody. Hosts show a draft's cover to
    /// themselves, where no token goes along.
    pub fn cover_signed_for(&self) -> Option<i32> {
        let Openness { is_private, is_draft } = self.openness();
        (is_private || is_draft).then_some(self.links_version)
    }

    /// Whether no seat is left.
    pub fn is_full(&self) -> bool {
        self.plan.max_attendees.is_some_and(|most| self.attendees_count >= most)
    }

    /// As [`glows`].
    pub fn glows(&self, now: Moment) -> bool {
        glows(self.ended_at, now)
    }

    /// Whether somebody with that place may upload and talk at `now`, as far as the status decides that: hosts from
    /// PLANNED on, others from LIVE on, until 7 days after the end.
    ///
    /// # Errors
    ///
    /// Not in this status.
    pub fn takes_contributions(&self, standing: Standing, now: Moment) -> Result<(), InvalidStatus> {
        let open = match self.status {
            Status::Live => true,
            Status::Planned => standing.is_hosting(),
            Status::Ended => self.ended_at.is_some() && self.glows(now),
            Status::Draft | Status::Cancelled => false,
        };
        if open { Ok(()) } else { Err(InvalidStatus) }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use serde_json::json;

    use super::*;

    fn moment(text: &str) -> Moment {
        Moment::read(&json!(text)).unwrap()
    }

    pub(crate) fn party(status: Status) -> Party {
        let at = moment("2026-05-01T20:00:00Z");
        let host = Person {
            id: Uuid::nil(),
            username: Some("host".to_owned()),
            display_name: "Host".to_owned(),
            first_name: None,
            last_name: None,
            avatar_id: None,
        };
        let plan = Plan {
            title: "Party".to_owned(),
            description: None,
            starts_at: at,
            ends_at: None,
            is_private: true,
            max_attendees: Some(2),
            venue: None,
            tags: Vec::new(),
        };
        Party {
            id: Uuid::nil(),
            host,
            plan,
            cover: None,
            status,
            cancelled_as_draft: false,
            started_at: Some(at),
            ended_at: Some(at),
            attendees_count: 0,
            media_count: 0,
            code_sealed: None,
            seq: 0,
            revision: 1,
            links_version: 1,
            created_at: at,
            updated_at: at,
        }
    }

    #[test]
    fn photos_and_talk_are_taken_from_planned_or_live_until_a_week_after_the_end() {
        let soon = moment("2026-05-02T20:00:00Z");
        let late = moment("2026-05-08T20:00:01Z");
        for (status, at, host, guest) in [
            (Status::Draft, soon, false, false),
            (Status::Planned, soon, true, false),
            (Status::Live, soon, true, true),
            (Status::Live, late, true, true),
            (Status::Ended, soon, true, true),
            (Status::Ended, late, false, false),
            (Status::Cancelled, soon, false, false),
        ] {
            let party = party(status);
            assert_eq!(party.takes_contributions(Standing::Cohost, at).is_ok(), host, "{status:?} host");
            assert_eq!(party.takes_contributions(Standing::Guest, at).is_ok(), guest, "{status:?} guest");
        }
    }

    #[test]
    fn a_party_is_full_when_its_seats_are_taken() {
        let mut party = party(Status::Live);
        for (taken, full) in [(0, false), (1, false), (2, true), (3, true)] {
            party.attendees_count = taken;
            assert_eq!(party.is_full(), full, "{taken}");
        }
        party.plan.max_attendees = None;
        assert!(!party.is_full());
    }
}
