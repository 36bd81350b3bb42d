//! `doctor`: what keeps the service from working.

use std::path::Path;
use std::process::ExitCode;

use tenantry_jose::{Keyring, permissions_are_private};
use tenantry_types::{Clock as _, SystemClock};
use tenantry_web::command_line::{CommandError, Finding, Output, report};

use super::context::load;
use crate::config::Config;
use crate::keys;
use crate::startup::{MIGRATIONS, open_database};

/// Runs all checks and shows what each found; fails when one did.
pub async fn run(file: Option<&Path>, output: Output) -> Result<ExitCode, CommandError> {
    let mut findings = Vec::new();
    match load(file) {
        Ok(config) => {
            findings.push(Finding::of("configuration", Ok(format!("mode {:?}", config.mode).to_lowercase())));
            examine(&config, &mut findings).await;
        }
        Err(error) => findings.push(Finding::of("configuration", Err(error.to_string()))),
    }
    Ok(report(&findings, output))
}

async fn examine(config: &Config, findings: &mut Vec<Finding>) {
    findings.push(Finding::of("key file", key_file(config)));
    findings.push(Finding::of("listen address", listen_address(config)));
    if let Ok(Some(pool)) = tenantry_web::redis::connect(&config.redis) {
        let answer = tenantry_web::redis::check(pool).await;
        findings.push(Finding::of("redis", answer.map(|()| "answers".to_owned()).map_err(|error| error.to_string())));
    }
    let db = match open_database(&config.database).await {
        Ok(db) => db,
        Err(error) => return findings.push(Finding::of("database", Err(error.to_string()))),
    };
    findings.push(Finding::of("database", Ok(format!("{:?}", db.backend()).to_lowercase())));
    let migrations = match db.pending_migrations(&MIGRATIONS).await {
        Ok(missing) if missing.is_empty() => Ok("up to date".to_owned()),
        Ok(missing) => Err(format!("{} missing: run `tenantry-idp migrate`", missing.len())),
        Err(error) => Err(error.to_string()),
    };
    let migrated = migrations.is_ok();
    findings.push(Finding::of("migrations", migrations));
    if migrated {
        findings.push(Finding::of("signing keys", signing_keys(config, &db).await));
    }
}

fn key_file(config: &Config) -> Result<String, String> {
    let path = &config.keys.key_encryption_file;
    if !path.exists() {
        return Ok(format!("{} will be made", path.display()));
    }
    match permissions_are_private(path) {
        Ok(true) => {}
        Ok(false) => return Err(format!("{} can be read by others: chmod 600 it", path.display())),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    }
    Keyring::load(path).map(|_| format!("{} is private and good", path.display())).map_err(|error| error.to_string())
}

fn listen_address(config: &Config) -> Result<String, String> {
    let address = config.http.listen;
    match std::net::TcpListener::bind(address) {
        Ok(_) => Ok(format!("{address} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => {
            Ok(format!("{address} is in use (is it running?)"))
        }
        Err(error) => Err(format!("{address}: {error}")),
    }
}

/// Whether the keys of the first tenants open with this key file.
async fn signing_keys(config: &Config, db: &tenantry_db::Db) -> Result<String, String> {
    let path = &config.keys.key_encryption_file;
    if !path.exists() {
        return Ok("no key file yet".to_owned());
    }
    let keyring = Keyring::load(path).map_err(|error| error.to_string())?;
    let now = SystemClock.now();
    let opened = db.read(move |conn| keys::store::check(conn, &keyring, now, 10)).await;
    opened.map(|count| format!("open for {count} tenant(s)")).map_err(|error| error.to_string())
}
