//! How a party goes on: `/parties/{id}/publish`, `/start`, `/end`, `/cancel`, and `DELETE`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{body::Object, parties::one, path::Id, problem::Problem, reply};
use crate::{
    domain::{caller::Caller, party::Step},
    service::parties::Parties,
};

/// `POST /parties/{id}/publish`
///
/// # Errors
///
/// As the service.
pub async fn publish(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    id: Id,
) -> Result<HttpResponse, Problem> {
    one(&request, &parties.step(caller, id.0, Step::Publish).await?)
}

/// `POST /parties/{id}/start`
///
/// # Errors
///
/// As the service.
pub async fn start(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    id: Id,
) -> Result<HttpResponse, Problem> {
    one(&request, &parties.step(caller, id.0, Step::Start).await?)
}

/// `POST /parties/{id}/end`
///
/// # Errors
///
/// As the service.
pub async fn end(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    id: Id,
) -> Result<HttpResponse, Problem> {
    one(&request, &parties.step(caller, id.0, Step::End).await?)
}

/// `POST /parties/{id}/cancel`
///
/// # Errors
///
/// As the service.
pub async fn cancel(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    id: Id,
    body: Object,
) -> Result<HttpResponse, Problem> {
    one(&request, &parties.cancel(caller, id.0, body.into_fields()).await?)
}

/// `DELETE /parties/{id}`
///
/// # Errors
///
/// As the service.
pub async fn delete(caller: Caller, parties: web::Data<Parties>, id: Id) -> Result<HttpResponse, Problem> {
    parties.delete(caller, id.0).await?;
    Ok(reply::no_content())
}
