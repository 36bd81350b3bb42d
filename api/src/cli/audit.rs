//! `audit`: proof that the audit trail is what it was, and what is kept elsewhere for it.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Subcommand;
use serde_json::json;
use tenantry_db::Db;
use tenantry_jose::Keyring;
use tenantry_types::{Clock, SystemClock, SystemRandom, TenantId};
use tenantry_web::command_line::{CommandError, Output};

use crate::audit::chain::{Sealer, checkpoint};
use crate::audit::keys;
use crate::audit::verify::{self, Finding, Options, Report};
use crate::config::Config;
use crate::startup;

/// The exit status when the audit trail is not what was sealed. 1 is that it could not be found out.
const TAMPERED: u8 = 3;

/// What can be done with the audit trail.
#[derive(Debug, Subcommand)]
pub(super) enum AuditCommand {
    /// Prove that no sealed entry was changed, removed, reordered or added. Exits with 3 when one was.
    Verify {
        /// Only the chain of this tenant: its id or its short name.
        #[arg(long, value_name = "TENANT")]
        tenant: Option<String>,
        /// Take the batches before this number for good.
        #[arg(long, value_name = "BATCH", default_value_t = 0)]
        since: i64,
        /// Hold the chains against checkpoints that were kept elsewhere: without, it cannot be proved that nothing was cut
        /// off at the end.
        #[arg(long, value_name = "FILE")]
        checkpoint: Option<PathBuf>,
    },
    /// Print signed checkpoints, one a line, to be kept where nobody who can write to the database can write.
    Checkpoint {
        /// Only of this tenant: its id or its short name.
        #[arg(long, value_name = "TENANT")]
        tenant: Option<String>,
    },
    /// Seal what waits to be sealed, as the service does by itself.
    Seal,
    /// Print the public keys that the audit trail is signed with (a JWK Set), the newest first.
    Keys,
    /// Sign with a new key from now on. The private half of the old one is destroyed.
    RotateKey,
}

pub(super) async fn run(command: AuditCommand, config: &Config, output: Output) -> Result<ExitCode, CommandError> {
    let db = startup::open_database(&config.database).await?;
    let keyring = startup::open_keyring(config, &SystemRandom)?;
    let code = execute(command, &db, &keyring, output).await;
    db.close().await;
    code
}

async fn execute(command: AuditCommand, db: &Db, keyring: &Keyring, output: Output) -> Result<ExitCode, CommandError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match command {
        AuditCommand::Verify { tenant, since, checkpoint } => {
            let checkpoints = checkpoint.as_deref().map(read_checkpoints).transpose()?.unwrap_or_default();
            let options = Options { tenant: find(db, tenant).await?, since, checkpoints };
            let report = verify::verify(db, keyring, &options).await?;
            output.result(&report, || describe(&report));
            return Ok(if report.ok { ExitCode::SUCCESS } else { ExitCode::from(TAMPERED) });
        }
        AuditCommand::Checkpoint { tenant } => {
            let signed = checkpoint::take(db, keyring, &clock, find(db, tenant).await?).await?;
            output.result(&json!({ "checkpoints": signed }), || signed.join("\n"));
        }
        AuditCommand::Seal => {
            let sealed = Sealer::new(db.clone(), keyring.clone(), clock).seal_all().await?;
            output.result(&json!({ "sealed": sealed }), || format!("{sealed} entries sealed"));
        }
        AuditCommand::Keys => {
            let keyring = keyring.clone();
            let jwks = db.read(move |conn| keys::trusted(conn, &keyring)).await?.keys.to_jwks();
            output.result(&jwks, || format!("{jwks:#}"));
        }
        AuditCommand::RotateKey => {
            let keyring = keyring.clone();
            let key = db.write(move |conn| keys::rotate(conn, &keyring, &*clock)).await?;
            output.result(&json!({ "kid": key.kid() }), || format!("signing with the new key {}", key.kid()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

async fn find(db: &Db, tenant: Option<String>) -> Result<Option<TenantId>, CommandError> {
    let Some(name) = tenant else { return Ok(None) };
    let wanted = name.clone();
    let found = db.read(move |conn| verify::find_tenants(conn, &wanted)).await?;
    match found.as_slice() {
        [one] => Ok(Some(*one)),
        [] => Err(format!("there is no tenant {name} here").into()),
        _ => Err(format!("{name} is the short name of several tenants: give an id").into()),
    }
}

/// One signed checkpoint a line, or the JSON that `audit checkpoint --json` prints.
fn read_checkpoints(path: &Path) -> Result<Vec<String>, CommandError> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    if text.trim_start().starts_with('{') {
        let value: serde_json::Value = serde_json::from_str(&text)?;
        let list = value.get("checkpoints").cloned().ok_or("the file has no member checkpoints")?;
        return Ok(serde_json::from_value(list)?);
    }
    Ok(text.split_whitespace().map(str::to_owned).collect())
}

fn describe(report: &Report) -> String {
    let mut lines: Vec<String> = report.findings.iter().map(line).collect();
    if report.more_findings > 0 {
        lines.push(format!("… and {} more", report.more_findings));
    }
    let Report { tenants, batches, entries, waiting, pruned, .. } = report;
    let verdict =
        if report.ok { "the audit trail is what was sealed" } else { "THE AUDIT TRAIL IS NOT WHAT WAS SEALED" };
    lines.push(format!(
        "{verdict}: {tenants} tenants, {batches} batches, {entries} entries verified, {pruned} removed by retention, \
         {waiting} waiting to be sealed"
    ));
    lines.join("\n")
}

fn line(finding: &Finding) -> String {
    let place = &finding.place;
    let words = [
        ("tenant", place.slug.clone().or(place.tenant.map(|id| id.to_string()))),
        ("batch", place.batch.map(|number| number.to_string())),
        ("position", place.position.map(|position| position.to_string())),
        ("entry", place.entry.clone()),
    ];
    let words = words.into_iter().filter_map(|(name, value)| value.map(|value| format!(" {name} {value}")));
    format!("{}{}: {}", finding.kind, words.collect::<String>(), finding.detail)
}
