//! The sections that both services have.

mod http;
mod services;
mod telemetry;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use http::{ForwardingHeaders, HttpConfig};
pub use services::{DatabaseConfig, RedisConfig};
pub use telemetry::{LogFormat, MetricsConfig, SentryConfig, TelemetryConfig};

/// How strict start-up is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// On a developer's machine: plain HTTP and generated keys are fine.
    #[default]
    Development,
    /// For real use: start-up is refused with a setting that is not secure.
    Production,
}

impl Mode {
    /// Whether insecure settings stop start-up.
    pub const fn is_production(self) -> bool {
        matches!(self, Self::Production)
    }
}
