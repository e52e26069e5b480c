//! Likes and favourites, and the lists of them.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    body::Query,
    page::{Asked, Meta},
    path::Id,
    problem::Problem,
    reply,
};
use crate::{
    domain::{caller::Caller, mark::Mark},
    service::gallery::{Gallery, Seen},
};

/// `PUT /media/{id}/like`
///
/// # Errors
///
/// As the service.
pub async fn like(caller: Caller, media: Id, gallery: web::Data<Gallery>) -> Result<HttpResponse, Problem> {
    gallery.mark(caller, media.0, Mark::Like).await?;
    Ok(reply::no_content())
}

/// `DELETE /media/{id}/like`
///
/// # Errors
///
/// As the service.
pub async fn unlike(caller: Caller, media: Id, gallery: web::Data<Gallery>) -> Result<HttpResponse, Problem> {
    gallery.unmark(caller, media.0, Mark::Like).await?;
    Ok(reply::no_content())
}

/// `PUT /media/{id}/favorite`
///
/// # Errors
///
/// As the service.
pub async fn favorite(
    caller: Caller,
    media: Id,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    gallery.mark(caller, media.0, Mark::Favorite).await?;
    Ok(reply::no_content())
}

/// `DELETE /media/{id}/favorite`
///
/// # Errors
///
/// As the service.
pub async fn unfavorite(
    caller: Caller,
    media: Id,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    gallery.unmark(caller, media.0, Mark::Favorite).await?;
    Ok(reply::no_content())
}

/// `GET /users/me/liked-media`
///
/// # Errors
///
/// As the service.
pub async fn liked(
    request: HttpRequest,
    caller: Caller,
    query: Query,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    marked(&request, caller, query, &gallery, Mark::Like).await
}

/// `GET /users/me/favorite-media`
///
/// # Errors
///
/// As the service.
pub async fn favorites(
    request: HttpRequest,
    caller: Caller,
    query: Query,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    marked(&request, caller, query, &gallery, Mark::Favorite).await
}

async fn marked(
    request: &HttpRequest,
    caller: Caller,
    query: Query,
    gallery: &Gallery,
    mark: Mark,
) -> Result<HttpResponse, Problem> {
    let asked = Asked::read(query);
    let limit = asked.limit;
    let (seen, next) = gallery.marked(caller, mark, asked.after, limit).await?;
    asked.check()?;
    let views: Vec<_> = seen.iter().map(Seen::view).collect();
    reply::list(request, &views, &Meta::new(limit, next.as_ref()))
}
