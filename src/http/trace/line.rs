//! The one line that a request leaves in the log, and its place in the metrics.
//!
//! *Invariant:* every request leaves exactly one, also one that is dropped before it has an answer.

use std::{net::IpAddr, time::Instant};

use actix_web::{
    dev::ServiceRequest,
    http::{Method, header::HeaderMap},
    web,
};
use slog::{debug, info, warn};
use uuid::Uuid;

use super::{CallerId, REQUEST_ID, Trace};
use crate::{http::access::client_address, telemetry::metrics::InFlight};

/// Stands for the route of a request that has none.
const UNMATCHED: &str = "unmatched";
/// What nginx calls a client that hung up before its answer.
const HUNG_UP: u16 = 499;

/// A request that has no answer yet. Dropped without one, it is told as one whose client hung up.
pub(super) struct Open {
    trace: web::Data<Trace>,
    line: Option<Line>,
    began: Instant,
    _in_flight: InFlight,
}

impl Open {
    /// From now on it is in flight.
    pub(super) fn new(request: &ServiceRequest, trace: &web::Data<Trace>) -> Self {
        Self {
            trace: trace.clone(),
            line: Some(Line::of(request, trace)),
            began: Instant::now(),
            _in_flight: trace.metrics.request_in_flight(),
        }
    }

    /// The request's own name.
    pub(super) fn id(&self) -> String {
        self.line.as_ref().map(|line| line.id.clone()).unwrap_or_default()
    }

    /// It is answered: with what status, to whom, and if it was refused, why, as the caller is not told.
    pub(super) fn close(mut self, status: u16, caller: Option<CallerId>, cause: Option<&str>) {
        if let Some(mut line) = self.line.take() {
            line.caller = caller;
            line.cause = cause.map(str::to_owned);
            line.write(&self.trace, status, self.began);
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        if let Some(line) = self.line.take() {
            line.write(&self.trace, HUNG_UP, self.began);
        }
    }
}

/// What a request's line says of it, taken while the request is there but for what is found out later.
struct Line {
    id: String,
    method: Method,
    /// The pattern.
    route: String,
    /// The same with the ids that the path has in it.
    path: String,
    user_agent: Option<String>,
    ip: Option<IpAddr>,
    trace_id: Option<String>,
    caller: Option<CallerId>,
    cause: Option<String>,
}

impl Line {
    fn of(request: &ServiceRequest, trace: &Trace) -> Self {
        let headers = request.headers();
        let peer = request.peer_addr().map(|peer| peer.ip());
        let route = request.match_pattern().unwrap_or_else(|| UNMATCHED.to_owned());
        Self {
            id: request_id(headers),
            method: request.method().clone(),
            path: path_of(&route, request.path()),
            route,
            user_agent: header(headers, "user-agent"),
            ip: peer.map(|peer| client_address(peer, headers, &trace.trusted_proxies)),
            trace_id: trace_id(headers),
            caller: None,
            cause: None,
        }
    }

    fn write(self, trace: &Trace, status: u16, began: Instant) {
        let took = began.elapsed();
        trace.metrics.request(self.method.as_str(), &self.route, status, took);
        let is_probe = is_probe(&self.route);
        let values = slog::o!(
            "method" => self.method.to_string(),
            "path" => self.path,
            "statusCode" => status,
            "duration" => took.as_secs_f64() * 1000.0,
            "userAgent" => self.user_agent,
            "ip" => self.ip.map(|ip| ip.to_string()),
            "requestId" => self.id,
            "traceId" => self.trace_id,
            "userId" => self.caller.map(|CallerId(id)| id.to_string()),
            "route" => self.route,
            "error" => self.cause,
        );
        if is_probe {
            debug!(trace.log, "HTTP Request"; values);
        } else if status >= 500 {
            warn!(trace.log, "HTTP Request"; values);
        } else {
            info!(trace.log, "HTTP Request"; values);
        }
    }
}

/// Probes come every few seconds from every orchestrator.
fn is_probe(route: &str) -> bool {
    matches!(route, "/health" | "/health/live" | "/health/ready" | "/livez" | "/readyz")
}

/// The route with the ids that the path has in it. Whatever else a caller wrote there stays out: it may be a name, or a
/// code that lets others in.
fn path_of(route: &str, path: &str) -> String {
    if route == UNMATCHED {
        return String::new();
    }
    let mut given = path.split('/');
    let told = route.split('/').map(|part| match given.next() {
        Some(id) if part.starts_with('{') && Uuid::try_parse(id).is_ok() => id,
        _ => part,
    });
    told.collect::<Vec<_>>().join("/")
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
        for (route, path, told) in [
            ("/health", "/health", "/health".to_owned()),
            ("/parties/{id}", &format!("/parties/{ID}"), format!("/parties/{ID}")),
            ("/parties/{id}", "/parties/Ann", "/parties/{id}".to_owned()),
            (
                "/parties/{id}/codes/{code}",
                &format!("/parties/{ID}/codes/ABCD-EFGH"),
                format!("/parties/{ID}/codes/{{code}}"),
            ),
            ("/files/{tail:.*}", "/files/a/b", "/files/{tail:.*}".to_owned()),
            ("/parties/{id}", "/parties", "/parties/{id}".to_owned()),
            (UNMATCHED, "/Ann", String::new()),
        ] {
            assert_eq!(path_of(route, path), told, "{path}");
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
