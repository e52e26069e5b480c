//! What Prometheus is told, under `party_gallery_…`.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, MetricEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

pub use prometheus_client::metrics::counter::Counter;

/// The media type of [`Metrics::encode`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a cached page to the longest request that is allowed; seconds.
const LATENCIES: [f64; 13] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// The metrics of one pod; clones share them.
#[derive(Clone)]
pub struct Metrics(Arc<Inner>);

struct Inner {
    registry: RwLock<Registry>,
    requests: Family<Request, Counter>,
    latency: Family<Route, Histogram, fn() -> Histogram>,
    in_flight: Gauge,
    shed: Counter,
    log_lines_dropped: Counter,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Route {
    route: String,
}

impl Metrics {
    /// A registry of its own: two pods in one process count apart.
    #[expect(clippy::new_without_default, reason = "a second registry by accident would count into nothing")]
    pub fn new() -> Self {
        let inner = Inner {
            registry: RwLock::new(Registry::with_prefix("party_gallery")),
            requests: Family::default(),
            latency: Family::new_with_constructor(|| Histogram::new(LATENCIES)),
            in_flight: Gauge::default(),
            shed: Counter::default(),
            log_lines_dropped: Counter::default(),
        };
        inner.register();
        Self(Arc::new(inner))
    }

    /// Counts an answered request. `route` is the pattern, never the path: every path would be a new series.
    pub fn request(&self, method: &str, route: &str, status: u16, took: Duration) {
        let route = Route { route: route.to_owned() };
        self.0.latency.get_or_create(&route).observe(took.as_secs_f64());
        let request = Request { method: known(method), route: route.route, status };
        self.0.requests.get_or_create(&request).inc();
    }

    /// Counts a request as in flight until the value is dropped.
    pub fn request_in_flight(&self) -> InFlight {
        self.0.in_flight.inc();
        InFlight(self.0.in_flight.clone())
    }

    /// Requests refused because too many were in flight.
    pub fn shed(&self) -> &Counter {
        &self.0.shed
    }

    /// Log lines that were never written.
    pub fn log_lines_dropped(&self) -> &Counter {
        &self.0.log_lines_dropped
    }

    /// Adds a metric that is read when it is asked for: `read` must answer at once, without I/O.
    ///
    /// Names follow Prometheus' conventions, without the prefix, and without `_total`, which counters get.
    pub fn observe(
        &self,
        kind: Kind,
        name: impl Into<Cow<'static, str>>,
        help: &'static str,
        read: impl Fn() -> Vec<Sample> + Send + Sync + 'static,
    ) {
        let observed = Observed { kind, name: name.into(), help, read: Box::new(read) };
        self.0.registry.write().register_collector(Box::new(observed));
    }

    /// Everything in OpenMetrics text, [`CONTENT_TYPE`].
    ///
    /// # Errors
    ///
    /// When a metric cannot be encoded.
    pub fn encode(&self) -> Result<String, fmt::Error> {
        let mut text = String::with_capacity(16 * 1024);
        text::encode(&mut text, &self.0.registry.read())?;
        Ok(text)
    }
}

impl Inner {
    fn register(&self) {
        let mut registry = self.registry.write();
        registry.register(
            "http_requests",
            "Requests answered, by method, route and status",
            self.requests.clone(),
        );
        let help = "Time from a request's head to its answer, by route";
        registry.register_with_unit("http_request_duration", help, Unit::Seconds, self.latency.clone());
        registry.register("http_requests_in_flight", "Requests being answered", self.in_flight.clone());
        registry.register("http_requests_shed", "Requests refused for too many in flight", self.shed.clone());
        registry.register("log_lines_dropped", "Log lines never written", self.log_lines_dropped.clone());
    }
}

/// Whoever calls may invent methods; each would be a new series.
fn known(method: &str) -> &'static str {
    const KNOWN: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];
    KNOWN.into_iter().find(|known| *known == method).unwrap_or("other")
}

/// A request in flight, until it is dropped.
#[must_use = "dropped at once it counts nothing"]
pub struct InFlight(Gauge);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// How an observed metric moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Up only.
    Counter,
    /// Up and down.
    Gauge,
}

impl Kind {
    fn encode(self, metric: &mut MetricEncoder<'_>, value: f64) -> fmt::Result {
        match self {
            Self::Counter => metric.encode_counter::<NoLabelSet, _, u64>(&value, None),
            Self::Gauge => metric.encode_gauge(&value),
        }
    }
}

/// One value of an observed metric.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Names and values that tell it from its siblings; few values each.
    pub labels: Vec<(&'static str, String)>,
    /// Its value, in base units: seconds, bytes.
    pub value: f64,
}

impl Sample {
    /// The only value of its metric.
    pub fn alone(value: f64) -> Self {
        Self { labels: Vec::new(), value }
    }

    /// The value of one of several siblings.
    pub fn of(label: &'static str, which: impl Into<String>, value: f64) -> Self {
        Self { labels: vec![(label, which.into())], value }
    }
}

struct Observed {
    kind: Kind,
    name: Cow<'static, str>,
    help: &'static str,
    read: Box<dyn Fn() -> Vec<Sample> + Send + Sync>,
}

impl fmt::Debug for Observed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observed").field("name", &self.name).finish_non_exhaustive()
    }
}

impl Collector for Observed {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let kind = match self.kind {
            Kind::Counter => MetricType::Counter,
            Kind::Gauge => MetricType::Gauge,
        };
        let mut metric = encoder.encode_descriptor(&self.name, self.help, None, kind)?;
        for Sample { labels, value } in (self.read)() {
            // A family of no labels would be written as `{}`
            if labels.is_empty() {
                self.kind.encode(&mut metric, value)?;
            } else {
                self.kind.encode(&mut metric.encode_family(&labels)?, value)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(metrics: &Metrics) -> Vec<String> {
        metrics.encode().unwrap().lines().map(str::to_owned).collect()
    }

    fn assert_told(metrics: &Metrics, line: &str) {
        let lines = lines(metrics);
        assert!(lines.iter().any(|told| told == line), "{line}\nnot in\n{}", lines.join("\n"));
    }

    #[test]
    fn requests_are_counted_by_method_route_and_status_and_timed_by_route() {
        let metrics = Metrics::new();
        metrics.request("GET", "/parties/{id}", 200, Duration::from_millis(4));
        metrics.request("GET", "/parties/{id}", 200, Duration::from_millis(30));
        metrics.request("BREW", "/parties/{id}", 405, Duration::from_secs(60));
        assert_told(
            &metrics,
            r#"party_gallery_http_requests_total{method="GET",route="/parties/{id}",status="200"} 2"#,
        );
        assert_told(
            &metrics,
            r#"party_gallery_http_requests_total{method="other",route="/parties/{id}",status="405"} 1"#,
        );
        for (bound, count) in [("0.0025", 0), ("0.005", 1), ("0.05", 2), ("10.0", 2), ("+Inf", 3)] {
            let name = "party_gallery_http_request_duration_seconds_bucket";
            assert_told(&metrics, &format!(r#"{name}{{le="{bound}",route="/parties/{{id}}"}} {count}"#));
        }
    }

    #[test]
    fn a_request_is_in_flight_until_its_mark_is_dropped() {
        let metrics = Metrics::new();
        let twin = metrics.clone();
        let (first, _second) = (metrics.request_in_flight(), twin.request_in_flight());
        assert_told(&metrics, "party_gallery_http_requests_in_flight 2");
        drop(first);
        assert_told(&twin, "party_gallery_http_requests_in_flight 1");
    }

    #[test]
    fn counters_are_told_from_the_start() {
        let metrics = Metrics::new();
        metrics.shed().inc();
        for line in ["http_requests_shed_total 1", "log_lines_dropped_total 0"] {
            assert_told(&metrics, &format!("party_gallery_{line}"));
        }
        assert_eq!(lines(&metrics).last().unwrap(), "# EOF");
    }

    #[test]
    fn observed_metrics_are_read_when_asked_for() {
        let metrics = Metrics::new();
        let depth = Gauge::<i64>::default();
        let source = depth.clone();
        metrics.observe(Kind::Gauge, "actor_mailbox_depth", "Messages waiting", move || {
            vec![Sample::of("actor", "hub \"1\"", source.get() as f64), Sample::of("actor", "health", 0.0)]
        });
        metrics.observe(Kind::Counter, "actor_restarts", "Restarts", || vec![Sample::alone(3.0)]);
        depth.set(5);
        assert_told(&metrics, r#"party_gallery_actor_mailbox_depth{actor="hub \"1\""} 5.0"#);
        depth.set(6);
        assert_told(&metrics, r#"party_gallery_actor_mailbox_depth{actor="hub \"1\""} 6.0"#);
        assert_told(&metrics, r#"party_gallery_actor_mailbox_depth{actor="health"} 0.0"#);
        assert_told(&metrics, "party_gallery_actor_restarts_total 3.0");
        assert_told(&metrics, "# TYPE party_gallery_actor_restarts counter");
    }
}
