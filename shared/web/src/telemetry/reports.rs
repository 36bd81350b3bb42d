//! Reports of errors to Sentry, without anything that a request carried.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use sentry::integrations::tracing::ErrorLayer;
use sentry::protocol::{Event, Request};
use sentry::{Client, ClientOptions, Hub, Scope};
use tracing::{Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::registry::LookupSpan;

use crate::config::SentryConfig;

/// Headers of a request that help to understand a fault and cannot hold a secret.
const HARMLESS_HEADERS: &[&str] = &["accept", "content-length", "content-type", "user-agent", "x-request-id"];

/// The way to Sentry. Events that are not sent when the last one is dropped get two seconds.
#[derive(Debug, Clone)]
pub struct Reports {
    hub: Arc<Hub>,
    _flush: Arc<Flush>,
}

impl Reports {
    /// A connection to the project of `config`; `None` when no DSN is set. `release` is the name and version of the
    /// program.
    pub fn connect(config: &SentryConfig, release: &'static str) -> Option<Self> {
        let dsn = config.dsn.as_ref()?.expose();
        let options = ClientOptions::new()
            .dsn(dsn)
            .release(Cow::Borrowed(release))
            .environment(Cow::Owned(config.environment.clone()))
            .send_default_pii(false)
            .max_breadcrumbs(0)
            // Panics come through the log, as every other error: see `telemetry::init`.
            .default_integrations(false)
            .add_integration(sentry::integrations::contexts::ContextIntegration::new())
            .before_send(|event| Some(scrub(event)));
        let client = Arc::new(Client::with_options(sentry::apply_defaults(options)));
        let hub = Arc::new(Hub::new(Some(Arc::clone(&client)), Arc::new(Scope::default())));
        Some(Self { hub, _flush: Arc::new(Flush(client)) })
    }

    /// Makes this the way for everything in the process, also outside of requests. For `main`.
    pub(super) fn make_global(&self) {
        Hub::main().bind_client(self.hub.client());
    }

    pub(crate) fn hub(&self) -> Arc<Hub> {
        Arc::clone(&self.hub)
    }
}

#[derive(Debug)]
struct Flush(Arc<Client>);

impl Drop for Flush {
    fn drop(&mut self) {
        self.0.close(Some(Duration::from_secs(2)));
    }
}

/// Sends what is logged as an error, and nothing else.
pub(super) fn layer<S>() -> impl Layer<S> + Send + Sync
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    // What the HTTP library calls an error is mostly a client that went away.
    let is_ours = |metadata: &Metadata<'_>| !metadata.target().starts_with("actix_");
    ErrorLayer::new().with_filter(filter_fn(move |metadata| {
        metadata.is_event() && *metadata.level() == Level::ERROR && is_ours(metadata)
    }))
}

/// Leaves of the request what names it and nothing that it carried.
fn scrub(mut event: Event<'static>) -> Event<'static> {
    event.user = None;
    if let Some(request) = event.request.take() {
        let mut url = request.url;
        if let Some(url) = &mut url {
            url.set_query(None);
            url.set_fragment(None);
            let _ = url.set_username("");
            let _ = url.set_password(None);
        }
        let headers = request.headers.into_iter();
        let harmless = |name: &String| HARMLESS_HEADERS.iter().any(|kept| name.eq_ignore_ascii_case(kept));
        event.request = Some(Request {
            url,
            method: request.method,
            headers: headers.filter(|(name, _)| harmless(name)).collect(),
            ..Request::default()
        });
    }
    event
}
