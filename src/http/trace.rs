//! The outermost layer: names each request, logs it once, counts it, and lets every refusal leave as a problem.

use std::{
    fmt,
    net::IpAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

use actix_web::{
    Error, HttpMessage as _, HttpRequest, HttpResponse, ResponseError,
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{
        ConnectionType, Method, StatusCode,
        header::{CONTENT_LENGTH, HeaderMap, HeaderName, HeaderValue},
    },
    middleware::Next,
    web,
};
use slog::{Logger, debug, info, warn};
use uuid::Uuid;

use super::{
    access::client_address,
    headers::protect,
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
    let began = Instant::now();
    let Some(trace) = request.app_data::<web::Data<Trace>>().cloned() else {
        return Ok(next.call(request).await?.map_into_boxed_body());
    };
    let _in_flight = trace.metrics.request_in_flight();
    let mut line = Line::of(&request, &trace);
    request.extensions_mut().insert(RequestId(line.id.clone()));

    // A handler's error is an answer by now and comes along inside it
    let mut answer = match next.call(request).await {
        Ok(answer) => answer.map_into_boxed_body(),
        Err(error) => {
            let told = Told { problem: Problem::of(&error), id: line.id.clone() };
            line.cause = told.problem.cause().map(str::to_owned);
            line.write(&trace, told.status_code().as_u16(), began);
            return Err(told.into());
        }
    };
    if let Some(problem) = refusal(&answer) {
        line.cause = problem.cause().map(str::to_owned);
        let said = answer.headers().clone();
        answer = answer.into_response(problem.render(&line.id));
        keep(&said, answer.headers_mut());
    }
    if let Ok(value) = HeaderValue::from_str(&line.id) {
        answer.headers_mut().insert(REQUEST_ID, value);
    }
    protect(answer.headers_mut());
    if trace.draining.load(Ordering::Acquire) && answer.status() != StatusCode::SWITCHING_PROTOCOLS {
        answer.response_mut().head_mut().set_connection_type(ConnectionType::Close);
    }
    line.path = Some(path_of(answer.request(), &line.route));
    line.caller = answer.request().extensions().get::<CallerId>().copied();
    line.write(&trace, answer.status().as_u16(), began);
    Ok(answer)
}

/// What inner layers have said of a refusal stays, but for what described their own body.
fn keep(said: &HeaderMap, headers: &mut HeaderMap) {
    let own: Vec<_> = headers.keys().cloned().chain([CONTENT_LENGTH]).collect();
    for (name, value) in said.iter().filter(|(name, _)| !own.contains(name)) {
        headers.append(name.clone(), value.clone());
    }
}

/// What a request's line says of it, taken while the request is there but for what is found out later.
struct Line {
    id: String,
    method: Method,
    /// The pattern.
    route: String,
    /// The same with the ids that the path has in it, once they are known.
    path: Option<String>,
    user_agent: Option<String>,
    ip: Option<IpAddr>,
    trace_id: Option<String>,
    caller: Option<CallerId>,
    /// Why it was refused, as the caller is not told.
    cause: Option<String>,
}

impl Line {
    fn of(request: &ServiceRequest, trace: &Trace) -> Self {
        let headers = request.headers();
        let peer = request.peer_addr().map(|peer| peer.ip());
        Self {
            id: request_id(headers),
            method: request.method().clone(),
            route: request.match_pattern().unwrap_or_else(|| UNMATCHED.to_owned()),
            path: None,
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
        protect(answer.headers_mut());
        answer
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
    use std::{io, sync::Mutex};

    use actix_web::{
        App,
        middleware::from_fn,
        test::{TestRequest, call_service, init_service},
    };
    use slog::Drain as _;

    use super::*;

    #[derive(Clone, Default)]
    struct Paper(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[actix_web::test]
    async fn a_line_names_the_caller_once_somebody_found_out_who_it_is() {
        let (paper, metrics) = (Paper::default(), Metrics::new());
        let log = Logger::root(Mutex::new(slog_json::Json::default(paper.clone())).fuse(), slog::o!());
        let page = async |request: HttpRequest| {
            request.extensions_mut().insert(CallerId(Uuid::nil()));
            HttpResponse::Ok().finish()
        };
        let draining = Arc::default();
        let edge = Trace { log, metrics, trusted_proxies: Networks::default(), draining };
        let app = App::new()
            .app_data(web::Data::new(edge))
            .wrap(from_fn(trace))
            .route("/known/{id}", web::get().to(page))
            .route("/unknown", web::get().to(HttpResponse::Ok));
        let app = init_service(app).await;
        let known = format!("/known/{}", Uuid::max());
        for path in [&known, "/unknown"] {
            call_service(&app, TestRequest::with_uri(path).to_request()).await;
        }
        let text = String::from_utf8(paper.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<serde_json::Value> =
            text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines[0]["userId"], Uuid::nil().to_string());
        assert_eq!((&lines[0]["route"], &lines[0]["path"]), (&"/known/{id}".into(), &known.into()));
        assert!(lines[1]["userId"].is_null(), "{}", lines[1]);
    }

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
