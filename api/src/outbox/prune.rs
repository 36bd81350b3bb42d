//! What need not be kept: messages that arrived, those that nobody takes, and after a longer time those that were refused.

use std::time::Duration;

use tenantry_db::{Db, DbError};
use tenantry_types::UtcTime;

use super::store;
use crate::config::OutboxConfig;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// Pieces that are removed in one go, each in a transaction of its own.
const AT_ONCE: usize = 200;

/// Removes messages whose time is over; how many went. Messages of these kinds, which somebody takes, stay until they
/// arrive or are refused, however long that is.
///
/// # Errors
/// Those of the database; what went by then is gone.
pub async fn prune(
    db: &Db,
    now: UtcTime,
    config: &OutboxConfig,
    taken: &'static [&'static str],
) -> Result<usize, DbError> {
    let before = now - DAY * config.retention_days;
    let refused_before = now - DAY * config.refused_retention_days;
    let mut gone = 0;
    for _ in 0..AT_ONCE {
        match db.write(move |conn| store::prune(conn, before, refused_before, taken)).await? {
            0 => break,
            piece => gone += piece,
        }
    }
    Ok(gone)
}
