//! What sealing and verifying an audit trail cost.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value, json};
use tenantry_api::audit::chain::Sealer;
use tenantry_api::audit::verify::{Options, verify};
use tenantry_api::audit::{self, AuditEntry, Changes};
use tenantry_api::authn::{Tenant, TenantStatus};
use tenantry_api::change::keep_tenant;
use tenantry_db::{Connection, Db, DbError, TenantScope};
use tenantry_jose::Keyring;
use tenantry_types::{Clock, SystemClock, SystemRandom, TenantId};

use crate::Failure;

/// How many entries are written in one transaction.
const PIECE: usize = 2_000;

/// Makes a trail of one tenant, seals it and verifies it.
pub async fn measure(db: &Db, folder: &Path, entries: usize) -> Result<Value, Failure> {
    let keyring = Keyring::load_or_create(&folder.join("key"), &SystemRandom)?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);

    let begin = Instant::now();
    let (id, status) = (TenantId::new(&*clock, &SystemRandom), TenantStatus::Active);
    let tenant = Tenant { id, slug: "bench".parse()?, name: "Bench".to_owned(), status, is_platform: false };
    let id = tenant.id;
    db.write(move |conn| keep_tenant(conn, &SystemClock, &tenant)).await?;
    for from in (0..entries).step_by(PIECE) {
        let range = from..(from + PIECE).min(entries);
        db.write(move |conn| range.clone().try_for_each(|number| record(conn, id, number))).await?;
    }
    let written = begin.elapsed();

    let begin = Instant::now();
    let sealed = Sealer::new(db.clone(), keyring.clone(), Arc::clone(&clock)).seal_all().await?;
    let sealing = begin.elapsed();

    let begin = Instant::now();
    let report = verify(db, &keyring, &Options::default()).await?;
    let verifying = begin.elapsed();
    if !report.ok || usize::try_from(report.entries)? != entries || sealed != entries {
        return Err(format!("the trail is not what was sealed: {report:?}").into());
    }
    Ok(json!({
        "backend": format!("{:?}", db.backend()),
        "entries": entries,
        "batches": report.batches,
        "write_seconds": written.as_secs_f64(),
        "seal_seconds": sealing.as_secs_f64(),
        "verify_seconds": verifying.as_secs_f64(),
    }))
}

fn record(conn: &mut Connection, tenant: TenantId, number: usize) -> Result<(), DbError> {
    let changes = Changes::between(
        &json!({"status": "pending", "amount": number}),
        &json!({"status": "confirmed", "amount": number + 1}),
    );
    let entry = AuditEntry::by_system("benchmark", "booking.confirm", "booking", number.to_string(), changes);
    audit::record(conn, TenantScope::system(tenant, "benchmark"), &SystemClock, &SystemRandom, &entry)
}
