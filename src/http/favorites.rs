//! `PUT` and `DELETE /parties/{id}/favorite`, `GET /users/me/favorite-parties`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    body::Query,
    page::{Meta, Page},
    parties::views,
    path::Id,
    problem::Problem,
    reply,
};
use crate::{
    domain::{caller::Caller, fields::Invalid},
    service::{error::Error, favorites::Favorites, links::Links},
};

/// `PUT /parties/{id}/favorite`
///
/// # Errors
///
/// As the service.
pub async fn add(caller: Caller, favorites: web::Data<Favorites>, id: Id) -> Result<HttpResponse, Problem> {
    favorites.set(caller, id.0, true).await?;
    Ok(reply::no_content())
}

/// `DELETE /parties/{id}/favorite`
///
/// # Errors
///
/// As the service.
pub async fn remove(
    caller: Caller,
    favorites: web::Data<Favorites>,
    id: Id,
) -> Result<HttpResponse, Problem> {
    favorites.set(caller, id.0, false).await?;
    Ok(reply::no_content())
}

/// `GET /users/me/favorite-parties`
///
/// # Errors
///
/// As the service.
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    favorites: web::Data<Favorites>,
    links: web::Data<Links>,
    Query(mut fields): Query,
) -> Result<HttpResponse, Problem> {
    let page = Page::read(&mut fields);
    let page: Result<_, Invalid> = fields.finish(page);
    // Who has no favourites is not told what is wrong with the query either
    let (after, limit) = page.as_ref().map_or((None, 1), |page| (page.after, page.limit));
    let (found, next) = favorites.list(caller, after, limit).await?;
    page.map_err(Error::from)?;
    reply::list(&request, &views(&found, caller, &links), &Meta::new(limit, next.as_ref()))
}
