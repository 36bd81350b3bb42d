//! What has to be cleared away: rows that have expired, in small pieces, so that nobody waits for it.

use std::time::Duration;

use diesel::prelude::*;
use tenantry_db::{Connection, Db, DbError};
use tenantry_types::UtcTime;

use crate::schema::{authorization_codes, grants, sessions, used_assertions};

/// How many rows go in one transaction.
const PIECE: i64 = 500;
/// A used code is kept for as long as its replay could still do harm: tokens it gave live no longer.
const KEPT_AFTER_EXPIRY: Duration = Duration::from_secs(86_400);

/// Deletes one piece of every table; how many rows went. This works for all tenants at once: no row is read.
pub async fn sweep(db: &Db, now: UtcTime) -> Result<usize, DbError> {
    let long_ago = now - KEPT_AFTER_EXPIRY;
    let mut gone = 0;
    for piece in [codes, expired_grants, ended_sessions, assertions] {
        gone += db.write(move |conn| piece(conn, long_ago)).await?;
    }
    Ok(gone)
}

macro_rules! piece {
    ($(#[$doc:meta])* $name:ident, $table:ident, $key:ident: $key_type:ty, $expiry:ident) => {
        $(#[$doc])*
        fn $name(conn: &mut Connection, before: UtcTime) -> Result<usize, DbError> {
            // The keys are read first: MySQL does not delete with a limit from a table that it also selects from.
            let keys: Vec<$key_type> = $table::table
                .filter($table::$expiry.lt(before))
                .select($table::$key)
                .limit(PIECE)
                .load(conn)?;
            if keys.is_empty() {
                return Ok(0);
            }
            Ok(diesel::delete($table::table.filter($table::$key.eq_any(keys))).execute(conn)?)
        }
    };
}

piece!(codes, authorization_codes, code_hash: tenantry_types::Sha256Hash, expires_at);
piece!(expired_grants, grants, id: tenantry_types::GrantId, expires_at);
piece!(ended_sessions, sessions, id: tenantry_types::SessionId, expires_at);
piece!(assertions, used_assertions, assertion_hash: tenantry_types::Sha256Hash, expires_at);
