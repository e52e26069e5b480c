//! Which pages of other origins may call the API (CORS).
//!
//! *Invariant:* an origin is allowed by name, never by a wildcard; no cookie is asked for or taken.

use actix_web::{
    Error, HttpResponse,
    body::{BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method,
        header::{self, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};

use super::problem::{Code, Problem};
use crate::config::Origin;

const METHODS: &str = "GET, HEAD, POST, PUT, PATCH, DELETE";
/// What a page may send beside what every page may.
const SENT: &str =
    "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Range, X-Request-Id, Traceparent";
/// What a page may read beside what every page may.
const READ: &str = "Accept-Ranges, Age, Content-Disposition, Content-Range, ETag, Idempotency-Replayed, Location, \
                    RateLimit, RateLimit-Policy, Retry-After, X-Request-Id, X-Stale";
/// How long a browser may remember, in seconds: as long as any of them does.
const REMEMBERED: &str = "7200";

/// The origins whose pages may call.
#[derive(Clone, Debug)]
pub struct Cors {
    origins: Vec<Origin>,
}

impl Cors {
    /// Pages of these.
    pub fn new(origins: Vec<Origin>) -> Self {
        Self { origins }
    }

    /// The header's own value, where it names an origin that is allowed.
    fn allowed(&self, headers: &HeaderMap) -> Option<HeaderValue> {
        let origin = headers.get(header::ORIGIN)?;
        let is_known = self.origins.iter().any(|known| known.as_str().as_bytes() == origin.as_bytes());
        is_known.then(|| origin.clone())
    }
}

/// The layer: answers what browsers ask before a call, and tells them whether the page may read the answer.
///
/// # Errors
///
/// Those of inner layers.
pub async fn cors<B: MessageBody + 'static>(
    cors: web::Data<Cors>,
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let allowed = cors.allowed(request.headers());
    if is_preflight(&request) {
        let Some(origin) = allowed else {
            let problem = Problem::new(Code::Forbidden, "Pages of this origin may not call this service");
            let mut answer = request.error_response(problem);
            vary(answer.headers_mut());
            return Ok(answer);
        };
        return Ok(request.into_response(preflight(origin)));
    }
    // A request past its time fails without an answer that could be added to
    let mut answer = match next.call(request).await {
        Ok(answer) => answer.map_into_boxed_body(),
        Err(error) => return Err(Problem::of(&error).telling_all(told(allowed)).into()),
    };
    vary(answer.headers_mut());
    for (name, value) in told(allowed) {
        answer.headers_mut().insert(name, value);
    }
    Ok(answer)
}

/// What tells a page of `origin` that it may read the answer.
fn told(origin: Option<HeaderValue>) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
    let allowed = origin.map(|origin| {
        [
            (header::ACCESS_CONTROL_ALLOW_ORIGIN, origin),
            (header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(READ)),
        ]
    });
    allowed.into_iter().flatten()
}

fn is_preflight(request: &ServiceRequest) -> bool {
    *request.method() == Method::OPTIONS
        && request.headers().contains_key(header::ORIGIN)
        && request.headers().contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}

fn preflight(origin: HeaderValue) -> HttpResponse {
    HttpResponse::NoContent()
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, origin))
        .insert_header((header::ACCESS_CONTROL_ALLOW_METHODS, METHODS))
        .insert_header((header::ACCESS_CONTROL_ALLOW_HEADERS, SENT))
        .insert_header((header::ACCESS_CONTROL_MAX_AGE, REMEMBERED))
        .insert_header((header::VARY, "Origin"))
        .finish()
}

/// The answer is another for another origin: a cache has to know, also where this one is not allowed.
fn vary(headers: &mut HeaderMap) {
    let is_told = |value: &HeaderValue| {
        value
            .to_str()
            .is_ok_and(|value| value.split(',').any(|name| name.trim().eq_ignore_ascii_case("origin")))
    };
    if !headers.get_all(header::VARY).any(is_told) {
        headers.append(header::VARY, HeaderValue::from_static("Origin"));
    }
}
