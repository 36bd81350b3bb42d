//! The command line.

mod client;
mod context;
mod demo;
mod doctor;
mod keys;
mod serve;
mod tenant;
mod user;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use tenantry_web::command_line::{CommandError, ConfigCommand, Output};

use crate::config::Config;
use context::{Context, PREFIX};

/// The identity provider of Tenantry.
#[derive(Debug, Parser)]
#[command(name = "tenantry-idp", version, about)]
struct Arguments {
    /// The configuration file (TOML). The environment wins over it.
    #[arg(long, global = true, env = "TENANTRY_IDP_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print results as JSON.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve until told to stop.
    Serve,
    /// Bring the schema of the database up to date.
    Migrate,
    /// Tenants.
    #[command(subcommand)]
    Tenant(tenant::TenantCommand),
    /// Users of a tenant.
    #[command(subcommand)]
    User(user::UserCommand),
    /// Clients of a tenant.
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// Signing keys of a tenant.
    #[command(subcommand)]
    Keys(keys::KeysCommand),
    /// The configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Look for what keeps the service from working.
    Doctor,
    /// Make the tenant `demo` with users and clients, unless it is there.
    Demo(demo::DemoCommand),
}

/// Runs the command of this process.
pub async fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let output = Output { json: arguments.json };
    // It holds the state of whichever command it is: too much for the stack of the caller.
    match Box::pin(dispatch(arguments, output)).await {
        Ok(code) => code,
        Err(error) => {
            output.failure(&*error);
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(arguments: Arguments, output: Output) -> Result<ExitCode, CommandError> {
    let file = arguments.config.as_deref();
    match arguments.command {
        Command::Serve => serve::run(context::load(file)?, output).await?,
        Command::Migrate => context::migrate(&context::load(file)?, output).await?,
        Command::Tenant(command) => tenant::run(&Context::open(file).await?, command, output).await?,
        Command::User(command) => user::run(&Context::open(file).await?, command, output).await?,
        Command::Client(command) => client::run(&Context::open(file).await?, command, output).await?,
        Command::Keys(command) => keys::run(&Context::open(file).await?, command, output).await?,
        Command::Config(command) => command.run::<Config>("tenantry-idp", PREFIX, file, output)?,
        Command::Doctor => return doctor::run(file, output).await,
        Command::Demo(command) => demo::run(&Context::open(file).await?, command, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}
