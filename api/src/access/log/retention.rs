//! Decisions go when their time is over.

use std::time::Duration;

use tenantry_db::{Db, DbError, TenantScope};
use tenantry_types::UtcTime;

use super::store;

/// How many of a tenant go in one transaction.
const PIECE: i64 = 500;
const DAY: Duration = Duration::from_secs(86_400);

/// Deletes decisions that were made more than `days` before `now`, in pieces; how many. 0 keeps everything.
///
/// # Errors
/// [`DbError`].
pub async fn prune(db: &Db, now: UtcTime, days: u32) -> Result<usize, DbError> {
    if days == 0 {
        return Ok(0);
    }
    let before = now - DAY * days;
    let (mut gone, mut last) = (0, None);
    while let Some((tenant, oldest)) = db.read(move |conn| store::tenant_after(conn, last)).await? {
        let scope = TenantScope::system(tenant, "delete decisions whose time is over");
        // A tenant of whom nothing is old keeps nobody from writing.
        let mut is_all = oldest >= before;
        while !is_all {
            let piece = db.write(move |conn| store::delete_before(conn, scope, before, PIECE)).await?;
            gone += piece.count;
            is_all = piece.is_all;
        }
        last = Some(tenant);
    }
    Ok(gone)
}
