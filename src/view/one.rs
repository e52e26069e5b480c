//! One resource under its noun, as the contract answers it: `{"party": …}`.

use serde::Serialize;

use super::{
    AttendeeView, DeviceView, OwnGuest, PartyView, Preview, UserView, comment::CommentView, media::MediaView,
    message::MessageView,
};

/// One resource under its noun.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum One<'a> {
    /// A party.
    Party(&'a PartyView<'a>),
    /// A party, before one joins it.
    #[serde(rename = "party")]
    Preview(&'a Preview<'a>),
    /// Somebody in a party.
    Attendee(&'a AttendeeView<'a>),
    /// A media.
    Media(&'a MediaView<'a>),
    /// A comment.
    Comment(&'a CommentView<'a>),
    /// A message.
    Message(&'a MessageView<'a>),
    /// A device, to its user.
    Device(&'a DeviceView),
    /// A user.
    User(&'a UserView<'a>),
    /// A guest, to themselves.
    Guest(&'a OwnGuest<'a>),
}

/// What a user finds who has joined a party.
#[derive(Debug, Serialize)]
pub struct Joined<'a> {
    /// The party.
    pub party: PartyView<'a>,
    /// Their place in it.
    pub attendee: Option<AttendeeView<'a>>,
}

/// What a guest finds who has joined a party, and how they say who they are from now on.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome<'a> {
    /// The party.
    pub party: PartyView<'a>,
    /// Who they are.
    pub guest: OwnGuest<'a>,
    /// Their place in it.
    pub attendee: Option<AttendeeView<'a>>,
    /// What their requests carry.
    pub access_token: &'a str,
    /// What they get the next one for.
    pub refresh_token: &'a str,
    /// Seconds until the access token is worth nothing.
    pub expires_in: u64,
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::domain::{account::Guest, moment::Moment, person::Person};

    #[test]
    fn a_resource_stands_under_its_noun_in_the_order_of_its_fields() {
        let person = Person {
            id: Uuid::nil(),
            username: None,
            display_name: "Ann".to_owned(),
            first_name: None,
            last_name: None,
            avatar_id: None,
        };
        let created_at = Moment(jiff::Timestamp::UNIX_EPOCH);
        let guest = Guest { person, party_id: Uuid::max(), created_at };
        let written = serde_json::to_string(&One::Guest(&OwnGuest::from(&guest))).unwrap();
        let fields = format!(r#""id":"{}","displayName":"Ann","partyId":"{}""#, Uuid::nil(), Uuid::max());
        assert_eq!(written, format!(r#"{{"guest":{{{fields},"createdAt":"1970-01-01T00:00:00.000Z"}}}}"#));
    }
}
