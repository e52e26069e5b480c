//! `/media/{id}/comments`: what is said below a media.

use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

use super::{
    body::{Object, Query},
    page::{Meta, Page},
    path::Id,
    problem::Problem,
    reply,
};
use crate::{
    domain::caller::Caller,
    service::{comments::Comments, error::Error, links::Links},
    view::comment::CommentView,
};

/// `GET`: the newest first.
///
/// # Errors
///
/// As the service.
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    media: Id,
    Query(mut fields): Query,
    comments: web::Data<Comments>,
    links: web::Data<Links>,
) -> Result<HttpResponse, Problem> {
    let page = Page::<i64>::read(&mut fields);
    let page = fields.finish(page);
    // Who may not read them is not told what is wrong with the query either
    let (before, limit) = page.as_ref().map_or((None, 1), |page| (page.after, page.limit));
    let found = comments.page(caller, media.0, before, limit).await?;
    page.map_err(Error::from)?;
    let views: Vec<_> =
        found.items.iter().map(|comment| CommentView::new(comment, links.get_ref())).collect();
    reply::list(&request, &views, &Meta::new(limit, found.next.as_ref()).at(found.seq))
}

/// `POST`: 201 with `{comment}`.
///
/// # Errors
///
/// As the service.
pub async fn add(
    request: HttpRequest,
    caller: Caller,
    media: Id,
    body: Object,
    comments: web::Data<Comments>,
) -> Result<HttpResponse, Problem> {
    let ticket = body.ticket(&request, caller)?;
    reply::answer(&comments.add(caller, media.0, body.into_fields(), ticket.as_ref()).await?)
}

/// `DELETE /media/{id}/comments/{commentId}`
///
/// # Errors
///
/// As the service.
pub async fn delete(
    caller: Caller,
    path: web::Path<(Uuid, Uuid)>,
    comments: web::Data<Comments>,
) -> Result<HttpResponse, Problem> {
    let (media, comment) = path.into_inner();
    comments.delete(caller, media, comment).await?;
    Ok(reply::no_content())
}
