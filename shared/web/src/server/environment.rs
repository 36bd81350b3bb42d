//! What a service gets from outside of its configuration, so that tests can choose it.

use std::sync::Arc;

use prometheus_client::registry::Registry;
use tenantry_types::{Clock, Random, SystemClock, SystemRandom};

use crate::config::{SentryConfig, TelemetryConfig};
use crate::telemetry::{self, Reports, Telemetry, TelemetryError};

/// What a service gets from outside of its configuration, so that tests can choose it.
#[derive(Debug)]
pub struct Environment {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids and secrets come from.
    pub random: Arc<dyn Random>,
    /// Metrics of the process; those of requests are added.
    pub registry: Registry,
    /// Where errors are reported.
    pub reports: Option<Reports>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            registry: Registry::default(),
            reports: None,
        }
    }
}

impl Environment {
    /// That of a process which serves: its log and the reporting of its errors are switched on. Keep the log to the
    /// end, when it writes what is still to be written. `release` names the program and its version.
    ///
    /// # Errors
    /// [`TelemetryError`].
    pub fn of_process(
        release: &'static str,
        telemetry: &TelemetryConfig,
        sentry: &SentryConfig,
    ) -> Result<(Self, Telemetry), TelemetryError> {
        let reports = Reports::connect(sentry, release);
        let log = telemetry::init(telemetry, reports.as_ref())?;
        let mut environment = Self { reports, ..Self::default() };
        log.register(&mut environment.registry);
        Ok((environment, log))
    }
}
