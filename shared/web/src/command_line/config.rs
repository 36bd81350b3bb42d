//! `config check` and `config reference`.

use std::path::Path;

use clap::Subcommand;
use serde_json::json;

use super::{CommandError, Output};
use crate::config::{self, Configuration, redacted_json, redacted_toml, reference_markdown};

/// What can be done with the configuration.
#[derive(Debug, Clone, Copy, Subcommand)]
pub enum ConfigCommand {
    /// Check it, and show the values in force without secrets.
    Check,
    /// Print every key with its type, default, variable and meaning (Markdown).
    Reference,
}

impl ConfigCommand {
    /// Runs the command for a program whose variables begin with `prefix`.
    ///
    /// # Errors
    /// When the configuration is not good, with everything that is wrong with it.
    pub fn run<C: Configuration>(
        self,
        program: &str,
        prefix: &str,
        file: Option<&Path>,
        output: Output,
    ) -> Result<(), CommandError> {
        match self {
            Self::Check => {
                let config: C = config::load(prefix, file)?;
                let text = redacted_toml(&config)?;
                let value = json!({ "valid": true, "config": redacted_json(&config)? });
                output.result(&value, || format!("# The configuration is valid. The values in force:\n{text}"));
            }
            Self::Reference => {
                let markdown = reference_markdown::<C>(program, prefix);
                output.result(&json!({ "markdown": markdown }), || markdown.clone());
            }
        }
        Ok(())
    }
}
