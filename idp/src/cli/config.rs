//! `config check` and `config reference`.

use std::io::{Write as _, stdout};
use std::path::Path;

use clap::Subcommand;
use tenantry_web::config::{redacted_json, redacted_toml, reference_markdown};

use super::CommandError;
use super::context::{PREFIX, load};
use super::output::Output;
use crate::config::Config;

/// What can be done with the configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Read it and show what is in force, without secrets.
    Check,
    /// Print the reference of all keys (Markdown).
    Reference,
}

/// Runs the command.
pub fn run(file: Option<&Path>, command: &ConfigCommand, output: &Output) -> Result<(), CommandError> {
    match command {
        ConfigCommand::Check => {
            let config = load(file)?;
            let text = redacted_toml(&config)?;
            output.result(&redacted_json(&config)?, || format!("The configuration is good.\n\n{text}"));
        }
        ConfigCommand::Reference => {
            write!(stdout(), "{}", reference_markdown::<Config>("tenantry-idp", PREFIX))?;
        }
    }
    Ok(())
}
