//! `/tags`: what parties and media are found by.

use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    body::Query,
    page::{Meta, Page},
    problem::Problem,
    reply,
};
use crate::{
    domain::{
        caller::Caller,
        tag::{self, Used},
    },
    service::{
        error::Error,
        tags::{Selection, Tags},
    },
    view::TagView,
};

/// The key of their order.
type Key = (i64, String);

/// `GET /tags`
///
/// # Errors
///
/// A bad query.
pub async fn list(
    request: HttpRequest,
    _caller: Caller,
    Query(mut query): Query,
    tags: web::Data<Tags>,
) -> Result<HttpResponse, Problem> {
    let page = Page::<Key>::read(&mut query);
    let beginning = query.optional("q", tag::read_beginning);
    let (page, beginning) = query.finish(page.zip(beginning)).map_err(Error::from)?;
    let after = page.after.map(used);
    let selection = Selection::Beginning(beginning.flatten());
    let (found, next) = tags.list(selection, after, page.limit, Instant::now()).await?;
    show(&request, page.limit, &found, next)
}

/// `GET /tags/popular`
///
/// # Errors
///
/// A bad query.
pub async fn popular(
    request: HttpRequest,
    _caller: Caller,
    Query(mut query): Query,
    tags: web::Data<Tags>,
) -> Result<HttpResponse, Problem> {
    let page = Page::<Key>::read(&mut query);
    let page = query.finish(page).map_err(Error::from)?;
    let after = page.after.map(used);
    let (found, next) = tags.list(Selection::Popular, after, page.limit, Instant::now()).await?;
    show(&request, page.limit, &found, next)
}

fn used((count, tag): Key) -> Used {
    // What no text in PostgreSQL can hold comes from no cursor of ours
    Used { tag: tag.replace('\0', ""), count }
}

fn show(
    request: &HttpRequest,
    limit: i64,
    found: &[Used],
    next: Option<Used>,
) -> Result<HttpResponse, Problem> {
    let next: Option<Key> = next.map(|used| (used.count, used.tag));
    let views: Vec<_> = found.iter().map(TagView::from).collect();
    reply::list(request, &views, &Meta::new(limit, next.as_ref()))
}
