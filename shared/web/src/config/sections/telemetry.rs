//! `[telemetry]`, `[metrics]` and `[sentry]`: what the service tells about itself.

use std::net::SocketAddr;

use schemars::JsonSchema;
use sentry::types::Dsn;
use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

use crate::config::{Secret, Violation};

/// The log, which goes to standard error.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TelemetryConfig {
    /// How lines are written.
    pub format: LogFormat,
    /// What is logged, as `tracing-subscriber` directives: `info,tenantry_idp=debug`. `off` switches the log off.
    pub filter: String,
}

/// How log lines are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line, for machines.
    Json,
    /// For people.
    #[default]
    Pretty,
}

impl TelemetryConfig {
    /// The rules between these values.
    pub fn validate(&self) -> Vec<Violation> {
        match EnvFilter::try_new(&self.filter) {
            Ok(_) => Vec::new(),
            Err(error) => vec![Violation::new("filter", format!("is not a filter: {error}"))],
        }
    }
}

impl Default for TelemetryConfig {
    fn default() -> Self {
        Self { format: LogFormat::default(), filter: "info".to_owned() }
    }
}

/// Prometheus metrics, on a listener of their own.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MetricsConfig {
    /// The address and port that answer `GET /metrics`. Not set: no metrics are served. Keep it off the public
    /// network.
    pub listen: Option<SocketAddr>,
}

/// Reports of errors to Sentry or what speaks its protocol.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SentryConfig {
    /// The project's DSN. Not set: nothing is reported.
    pub dsn: Option<Secret>,
    /// The environment that reports are filed under.
    pub environment: String,
}

impl SentryConfig {
    /// The rules between these values.
    pub fn validate(&self) -> Vec<Violation> {
        match &self.dsn {
            Some(dsn) if dsn.expose().parse::<Dsn>().is_err() => {
                vec![Violation::new("dsn", "is not a DSN like https://key@sentry.example.com/1")]
            }
            _ => Vec::new(),
        }
    }
}

impl Default for SentryConfig {
    fn default() -> Self {
        Self { dsn: None, environment: "production".to_owned() }
    }
}
