//! Telling the identity provider of a domain.

use tenantry_db::{Connection, DbError};
use tenantry_types::DomainName;

use super::model::Domain;
use super::store;
use crate::change::lock_tenant;
use crate::signals::{self, Signal, SignalKind};
use crate::state::Api;
use crate::tenants::TenantError;
use crate::tenants::tasks::{self, Settled, Task, Tasks};

fn name_of(task: &Task) -> Result<DomainName, TenantError> {
    task.subject.parse().map_err(|error| DbError::Invalid(format!("task: {error}")).into())
}

/// Gives the domain to the tenant there, or takes it away, as it is here now.
pub(in crate::tenants) async fn perform(tasks: &Tasks, task: &Task) -> Result<Settled, TenantError> {
    let (api, scope, name) = (tasks.api(), task.scope(), name_of(task)?);
    let wanted = name.clone();
    let domain = api.db.read(move |conn| store::find(conn, scope, &wanted)).await?;
    match domain.filter(|domain| domain.verified.is_some()) {
        Some(domain) => {
            tasks.management().put_domain(task.tenant_id, &name, domain.is_primary).await?;
        }
        None => tasks.management().remove_domain(task.tenant_id, &name).await?,
    }
    let task = task.clone();
    let finished = api.db.write(move |conn| tasks::store::finish(conn, &task)).await?;
    Ok(if finished { Settled::done() } else { Settled::Newer })
}

/// The identity provider does not take it, because another tenant has it there: it is not this one's.
pub(in crate::tenants) fn give_up(conn: &mut Connection, api: &Api, task: &Task) -> Result<Vec<Signal>, TenantError> {
    let (scope, name) = (task.scope(), name_of(task)?);
    lock_tenant(conn, task.tenant_id)?;
    if !tasks::store::finish(conn, task)? {
        return Ok(Vec::new());
    }
    let Some(domain) = store::find(conn, scope, &name)? else { return Ok(Vec::new()) };
    let claimed = Domain { verified: None, verified_at: None, version: domain.version + 1, ..domain };
    store::save(conn, scope, &*api.clock, &claimed)?;
    Ok(vec![signals::send(conn, scope, &*api.clock, &*api.random, SignalKind::Tenant, None)?])
}
