//! `/users`: found and edited, and whether a name is to be had.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::Serialize;

use super::{body::Object, path::Id, problem::Problem, reply};
use crate::{
    domain::caller::Caller,
    service::users::{Checked, Seen, Users},
    view::One,
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
) -> Result<HttpResponse, Problem> {
    one(&request, &users.find(caller, id.0).await?)
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
    body: Object,
) -> Result<HttpResponse, Problem> {
    let expected = reply::expected(request.headers());
    let seen = users.edit(caller, id.0, body.into_fields(), expected.as_deref()).await?;
    one(&request, &seen)
}

fn one(request: &HttpRequest, seen: &Seen) -> Result<HttpResponse, Problem> {
    reply::revised(request, &One::User(&seen.view()), seen.revision())
}
