//! Rotation: by the command line, and by itself when a key has signed for long enough.

use std::time::Duration;

use tenantry_db::{Connection, Db, DbError, TenantScope};
use tenantry_jose::SigningKey;
use tenantry_types::UtcTime;

use super::store::{self, KeyMaker};
use super::{KeyError, RotationPlan};
use crate::audit::{self, Entry, Source};
use crate::config::Config;

/// How many tenants are rotated in one round.
const ROUND: i64 = 100;
const DAY: Duration = Duration::from_secs(86_400);

impl RotationPlan {
    /// A rotation begun at `now`, as the configuration says; `at_once` when the old key is no longer trusted.
    pub fn configured(config: &Config, now: UtcTime, at_once: bool) -> Self {
        let lead = if at_once { 0 } else { config.keys.publish_ahead_seconds };
        let longest = config.tokens.access_token_seconds.max(config.tokens.id_token_seconds);
        Self::new(now, Duration::from_secs(lead), Duration::from_secs(longest))
    }
}

/// Makes a new key by the plan, and says in the audit trail who wanted it (`operator`, `system`).
pub fn rotate(
    conn: &mut Connection,
    scope: TenantScope,
    maker: &KeyMaker,
    plan: RotationPlan,
    actor: &str,
) -> Result<SigningKey, KeyError> {
    let key = store::rotate(conn, scope, maker, plan)?;
    let entry = Entry {
        action: "keys.rotate",
        actor: actor.to_owned(),
        target: format!("key:{}", key.kid()),
        detail: serde_json::json!({}),
        source: &Source::default(),
    };
    audit::store::record(conn, scope, &*maker.clock, &*maker.random, &entry)?;
    Ok(key)
}

/// Rotates the keys of tenants whose newest has signed for `keys.rotate_after_days`; of how many tenants. Each is a
/// transaction of its own, and of several replicas one does it. What fails is logged, and tried again in the next round.
pub async fn rotate_due(db: &Db, maker: &KeyMaker, config: &Config) -> Result<usize, DbError> {
    let days = config.keys.rotate_after_days;
    if days == 0 {
        return Ok(0);
    }
    let now = maker.clock.now();
    let before = now - DAY * days;
    let due = db.read(move |conn| store::due_for_rotation(conn, before, ROUND)).await?;
    let plan = RotationPlan::configured(config, now, false);
    let mut rotated = 0;
    for tenant in due {
        let (scope, maker) = (TenantScope::system(tenant, "rotation of keys"), maker.clone());
        let done = db.write(move |conn| {
            if !store::is_due_for_rotation(conn, scope, before)? {
                return Ok(false);
            }
            rotate(conn, scope, &maker, plan, "system").map(|_| true)
        });
        match done.await {
            Ok(done) => rotated += usize::from(done),
            // One tenant that cannot be rotated keeps no other from it.
            Err(error) => tracing::error!(%tenant, %error, "signing keys could not be rotated"),
        }
    }
    Ok(rotated)
}
