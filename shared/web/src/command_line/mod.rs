//! What the command lines of both services have in common: how they show results, and the commands on the configuration
//! and on the health of an installation.

mod config;
mod findings;
mod output;

pub use config::ConfigCommand;
pub use findings::{Finding, report};
pub use output::Output;

/// Why a command did not do what it was asked for, in a sentence.
pub type CommandError = Box<dyn std::error::Error + Send + Sync>;
