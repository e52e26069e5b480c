//! `/notifications`: what the caller was told.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    body::Query,
    page::{Meta, Page},
    path::Id,
    problem::Problem,
    reply,
};
use crate::{
    domain::{caller::Caller, fields::written_flag, moment::Exact},
    service::{door::user, error::Error, notifications::Notifications},
    view::NotificationView,
};

/// `GET /notifications`: the newest first.
///
/// # Errors
///
/// Users only; a bad query.
pub async fn list(
    request: HttpRequest,
    caller: Caller,
    Query(mut query): Query,
    notifications: web::Data<Notifications>,
) -> Result<HttpResponse, Problem> {
    let page = Page::<(Exact, uuid::Uuid)>::read(&mut query);
    let only_unread = query.optional("unread", written_flag);
    user(caller)?;
    let (page, only_unread) = query.finish(page.zip(only_unread)).map_err(Error::from)?;
    let only_unread = only_unread.unwrap_or_default();
    let found = notifications.page(caller, only_unread, page.after, page.limit).await?;
    let views: Vec<_> = found.items.iter().map(NotificationView::from).collect();
    reply::list(&request, &views, &Meta::new(page.limit, found.next.as_ref()).unread(found.unread))
}

/// `PUT /notifications/{id}/read`
///
/// # Errors
///
/// Users only; 404 for what they were not told.
pub async fn read(
    caller: Caller,
    Id(id): Id,
    notifications: web::Data<Notifications>,
) -> Result<HttpResponse, Problem> {
    notifications.read(caller, id).await?;
    Ok(reply::no_content())
}

/// `PUT /notifications/read-all`
///
/// # Errors
///
/// Users only.
pub async fn read_all(
    caller: Caller,
    notifications: web::Data<Notifications>,
) -> Result<HttpResponse, Problem> {
    notifications.read_all(caller).await?;
    Ok(reply::no_content())
}
