//! Changes of domains, each within one transaction.

use serde_json::{Value, json};
use tenantry_db::DbError;
use tenantry_types::DomainName;

use super::model::{Domain, Method, NewDomain};
use super::routes::{CREATE, DELETE, UPDATE, VERIFY};
use super::store;
use crate::access::Permission;
use crate::audit::Changes;
use crate::change::Work;
use crate::signals::SignalKind;
use crate::tenants::TenantError;
use crate::tenants::tasks::{self, TaskKind};
use crate::tenants::update::Left;

fn shown(domain: Option<&Domain>) -> Value {
    domain.map_or_else(
        || json!({}),
        |domain| {
            json!({ "domain": domain.name, "is_primary": domain.is_primary, "is_verified": domain.verified.is_some() })
        },
    )
}

/// Writes down what is different now, and what the identity provider is to be told.
fn note(
    work: &mut Work<'_>,
    permission: Permission,
    name: &DomainName,
    (before, after): (Option<&Domain>, Option<&Domain>),
    left: &Left,
) -> Result<(), TenantError> {
    let changes = Changes::between(&shown(before), &shown(after));
    if changes.is_empty() {
        return Ok(());
    }
    let is_verified = |domain: Option<&Domain>| domain.is_some_and(|domain| domain.verified.is_some());
    if is_verified(before) || is_verified(after) {
        left.push(tasks::store::put(work.conn, work.scope, work.clock, TaskKind::Domain, name.as_str(), json!({}))?);
    }
    let payload = json!({ "tenant_id": work.scope.tenant_id(), "domain": name, "is_verified": is_verified(after) });
    work.tell("tenant_domain.changed", payload)?;
    work.signal(SignalKind::Tenant, None)?;
    work.record(permission.as_str(), "tenant_domain", name.as_str(), changes)?;
    Ok(())
}

fn found(work: &mut Work<'_>, name: &DomainName) -> Result<Domain, TenantError> {
    store::find(work.conn, work.scope, name)?.ok_or(TenantError::NoSuchDomain)
}

/// Adds a domain, or finds it there; only a new one where that is asked for.
pub(super) fn add(
    work: &mut Work<'_>,
    new: &NewDomain,
    must_be_new: bool,
    left: &Left,
) -> Result<(Domain, bool), TenantError> {
    left.clear();
    let before = store::find(work.conn, work.scope, &new.name)?;
    if let Some(before) = before {
        if must_be_new {
            return Err(TenantError::Taken("/domain"));
        }
        let wanted = new.is_primary.unwrap_or(before.is_primary);
        return Ok((prefer(work, before, wanted, left)?, false));
    }
    if store::is_verified_by_anybody(work.conn, &new.name)? {
        return Err(TenantError::Taken("/domain"));
    }
    let many = store::list(work.conn, work.scope)?.len();
    if i64::try_from(many).unwrap_or(i64::MAX) >= store::MOST {
        return Err(TenantError::Refused("a tenant has at most 50 domains"));
    }
    let is_primary = new.is_primary.unwrap_or(false);
    if is_primary {
        store::clear_primary(work.conn, work.scope)?;
    }
    store::claim(work.conn, work.scope, work.clock, work.random, &new.name, is_primary)?;
    let after = found(work, &new.name)?;
    note(work, CREATE, &new.name, (None, Some(&after)), left)?;
    Ok((after, true))
}

/// Prefers a domain to the others of the tenant.
pub(super) fn make_primary(work: &mut Work<'_>, name: &DomainName, left: &Left) -> Result<Domain, TenantError> {
    left.clear();
    let before = found(work, name)?;
    prefer(work, before, true, left)
}

fn prefer(work: &mut Work<'_>, before: Domain, is_primary: bool, left: &Left) -> Result<Domain, TenantError> {
    if before.is_primary == is_primary {
        return Ok(before);
    }
    if is_primary {
        store::clear_primary(work.conn, work.scope)?;
    }
    let after = Domain { is_primary, version: before.version + 1, ..before.clone() };
    store::save(work.conn, work.scope, work.clock, &after)?;
    note(work, UPDATE, &before.name, (Some(&before), Some(&after)), left)?;
    Ok(after)
}

/// The domain was shown to be the tenant's.
pub(super) fn verified(
    work: &mut Work<'_>,
    name: &DomainName,
    token: &str,
    method: Method,
    left: &Left,
) -> Result<Domain, TenantError> {
    left.clear();
    let before = found(work, name)?;
    if before.token != token {
        // It was removed and claimed anew meanwhile.
        return Err(TenantError::NoSuchDomain);
    }
    let verified_at = before.verified_at.or(Some(work.clock.now()));
    let after =
        Domain { verified: Some(method), verified_at, failures: 0, version: before.version + 1, ..before.clone() };
    store::save(work.conn, work.scope, work.clock, &after).map_err(taken)?;
    note(work, VERIFY, name, (Some(&before), Some(&after)), left)?;
    Ok(after)
}

fn taken(error: DbError) -> TenantError {
    if error.conflicts_on("verified_domain") { TenantError::Taken("/domain") } else { error.into() }
}

/// Takes a domain from the tenant; that it has it not is no fault.
pub(super) fn remove(work: &mut Work<'_>, name: &DomainName, left: &Left) -> Result<(), TenantError> {
    left.clear();
    if let Some(before) = store::find(work.conn, work.scope, name)? {
        store::remove(work.conn, work.scope, before.id)?;
        note(work, DELETE, name, (Some(&before), None), left)?;
    }
    Ok(())
}
