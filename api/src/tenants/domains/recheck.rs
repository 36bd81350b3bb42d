//! Looking again whether domains are still their tenants'.

use std::time::Duration;

use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::TenantId;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use super::change::lose;
use super::check::{Finding, Verifier};
use super::model::Domain;
use super::store;
use crate::change::lock_tenant;
use crate::signals::{self, SignalKind};
use crate::tenants::tasks::{self, TaskKind, Tasks};

/// What the audit trail calls it.
const TASK: &str = "looking at domains again";
/// How often is looked whether there is something to look at.
const EVERY: Duration = Duration::from_secs(60);
/// Domains that are looked at in one go.
const AT_ONCE: i64 = 20;
/// Looks in a row that have to find nothing, before a domain is not the tenant's any more.
const PATIENCE: i64 = 3;

/// Looks at verified domains again.
#[derive(Debug, Clone)]
pub struct Recheck {
    tasks: Tasks,
    verifier: Verifier,
    after: Duration,
}

impl Recheck {
    /// Looks at each domain again after this time.
    pub const fn new(tasks: Tasks, verifier: Verifier, after: Duration) -> Self {
        Self { tasks, verifier, after }
    }

    /// Begins to look. Ends when the handle is aborted.
    pub fn watch(&self) -> JoinHandle<()> {
        let this = self.clone();
        tokio::spawn(async move {
            let mut ticks = interval(EVERY);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            loop {
                ticks.tick().await;
                if let Err(error) = this.look().await {
                    tracing::debug!(%error, "domains could not be looked at again");
                }
            }
        })
    }

    /// Looks at those that are due.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn look(&self) -> Result<(), DbError> {
        let api = self.tasks.api();
        let now = api.clock.now();
        let before = now - self.after;
        let due = api.db.write(move |conn| store::take_unseen(conn, now, before, AT_ONCE)).await?;
        for (tenant, domain) in due {
            let finding = self.verifier.look_again(&domain).await;
            self.note(tenant, domain, finding).await?;
        }
        Ok(())
    }

    /// Only what is surely gone counts: name servers that do not answer take nobody's domain away.
    async fn note(&self, tenant: TenantId, domain: Domain, finding: Finding) -> Result<(), DbError> {
        let failures = match finding {
            Finding::Proven(_) if domain.failures > 0 => 0,
            Finding::Absent(reason) => {
                tracing::info!(%tenant, domain = domain.name.as_str(), reason, "a domain does not show any more whose it is");
                domain.failures + 1
            }
            Finding::Proven(_) | Finding::Unclear(_) => return Ok(()),
        };
        let (tasks, api) = (self.tasks.clone(), self.tasks.api().clone());
        let write = move |conn: &mut Connection| {
            let scope = TenantScope::system(tenant, TASK);
            lock_tenant(conn, tenant)?;
            let Some(current) = store::find(conn, scope, &domain.name)?.filter(|row| row.token == domain.token) else {
                return Ok(None);
            };
            if failures < PATIENCE {
                store::save(conn, scope, &*api.clock, &Domain { failures, ..current })?;
                return Ok(None);
            }
            lose(conn, scope, &*api.clock, &*api.random, TASK, &current)?;
            let signal = signals::send(conn, scope, &*api.clock, &*api.random, SignalKind::Tenant, None)?;
            let subject = domain.name.as_str();
            let (task, is_ours) = tasks::store::put(conn, scope, &*api.clock, TaskKind::Domain, subject, json!({}))?;
            Ok::<_, DbError>(Some((signal, task, is_ours)))
        };
        if let Some((signal, task, is_ours)) = tasks.api().db.write(write).await? {
            tasks.api().signals.pass_on(&[signal]);
            if is_ours && let Err(error) = tasks.perform(task).await {
                tracing::debug!(%error, "the identity provider will be told later");
            }
        }
        Ok(())
    }
}
