//! Whether the process lives (`/livez`) and whether it can do its work (`/readyz`).

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::HttpResponse;
use actix_web::http::StatusCode;
use actix_web::web::ServiceConfig;
use futures_util::future::join_all;
use serde::Serialize;
use tokio::sync::Mutex;
use tokio::time::timeout;

use crate::problems::endpoint;
use crate::telemetry::Cause;

/// How long a result stands: probes, however many, cost one round of checks in this time.
const REMEMBERED: Duration = Duration::from_secs(1);

type CheckFuture = Pin<Box<dyn Future<Output = Result<(), Cow<'static, str>>> + Send>>;

/// The checks behind `/readyz`. Clones share one memory of the last result.
#[derive(Debug, Clone, Default)]
pub struct Health(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    checks: Vec<Check>,
    last: Mutex<Option<(Instant, Arc<Report>)>>,
}

struct Check {
    name: &'static str,
    time: Duration,
    /// Whether requests can be answered without it.
    is_optional: bool,
    run: Box<dyn Fn() -> CheckFuture + Send + Sync>,
}

impl fmt::Debug for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Check").field("name", &self.name).field("time", &self.time).finish_non_exhaustive()
    }
}

/// What `/readyz` answers.
#[derive(Debug, Serialize)]
struct Report {
    status: Status,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    checks: BTreeMap<&'static str, CheckReport>,
}

#[derive(Debug, Serialize)]
struct CheckReport {
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<Cow<'static, str>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    /// Something is missing that the service can do without.
    Degraded,
    Failed,
}

/// Builds a [`Health`].
#[derive(Debug, Default)]
pub struct HealthBuilder(Vec<Check>);

impl Health {
    /// No checks yet.
    pub fn builder() -> HealthBuilder {
        HealthBuilder::default()
    }

    pub(crate) fn configure(&self, services: &mut ServiceConfig) {
        let health = self.clone();
        services.service(
            endpoint("/livez")
                .get(|| async { HttpResponse::Ok().json(Report { status: Status::Ok, checks: BTreeMap::new() }) }),
        );
        services.service(endpoint("/readyz").get(move || {
            let health = health.clone();
            async move { health.answer().await }
        }));
    }

    async fn answer(&self) -> HttpResponse {
        let report = self.report().await;
        let is_ready = report.status != Status::Failed;
        let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        let mut response = HttpResponse::build(status).json(&*report);
        if !is_ready {
            // What changed is in the log; every probe would say it again.
            Cause::logged_before().attach_to(&mut response);
        }
        response
    }

    /// The last result if it is fresh; else the checks are run, once, however many ask.
    async fn report(&self) -> Arc<Report> {
        let mut last = self.0.last.lock().await;
        if let Some((at, report)) = &*last
            && at.elapsed() < REMEMBERED
        {
            return Arc::clone(report);
        }
        let checks = join_all(self.0.checks.iter().map(Check::report)).await;
        for (name, check) in &checks {
            check.log_change(name, last.as_ref().and_then(|(_, report)| report.checks.get(name)));
        }
        let status = checks.iter().map(|(_, check)| check.status).max().unwrap_or(Status::Ok);
        let report = Arc::new(Report { status, checks: checks.into_iter().collect() });
        *last = Some((Instant::now(), Arc::clone(&report)));
        report
    }
}

impl HealthBuilder {
    /// Adds a check, which fails when it is not done in `time`. What it returns as an error is shown to whoever may ask
    /// for `/readyz`: say what is missing, not where it is.
    #[must_use]
    pub fn check<F, R, E>(self, name: &'static str, time: Duration, run: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Cow<'static, str>>,
    {
        self.add(name, time, false, run)
    }

    /// Adds a check of something that the service can do without: when it fails, `/readyz` says `degraded` and that the
    /// service is ready.
    #[must_use]
    pub fn optional<F, R, E>(self, name: &'static str, time: Duration, run: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Cow<'static, str>>,
    {
        self.add(name, time, true, run)
    }

    fn add<F, R, E>(mut self, name: &'static str, time: Duration, is_optional: bool, run: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Cow<'static, str>>,
    {
        let run = Box::new(move || {
            let check = run();
            Box::pin(async move { check.await.map_err(Into::into) }) as CheckFuture
        });
        self.0.push(Check { name, time, is_optional, run });
        self
    }

    /// The checks.
    pub fn build(self) -> Health {
        Health(Arc::new(Inner { checks: self.0, last: Mutex::default() }))
    }
}

impl Check {
    async fn report(&self) -> (&'static str, CheckReport) {
        let result = timeout(self.time, (self.run)()).await;
        let detail = match result {
            Ok(Ok(())) => None,
            Ok(Err(detail)) => Some(detail),
            Err(_) => Some(format!("no answer in {} ms", self.time.as_millis()).into()),
        };
        let status = match &detail {
            None => Status::Ok,
            Some(_) if self.is_optional => Status::Degraded,
            Some(_) => Status::Failed,
        };
        (self.name, CheckReport { status, detail })
    }
}

impl CheckReport {
    fn log_change(&self, name: &str, before: Option<&Self>) {
        let was = before.map_or(Status::Ok, |before| before.status);
        match (was, self.status) {
            (Status::Ok, Status::Failed) => {
                tracing::warn!(check = name, detail = self.detail.as_deref(), "not ready");
            }
            (Status::Ok, Status::Degraded) => {
                tracing::warn!(check = name, detail = self.detail.as_deref(), "degraded");
            }
            (Status::Failed | Status::Degraded, Status::Ok) => tracing::info!(check = name, "ready again"),
            _ => {}
        }
    }
}
