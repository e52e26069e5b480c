//! The outermost layer: names each request, logs it once, counts it, and lets every refusal leave as a problem.

use std::{net::IpAddr, time::Instant};

use actix_web::{
    Error, HttpMessage as _,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web,
};
use slog::{Logger, debug, info, warn};
use uuid::Uuid;

use super::{
    access::client_address,
    problem::{Code, Problem},
};
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
}

/// The request's own name, in its answer, its log line and its problem.
#[derive(Clone, Debug)]
pub struct RequestId(pub String);

/// The layer itself.
pub async fn trace<B: MessageBody + 'static>(
    request: ServiceRequest,
    next: Next<B>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let began = Instant::now();
    let Some(trace) = request.app_data::<web::Data<Trace>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let _in_flight = trace.metrics.request_in_flight();
    let id = request_id(request.headers());
    let peer = request.peer_addr().map(|peer| peer.ip());
    let ip = peer.map(|peer| client_address(peer, request.headers(), &trace.trusted_proxies));
    request.extensions_mut().insert(RequestId(id.clone()));

    // A handler's error is an answer by now and comes along inside it
    let mut answer = next.call(request).await?.map_into_boxed_body();
    let refusal = refusal(&answer);
    if let Some(problem) = &refusal {
        let said = answer.headers().clone();
        answer = answer.into_response(problem.render(&id));
        keep(&said, answer.headers_mut());
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    write(&trace, &answer, refusal.as_ref().and_then(Problem::cause), &id, ip, began);
    Ok(answer)
}

/// What inner layers have said of a refusal stays, but for what described their own body.
fn keep(said: &HeaderMap, headers: &mut HeaderMap) {
    let own: Vec<_> = headers.keys().cloned().chain([CONTENT_LENGTH]).collect();
    for (name, value) in said.iter().filter(|(name, _)| !own.contains(name)) {
        headers.append(name.clone(), value.clone());
    }
}

fn write(
    trace: &Trace,
    answer: &ServiceResponse,
    cause: Option<&str>,
    id: &str,
    ip: Option<IpAddr>,
    began: Instant,
) {
    let request = answer.request();
    let route = request.match_pattern().unwrap_or_else(|| "unmatched".to_owned());
    let (status, took) = (answer.status().as_u16(), began.elapsed());
    trace.metrics.request(request.method().as_str(), &route, status, took);
    let values = slog::o!(
        "method" => request.method().as_str().to_owned(),
        "path" => if route == "unmatched" { String::new() } else { request.path().to_owned() },
        "statusCode" => status,
        "duration" => took.as_secs_f64() * 1000.0,
        "userAgent" => header(request.headers(), "user-agent"),
        "ip" => ip.map(|ip| ip.to_string()),
        "requestId" => id.to_owned(),
        "traceId" => trace_id(request.headers()),
        "route" => route.clone(),
        "error" => cause.map(str::to_owned),
    );
    if is_probe(&route) {
        debug!(trace.log, "HTTP Request"; values);
    } else if status >= 500 {
        warn!(trace.log, "HTTP Request"; values);
    } else {
        info!(trace.log, "HTTP Request"; values);
    }
}

/// Probes come every few seconds from every orchestrator.
fn is_probe(route: &str) -> bool {
    matches!(route, "/health" | "/health/live" | "/health/ready" | "/livez" | "/readyz")
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

/// The caller's id where it is one, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let is_fit = |text: &&str| {
        (1..=64).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_-".contains(&b))
    };
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok()).filter(is_fit);
    given.map_or_else(|| Uuid::now_v7().to_string(), str::to_owned)
}

/// The trace's id of a W3C `traceparent`, where it is one.
fn trace_id(headers: &HeaderMap) -> Option<String> {
    let parent = headers.get("traceparent")?.to_str().ok()?;
    let mut parts = parent.split('-');
    let (version, id) = (parts.next()?, parts.next()?);
    let is_hex = |text: &str| text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    let fits = version.len() == 2 && id.len() == 32 && is_hex(id) && id.bytes().any(|b| b != b'0');
    fits.then(|| id.to_owned())
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn a_request_id_is_taken_only_when_it_can_stand_anywhere() {
        for (given, taken) in
            [("abc_DEF-1", true), ("", false), ("a b", false), ("\"", false), (&"x".repeat(65), false)]
        {
            let request = TestRequest::default().insert_header((REQUEST_ID, given)).to_http_request();
            assert_eq!(request_id(request.headers()) == given, taken, "{given}");
        }
    }

    #[test]
    fn a_trace_id_is_read_from_a_good_traceparent_alone() {
        let good = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        for (given, expected) in [
            (good, Some("4bf92f3577b34da6a3ce929d0e0e4736")),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", None),
            ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", None),
            ("nonsense", None),
        ] {
            let request = TestRequest::default().insert_header(("traceparent", given)).to_http_request();
            assert_eq!(trace_id(request.headers()).as_deref(), expected, "{given}");
        }
    }
}
