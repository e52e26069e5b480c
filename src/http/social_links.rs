//! `/users/{id}/social-links`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{body::List, path::Id, problem::Problem, reply};
use crate::{domain::caller::Caller, service::users::Users};

/// `GET /users/{id}/social-links`
///
/// # Errors
///
/// As the service.
pub async fn show(
    request: HttpRequest,
    caller: Caller,
    id: Id,
    users: web::Data<Users>,
) -> Result<HttpResponse, Problem> {
    reply::resource(&request, &users.social_links(caller, id.0).await?)
}

/// `PUT /users/{id}/social-links`
///
/// # Errors
///
/// As the service.
pub async fn replace(
    request: HttpRequest,
    caller: Caller,
    id: Id,
    users: web::Data<Users>,
    body: List,
) -> Result<HttpResponse, Problem> {
    reply::resource(&request, &users.link(caller, id.0, &body.0).await?)
}
