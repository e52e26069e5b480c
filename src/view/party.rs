//! Parties as their callers see them.

use serde::Serialize;
use uuid::Uuid;

use super::{Addresses, UserSummary};
use crate::{
    config::PublicUrl,
    domain::{
        access_code::AccessCode,
        attendance::{Attendance, Presence, Role, Rsvp},
        moment::Moment,
        party::{Party, Status},
        venue::Venue,
    },
};

/// A party. By itself it is what a plain attendee sees, and what events carry.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PartyView<'a> {
    id: Uuid,
    title: &'a str,
    description: Option<&'a str>,
    cover_image_url: Option<String>,
    starts_at: Moment,
    ends_at: Option<Moment>,
    started_at: Option<Moment>,
    ended_at: Option<Moment>,
    status: Status,
    is_private: bool,
    max_attendees: Option<i32>,
    attendees_count: i32,
    media_count: i32,
    tags: &'a [String],
    host: UserSummary<'a>,
    venue: Option<&'a Venue>,
    created_at: Moment,
    updated_at: Moment,
    seq: i64,
    #[serde(flatten)]
    invitation: Option<&'a Invitation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    viewer: Option<Viewer>,
}

/// How to join a party: for its hosts' eyes. Both are null on a public party that never had a code.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Invitation {
    access_code: Option<String>,
    join_url: Option<String>,
}

#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Viewer {
    role: Option<Role>,
    rsvp: Option<Rsvp>,
    is_favorite: bool,
}

impl<'a> PartyView<'a> {
    /// As everybody sees it who may, with the addresses of its pictures.
    pub fn new(party: &'a Party, at: &dyn Addresses) -> Self {
        Self {
            id: party.id,
            title: &party.plan.title,
            description: party.plan.description.as_deref(),
            cover_image_url: at.cover(party),
            starts_at: party.plan.starts_at,
            ends_at: party.plan.ends_at,
            started_at: party.started_at,
            ended_at: party.ended_at,
            status: party.status,
            is_private: party.plan.is_private,
            max_attendees: party.plan.max_attendees,
            attendees_count: party.attendees_count,
            media_count: party.media_count,
            tags: &party.plan.tags,
            host: UserSummary::new(&party.host, at),
            venue: party.plan.venue.as_ref(),
            created_at: party.created_at,
            updated_at: party.updated_at,
            seq: party.seq,
            invitation: None,
            viewer: None,
        }
    }

    /// As somebody who is known sees it, with their own place in it.
    #[must_use]
    pub fn seen_from(mut self, place: Option<Attendance>, is_favorite: bool) -> Self {
        let place = place.filter(|place| place.presence == Presence::In);
        self.viewer = Some(Viewer {
            role: place.map(|place| place.role),
            rsvp: place.map(|place| place.rsvp),
            is_favorite,
        });
        self
    }

    /// As its hosts see it.
    #[must_use]
    pub fn inviting(mut self, invitation: Option<&'a Invitation>) -> Self {
        self.invitation = invitation;
        self
    }
}

impl Invitation {
    /// The access code and the link, if there are any.
    pub fn words(&self) -> Option<(&str, &str)> {
        self.access_code.as_deref().zip(self.join_url.as_deref())
    }

    /// To the party with that code, if it has one.
    pub fn new(code: Option<&AccessCode>, public_url: &PublicUrl) -> Self {
        Self {
            access_code: code.map(|code| code.as_str().to_owned()),
            // Behind the #, so that no server and no log on the way sees it
            join_url: code.map(|code| public_url.link(&format!("/j#{}", code.as_str()))),
        }
    }
}

/// What one sees of a party before joining it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Preview<'a> {
    title: &'a str,
    cover_url: Option<String>,
    starts_at: Moment,
    status: Status,
    host: UserSummary<'a>,
}

impl<'a> Preview<'a> {
    /// With the addresses of its pictures.
    pub fn new(party: &'a Party, at: &dyn Addresses) -> Self {
        Self {
            title: &party.plan.title,
            cover_url: at.cover(party),
            starts_at: party.plan.starts_at,
            status: party.status,
            host: UserSummary::new(&party.host, at),
        }
    }
}
