//! The worker that finds out what became of changes whose answer never came.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, Random, TenantId, UserId};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::accounts;
use super::doubts::{self, Owner};
use super::model::ProviderAccount;
use super::provider::AccountProvider;
use crate::audit::{self, AuditEntry, Changes};
use crate::change::lock_tenant;
use crate::revocations::{self, Revoked};
use crate::signals::{self, Signal, SignalKind};
use crate::state::Api;

/// How often the worker looks.
const EVERY: Duration = Duration::from_secs(2);
/// The most accounts that are looked up in one go.
const AT_ONCE: usize = 50;
/// Who did it, in the audit trail.
const ACTOR: &str = "identity-provider";

/// Looks up accounts that are in doubt.
#[derive(Debug, Clone)]
pub struct Reconciler {
    api: Api,
    provider: Arc<dyn AccountProvider>,
}

impl Reconciler {
    /// Asks this provider.
    pub fn new(api: Api, provider: Arc<dyn AccountProvider>) -> Self {
        Self { api, provider }
    }

    /// Begins to look. Ends when the handle is aborted.
    pub fn watch(&self) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                for _ in 0..AT_ONCE {
                    match this.settle_one().await {
                        Ok(true) => {}
                        Ok(false) => break,
                        Err(error) => {
                            tracing::debug!(%error, "accounts in doubt could not be looked up");
                            break;
                        }
                    }
                }
            }
        })
    }

    /// Looks one account up. Says whether there was one.
    async fn settle_one(&self) -> Result<bool, DbError> {
        let (now, owner) = (self.api.clock.now(), Owner::new(&*self.api.clock, &*self.api.random));
        let Some((tenant, user)) = self.api.db.write(move |conn| doubts::take(conn, owner, now)).await? else {
            return Ok(false);
        };
        match self.provider.find(tenant, user).await {
            Ok(found) => {
                self.settle(tenant, user, owner, found).await?;
                tracing::info!(%tenant, account = %user, "an account that was in doubt is settled");
            }
            Err(error) => {
                tracing::info!(%tenant, account = %user, %error, "an account stays in doubt");
                let scope = TenantScope::system(tenant, "settle accounts in doubt");
                self.api.db.write(move |conn| doubts::let_go(conn, scope, user, owner)).await?;
            }
        }
        Ok(true)
    }

    async fn settle(
        &self,
        tenant: TenantId,
        user: UserId,
        owner: Owner,
        found: Option<ProviderAccount>,
    ) -> Result<(), DbError> {
        let api = self.api.clone();
        let settle = move |conn: &mut Connection| {
            let scope = TenantScope::system(tenant, "settle accounts in doubt");
            lock_tenant(conn, tenant)?;
            // Where somebody asked for something since, what was found is of before.
            if doubts::settle(conn, scope, user, owner, api.clock.now())? {
                keep(conn, &api, scope, user, found.as_ref())
            } else {
                Ok(Vec::new())
            }
        };
        let sent = self.api.db.write(settle).await?;
        self.api.signals.pass_on(&sent);
        Ok(())
    }
}

/// Records that the identity provider told of other roles of somebody, where somebody else asked about them.
pub(super) fn record_roles(
    conn: &mut Connection,
    scope: TenantScope,
    (clock, random): (&dyn Clock, &dyn Random),
    user: UserId,
    roles: Changes,
) -> Result<(), DbError> {
    if roles.is_empty() {
        return Ok(());
    }
    let entry = AuditEntry::by_system(ACTOR, "account.update", "account", user.to_string(), roles);
    audit::record(conn, scope, clock, random, &entry)
}

/// Makes what is known here what the provider has; who is not there is not here either.
fn keep(
    conn: &mut Connection,
    api: &Api,
    scope: TenantScope,
    user: UserId,
    found: Option<&ProviderAccount>,
) -> Result<Vec<Signal>, DbError> {
    let (clock, random) = (&*api.clock, &*api.random);
    let mut sent = Vec::new();
    let (action, changes) = match found {
        Some(account) => {
            let kept = accounts::keep(conn, scope, (clock, random), account)?;
            sent.extend(kept.signals);
            ("account.update", kept.changes)
        }
        None if accounts::remove(conn, scope, user)? => {
            sent.extend(revocations::revoke(conn, scope, clock, random, Revoked::User(user), clock.now())?);
            ("account.delete", Changes::between(&json!({ "id": user }), &json!({})))
        }
        None => return Ok(sent),
    };
    if changes.is_empty() {
        return Ok(sent);
    }
    let entry = AuditEntry::by_system(ACTOR, action, "account", user.to_string(), changes);
    audit::record(conn, scope, clock, random, &entry)?;
    sent.push(signals::send(conn, scope, clock, random, SignalKind::Subject, Some(user.as_str()))?);
    Ok(sent)
}
