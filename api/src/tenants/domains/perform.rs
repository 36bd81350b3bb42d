//! Telling the identity provider of a domain.

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{DomainName, TenantId};

use super::change::lose;
use super::store;
use crate::change::lock_tenant;
use crate::signals::{self, Signal, SignalKind};
use crate::state::Api;
use crate::tenants::TenantError;
use crate::tenants::tasks::{self, Settled, Task, TaskKind, Tasks};

fn name_of(task: &Task) -> Result<DomainName, TenantError> {
    task.subject.parse().map_err(|error| DbError::Invalid(format!("task: {error}")).into())
}

/// Gives the domain to the tenant there, or takes it away, as it is here now.
pub(in crate::tenants) async fn perform(tasks: &Tasks, task: &Task) -> Result<Settled, TenantError> {
    let (api, scope, name) = (tasks.api(), task.scope(), name_of(task)?);
    let wanted = name.clone();
    let found =
        api.db.read(move |conn| Ok::<_, DbError>((store::find(conn, scope, &wanted)?, losers(conn, scope, &wanted)?)));
    let (domain, losers) = found.await?;
    match domain.filter(|domain| domain.verified.is_some()) {
        Some(domain) => {
            // Whoever had it before may not have been told yet.
            for loser in losers {
                tasks.management().remove_domain(loser, &name).await?;
            }
            tasks.management().put_domain(task.tenant_id, &name, domain.is_primary).await?;
        }
        None => tasks.management().remove_domain(task.tenant_id, &name).await?,
    }
    let task = task.clone();
    let finished = api.db.write(move |conn| tasks::store::finish(conn, &task)).await?;
    Ok(if finished { Settled::done() } else { Settled::Newer })
}

/// The tenants that have the domain no more, of which the identity provider is still to be told.
fn losers(conn: &mut Connection, scope: TenantScope, name: &DomainName) -> Result<Vec<TenantId>, DbError> {
    let waiting = tasks::store::others_waiting(conn, scope, TaskKind::Domain, name.as_str())?;
    let owner = store::verified_of(conn, name)?.map(|(tenant, _)| tenant);
    Ok(waiting.into_iter().filter(|tenant| owner != Some(*tenant)).collect())
}

/// The identity provider does not take it, because another tenant has it there: it is not this one's.
pub(in crate::tenants) fn give_up(conn: &mut Connection, api: &Api, task: &Task) -> Result<Vec<Signal>, TenantError> {
    let (scope, name) = (task.scope(), name_of(task)?);
    lock_tenant(conn, task.tenant_id)?;
    if !tasks::store::finish(conn, task)? {
        return Ok(Vec::new());
    }
    let domain = store::find(conn, scope, &name)?.filter(|domain| domain.verified.is_some());
    let Some(domain) = domain else { return Ok(Vec::new()) };
    lose(conn, scope, &*api.clock, &*api.random, "the identity provider refused a domain", &domain)?;
    Ok(vec![signals::send(conn, scope, &*api.clock, &*api.random, SignalKind::Tenant, None)?])
}
