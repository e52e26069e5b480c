//! Who may do what in a party: the contract's table of rights.

use super::caller::Caller;

/// A caller's place in a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Made the party.
    Host,
    /// Helps the host.
    Cohost,
    /// A user who comes.
    Going,
    /// A user who may come.
    Maybe,
    /// A user who does not come, or has left.
    Away,
    /// Joined by the code, without an account.
    Guest,
    /// A screen of this party.
    Display,
    /// Not wanted here.
    Banned,
    /// Everyone else: anonymous callers and guests of other parties too.
    Stranger,
}

/// What somebody wants to do in a party.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Act {
    /// See the party, its attendees and its media.
    Read,
    /// See its gallery, as a screen does.
    SeeGallery,
    /// Read what is said.
    ReadChat,
    /// Upload, comment, chat, react, report.
    Contribute,
    /// Like a media.
    Like,
    /// Edit or delete what is one's own.
    EditOwn,
    /// Leave.
    Leave,
    /// Join without being let in by somebody, and say whether one comes.
    Answer,
    /// Say that one has arrived.
    CheckIn,
    /// Edit the party, begin and end it, moderate.
    Steer,
    /// Cancel or delete the party, choose cohosts.
    Own,
}

/// What of the party decides who may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Openness {
    /// Only members may know of it.
    pub is_private: bool,
    /// Only its host and cohosts may know of it.
    pub is_draft: bool,
}

/// Why somebody may not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denied {
    /// They may not know that it exists: 404.
    Hidden,
    /// They would have to say who they are: 401.
    Unauthenticated,
    /// They may know of it, and not do that: 403.
    Forbidden,
}

impl Standing {
    /// Whether they take part: host, cohost, user GOING, guest. "Attendee" in the contract.
    pub fn is_attendee(self) -> bool {
        matches!(self, Self::Host | Self::Cohost | Self::Going | Self::Guest)
    }

    /// Whether they run the party.
    pub fn is_hosting(self) -> bool {
        matches!(self, Self::Host | Self::Cohost)
    }

    /// Whether they may send away somebody with the standing `other`.
    pub fn may_send_away(self, other: Self) -> bool {
        match other {
            Self::Host => false,
            Self::Cohost => self == Self::Host,
            _ => self.is_hosting(),
        }
    }

    /// Decides in the contract's order: not readable, then no token where one is needed, then not allowed.
    ///
    /// # Errors
    ///
    /// [`Denied`], by what may be told.
    pub fn may(self, act: Act, party: Openness, caller: Caller) -> Result<(), Denied> {
        if act == Act::EditOwn && self.has_own_things() {
            return Ok(());
        }
        if !self.can_see(act, party) {
            return Err(Denied::Hidden);
        }
        if self.can_do(act, caller) {
            return Ok(());
        }
        Err(if caller.is_known() { Denied::Forbidden } else { Denied::Unauthenticated })
    }

    /// Who left keeps the right to take back what they brought.
    fn has_own_things(self) -> bool {
        self.is_attendee() || matches!(self, Self::Maybe | Self::Away)
    }

    fn can_see(self, act: Act, party: Openness) -> bool {
        if party.is_draft {
            return self.is_hosting();
        }
        match self {
            // A screen knows of one gallery, public or not
            Self::Display => act == Act::SeeGallery,
            Self::Away | Self::Banned | Self::Stranger => !party.is_private,
            Self::Host | Self::Cohost | Self::Going | Self::Maybe | Self::Guest => true,
        }
    }

    fn can_do(self, act: Act, caller: Caller) -> bool {
        match act {
            Act::Read | Act::SeeGallery => true,
            Act::ReadChat | Act::Contribute => self.is_attendee(),
            // On a public party every user may, but who is banned
            Act::Like => {
                self.is_attendee()
                    || self == Self::Maybe
                    || (matches!(self, Self::Away | Self::Stranger) && caller.user().is_some())
            }
            // Who runs the party comes, and a guest is there by the code alone
            Act::Answer => {
                matches!(self, Self::Going | Self::Maybe | Self::Away | Self::Stranger)
                    && caller.user().is_some()
            }
            Act::EditOwn => false,
            Act::Leave => matches!(self, Self::Cohost | Self::Going | Self::Maybe | Self::Guest),
            Act::CheckIn => self.is_attendee() || self == Self::Maybe,
            Act::Steer => self.is_hosting(),
            Act::Own => self == Self::Host,
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    const PRIVATE: Openness = Openness { is_private: true, is_draft: false };
    const PUBLIC: Openness = Openness { is_private: false, is_draft: false };
    const DRAFT: Openness = Openness { is_private: true, is_draft: true };

    /// The columns of the contract's table, in its order.
    fn columns() -> [(Standing, Caller); 10] {
        let user = Caller::User(Uuid::nil());
        [
            (Standing::Host, user),
            (Standing::Cohost, user),
            (Standing::Going, user),
            (Standing::Maybe, user),
            (Standing::Away, user),
            (Standing::Guest, Caller::Guest(Uuid::nil())),
            (Standing::Display, Caller::Display(Uuid::nil())),
            (Standing::Banned, user),
            (Standing::Stranger, user),
            (Standing::Stranger, Caller::Anonymous),
        ]
    }

    /// Y yes, 4 hidden (404), 1 unauthenticated (401), 3 forbidden (403).
    fn row(act: Act, party: Openness) -> String {
        columns()
            .map(|(standing, caller)| match standing.may(act, party, caller) {
                Ok(()) => 'Y',
                Err(Denied::Hidden) => '4',
                Err(Denied::Unauthenticated) => '1',
                Err(Denied::Forbidden) => '3',
            })
            .iter()
            .collect()
    }

    #[test]
    fn who_runs_a_party_sends_others_away_but_not_each_other() {
        for (other, host, cohost) in [
            (Standing::Host, false, false),
            (Standing::Cohost, true, false),
            (Standing::Going, true, true),
            (Standing::Guest, true, true),
            (Standing::Away, true, true),
            (Standing::Banned, true, true),
            (Standing::Stranger, true, true),
        ] {
            let may = [Standing::Host, Standing::Cohost].map(|standing| standing.may_send_away(other));
            assert_eq!(may, [host, cohost], "{other:?}");
            assert!(!Standing::Going.may_send_away(other), "{other:?}");
        }
    }

    #[test]
    fn the_rights_of_the_contract() {
        // Columns: host, cohost, GOING, MAYBE, NOT_GOING or left, guest, display, banned, stranger, anonymous
        let table = [
            (Act::Read, PRIVATE, "YYYY4Y4444"),
            (Act::Read, PUBLIC, "YYYYYY4YYY"),
            (Act::Read, DRAFT, "YY44444444"),
            (Act::SeeGallery, PRIVATE, "YYYY4YY444"),
            (Act::SeeGallery, PUBLIC, "YYYYYYYYYY"),
            (Act::ReadChat, PRIVATE, "YYY34Y4444"),
            (Act::ReadChat, PUBLIC, "YYY33Y4331"),
            (Act::Contribute, PRIVATE, "YYY34Y4444"),
            (Act::Contribute, PUBLIC, "YYY33Y4331"),
            (Act::Like, PRIVATE, "YYYY4Y4444"),
            (Act::Like, PUBLIC, "YYYYYY43Y1"),
            (Act::EditOwn, PRIVATE, "YYYYYY4444"),
            (Act::EditOwn, PUBLIC, "YYYYYY4331"),
            (Act::Leave, PRIVATE, "3YYY4Y4444"),
            (Act::Leave, PUBLIC, "3YYY3Y4331"),
            (Act::Answer, PRIVATE, "33YY434444"),
            (Act::Answer, PUBLIC, "33YYY343Y1"),
            (Act::Answer, DRAFT, "3344444444"),
            (Act::CheckIn, PRIVATE, "YYYY4Y4444"),
            (Act::CheckIn, PUBLIC, "YYYY3Y4331"),
            (Act::Steer, PRIVATE, "YY33434444"),
            (Act::Steer, DRAFT, "YY44444444"),
            (Act::Own, PUBLIC, "Y333334331"),
        ];
        for (act, party, expected) in table {
            assert_eq!(row(act, party), expected, "{act:?} {party:?}");
        }
    }
}
