//! `serve`.

use std::sync::Arc;

use tenantry_types::{SystemClock, SystemRandom};
use tenantry_web::telemetry::{self, Reports};

use super::CommandError;
use crate::config::Config;
use crate::startup::Application;

/// Serves until the process is told to stop.
pub async fn run(config: Config) -> Result<(), CommandError> {
    let reports = Reports::connect(&config.sentry, concat!("tenantry-idp@", env!("CARGO_PKG_VERSION")));
    let log = telemetry::init(&config.telemetry, reports.as_ref())?;
    let public_url = config.http.public_url.clone();
    let application =
        Application::build_with(config, Arc::new(SystemClock), Arc::new(SystemRandom), Some(&log), reports).await?;
    tracing::info!(address = %application.address(), %public_url, version = env!("CARGO_PKG_VERSION"), "serving");
    application.run().await?;
    tracing::info!("stopped");
    Ok(())
}
