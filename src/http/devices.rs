//! `/devices`: where pushes go.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{body::Object, path::Id, problem::Problem, reply};
use crate::{domain::caller::Caller, service::devices::Devices};

/// `POST /devices`: 201 with `{device}`; 200 when it is the caller's already.
///
/// # Errors
///
/// Users only; bad fields.
pub async fn keep(
    request: HttpRequest,
    caller: Caller,
    body: Object,
    devices: web::Data<Devices>,
) -> Result<HttpResponse, Problem> {
    let ticket = body.ticket(&request, caller)?;
    reply::answer(&devices.keep(caller, body.into_fields(), ticket.as_ref()).await?)
}

/// `DELETE /devices/{id}`
///
/// # Errors
///
/// Users only; 404 for what is not theirs.
pub async fn forget(
    caller: Caller,
    Id(id): Id,
    devices: web::Data<Devices>,
) -> Result<HttpResponse, Problem> {
    devices.forget(caller, id).await?;
    Ok(reply::no_content())
}
