//! `serve`.

use tenantry_web::command_line::{CommandError, Output};
use tenantry_web::server::Environment;

use crate::config::Config;
use crate::startup::Application;

/// Serves until the process is told to stop.
pub async fn run(config: Config, output: Output) -> Result<(), CommandError> {
    const RELEASE: &str = concat!("tenantry-idp@", env!("CARGO_PKG_VERSION"));
    let (environment, _log) = Environment::of_process(RELEASE, &config.telemetry, &config.sentry)?;
    let public_url = config.http.public_url.clone();
    let application = Application::build(config, environment).await?;
    output.listening(application.address(), application.metrics_address(), &public_url);
    Ok(application.run().await?)
}
