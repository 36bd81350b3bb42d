//! The command line.

mod doctor;
mod output;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use prometheus_client::registry::Registry;
use serde_json::json;
use tenantry_web::config::{self as configuration, ConfigError, reference_markdown};
use tenantry_web::telemetry::{self, Reports};

use crate::config::{Config, PREFIX};
use crate::startup::{self, Application, Environment, MIGRATIONS, StartupError};
use crate::{openapi, routes};
use output::Output;

/// Tenantry's resource API.
#[derive(Debug, Parser)]
#[command(name = "tenantry-api", version, about, max_term_width = 100)]
struct Cli {
    /// The configuration file (TOML). Variables named `TENANTRY_API__SECTION__KEY` win over it.
    #[arg(long, global = true, env = "TENANTRY_API_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write JSON, for programs.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until SIGTERM or SIGINT.
    Serve,
    /// Make the tables, or bring them up to date.
    Migrate,
    /// Look at the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check everything that the service needs, and say what is missing.
    Doctor,
    /// Print the description of the API (OpenAPI 3.1).
    Openapi,
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Check it, and show the values in force without secrets.
    Check,
    /// Print every key with its type, default, variable and meaning.
    Reference,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
enum CommandError {
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error(transparent)]
    Startup(#[from] StartupError),
    #[error(transparent)]
    Database(#[from] tenantry_db::DbError),
    #[error("the log cannot be switched on")]
    Telemetry(#[from] telemetry::TelemetryError),
    #[error("the output cannot be made")]
    Json(#[from] serde_json::Error),
    #[error("something is missing: see above")]
    NotHealthy,
}

/// Runs the command that this process was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = Output::new(cli.json);
    let result = actix_web::rt::System::new().block_on(execute(cli, output));
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.failure(&error);
            ExitCode::FAILURE
        }
    }
}

async fn execute(cli: Cli, output: Output) -> Result<(), CommandError> {
    if let Command::Config(ConfigCommand::Reference) = cli.command {
        output.print(
            &reference_markdown::<Config>("tenantry-api", PREFIX),
            || json!({ "markdown": reference_markdown::<Config>("tenantry-api", PREFIX) }),
        );
        return Ok(());
    }
    let config: Config = configuration::load(PREFIX, cli.config.as_deref())?;
    match cli.command {
        Command::Serve => serve(config, output).await,
        Command::Migrate => migrate(&config, output).await,
        Command::Config(_) => check(&config, output),
        Command::Doctor => doctor::run(&config, output).await,
        Command::Openapi => describe(&config, output),
    }
}

async fn serve(config: Config, output: Output) -> Result<(), CommandError> {
    const RELEASE: &str = concat!("tenantry-api@", env!("CARGO_PKG_VERSION"));
    let reports = Reports::connect(&config.sentry, RELEASE);
    // Kept to the end: it writes what is still to be written.
    let log = telemetry::init(&config.telemetry, reports.as_ref())?;
    let mut registry = Registry::default();
    log.register(&mut registry);
    let public_url = config.http.public_url.clone();
    let application = Application::build(config, Environment { registry, reports, ..Environment::default() }).await?;
    let (address, metrics) = (application.address(), application.metrics_address());
    tracing::info!(%address, metrics = metrics.map(tracing::field::display), %public_url, "listening");
    output.print(
        &format!("listening on http://{address}"),
        || json!({ "listening": address, "metrics": metrics, "public_url": public_url }),
    );
    Ok(application.run().await?)
}

async fn migrate(config: &Config, output: Output) -> Result<(), CommandError> {
    let db = startup::open_database(&config.database).await?;
    let applied = db.migrate(&MIGRATIONS).await?;
    let text = match applied.len() {
        0 => "the tables are up to date".to_owned(),
        count => format!("{count} migrations applied:\n  {}", applied.join("\n  ")),
    };
    output.print(&text, || json!({ "applied": applied }));
    Ok(())
}

fn check(config: &Config, output: Output) -> Result<(), CommandError> {
    let text = format!("# The configuration is valid. The values in force:\n{}", configuration::redacted_toml(config)?);
    let value = configuration::redacted_json(config)?;
    output.print(&text, || json!({ "valid": true, "config": value }));
    Ok(())
}

fn describe(config: &Config, output: Output) -> Result<(), CommandError> {
    let document = openapi::document(&routes::table(), &config.http.public_url, &config.console_issuer())?;
    let value: serde_json::Value = serde_json::from_str(&document.0)?;
    output.print(&format!("{value:#}"), || value.clone());
    Ok(())
}
