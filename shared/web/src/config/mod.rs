//! Configuration: one TOML file, then the environment, checked as a whole before anything starts.
//!
//! A service declares one struct whose fields are sections (see [`sections`]); its doc comments are the
//! reference ([`reference_markdown`]), its [`Default`] the defaults, its [`Configuration::validate`] the
//! rules that no single type can hold. [`load`] reports every wrong key at once, each with the file or
//! variable it came from.

mod error;
mod keys;
mod load;
mod redacted;
mod reference;
mod secret;
pub mod sections;
#[cfg(test)]
mod tests;

use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use error::{ConfigError, ConfigProblem, Source};
pub use load::{Sources, load, load_from};
pub use redacted::{redacted_json, redacted_toml};
pub use reference::reference_markdown;
pub use secret::{ConnectionUrl, Secret};
pub use sections::{
    DatabaseConfig, ForwardingHeaders, HttpConfig, LogFormat, MetricsConfig, Mode, RedisConfig, SentryConfig,
    TelemetryConfig,
};

/// The whole configuration of a service.
///
/// Derive it with `#[serde(default, deny_unknown_fields)]`. Defaults are serialised and laid under what the
/// operator gives, so a service can differ from a section's own defaults; a default must not hold a secret
/// (it would come back as the word that stands for it).
pub trait Configuration: Default + Serialize + DeserializeOwned + JsonSchema {
    /// The rules that hold between values, each broken one named by its key.
    fn validate(&self) -> Vec<Violation>;
}

/// A value that is well formed and still not acceptable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The key, dotted: `http.public_url`. Relative to the section where a section reports it.
    pub key: String,
    /// What it must be, as the end of a sentence that starts with the key.
    pub message: String,
}

impl Violation {
    /// A broken rule about `key`.
    pub fn new(key: &str, message: impl Into<String>) -> Self {
        Self { key: key.to_owned(), message: message.into() }
    }

    /// The violations of a section as the service sees them: `listen` becomes `http.listen`.
    pub fn under(section: &str, violations: Vec<Self>) -> impl Iterator<Item = Self> {
        violations.into_iter().map(move |v| Self { key: format!("{section}.{}", v.key), message: v.message })
    }
}
