//! `/users/{id}/follow`, `/followers` and `/following`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    body::Query,
    page::{Meta, Page},
    path::Id,
    problem::Problem,
    reply,
};
use crate::{
    domain::{caller::Caller, fields::Invalid},
    service::{
        error::Error,
        follows::{Follows, Side},
        links::Links,
    },
    view::UserSummary,
};

/// `PUT /users/{id}/follow`
///
/// # Errors
///
/// As the service.
pub async fn follow(caller: Caller, id: Id, follows: web::Data<Follows>) -> Result<HttpResponse, Problem> {
    follows.follow(caller, id.0).await?;
    Ok(reply::no_content())
}

/// `DELETE /users/{id}/follow`
///
/// # Errors
///
/// As the service.
pub async fn unfollow(caller: Caller, id: Id, follows: web::Data<Follows>) -> Result<HttpResponse, Problem> {
    follows.unfollow(caller, id.0).await?;
    Ok(reply::no_content())
}

/// `GET /users/{id}/followers`
///
/// # Errors
///
/// As the service.
pub async fn followers(
    request: HttpRequest,
    caller: Caller,
    id: Id,
    query: Query,
    follows: web::Data<Follows>,
    links: web::Data<Links>,
) -> Result<HttpResponse, Problem> {
    list(&request, (caller, id), Side::Followers, query, &follows, &links).await
}

/// `GET /users/{id}/following`
///
/// # Errors
///
/// As the service.
pub async fn following(
    request: HttpRequest,
    caller: Caller,
    id: Id,
    query: Query,
    follows: web::Data<Follows>,
    links: web::Data<Links>,
) -> Result<HttpResponse, Problem> {
    list(&request, (caller, id), Side::Following, query, &follows, &links).await
}

async fn list(
    request: &HttpRequest,
    (caller, id): (Caller, Id),
    side: Side,
    Query(mut fields): Query,
    follows: &Follows,
    links: &Links,
) -> Result<HttpResponse, Problem> {
    let page = Page::read(&mut fields);
    let page: Result<_, Invalid> = fields.finish(page);
    // Who asks for nobody's is not told what is wrong with the query either
    let (after, limit) = page.as_ref().map_or((None, 1), |page| (page.after, page.limit));
    let (people, next) = follows.page(caller, id.0, side, after, limit).await?;
    page.map_err(Error::from)?;
    let views: Vec<_> = people.iter().map(|person| UserSummary::new(person, links)).collect();
    reply::list(request, &views, &Meta::new(limit, next.as_ref()))
}
