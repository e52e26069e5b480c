//! What people are told of, and why.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Why somebody is told something: one of them is left behind in the transaction of what it tells of, and a worker tells
/// everybody whom it concerns, each once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Cause {
    /// Somebody follows somebody: whom they follow.
    Follow {
        /// Who follows.
        follower: Uuid,
        /// Whom.
        followed: Uuid,
    },
    /// Somebody likes a media: its uploader, once ever.
    Like {
        /// Which.
        media: Uuid,
        /// Who likes it.
        person: Uuid,
    },
    /// Somebody commented on a media: its uploader.
    Comment {
        /// Which media.
        media: Uuid,
        /// Which comment.
        comment: Uuid,
        /// Whose.
        person: Uuid,
    },
    /// A user answered whether they come, or joined: the host and the cohosts.
    NewRsvp {
        /// To which party.
        party: Uuid,
        /// Who.
        person: Uuid,
    },
    /// There is a new public party: the followers of its host.
    NewParty {
        /// Which.
        party: Uuid,
    },
    /// A user was made a cohost: that user.
    PartyInvite {
        /// Of which party.
        party: Uuid,
        /// Who.
        person: Uuid,
    },
    /// A party went LIVE: its attendees.
    PartyStart {
        /// Which.
        party: Uuid,
    },
    /// A party ended: its attendees.
    PartyEnd {
        /// Which.
        party: Uuid,
    },
    /// A party was cancelled: its attendees.
    PartyCancelled {
        /// Which.
        party: Uuid,
    },
    /// A party begins soon: its attendees.
    PartyReminder {
        /// Which.
        party: Uuid,
    },
    /// A media can be seen: the party's attendees but its uploader, once a minute.
    NewMedia {
        /// In which party.
        party: Uuid,
        /// Which.
        media: Uuid,
        /// Minutes since 1970: those of one minute are told as one.
        minute: i64,
    },
}

impl Cause {
    /// The contract's word for notifications of this sort.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Follow { .. } => "FOLLOW",
            Self::Like { .. } => "LIKE",
            Self::Comment { .. } => "COMMENT",
            Self::NewRsvp { .. } => "NEW_RSVP",
            Self::NewParty { .. } => "NEW_PARTY",
            Self::PartyInvite { .. } => "PARTY_INVITE",
            Self::PartyStart { .. } => "PARTY_START",
            Self::PartyEnd { .. } => "PARTY_END",
            Self::PartyCancelled { .. } => "PARTY_CANCELLED",
            Self::PartyReminder { .. } => "PARTY_REMINDER",
            Self::NewMedia { .. } => "NEW_MEDIA",
        }
    }

    /// What tells it from others: of the same cause a person is told once.
    pub fn key(&self) -> String {
        let kind = self.kind();
        match self {
            Self::Follow { follower, .. } => format!("{kind}:{follower}"),
            Self::Like { media, person } => format!("{kind}:{media}:{person}"),
            Self::Comment { comment, .. } => format!("{kind}:{comment}"),
            Self::NewRsvp { party, person } | Self::PartyInvite { party, person } => {
                format!("{kind}:{party}:{person}")
            }
            Self::NewParty { party }
            | Self::PartyStart { party }
            | Self::PartyEnd { party }
            | Self::PartyCancelled { party }
            | Self::PartyReminder { party } => format!("{kind}:{party}"),
            Self::NewMedia { party, minute, .. } => format!("{kind}:{party}:{minute}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_are_the_same_where_people_are_told_once() {
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let same = [
            (Cause::Like { media: a, person: b }, Cause::Like { media: a, person: b }),
            (
                Cause::NewMedia { party: a, media: b, minute: 5 },
                Cause::NewMedia { party: a, media: c, minute: 5 },
            ),
        ];
        for (one, other) in same {
            assert_eq!(one.key(), other.key());
        }
        let different = [
            (Cause::Like { media: a, person: b }, Cause::Like { media: a, person: c }),
            (Cause::PartyStart { party: a }, Cause::PartyEnd { party: a }),
            (
                Cause::NewMedia { party: a, media: b, minute: 5 },
                Cause::NewMedia { party: a, media: b, minute: 6 },
            ),
        ];
        for (one, other) in different {
            assert_ne!(one.key(), other.key());
        }
    }

    #[test]
    fn a_cause_is_written_under_the_word_of_the_contract() {
        let party = Uuid::nil();
        for cause in [
            Cause::Follow { follower: party, followed: party },
            Cause::NewRsvp { party, person: party },
            Cause::PartyCancelled { party },
            Cause::NewMedia { party, media: party, minute: 0 },
        ] {
            assert_eq!(serde_json::to_value(cause).unwrap()["type"], cause.kind());
        }
    }
}
