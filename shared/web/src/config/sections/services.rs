//! `[database]` and `[redis]`: the engines behind the service.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::{ConnectionUrl, Violation};

/// The database.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DatabaseConfig {
    /// `sqlite://path/to/file.db` (relative; `sqlite:///path` from the root) or
    /// `mysql://user:password@host:port/database` (MySQL 8, MariaDB 10.6 or later).
    pub url: ConnectionUrl,
    /// Connections that are kept at most.
    #[schemars(range(min = 1, max = 1000))]
    pub max_connections: u32,
    /// Seconds that a request waits for a free connection before it is answered with 503.
    #[schemars(range(min = 1, max = 300))]
    pub acquire_timeout: u64,
}

impl DatabaseConfig {
    /// The defaults of a service whose database is at `url`.
    pub fn at(url: &str) -> Self {
        Self { url: url.into(), max_connections: 8, acquire_timeout: 5 }
    }

    /// The rules between these values.
    pub fn validate(&self) -> Vec<Violation> {
        let url = self.url.expose();
        if url.starts_with("sqlite://") || url.starts_with("mysql://") {
            Vec::new()
        } else {
            vec![Violation::new("url", "must start with sqlite:// or mysql://")]
        }
    }
}

impl Default for DatabaseConfig {
    fn default() -> Self {
        Self::at("sqlite://data/tenantry.db")
    }
}

/// Redis, which several replicas share for counters. One replica does without.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// `redis://user:password@host:port/number`. Not set: state that replicas share is kept in memory.
    pub url: Option<ConnectionUrl>,
    /// Connections that are kept at most.
    #[schemars(range(min = 1, max = 1000))]
    pub max_connections: usize,
    /// Milliseconds to wait for a connection and for an answer.
    #[schemars(range(min = 10, max = 60_000))]
    pub timeout_ms: u64,
}

impl RedisConfig {
    /// The rules between these values.
    pub fn validate(&self) -> Vec<Violation> {
        match &self.url {
            Some(url) if !url.expose().starts_with("redis://") => {
                vec![Violation::new("url", "must start with redis://")]
            }
            _ => Vec::new(),
        }
    }
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self { url: None, max_connections: 16, timeout_ms: 500 }
    }
}
