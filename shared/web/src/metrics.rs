//! Counts and times of requests, for Prometheus.
//!
//! Label values come from closed sets: the methods of the standard, the patterns of the router, status codes. No
//! client can make new ones.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicI64;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

/// From half a millisecond to ten seconds, in seconds.
const BUCKETS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];
/// The route of requests that no route matched.
const UNMATCHED: &str = "unmatched";

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    method: &'static str,
    route: Arc<str>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    method: &'static str,
    route: Arc<str>,
    status: u16,
}

/// The metrics of one HTTP server.
#[derive(Debug, Clone)]
pub(crate) struct HttpMetrics {
    requests: Family<RequestLabels, Counter>,
    durations: Family<RouteLabels, Histogram, fn() -> Histogram>,
    in_flight: Gauge<i64, AtomicI64>,
    connections: Gauge<i64, AtomicI64>,
}

impl HttpMetrics {
    pub(crate) fn register(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            durations: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
        };
        registry.register("http_requests", "Requests answered", metrics.requests.clone());
        registry.register_with_unit(
            "http_request_duration",
            "Time from the head of a request to the head of its answer",
            Unit::Seconds,
            metrics.durations.clone(),
        );
        registry.register("http_requests_in_flight", "Requests being answered", metrics.in_flight.clone());
        registry.register("http_connections", "Connections open", metrics.connections.clone());
        metrics
    }

    /// Counts a connection until the guard is dropped.
    pub(crate) fn connection(&self) -> GaugeGuard {
        GaugeGuard::new(&self.connections)
    }
}

/// One more, for as long as it lives.
#[derive(Debug)]
pub(crate) struct GaugeGuard(Gauge<i64, AtomicI64>);

impl GaugeGuard {
    fn new(gauge: &Gauge<i64, AtomicI64>) -> Self {
        gauge.inc();
        Self(gauge.clone())
    }
}

impl Drop for GaugeGuard {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// A worker's own way to the counters that it has used before, without the lock that all workers share.
#[derive(Debug)]
pub(crate) struct WorkerMetrics {
    shared: HttpMetrics,
    known: RefCell<HashMap<Arc<str>, Vec<Known>>>,
}

#[derive(Debug)]
struct Known {
    method: &'static str,
    status: StatusCode,
    count: Counter,
    duration: Histogram,
}

impl WorkerMetrics {
    pub(crate) fn new(shared: HttpMetrics) -> Self {
        Self { shared, known: RefCell::default() }
    }

    /// Counts a request as in flight until the guard is dropped.
    pub(crate) fn begin(&self) -> GaugeGuard {
        GaugeGuard::new(&self.shared.in_flight)
    }

    /// Counts a request that was answered.
    pub(crate) fn observe(&self, method: &Method, route: Option<&str>, status: StatusCode, elapsed: Duration) {
        let method = method_label(method);
        let route = route.unwrap_or(UNMATCHED);
        let mut known = self.known.borrow_mut();
        let same = |known: &&Known| known.method == method && known.status == status;
        if let Some(known) = known.get(route).and_then(|entries| entries.iter().find(same)) {
            known.observe(elapsed);
            return;
        }
        let route: Arc<str> = route.into();
        let fresh = self.shared.known(method, Arc::clone(&route), status);
        fresh.observe(elapsed);
        known.entry(route).or_default().push(fresh);
    }
}

impl Known {
    fn observe(&self, elapsed: Duration) {
        self.count.inc();
        self.duration.observe(elapsed.as_secs_f64());
    }
}

impl HttpMetrics {
    fn known(&self, method: &'static str, route: Arc<str>, status: StatusCode) -> Known {
        let duration = self.durations.get_or_create_owned(&RouteLabels { method, route: Arc::clone(&route) });
        let labels = RequestLabels { method, route, status: status.as_u16() };
        Known { method, status, count: self.requests.get_or_create_owned(&labels), duration }
    }
}

/// The method, or `other` for what a client made up.
fn method_label(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::HEAD => "HEAD",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}
