//! What people are told of, and why.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{
    access::{Act, Openness},
    attendance::{Attendance, Rsvp, standing},
    caller::Caller,
    media::MediaType,
    moment::Moment,
};

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
    /// A party went LIVE: its attendees, but who did it.
    PartyStart {
        /// Which.
        party: Uuid,
        /// Who did it; `None`: the clock.
        #[serde(default)]
        actor: Option<Uuid>,
    },
    /// A party ended: its attendees, but who did it.
    PartyEnd {
        /// Which.
        party: Uuid,
        /// Who did it; `None`: the clock.
        #[serde(default)]
        actor: Option<Uuid>,
    },
    /// A party was cancelled: its attendees, but who did it.
    PartyCancelled {
        /// Which.
        party: Uuid,
        /// Who did it; `None`: the clock.
        #[serde(default)]
        actor: Option<Uuid>,
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
            | Self::PartyStart { party, .. }
            | Self::PartyEnd { party, .. }
            | Self::PartyCancelled { party, .. }
            | Self::PartyReminder { party } => format!("{kind}:{party}"),
            Self::NewMedia { party, minute, .. } => format!("{kind}:{party}:{minute}"),
        }
    }
}

/// What somebody was told, and what its words are made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// UUIDv7.
    pub id: Uuid,
    /// The contract's word for its sort.
    pub kind: String,
    /// Who did what it tells of.
    pub actor_id: Option<Uuid>,
    /// Where.
    pub party_id: Option<Uuid>,
    /// To which media.
    pub media_id: Option<Uuid>,
    /// With which comment.
    pub comment_id: Option<Uuid>,
    /// When they were told.
    pub created_at: Moment,
    /// Whether they have read it.
    pub is_read: bool,
    /// What who did it is called now.
    pub actor: Option<String>,
    /// The party as it is now.
    pub setting: Option<Setting>,
    /// What sort of media.
    pub media: Option<MediaType>,
    /// Whether who did it comes to the party.
    pub answer: Option<Rsvp>,
}

/// The party that something is told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Setting {
    /// What it is called.
    pub title: String,
    /// Why it was cancelled, if that was said.
    pub cancel_reason: Option<String>,
    /// What decides who may see it.
    pub openness: Openness,
    /// The place in it of who is told.
    pub place: Option<Attendance>,
}

impl Setting {
    /// Whether who is told may know still what the party is called.
    fn is_readable(&self) -> bool {
        // Reading asks nobody for a token
        standing(self.place).may(Act::Read, self.openness, Caller::Anonymous).is_ok()
    }
}

impl Notification {
    /// Its title and its body, in plain English.
    pub fn words(&self) -> (&'static str, String) {
        let actor = self.actor.as_deref().unwrap_or("Somebody");
        let setting = self.setting.as_ref().filter(|setting| setting.is_readable());
        let title = setting.map(|setting| setting.title.as_str());
        let (party, the_party) = (title.unwrap_or("a party"), title.unwrap_or("A party"));
        let media = match self.media {
            Some(MediaType::Video) => "video",
            Some(MediaType::Audio) => "recording",
            Some(MediaType::Photo) | None => "photo",
        };
        match self.kind.as_str() {
            "FOLLOW" => ("New follower", format!("{actor} follows you")),
            "LIKE" => ("New like", format!("{actor} likes your {media}")),
            "COMMENT" => ("New comment", format!("{actor} commented on your {media}")),
            "NEW_RSVP" => {
                let comes = match self.answer {
                    Some(Rsvp::Going) => "is coming to",
                    Some(Rsvp::Maybe) => "may come to",
                    Some(Rsvp::NotGoing) => "is not coming to",
                    None => "has answered for",
                };
                ("New answer", format!("{actor} {comes} {party}"))
            }
            "NEW_PARTY" => ("New party", format!("{actor} invites to {party}")),
            "PARTY_INVITE" => ("You are a cohost", format!("{actor} made you a cohost of {party}")),
            "PARTY_START" => ("The party has begun", format!("{the_party} has begun")),
            "PARTY_END" => ("The party is over", format!("{the_party} is over")),
            "PARTY_CANCELLED" => {
                let reason = setting.and_then(|setting| setting.cancel_reason.as_deref());
                let why = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
                ("The party is cancelled", format!("{the_party} is cancelled{why}"))
            }
            "PARTY_REMINDER" => ("The party begins soon", format!("{the_party} begins soon")),
            "NEW_MEDIA" => ("New in the gallery", format!("There is a new {media} in {party}")),
            // Only a newer binary knows what it tells
            _ => ("Something new", "There is something new for you".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::attendance::{Presence, Role};

    fn notification(kind: &str) -> Notification {
        let openness = Openness { is_private: true, is_draft: false };
        let place = Some(Attendance { role: Role::Attendee, presence: Presence::In, rsvp: Rsvp::Going });
        Notification {
            id: Uuid::nil(),
            kind: kind.to_owned(),
            actor_id: None,
            party_id: None,
            media_id: None,
            comment_id: None,
            created_at: Moment(jiff::Timestamp::UNIX_EPOCH),
            is_read: false,
            actor: Some("Ada".to_owned()),
            setting: Some(Setting {
                title: "Ball".to_owned(),
                cancel_reason: Some("rain".to_owned()),
                openness,
                place,
            }),
            media: Some(MediaType::Photo),
            answer: Some(Rsvp::Going),
        }
    }

    #[test]
    fn what_is_told_in_plain_words() {
        for (kind, body) in [
            ("FOLLOW", "Ada follows you"),
            ("LIKE", "Ada likes your photo"),
            ("COMMENT", "Ada commented on your photo"),
            ("NEW_RSVP", "Ada is coming to Ball"),
            ("NEW_PARTY", "Ada invites to Ball"),
            ("PARTY_INVITE", "Ada made you a cohost of Ball"),
            ("PARTY_START", "Ball has begun"),
            ("PARTY_END", "Ball is over"),
            ("PARTY_CANCELLED", "Ball is cancelled: rain"),
            ("PARTY_REMINDER", "Ball begins soon"),
            ("NEW_MEDIA", "There is a new photo in Ball"),
            ("CAKE", "There is something new for you"),
        ] {
            let mut told = notification(kind);
            assert_eq!(told.words().1, body, "{kind}");
            // The longest names there are
            told.actor = Some("a".repeat(50));
            told.setting.as_mut().unwrap().title = "t".repeat(100);
            let (title, body) = told.words();
            assert!(title.len() <= 256 && body.len() <= 256, "{body}");
            (told.actor, told.setting, told.media, told.answer) = (None, None, None, None);
            assert!(!told.words().1.is_empty(), "{kind}");
        }
    }

    #[test]
    fn a_party_that_one_may_not_see_any_more_is_not_named() {
        let place = |presence| Attendance { role: Role::Attendee, presence, rsvp: Rsvp::Going };
        for (place, is_private, is_draft, body) in [
            (Some(place(Presence::In)), true, false, "Ball has begun"),
            (Some(place(Presence::Banned)), true, false, "A party has begun"),
            (Some(place(Presence::Left)), true, false, "A party has begun"),
            (Some(place(Presence::Left)), false, false, "Ball has begun"),
            (None, true, false, "A party has begun"),
            (None, false, false, "Ball has begun"),
            (None, false, true, "A party has begun"),
        ] {
            let openness = Openness { is_private, is_draft };
            let setting = Some(Setting { title: "Ball".to_owned(), cancel_reason: None, openness, place });
            assert_eq!(Notification { setting, ..notification("PARTY_START") }.words().1, body, "{place:?}");
        }
    }

    #[test]
    fn causes_are_the_same_where_people_are_told_once() {
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let same = [
            // Whoever was the first
            (Cause::PartyStart { party: a, actor: None }, Cause::PartyStart { party: a, actor: Some(b) }),
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
            (Cause::PartyStart { party: a, actor: None }, Cause::PartyEnd { party: a, actor: None }),
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
            Cause::PartyCancelled { party, actor: Some(party) },
            Cause::NewMedia { party, media: party, minute: 0 },
        ] {
            assert_eq!(serde_json::to_value(cause).unwrap()["type"], cause.kind());
        }
    }
}
