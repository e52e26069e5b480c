//! The outermost layer: names each request, logs it once, counts it, and lets every refusal leave as a problem.
//!
//! *Invariant:* a handler that panics takes nothing along: its caller has an answer, and the connection goes on.

mod line;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use actix_web::{
    Error, HttpMessage as _, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, StatusCode,
        header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use futures_util::FutureExt as _;
use slog::Logger;
use uuid::Uuid;

use self::line::Open;
use super::problem::{Code, Problem};
use crate::{config::Networks, telemetry::Metrics};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// What the layer needs.
#[derive(Clone)]
pub struct Trace {
    /// Where lines go.
    pub log: Logger,
    /// Where requests are counted.
    pub metrics: Metrics,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Networks,
    /// Whether the service is being shut down: each answer is then its connection's last.
    pub draining: Arc<AtomicBool>,
}

/// The request's own name, in its answer, its log line and its problem.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// Who calls, once that is known: put into the request's extensions by whoever finds out, and logged as `userId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CallerId(pub Uuid);

/// The layer itself.
///
/// # Errors
///
/// Those of layers that answer without their request, each as the problem that it is.
pub async fn trace<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let Some(trace) = request.app_data::<web::Data<Trace>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let open = Open::new(&request, &trace);
    let id = open.id();
    request.extensions_mut().insert(RequestId(id.clone()));

    // The panic's own line is the hook's
    let call = AssertUnwindSafe(async { next.call(request).await }).catch_unwind();
    // A handler's error is an answer by now and comes along inside it
    let mut answer = match call.await.unwrap_or_else(|_panic| Err(panicked())) {
        Ok(answer) => answer.map_into_boxed_body(),
        Err(error) => {
            let told = Told { problem: problem_of(&error), id };
            open.close(told.status_code().as_u16(), None, told.problem.cause());
            return Err(told.into());
        }
    };
    let refusal = refusal(&answer);
    if let Some(problem) = &refusal {
        let said = answer.headers().clone();
        answer = answer.into_response(problem.render(&id));
        keep(&said, answer.headers_mut());
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    if trace.draining.load(Ordering::Acquire) && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    let caller = answer.request().extensions().get::<CallerId>().copied();
    open.close(answer.status().as_u16(), caller, refusal.as_ref().and_then(Problem::cause));
    Ok(answer)
}

/// What inner layers have said of a refusal stays, but for what described their own body.
fn keep(said: &HeaderMap, headers: &mut HeaderMap) {
    let own: Vec<_> = headers.keys().cloned().chain([CONTENT_LENGTH]).collect();
    for (name, value) in said.iter().filter(|(name, _)| !own.contains(name)) {
        headers.append(name.clone(), value.clone());
    }
}

/// The answer to a request that a layer gave up without keeping it: the server renders it outside of every layer.
#[derive(Debug)]
struct Told {
    problem: Problem,
    id: String,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(f)
    }
}

impl ResponseError for Told {
    fn status_code(&self) -> StatusCode {
        self.problem.status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut answer = self.problem.render(&self.id);
        if let Ok(value) = HeaderValue::from_str(&self.id) {
            answer.headers_mut().insert(REQUEST_ID, value);
        }
        answer
    }
}

/// What the log is told of a handler that did not come to its end; why is in the panic's own line.
#[derive(Debug, thiserror::Error)]
#[error("the handler panicked")]
struct Panicked;

fn panicked() -> Error {
    Problem::new(Code::Internal, "Something went wrong on our side").because(&Panicked).into()
}

fn problem_of(error: &Error) -> Problem {
    let status = error.as_response_error().status_code();
    let bare = || Problem::new(Code::of(status), status.canonical_reason().unwrap_or_default());
    error.as_error::<Problem>().cloned().unwrap_or_else(bare)
}

/// The problem that a refusal is told as: the handler's own, else one for the framework's bare status.
fn refusal(answer: &ServiceResponse) -> Option<Problem> {
    let (status, error) = (answer.status(), answer.response().error());
    if let Some(problem) = error.and_then(|error| error.as_error::<Problem>()) {
        return Some(problem.clone());
    }
    let is_refusal = status.is_client_error() || status.is_server_error();
    let is_bare = matches!(answer.response().body().size(), BodySize::None | BodySize::Sized(0));
    (is_refusal && (is_bare || error.is_some()))
        .then(|| Problem::new(Code::of(status), status.canonical_reason().unwrap_or_default()))
}
