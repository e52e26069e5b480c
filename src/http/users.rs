//! `/users`: found and edited, what they host, attend and bring, and whether a name is to be had.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::{
    body::{Object, Query},
    page::{Asked, Meta},
    path::Id,
    problem::Problem,
    reply,
};
use crate::{
    domain::caller::Caller,
    service::{
        gallery::Gallery,
        links::Links,
        user_media,
        user_parties::{self, Parties},
        users::{Checked, Seen, Users},
    },
    view::{One, PartyView},
};

/// Whether a username is to be had.
#[derive(Serialize)]
struct Availability {
    available: bool,
    valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    suggestion: Option<String>,
}

/// `GET /users/check-username/{username}`: an answer, whatever stands there.
///
/// # Errors
///
/// As the service.
pub async fn check_username(request: HttpRequest, users: web::Data<Users>) -> Result<HttpResponse, Problem> {
    let name = request.match_info().query("username");
    let Checked { error, is_available, suggestion } = users.check_username(name).await?;
    reply::ok(&Availability { available: is_available, valid: error.is_none(), error, suggestion })
}

/// `GET /users/{id}`
///
/// # Errors
///
/// As the service.
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    id: Id,
    users: web::Data<Users>,
    links: web::Data<Links>,
) -> Result<HttpResponse, Problem> {
    one(&request, &users.find(caller, id.0).await?, &links)
}

/// `PATCH /users/{id}` and `PUT /users/{id}`
///
/// # Errors
///
/// As the service.
pub async fn edit(
    request: HttpRequest,
    caller: Caller,
    id: Id,
    users: web::Data<Users>,
    links: web::Data<Links>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let expected = reply::expected(request.headers());
    let seen = users.edit(caller, id.0, body.into_fields(), expected.as_deref()).await?;
    one(&request, &seen, &links)
}

/// `GET /users/{id}/parties`
///
/// # Errors
///
/// As the service.
pub async fn hosted(
    request: HttpRequest,
    caller: Caller,
    id: Id,
    query: Query,
    users: web::Data<Users>,
    links: web::Data<Links>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(query);
    let found = users.hosted(caller, id.0, asked.after, asked.limit).await?;
    parties(&request, caller, &asked, &found, &links)
}

/// `GET /users/{id}/attending`
///
/// # Errors
///
/// As the service.
pub async fn attending(
    request: HttpRequest,
    caller: Caller,
    id: Id,
    query: Query,
    users: web::Data<Users>,
    links: web::Data<Links>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(query);
    let found = users.attending(caller, id.0, asked.after, asked.limit).await?;
    parties(&request, caller, &asked, &found, &links)
}

/// `GET /users/{id}/media`
///
/// # Errors
///
/// As the service.
pub async fn media(
    request: HttpRequest,
    caller: Caller,
    id: Id,
    query: Query,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::<user_media::Place>::read(query);
    let (found, next) = gallery.uploaded(caller, id.0, asked.after, asked.limit).await?;
    asked.check()?;
    let views: Vec<_> = found.iter().map(|seen| seen.view()).collect();
    reply::list(&request, &views, &Meta::new(asked.limit, next.as_ref()))
}

fn parties(
    request: &HttpRequest,
    caller: Caller,
    asked: &Asked<user_parties::Place>,
    (found, next): &Parties,
    links: &Links,
) -> Result<HttpResponse, Problem> {
    asked.check()?;
    let views = found.iter().map(|inside| {
        let view = PartyView::new(&inside.party, links);
        if caller.is_known() { view.seen_from(inside.attendance, inside.is_favorite) } else { view }
    });
    reply::list(request, &views.collect::<Vec<_>>(), &Meta::new(asked.limit, next.as_ref()))
}

fn one(request: &HttpRequest, seen: &Seen, links: &Links) -> Result<HttpResponse, Problem> {
    reply::revised(request, &One::User(&seen.view(links)), seen.revision())
}
