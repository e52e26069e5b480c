//! `POST /parties/{id}/access-code`, `GET /parties/{id}/invite.svg` and `/invite.png`.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, Bytes},
};

use super::{
    body::Object,
    path::Id,
    problem::{Code, Problem},
    reply,
};
use crate::{domain::caller::Caller, service::parties::Parties};

/// `POST /parties/{id}/access-code`
///
/// # Errors
///
/// As the service.
pub async fn rotate_code(
    request: HttpRequest,
    caller: Caller,
    parties: web::Data<Parties>,
    id: Id,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let ticket = body.ticket(&request, caller)?;
    reply::answer(&parties.rotate_code(caller, id.0, ticket.as_ref()).await?)
}

/// `GET /parties/{id}/invite.svg`
///
/// # Errors
///
/// As the service.
pub async fn svg(caller: Caller, parties: web::Data<Parties>, id: Id) -> Result<HttpResponse, Problem> {
    let code = parties.invitation(caller, id.0).await?;
    Ok(picture("image/svg+xml", code.svg().into()))
}

/// `GET /parties/{id}/invite.png`
///
/// # Errors
///
/// As the service.
pub async fn png(caller: Caller, parties: web::Data<Parties>, id: Id) -> Result<HttpResponse, Problem> {
    let code = parties.invitation(caller, id.0).await?;
    let png = code.png().ok_or_else(|| Problem::new(Code::Internal, "The picture could not be written"))?;
    Ok(picture("image/png", png.into()))
}

/// Who sees it may join: no cache keeps it.
fn picture(content_type: &str, bytes: Bytes) -> HttpResponse {
    HttpResponse::Ok()
        .content_type(content_type)
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::VARY, "Authorization, Origin"))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; sandbox"))
        .body(bytes)
}
