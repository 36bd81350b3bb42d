//! What both services need to be a good HTTP server: configuration, telemetry, the passage of a request in and
//! out, problem documents, health, and starting and stopping.
//!
//! A service puts it together once, in its start-up:
//!
//! ```no_run
//! use std::time::Duration;
//!
//! use schemars::JsonSchema;
//! use serde::{Deserialize, Serialize};
//! use tenantry_web::config::{self, Configuration, HttpConfig, MetricsConfig, Mode, SentryConfig, TelemetryConfig};
//! use tenantry_web::health::Health;
//! use tenantry_web::problems::endpoint;
//! use tenantry_web::server::{Server, ServerSetup};
//! use tenantry_web::telemetry::{self, Reports};
//!
//! #[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
//! #[serde(default, deny_unknown_fields)]
//! struct Config {
//!     /// How strict start-up is.
//!     mode: Mode,
//!     http: HttpConfig,
//!     metrics: MetricsConfig,
//!     telemetry: TelemetryConfig,
//!     sentry: SentryConfig,
//! }
//!
//! impl Configuration for Config {
//!     fn validate(&self) -> Vec<config::Violation> {
//!         let http = config::Violation::under("http", self.http.validate(self.mode));
//!         http.chain(config::Violation::under("telemetry", self.telemetry.validate())).collect()
//!     }
//! }
//!
//! #[actix_web::main]
//! async fn main() -> Result<(), Box<dyn std::error::Error>> {
//!     let config: Config = config::load("TENANTRY_DEMO", None)?;
//!     let reports = Reports::connect(&config.sentry, concat!("demo@", env!("CARGO_PKG_VERSION")));
//!     let log = telemetry::init(&config.telemetry, reports.as_ref())?;
//!     let mut setup = ServerSetup::new(config.http, config.metrics);
//!     log.register(&mut setup.registry);
//!     setup.reports = reports;
//!     setup.health = Health::builder()
//!         .check("database", Duration::from_secs(2), || async { Ok::<_, &str>(()) })
//!         .build();
//!     let server = Server::bind(setup, |services| {
//!         services.service(endpoint("/hello").get(|| async { "hello" }));
//!     })?;
//!     tracing::info!(address = %server.address(), "listening");
//!     Ok(server.run().await?)
//! }
//! ```

mod allocator;
pub mod command_line;
pub mod config;
pub mod cors;
pub mod health;
pub mod ingress;
pub mod input;
pub mod listing;
mod metrics;
pub mod pages;
pub mod problems;
pub mod rate_limit;
pub mod redis;
pub mod server;
pub mod telemetry;
