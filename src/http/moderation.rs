//! What is reported, hidden and shown again.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{body::Object, path::Id, problem::Problem, reply};
use crate::{
    domain::caller::Caller,
    service::gallery::{Gallery, Seen},
    view::One,
};

/// `POST /media/{id}/report`
///
/// # Errors
///
/// As the service.
pub async fn report(
    caller: Caller,
    media: Id,
    body: Object,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    gallery.report(caller, media.0, body.into_fields()).await?;
    Ok(reply::no_content())
}

/// `POST /media/{id}/hide`
///
/// # Errors
///
/// As the service.
pub async fn hide(
    request: HttpRequest,
    caller: Caller,
    media: Id,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    one(&request, &gallery.hide(caller, media.0).await?)
}

/// `POST /media/{id}/unhide`
///
/// # Errors
///
/// As the service.
pub async fn unhide(
    request: HttpRequest,
    caller: Caller,
    media: Id,
    gallery: web::Data<Gallery>,
) -> Result<HttpResponse, Problem> {
    one(&request, &gallery.unhide(caller, media.0).await?)
}

fn one(request: &HttpRequest, seen: &Seen) -> Result<HttpResponse, Problem> {
    reply::revised(request, &One::Media(&seen.view()), seen.revision())
}
