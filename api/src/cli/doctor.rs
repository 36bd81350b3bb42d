//! `doctor`: everything that the service needs, one check a line.

use std::process::ExitCode;
use std::sync::Arc;

use tenantry_types::{SystemClock, SystemRandom};
use tenantry_web::command_line::{CommandError, Finding, Output, report};
use tenantry_web::config::ConfigError;
use tenantry_web::redis;

use crate::config::Config;
use crate::idp::IdpClient;
use crate::startup::{self, MIGRATIONS};

/// Runs all checks and shows what each found; fails when one did.
pub(super) async fn run(config: Result<Config, ConfigError>, output: Output) -> Result<ExitCode, CommandError> {
    let mut findings = Vec::new();
    match config {
        Ok(config) => {
            findings.push(Finding::of("configuration", Ok(format!("mode {:?}", config.mode).to_lowercase())));
            findings.push(Finding::of("database", database(&config).await));
            findings.push(Finding::of("keys", keys(&config)));
            findings.push(Finding::of("identity provider", provider(&config).await));
            findings.push(Finding::of("management", management(&config).await));
            if config.redis.url.is_some() {
                findings.push(Finding::of("redis", shared_memory(&config).await));
            }
        }
        Err(error) => findings.push(Finding::of("configuration", Err(error.to_string()))),
    }
    Ok(report(&findings, output))
}

async fn database(config: &Config) -> Result<String, String> {
    let db = startup::open_database(&config.database).await.map_err(|error| error.to_string())?;
    db.ping().await.map_err(|error| error.to_string())?;
    let pending = db.pending_migrations(&MIGRATIONS).await.map_err(|error| error.to_string())?;
    if pending.is_empty() {
        Ok(format!("{}, all tables there", db.url()))
    } else {
        Err(format!("{}, {} migrations to apply: run `tenantry-api migrate`", db.url(), pending.len()))
    }
}

fn keys(config: &Config) -> Result<String, String> {
    let keyring = startup::open_keyring(config, &SystemRandom).map_err(|error| error.to_string())?;
    let path = config.keyring.path.display();
    match tenantry_jose::permissions_are_private(&config.keyring.path) {
        Ok(true) => Ok(format!("{path}, primary key {}", keyring.primary_kid())),
        Ok(false) => Err(format!("{path} can be read by others: chmod 600 {path}")),
        Err(error) => Err(format!("{path}: {error}")),
    }
}

async fn provider(config: &Config) -> Result<String, String> {
    let idp = IdpClient::new(config.idp.url.clone(), config.idp.internal_url.clone(), Arc::new(SystemClock))
        .map_err(|error| error.to_string())?;
    let issuer = config.console_issuer();
    match idp.issuer(&issuer).await {
        Ok(Some(record)) => Ok(format!("{issuer} is the tenant {} ({})", record.tenant.name, record.tenant.id)),
        Ok(None) => Err(format!("{} answers, but has no tenant {}", config.idp.url, config.console.tenant)),
        Err(error) => Err(error.to_string()),
    }
}

/// Whether the identity provider lets this service manage tenants and people.
async fn management(config: &Config) -> Result<String, String> {
    let idp = IdpClient::new(config.idp.url.clone(), config.idp.internal_url.clone(), Arc::new(SystemClock))
        .map_err(|error| error.to_string())?;
    let client = startup::management_client(config, idp, Arc::new(SystemClock), Arc::new(SystemRandom))
        .map_err(|error| error.to_string())?;
    client.check().await.map_err(|error| error.to_string())?;
    let settings = &config.idp.management;
    Ok(format!("{} of the tenant {} is let in", settings.client_id, settings.tenant))
}

async fn shared_memory(config: &Config) -> Result<String, String> {
    let pool = redis::connect(&config.redis).map_err(|error| error.to_string())?.ok_or("no URL")?;
    redis::check(pool).await.map_err(std::borrow::Cow::into_owned)?;
    Ok("it answers".to_owned())
}
