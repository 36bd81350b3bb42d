//! The span around each request, and the one line that each request leaves in the log.

use std::rc::Rc;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::{Error, HttpMessage as _, HttpRequest, HttpResponse};
use tracing::field::Empty;
use tracing::level_filters::LevelFilter;
use tracing::{Level, Span};
use tracing_actix_web::{RootSpan, RootSpanBuilder};

use super::Cause;
use crate::ingress::RequestContext;

/// Puts into the span: `request_id`, `trace_id`, `method`, `client`; `tenant` when a handler knows it
/// ([`record_tenant`]); and at the end `route`, `status`, `latency_ms`. Never the path, the query, a header or the body:
/// they can hold codes and tokens.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RequestSpan;

impl RootSpanBuilder for RequestSpan {
    fn on_request_start(request: &ServiceRequest) -> Span {
        let extensions = request.extensions();
        let Some(context) = extensions.get::<Rc<RequestContext>>() else { return Span::none() };
        // At the level of errors, so that what is logged at any level names its request.
        tracing::error_span!(
            target: "tenantry_web::request",
            "request",
            request_id = context.id().as_str(),
            trace_id = context.trace().trace_id(),
            method = request.method().as_str(),
            client = %context.client(),
            tenant = Empty,
            route = Empty,
            status = Empty,
            latency_ms = Empty,
        )
    }

    fn on_request_end<B: MessageBody>(span: Span, outcome: &Result<ServiceResponse<B>, Error>) {
        if span.is_disabled() {
            return;
        }
        match outcome {
            Ok(answer) => {
                let route = answer.request().match_pattern();
                finish(&span, Some(answer.request()), route.as_deref(), answer.response());
            }
            Err(error) => finish(&span, None, None, &error.error_response()),
        }
    }
}

fn finish<B>(span: &Span, request: Option<&HttpRequest>, route: Option<&str>, response: &HttpResponse<B>) {
    let status = response.status();
    let is_probe = matches!(route, Some("/livez" | "/readyz"));
    // What no line will show costs nothing. Not asked with `enabled!`, after which a layer that has a filter of its own
    // can miss the next event.
    let level = if is_probe { Level::DEBUG } else { Level::INFO };
    if level > LevelFilter::current() && !status.is_server_error() {
        return;
    }
    let latency = request.and_then(RequestContext::of).map(|context| context.started.elapsed());
    tracing::record_all!(
        span,
        route = route,
        status = status.as_u16(),
        latency_ms = latency.map(|latency| (latency.as_secs_f64() * 1e6).round() / 1e3),
    );
    if status.is_server_error() {
        log_cause(response);
    }
    if is_probe {
        tracing::debug!(target: "tenantry_web::request", "answered");
    } else {
        tracing::info!(target: "tenantry_web::request", "answered");
    }
}

/// The one place where the cause of a 5xx is logged.
fn log_cause<B>(response: &HttpResponse<B>) {
    let extensions = response.extensions();
    match (extensions.get::<Cause>(), response.error()) {
        (Some(cause), _) => {
            if let Some(cause) = cause.to_log() {
                tracing::error!(target: "tenantry_web::request", cause, "request failed");
            }
        }
        (None, Some(error)) => {
            tracing::error!(target: "tenantry_web::request", cause = %error, "request failed");
        }
        (None, None) => tracing::error!(target: "tenantry_web::request", "request failed without a known cause"),
    }
}

/// Names the tenant in the span of `request`, for all that is logged from here on. Call it once, as soon as the tenant is
/// known.
pub fn record_tenant(request: &HttpRequest, tenant: &str) {
    if let Some(span) = request.extensions().get::<RootSpan>() {
        span.record("tenant", tenant);
    }
}
