//! `/parties/by-code`, `/parties/join-by-code` and `/parties/{id}/join`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{body::Object, path::Id, problem::Problem, rate::ClientAddress, reply};
use crate::{
    domain::{access_code::AccessCode, caller::Caller, text::DisplayName},
    service::{error::Error, joining::Joining, links::Links},
    view::{One, Preview},
};

/// `POST /parties/by-code`
///
/// # Errors
///
/// As the service.
pub async fn by_code(
    caller: Caller,
    address: ClientAddress,
    joining: web::Data<Joining>,
    links: web::Data<Links>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let mut fields = body.into_fields();
    let code = fields.required("accessCode", AccessCode::read);
    let code = fields.finish(code).map_err(Error::from)?;
    let party = joining.preview(caller, &code, address.0).await?;
    reply::ok(&One::Preview(&Preview::new(&party, links.get_ref())))
}

/// `POST /parties/join-by-code`: users come as they are, all others with a name.
///
/// # Errors
///
/// As the service.
pub async fn join_by_code(
    request: HttpRequest,
    caller: Caller,
    address: ClientAddress,
    joining: web::Data<Joining>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let ticket = match caller {
        Caller::User(_) | Caller::Guest(_) => body.ticket(&request, caller)?,
        Caller::Anonymous | Caller::Display(_) => body.unknown_ticket(&request)?,
    };
    let mut fields = body.into_fields();
    let code = fields.required("accessCode", AccessCode::read);
    let name = fields.optional("displayName", DisplayName::read);
    let (code, name) = fields.finish(code.zip(name)).map_err(Error::from)?;
    let answer = joining.join(caller, &code, name.as_ref(), ticket.as_ref(), address.0).await?;
    reply::answer(&answer)
}

/// `POST /parties/{id}/join`: users, with the code where the party is private.
///
/// # Errors
///
/// As the service.
pub async fn join(
    request: HttpRequest,
    caller: Caller,
    Id(party): Id,
    address: ClientAddress,
    joining: web::Data<Joining>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let ticket = body.ticket(&request, caller)?;
    let fields = body.into_fields();
    reply::answer(&joining.join_named(caller, party, fields, ticket.as_ref(), address.0).await?)
}
