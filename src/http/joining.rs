//! `POST /parties/join-by-code`.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{body::Object, parties::code, problem::Problem, reply};
use crate::{
    domain::{caller::Caller, text::DisplayName},
    service::{error::Error, joining::Joining},
};

/// Users come as they are, all others with a name.
///
/// # Errors
///
/// As the service.
pub async fn join_by_code(
    request: HttpRequest,
    caller: Caller,
    joining: web::Data<Joining>,
    body: Object,
) -> Result<HttpResponse, Problem> {
    let ticket = match caller {
        Caller::User(_) | Caller::Guest(_) => body.ticket(&request, caller)?,
        Caller::Anonymous | Caller::Display(_) => body.unknown_ticket(&request)?,
    };
    let mut fields = body.into_fields();
    let code = code(&mut fields);
    let name = fields.optional("displayName", DisplayName::read);
    let (code, name) = fields.finish(code.zip(name)).map_err(Error::from)?;
    reply::answer(&joining.join(caller, &code, name.as_ref(), ticket.as_ref()).await?)
}
