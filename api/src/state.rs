//! What every feature works with.

use std::sync::Arc;

use tenantry_db::Db;
use tenantry_jose::HmacKey;
use tenantry_types::{Clock, Random};
use tenantry_web::listing::Cursors;

use crate::signals::Signals;

/// The database, the time and the randomness of this process. Clones share them.
#[derive(Debug, Clone)]
pub struct Api {
    /// The rows.
    pub db: Db,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Where ids and secrets come from.
    pub random: Arc<dyn Random>,
    /// Where lists go on.
    pub cursors: Cursors,
    /// What repeats of requests are known by.
    pub requests: HmacKey,
    /// What other replicas are told.
    pub signals: Signals,
}
