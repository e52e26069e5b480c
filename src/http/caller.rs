//! Who asks: read from the `Authorization` header.

use std::{
    future::{Ready, ready},
    sync::Arc,
};

use actix_web::{
    FromRequest, HttpMessage as _, HttpRequest,
    dev::Payload,
    http::header::{AUTHORIZATION, HeaderMap},
    web,
};

use super::{
    problem::{Code, Problem},
    trace::CallerId,
};
use crate::{
    domain::caller::Caller,
    realtime::{AuthError, Authenticator, Principal},
};

/// Who knows whose a token is.
#[derive(Clone)]
pub struct Tokens(pub Arc<dyn Authenticator>);

/// Nobody without a header; never somebody by a bad one, and not nobody either: 401.
impl FromRequest for Caller {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(tokens) = request.app_data::<web::Data<Tokens>>() else {
            return ready(Err(Problem::new(Code::Internal, "Nobody can be recognised")));
        };
        let principal = principal(request.headers(), &*tokens.0);
        if let Ok(Some(principal)) = &principal {
            request.extensions_mut().insert(CallerId(principal.id));
        }
        ready(principal.map(|principal| principal.map_or(Self::Anonymous, |principal| principal.caller())))
    }
}

/// Who the header names.
///
/// # Errors
///
/// 401 for a token that is not good.
pub fn principal(
    headers: &HeaderMap,
    authenticator: &dyn Authenticator,
) -> Result<Option<Principal>, Problem> {
    let Some(value) = headers.get(AUTHORIZATION) else { return Ok(None) };
    let token = value.to_str().ok().and_then(bearer);
    match token.map(|token| authenticator.verify(token)) {
        Some(Ok(caller)) => Ok(Some(caller)),
        Some(Err(AuthError::Expired)) => Err(Problem::new(Code::TokenExpired, "The token has expired")),
        Some(Err(AuthError::Invalid)) | None => {
            Err(Problem::new(Code::Unauthenticated, "The token is not valid"))
        }
    }
}

/// The token of a bearer's header; the scheme's case does not matter.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}
