//! The command line.

mod audit;
mod doctor;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use tenantry_web::command_line::{CommandError, ConfigCommand, Output};
use tenantry_web::config as configuration;
use tenantry_web::server::Environment;

use crate::config::{Config, PREFIX};
use crate::idp::ClientKeyFile;
use crate::startup::{self, Application, MIGRATIONS};
use crate::{openapi, routes};

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
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Check everything that the service needs, and say what is missing.
    Doctor,
    /// The keys of this service.
    #[command(subcommand)]
    Keys(KeysCommand),
    /// Print the description of the API (OpenAPI 3.1).
    Openapi,
    /// The audit trail.
    #[command(subcommand)]
    Audit(audit::AuditCommand),
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    /// Make the key with which this service proves itself at the identity provider, if it is not there, and print its
    /// public half: the JWK Set that its client is registered with.
    Client,
}

/// Runs the command that this process was started with.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let output = Output { json: cli.json };
    match actix_web::rt::System::new().block_on(execute(cli, output)) {
        Ok(code) => code,
        Err(error) => {
            output.failure(&*error);
            ExitCode::FAILURE
        }
    }
}

async fn execute(cli: Cli, output: Output) -> Result<ExitCode, CommandError> {
    let file = cli.config.as_deref();
    let load = || configuration::load(PREFIX, file);
    match cli.command {
        Command::Serve => serve(load()?, output).await?,
        Command::Migrate => migrate(&load()?, output).await?,
        Command::Config(command) => command.run::<Config>("tenantry-api", PREFIX, file, output)?,
        Command::Doctor => return doctor::run(load(), output).await,
        Command::Keys(KeysCommand::Client) => client_key(&load()?, output)?,
        Command::Openapi => describe(&load()?, output)?,
        Command::Audit(command) => return audit::run(command, &load()?, output).await,
    }
    Ok(ExitCode::SUCCESS)
}

async fn serve(config: Config, output: Output) -> Result<(), CommandError> {
    const RELEASE: &str = concat!("tenantry-api@", env!("CARGO_PKG_VERSION"));
    let (environment, _log) = Environment::of_process(RELEASE, &config.telemetry, &config.sentry)?;
    let public_url = config.http.public_url.clone();
    let application = Application::build(config, environment).await?;
    output.listening(application.address(), application.metrics_address(), &public_url);
    Ok(application.run().await?)
}

async fn migrate(config: &Config, output: Output) -> Result<(), CommandError> {
    let applied = startup::open_database(&config.database).await?.migrate(&MIGRATIONS).await?;
    output.migrated(&applied);
    Ok(())
}

/// The JWK Set is the whole output, with `--json` or without, so that it can be a file as it is.
fn client_key(config: &Config, output: Output) -> Result<(), CommandError> {
    let (key, _) = ClientKeyFile::load_or_create(&config.idp.management.key_file)?;
    let jwks = key.jwks();
    output.result(&jwks, || format!("{jwks:#}"));
    Ok(())
}

fn describe(config: &Config, output: Output) -> Result<(), CommandError> {
    let document = openapi::document(&routes::table(), &config.http.public_url, &config.console_issuer())?;
    let value: serde_json::Value = serde_json::from_str(&document.0)?;
    output.result(&value, || format!("{value:#}"));
    Ok(())
}
