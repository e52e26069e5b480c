//! What stands in a path.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use uuid::Uuid;

use super::problem::Problem;
use crate::service::error::Error;

/// The `{id}`, or `{deviceId}`, of a route. What is no id names nothing: 404.
#[derive(Clone, Copy, Debug)]
pub struct Id(pub Uuid);

impl FromRequest for Id {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let path = request.match_info();
        let id = path.get("id").or_else(|| path.get("deviceId")).and_then(|text| text.parse().ok());
        ready(id.map(Self).ok_or_else(|| Error::NotFound.into()))
    }
}

/// The `{id}` of a user or a party and the `{pictureId}` below it. What is no id names nothing: 404.
#[derive(Clone, Copy, Debug)]
pub struct PictureOf {
    /// The user or the party.
    pub subject: Uuid,
    /// The picture.
    pub picture: Uuid,
}

impl FromRequest for PictureOf {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = |name| request.match_info().get(name).and_then(|text| text.parse().ok());
        let named = id("id").zip(id("pictureId")).map(|(subject, picture)| Self { subject, picture });
        ready(named.ok_or_else(|| Error::NotFound.into()))
    }
}

/// The `{id}` of a party and whom a route names below it, as `{userId}` or `{userOrGuestId}`. What is no id names nobody:
/// 404.
#[derive(Clone, Copy, Debug)]
pub struct Member {
    /// The party.
    pub party: Uuid,
    /// Whom.
    pub person: Uuid,
}

impl FromRequest for Member {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = |name| request.match_info().get(name).and_then(|text| text.parse().ok());
        let person = id("userId").or_else(|| id("userOrGuestId"));
        let member = id("id").zip(person).map(|(party, person)| Self { party, person });
        ready(member.ok_or_else(|| Error::NotFound.into()))
    }
}
