//! `/parties`: made, found, edited.

use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

use super::{
    body::{Object, Query},
    page::{Meta, Page},
    problem::Problem,
    reply,
};
use crate::{
    domain::{caller::Caller, fields::Invalid, party::filter::Filter},
    service::{
        error::Error,
        links::Links,
        parties::{Found, Parties, Seen},
    },
    view::{AttendeeView, One, PartyView},
};

/// `POST /parties`
///
/// # Errors
///
/// As the service.
pub async fn create(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let ticket = body.ticket(&request, caller)?;
    reply::answer(&parties.create(caller, body.into_fields(), ticket.as_ref()).await?)
}

/// `GET /parties`
///
/// # Errors
///
/// As the service.
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    links: web::Data<Links>,
    Query(mut fields): Query,
) -> Result<HttpResponse, Problem> {
    let read = Filter::read(&mut fields).zip(Page::read(&mut fields));
    let (filter, page) = fields.finish(read).map_err(Error::from)?;
    let (found, next) = parties.list(caller, &filter, page.after, page.limit).await?;
    reply::list(&request, &views(&found, caller, &links), &Meta::new(page.limit, next.as_ref()))
}

/// `GET /parties/live`
///
/// # Errors
///
/// As the service.
pub async fn live(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    links: web::Data<Links>,
    Query(mut fields): Query,
) -> Result<HttpResponse, Problem> {
    let page = Page::read(&mut fields);
    let page = fields.finish(page).map_err(Error::from)?;
    let (found, next) = parties.live(caller, page.after, page.limit).await?;
    reply::list(&request, &views(&found, caller, &links), &Meta::new(page.limit, next.as_ref()))
}

/// `GET /parties/{id}`
///
/// # Errors
///
/// As the service.
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, Problem> {
    one(&request, &parties.find(caller, *id).await?)
}

/// `PATCH /parties/{id}` and `PUT /parties/{id}`
///
/// # Errors
///
/// As the service.
pub async fn edit(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    id: web::Path<Uuid>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let expected = reply::expected(request.headers());
    let seen = parties.edit(caller, *id, body.into_fields(), expected.as_deref()).await?;
    one(&request, &seen)
}

/// `GET /parties/{id}/attendees`
///
/// # Errors
///
/// As the service.
pub async fn attendees(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    links: web::Data<Links>,
    id: web::Path<Uuid>,
    Query(mut fields): Query,
) -> Result<HttpResponse, Problem> {
    let page = Page::read(&mut fields);
    let page: Result<_, Invalid> = fields.finish(page);
    // Who may not know of the party is not told what is wrong with the query either
    let (after, limit) = page.as_ref().map_or((None, 1), |page| (page.after, page.limit));
    let (found, next) = parties.attendees(caller, *id, after, limit).await?;
    page.map_err(Error::from)?;
    let views: Vec<_> = found.iter().map(|attendee| AttendeeView::new(attendee, links.get_ref())).collect();
    reply::list(&request, &views, &Meta::new(limit, next.as_ref()))
}

/// Parties of a list, as the caller sees them.
pub(super) fn views<'a>(found: &'a [Found], caller: Caller, links: &Links) -> Vec<PartyView<'a>> {
    found.iter().map(|found| view(found, caller, links)).collect()
}

fn view<'a>(found: &'a Found, caller: Caller, links: &Links) -> PartyView<'a> {
    let view = PartyView::new(&found.party, links);
    if caller.is_known() { view.seen_from(found.attendance, found.favorite_since.is_some()) } else { view }
}

pub(super) fn one(request: &HttpRequest, seen: &Seen) -> Result<HttpResponse, Problem> {
    reply::revised(request, &One::Party(&seen.view()), seen.revision())
}
