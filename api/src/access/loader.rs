//! From rows to what a tenant has said, doing again only what has changed.
//!
//! Compiling policies is by far the dearest part of it, and they change seldom. What was compiled is kept with the version
//! that it was compiled of, and counts as long as policies can speak of the same things: a change of a role or of a group
//! compiles nothing, and a change of a policy that policy.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::PolicyId;

use super::kinds::Kinds;
use super::policy::{Assignment, Effect, Limit, Policy, PolicySet, limit};
use super::store::{self, PolicyRow, PolicyRows, PolicyVersion};
use super::tenant::{TenantAccess, TenantRows};

/// What was compiled of a tenant's policies, and of what they can speak.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The kinds of things that every tenant has.
    base: Arc<Kinds>,
    /// What the tenant has added to them: the resources and actions of its own permissions, and its limits.
    permissions: Vec<(String, String)>,
    limits: Vec<Limit>,
    kinds: Arc<Kinds>,
    policies: HashMap<PolicyId, Known>,
    set: Arc<PolicySet>,
}

/// A policy that is switched on.
#[derive(Debug, Clone)]
struct Known {
    version: PolicyVersion,
    name: Arc<str>,
    /// `None` for an allow that does not fit any more.
    policy: Option<Arc<Policy>>,
}

/// The rows of a tenant: of its policies, those that are not compiled yet.
#[derive(Debug)]
pub(super) struct Fetched {
    tenant: TenantRows,
    limits: Vec<Limit>,
    policies: PolicyRows,
}

impl Compiled {
    /// Nothing yet, of a tenant that has these kinds of things before it says anything.
    pub(super) fn none(base: Arc<Kinds>) -> Self {
        let kinds = Arc::clone(&base);
        let (permissions, limits, policies) = (Vec::new(), Vec::new(), HashMap::new());
        Self { base, permissions, limits, kinds, policies, set: Arc::default() }
    }

    /// Whether what was compiled could speak of the same things.
    fn fits(&self, permissions: &[(String, String)], limits: &[Limit]) -> bool {
        self.permissions == permissions && self.limits == limits
    }
}

/// Reads what a tenant has said: several queries, and few rows where little has changed.
pub(super) fn fetch(conn: &mut Connection, scope: TenantScope, before: &Compiled) -> Result<Fetched, DbError> {
    let tenant = store::load_tenant(conn, scope)?;
    let permissions = store::load_permissions(conn, scope)?;
    let known = tenant.limits.iter().filter_map(|(name, value)| limit(name, value).ok());
    let limits: Vec<Limit> = known.map(|(limit, _)| limit).collect();
    let fits = before.fits(&permissions, &limits);
    let versions = store::policy_versions(conn, scope)?;
    let is_known =
        |id: &PolicyId, version| fits && before.policies.get(id).is_some_and(|known| known.version == version);
    let missing: Vec<PolicyId> =
        versions.iter().filter(|(id, version)| !is_known(id, *version)).map(|(id, _)| *id).collect();
    let documents = store::load_policies(conn, scope, &missing)?;
    let assignments = store::load_policy_assignments(conn, scope)?;
    Ok(Fetched { tenant, limits, policies: PolicyRows { versions, documents, assignments, permissions } })
}

/// Makes of the rows what is decided by. Compiles for as long as it takes: not on a thread that serves others.
pub(super) fn build(fetched: Fetched, before: &Compiled) -> TenantAccess {
    let Fetched { tenant, limits, policies: rows } = fetched;
    let fits = before.fits(&rows.permissions, &limits);
    let kinds =
        if fits { Arc::clone(&before.kinds) } else { Arc::new(kinds_of(&before.base, &rows.permissions, &limits)) };
    let mut tenant = TenantAccess::new(tenant, Arc::clone(&kinds));
    let compiled = rows.documents.into_iter().map(|row| (row.id, compile(&kinds, &row)));
    let mut policies: HashMap<PolicyId, Known> = compiled.collect();
    for (id, _) in rows.versions.iter().filter(|_| fits) {
        if let (Entry::Vacant(place), Some(known)) = (policies.entry(*id), before.policies.get(id)) {
            place.insert(known.clone());
        }
    }
    let mut assignments: HashMap<PolicyId, Vec<Assignment>> = HashMap::new();
    for (policy, kind, id) in &rows.assignments {
        // One to a role or a group that is gone stays, and reaches nobody: the policy does not come to be for everyone.
        assignments.entry(*policy).or_default().extend(tenant.assignment(kind, id));
    }
    let mut assigned = |id: &PolicyId| assignments.remove(id).unwrap_or_else(|| vec![Assignment::Everyone]);
    let counting = policies.iter().filter_map(|(id, known)| Some((known.policy.clone()?, assigned(id))));
    let set = PolicySet::assigned_like(&before.set, counting);
    let base = Arc::clone(&before.base);
    tenant.policies = Arc::clone(&set);
    tenant.policy_ids = policies.iter().map(|(id, known)| (Arc::clone(&known.name), (*id, known.version.0))).collect();
    tenant.compiled = Arc::new(Compiled { base, permissions: rows.permissions, limits, kinds, policies, set });
    tenant
}

/// Both at once, where it is waited for in any case.
pub(super) fn load(conn: &mut Connection, scope: TenantScope, before: &Compiled) -> Result<TenantAccess, DbError> {
    Ok(build(fetch(conn, scope, before)?, before))
}

/// What the policies of a tenant can speak of.
fn kinds_of(base: &Kinds, permissions: &[(String, String)], limits: &[Limit]) -> Kinds {
    let kinds = base.with(permissions.iter().map(|(resource, action)| (resource.as_str(), action.as_str())));
    if limits.is_empty() { kinds } else { kinds.with_limits(limits) }
}

/// A policy, compiled. It was checked when it was saved; one that does not fit any more, because an attribute is gone,
/// denies what it speaks of if it is a deny, and is left out if it is an allow.
fn compile(kinds: &Kinds, row: &PolicyRow) -> Known {
    let (catalogue, document) = (kinds.catalogue(), row.document());
    let policy = match Policy::parse(catalogue, document.clone()) {
        Ok(policy) => Some(policy),
        Err(errors) => {
            tracing::warn!(policy = %row.id, ?errors, "a policy does not fit the attributes of today");
            let always = Policy::parse(catalogue, without_conditions(document)).ok();
            always.filter(|policy| policy.effect == Effect::Deny)
        }
    };
    Known { version: row.version(), name: row.name.as_str().into(), policy: policy.map(Arc::new) }
}

fn without_conditions(mut document: Value) -> Value {
    if let Some(rules) = document.get_mut("rules").and_then(Value::as_object_mut) {
        rules.remove("conditions");
    }
    document
}
