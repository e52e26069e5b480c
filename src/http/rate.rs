//! How often an API may be asked, and what its answers say of that.

use std::{
    future::{Ready, ready},
    net::IpAddr,
    time::Duration,
};

use actix_web::{
    Error, FromRequest, HttpRequest,
    body::{BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
    web,
};

use super::{
    access::client_address,
    caller::{Tokens, principal},
    problem::{Code, Problem},
    trace::Trace,
};
use crate::service::rates::{Policy, Rates, Standing};

const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const STANDING: HeaderName = HeaderName::from_static("ratelimit");

/// Where a request comes from, as it is logged and limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let trace = request.app_data::<web::Data<Trace>>();
        let (Some(trace), Some(peer)) = (trace, request.peer_addr()) else {
            return Err(Problem::new(Code::Unavailable, "The connection is gone"));
        };
        Ok(Self(client_address(peer.ip(), request.headers(), &trace.trusted_proxies)))
    }
}

impl FromRequest for ClientAddress {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(Self::of(request))
    }
}

/// The layer that every request to the API passes: takes of its caller's and its address's requests, and refuses a token
/// that is not good.
///
/// # Errors
///
/// Those of inner layers.
pub async fn limit<B: MessageBody + 'static>(
    rates: web::Data<Rates>,
    tokens: web::Data<Tokens>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let address = match ClientAddress::of(request.request()) {
        Ok(ClientAddress(address)) => address,
        Err(problem) => return Ok(request.error_response(problem)),
    };
    let caller = principal(request.headers(), &*tokens.0);
    // Whoever sends a bad token is known by their address alone
    let known = caller.as_ref().ok().and_then(Option::as_ref).map(|principal| principal.id);
    let standings = match rates.request(known, address).await {
        Ok(standings) => standings,
        Err(error) => return Ok(request.error_response(Problem::from(error))),
    };
    let mut answer = match caller {
        Ok(_) => next.call(request).await?.map_into_boxed_body(),
        // Also where nobody has to say who they are
        Err(problem) => request.error_response(problem),
    };
    for (name, value) in fields(&standings) {
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}

/// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers), none where nothing is limited.
pub(super) fn fields(standings: &[Standing]) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let list = |item: fn(&Standing) -> String| {
        let items: Vec<_> = standings.iter().map(item).collect();
        HeaderValue::try_from(items.join(", ")).ok().filter(|value| !value.is_empty())
    };
    let policy = list(|Standing { policy: Policy { name, count, window }, .. }| {
        format!("\"{name}\";q={count};w={}", whole_seconds(*window))
    });
    let standing = list(|Standing { policy, left, full_in }| {
        format!("\"{}\";r={left};t={}", policy.name, whole_seconds(*full_in))
    });
    [(POLICY, policy), (STANDING, standing)].into_iter().filter_map(|(name, value)| Some((name, value?)))
}

fn whole_seconds(duration: Duration) -> u128 {
    duration.as_millis().div_ceil(1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_told_as_structured_fields() {
        let standing = |name, count, seconds, left, millis| Standing {
            policy: Policy { name, count, window: Duration::from_secs(seconds) },
            left,
            full_in: Duration::from_millis(millis),
        };
        let standings = [standing("requests", 50, 1, 199, 20), standing("address", 1000, 1, 0, 1001)];
        let told: Vec<_> = fields(&standings).map(|(_, value)| value.to_str().unwrap().to_owned()).collect();
        assert_eq!(
            told,
            [r#""requests";q=50;w=1, "address";q=1000;w=1"#, r#""requests";r=199;t=1, "address";r=0;t=2"#]
        );
        assert_eq!(fields(&[]).count(), 0);
    }
}
