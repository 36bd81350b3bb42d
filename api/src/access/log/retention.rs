//! Decisions go when their time is over.

use std::time::Duration;

use tenantry_db::{Db, DbError};
use tenantry_types::UtcTime;

use super::store;

/// How many go in one transaction.
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
    let mut gone = 0;
    loop {
        match db.write(move |conn| store::delete_before(conn, before, PIECE)).await? {
            0 => return Ok(gone),
            piece => gone += piece,
        }
    }
}
