//! `POST /parties/{id}/displays` and `DELETE /parties/{id}/displays/{displayId}`.

use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

use super::{body::Object, path::Id, problem::Problem, reply};
use crate::{domain::caller::Caller, service::displays::Displays};

/// `POST /parties/{id}/displays`
///
/// # Errors
///
/// As the service.
pub async fn create(
    request: HttpRequest,
    caller: Caller,
    displays: web::Data<Displays>,
    id: Id,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let ticket = body.ticket(&request, caller)?;
    reply::answer(&displays.create(caller, id.0, body.into_fields(), ticket.as_ref()).await?)
}

/// `DELETE /parties/{id}/displays/{displayId}`
///
/// # Errors
///
/// As the service.
pub async fn revoke(
    caller: Caller,
    displays: web::Data<Displays>,
    ids: web::Path<(Uuid, Uuid)>,
) -> Result<HttpResponse, Problem> {
    let (party, display) = ids.into_inner();
    displays.revoke(caller, party, display).await?;
    Ok(reply::no_content())
}
