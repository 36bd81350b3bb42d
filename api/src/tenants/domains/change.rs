//! Changes of domains, each within one transaction.

use serde_json::{Value, json};
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, DomainName, Random, TenantId};

use super::model::{Domain, Method, NewDomain};
use super::routes::{CREATE, DELETE, UPDATE, VERIFY};
use super::store;
use crate::access::Permission;
use crate::audit::{self, AuditEntry, Changes};
use crate::change::{Work, lock_tenant};
use crate::input::{EntityTag, IfMatch, PreconditionError};
use crate::outbox::{self, Message};
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

/// The version of a domain.
pub(super) fn tag(scope: TenantScope, domain: &Domain) -> EntityTag {
    EntityTag::of(scope.tenant_id(), domain.id, domain.version)
}

/// Whether the domain is as the caller has seen it; of one that is not there they have seen nothing (RFC 9110 §13.1.1).
fn check(work: &Work<'_>, if_match: Option<&IfMatch>, domain: Option<&Domain>) -> Result<(), TenantError> {
    match (if_match, domain) {
        (None, _) => Ok(()),
        (Some(if_match), Some(domain)) => Ok(if_match.check(&tag(work.scope, domain))?),
        (Some(_), None) => Err(PreconditionError::Failed.into()),
    }
}

/// Adds a domain, or finds it there; only a new one where that is asked for.
pub(super) fn add(
    work: &mut Work<'_>,
    new: &NewDomain,
    if_match: Option<&IfMatch>,
    must_be_new: bool,
    left: &Left,
) -> Result<(Domain, bool), TenantError> {
    left.clear();
    let before = store::find(work.conn, work.scope, &new.name)?;
    check(work, if_match, before.as_ref())?;
    if let Some(before) = before {
        if must_be_new {
            return Err(TenantError::Taken("/domain"));
        }
        let wanted = new.is_primary.unwrap_or(before.is_primary);
        return Ok((prefer(work, before, wanted, left)?, false));
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
pub(super) fn make_primary(
    work: &mut Work<'_>,
    name: &DomainName,
    if_match: Option<&IfMatch>,
    left: &Left,
) -> Result<Domain, TenantError> {
    left.clear();
    let before = found(work, name)?;
    check(work, if_match, Some(&before))?;
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

/// What shows that a domain is the tenant's.
#[derive(Debug, Clone)]
pub(super) struct Proof {
    /// What was published.
    pub(super) token: String,
    /// Where.
    pub(super) method: Method,
    /// Whose it was until now, as it cannot be seen any more.
    pub(super) loser: Option<Loser>,
}

/// A tenant that has shown before that a domain is theirs.
#[derive(Debug, Clone)]
pub(super) struct Loser {
    /// Which.
    pub(super) tenant: TenantId,
    /// By what.
    pub(super) token: String,
}

/// The domain was shown to be the tenant's.
pub(super) fn verified(
    work: &mut Work<'_>,
    name: &DomainName,
    proof: &Proof,
    left: &Left,
) -> Result<Domain, TenantError> {
    left.clear();
    let before = found(work, name)?;
    if before.token != proof.token {
        // It was removed and claimed anew meanwhile.
        return Err(TenantError::NoSuchDomain);
    }
    if let Some(loser) = &proof.loser {
        give_way(work, name, loser, left)?;
    }
    let verified_at = before.verified_at.or(Some(work.clock.now()));
    let after = Domain {
        verified: Some(proof.method),
        verified_at,
        failures: 0,
        version: before.version + 1,
        ..before.clone()
    };
    store::save(work.conn, work.scope, work.clock, &after).map_err(taken)?;
    note(work, VERIFY, name, (Some(&before), Some(&after)), left)?;
    Ok(after)
}

/// Whoever had the domain has it no more: it has another owner, who publishes what they were to.
fn give_way(work: &mut Work<'_>, name: &DomainName, loser: &Loser, left: &Left) -> Result<(), TenantError> {
    let scope = TenantScope::system(loser.tenant, "a domain has another owner");
    lock_tenant(work.conn, loser.tenant)?;
    let before = store::find(work.conn, scope, name)?;
    let Some(before) = before.filter(|domain| domain.verified.is_some() && domain.token == loser.token) else {
        return Ok(());
    };
    lose(work.conn, scope, work.clock, work.random, "another owner of a domain", &before)?;
    left.push(tasks::store::put(work.conn, scope, work.clock, TaskKind::Domain, name.as_str(), json!({}))?);
    Ok(work.signal_to(scope, SignalKind::Tenant)?)
}

/// A domain is not known to be the tenant's any more; `task` says for what reason. The identity provider is told by the
/// caller.
pub(super) fn lose(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    task: &'static str,
    before: &Domain,
) -> Result<(), DbError> {
    let after =
        Domain { verified: None, verified_at: None, failures: 0, version: before.version + 1, ..before.clone() };
    store::save(conn, scope, clock, &after)?;
    let changes = Changes::between(&shown(Some(before)), &shown(Some(&after)));
    let name = before.name.as_str();
    let entry = AuditEntry::by_system(task, VERIFY.as_str(), "tenant_domain", name.to_owned(), changes);
    audit::record(conn, scope, clock, random, &entry)?;
    let payload = json!({ "tenant_id": scope.tenant_id(), "domain": name, "is_verified": false });
    outbox::enqueue(conn, scope, clock, random, &Message { kind: "tenant_domain.changed", payload })
}

fn taken(error: DbError) -> TenantError {
    if error.conflicts_on("verified_domain") { TenantError::Taken("/domain") } else { error.into() }
}

/// Takes a domain from the tenant; that it has it not is no fault.
pub(super) fn remove(
    work: &mut Work<'_>,
    name: &DomainName,
    if_match: Option<&IfMatch>,
    left: &Left,
) -> Result<(), TenantError> {
    left.clear();
    if let Some(before) = store::find(work.conn, work.scope, name)? {
        check(work, if_match, Some(&before))?;
        store::remove(work.conn, work.scope, before.id)?;
        note(work, DELETE, name, (Some(&before), None), left)?;
    }
    Ok(())
}
