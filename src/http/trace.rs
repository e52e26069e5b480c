//! The outermost layer: names each request, logs it once, counts it, and lets every refusal leave as a problem.

use std::{net::IpAddr, time::Instant};

use actix_web::{
    Error, HttpMessage as _, HttpRequest,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, StatusCode,
        header::{ALLOW, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use slog::{Logger, debug, info, warn};
use uuid::Uuid;

use super::{
    access::client_address,
    probes::Probes,
    problem::{Code, Problem},
};
use crate::{config::Networks, telemetry::Metrics};

/// Stands for the route of a request that has none.
const UNMATCHED: &str = "unmatched";
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
    let pages = request.app_data::<web::Data<Probes>>().cloned();
    let _in_flight = trace.metrics.request_in_flight();
    let id = request_id(request.headers());
    let peer = request.peer_addr().map(|peer| peer.ip());
    let ip = peer.map(|peer| client_address(peer, request.headers(), &trace.trusted_proxies));
    request.extensions_mut().insert(RequestId(id.clone()));

    // A handler's error is an answer by now and comes along inside it
    let mut answer = next.call(request).await?.map_into_boxed_body();
    let is_draining = pages.is_some_and(|pages| pages.is_draining());
    let refusal = refusal(&answer);
    if let Some(problem) = &refusal {
        let allow = answer.headers().get(ALLOW).cloned();
        answer = answer.into_response(problem.render(&id));
        if let Some(allow) = allow {
            answer.headers_mut().insert(ALLOW, allow);
        }
    }
    if let Ok(value) = HeaderValue::from_str(&id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    if is_draining && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        // The client's next request goes to another pod, and not into a connection that is about to be closed
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    write(&trace, &answer, refusal.as_ref().and_then(Problem::cause), &id, ip, began);
    Ok(answer)
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
    let route = request.match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
    let (status, took) = (answer.status().as_u16(), began.elapsed());
    trace.metrics.request(request.method().as_str(), &route, status, took);
    let values = slog::o!(
        "method" => request.method().as_str().to_owned(),
        "path" => path_of(request, &route),
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

/// The route with the ids that the path has in it. Whatever else a caller wrote there stays out: it may be a name, or a
/// code that lets others in.
fn path_of(request: &HttpRequest, route: &str) -> String {
    if route == UNMATCHED {
        return String::new();
    }
    let ids = request.match_info().iter().filter(|(_, value)| Uuid::try_parse(value).is_ok());
    ids.fold(route.to_owned(), |path, (name, id)| path.replace(&format!("{{{name}}}"), id))
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
    fn a_path_is_told_with_its_ids_and_nothing_else_that_a_caller_wrote() {
        const ID: &str = "0190f3c2-7c1a-7d2e-8a4b-1c2d3e4f5a6b";
        let request = TestRequest::default().param("id", ID).param("code", "ABCD-EFGH").param("tail", "a/b");
        let request = request.to_http_request();
        for (route, told) in [
            ("/health", "/health".to_owned()),
            ("/parties/{id}", format!("/parties/{ID}")),
            ("/parties/{id}/codes/{code}", format!("/parties/{ID}/codes/{{code}}")),
            ("/files/{tail:.*}", "/files/{tail:.*}".to_owned()),
            (UNMATCHED, String::new()),
        ] {
            assert_eq!(path_of(&request, route), told);
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
