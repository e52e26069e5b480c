//! Of what people are told when a party goes on.

use uuid::Uuid;

use super::Status;
use crate::domain::notification::Cause;

/// Of what people are told when `actor` takes the party from `before`, or from nothing, to `next`. One that everybody may know of
/// is news to the followers of its host as soon as they may.
pub fn news(
    party: Uuid,
    is_private: bool,
    before: Option<Status>,
    next: Status,
    actor: Option<Uuid>,
) -> Vec<Cause> {
    if before == Some(next) {
        return Vec::new();
    }
    let was_hidden = matches!(before, None | Some(Status::Draft));
    let is_new = was_hidden && !is_private && matches!(next, Status::Planned | Status::Live);
    let turn = match next {
        Status::Draft | Status::Planned => None,
        Status::Live => Some(Cause::PartyStart { party, actor }),
        Status::Ended => Some(Cause::PartyEnd { party, actor }),
        Status::Cancelled => Some(Cause::PartyCancelled { party, actor }),
    };
    is_new.then_some(Cause::NewParty { party }).into_iter().chain(turn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_may_know_of_a_party_is_told_how_it_goes_on() {
        use Status::{Cancelled, Draft, Ended, Live, Planned};
        for (before, next, public, private) in [
            (None, Draft, &[][..], &[][..]),
            (None, Planned, &["NEW_PARTY"], &[]),
            (Some(Draft), Planned, &["NEW_PARTY"], &[]),
            (Some(Draft), Live, &["NEW_PARTY", "PARTY_START"], &["PARTY_START"]),
            (Some(Draft), Cancelled, &["PARTY_CANCELLED"], &["PARTY_CANCELLED"]),
            (Some(Planned), Planned, &[], &[]),
            (Some(Planned), Live, &["PARTY_START"], &["PARTY_START"]),
            (Some(Planned), Cancelled, &["PARTY_CANCELLED"], &["PARTY_CANCELLED"]),
            (Some(Live), Ended, &["PARTY_END"], &["PARTY_END"]),
            (Some(Live), Live, &[], &[]),
            (Some(Cancelled), Cancelled, &[], &[]),
        ] {
            for (is_private, expected) in [(false, public), (true, private)] {
                let told = news(Uuid::nil(), is_private, before, next, None);
                let told: Vec<_> = told.iter().map(Cause::kind).collect();
                assert_eq!(told, expected, "{before:?} to {next:?}, private: {is_private}");
            }
        }
    }
}
