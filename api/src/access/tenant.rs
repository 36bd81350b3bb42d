//! What a tenant has said about access: its roles with what they allow, its groups, its policies.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use serde_json::Value as Json;
use tenantry_types::{GroupId, PolicyId, RoleId};

use super::kinds::Kinds;
use super::loader::Compiled;
use super::model::Module;
use super::permissions::{PermissionPattern, PermissionSet};
use super::policy::{Assignment, Limit, PolicySet, Slot, Value, limit};
use super::subject::SubjectRows;
use crate::authn::{Tenant, TenantStatus};

/// A role with what it allows, what it inherits included.
#[derive(Debug, Clone)]
pub struct Role {
    /// Its name, which is unique in its tenant.
    pub name: Arc<str>,
    /// What it allows.
    pub permissions: PermissionSet,
    /// Itself, and the roles that it inherits from, also through others.
    pub lineage: Vec<RoleId>,
}

/// A group of users, and the groups that it is a part of.
#[derive(Debug, Clone)]
struct Group {
    name: Arc<str>,
    parent: Option<GroupId>,
    roles: Vec<RoleId>,
}

/// What a tenant has said about access.
#[derive(Debug, Clone)]
pub struct TenantAccess {
    roles: HashMap<RoleId, Role>,
    /// These by their names.
    role_ids: HashMap<Arc<str>, RoleId>,
    groups: HashMap<GroupId, Group>,
    /// The kinds of things that its permissions and policies can speak of.
    pub kinds: Arc<Kinds>,
    /// The policies that are switched on.
    pub policies: Arc<PolicySet>,
    /// The ids of these by their names, and which version of each it is.
    pub(super) policy_ids: HashMap<Arc<str>, (PolicyId, i64)>,
    /// What they were compiled to, to be used again.
    pub(super) compiled: Arc<Compiled>,
    /// What the changes of all this had counted up to; `None` while this service has no row of the tenant.
    pub(super) generation: Option<i64>,
    /// Whether the tenant is in use; `None` while this service has no row of it.
    status: Option<TenantStatus>,
    /// The modules that are switched off.
    disabled: HashSet<String>,
    /// What the tenant has set for its policies, where it stands among the facts.
    pub(super) limits: Vec<(Slot, Value)>,
}

/// The rows that [`TenantAccess`] is made of.
#[derive(Debug, Clone, Default)]
pub(super) struct TenantRows {
    pub(super) roles: Vec<(RoleId, String)>,
    pub(super) permissions: Vec<(RoleId, String)>,
    pub(super) parents: Vec<(RoleId, RoleId)>,
    pub(super) groups: Vec<(GroupId, String, Option<GroupId>)>,
    pub(super) group_roles: Vec<(GroupId, RoleId)>,
    pub(super) status: Option<TenantStatus>,
    pub(super) generation: Option<i64>,
    pub(super) disabled: Vec<String>,
    pub(super) limits: BTreeMap<String, Json>,
}

impl TenantAccess {
    /// Resolves what roles inherit; without policies yet. A circle, which the routes refuse to make, ends where it began.
    pub(super) fn new(rows: TenantRows, kinds: Arc<Kinds>) -> Self {
        let mut own: HashMap<RoleId, PermissionSet> = HashMap::new();
        for (role, pattern) in &rows.permissions {
            // What is not a pattern allows nothing.
            if let Ok(pattern) = pattern.parse::<PermissionPattern>() {
                own.entry(*role).or_default().add(&pattern);
            }
        }
        let mut parents: HashMap<RoleId, Vec<RoleId>> = HashMap::new();
        for (role, parent) in rows.parents {
            parents.entry(role).or_default().push(parent);
        }
        let resolve = |role: RoleId| {
            let (mut permissions, mut seen, mut open) = (PermissionSet::default(), HashSet::new(), vec![role]);
            while let Some(next) = open.pop() {
                if seen.insert(next) {
                    if let Some(own) = own.get(&next) {
                        permissions.add_all(own);
                    }
                    open.extend(parents.get(&next).into_iter().flatten());
                }
            }
            (permissions, seen.into_iter().collect())
        };
        let role = |(id, name): (RoleId, String)| {
            let (permissions, lineage) = resolve(id);
            (id, Role { name: name.into(), permissions, lineage })
        };
        let roles: HashMap<RoleId, Role> = rows.roles.into_iter().map(role).collect();
        let mut groups: HashMap<GroupId, Group> = rows
            .groups
            .into_iter()
            .map(|(id, name, parent)| (id, Group { name: name.into(), parent, roles: Vec::new() }))
            .collect();
        for (group, role) in rows.group_roles {
            if let Some(group) = groups.get_mut(&group) {
                group.roles.push(role);
            }
        }
        let disabled = rows.disabled.into_iter().collect();
        let known = rows.limits.iter().filter_map(|(name, json)| limit(name, json).ok());
        let slot = |limit: &Limit| kinds.schema("").slot(limit.name());
        let limits = known.filter_map(|(limit, value)| Some((slot(&limit)?, value))).collect();
        Self {
            role_ids: roles.iter().map(|(id, role)| (Arc::clone(&role.name), *id)).collect(),
            roles,
            groups,
            compiled: Arc::new(Compiled::none(Arc::clone(&kinds))),
            kinds,
            policies: Arc::default(),
            policy_ids: HashMap::new(),
            generation: rows.generation,
            status: rows.status,
            disabled,
            limits,
        }
    }

    /// The id of a policy that is switched on.
    pub fn policy_id(&self, name: &str) -> Option<PolicyId> {
        self.policy_ids.get(name).map(|(id, _)| *id)
    }

    /// The same with which version of it is in force.
    pub fn policy_version(&self, name: &str) -> Option<(PolicyId, i64)> {
        self.policy_ids.get(name).copied()
    }

    /// Whether it has a role of this name.
    pub fn has_role_named(&self, name: &str) -> bool {
        self.role_ids.contains_key(name)
    }

    /// Whether it has any roles: before it is first heard of it has none.
    pub fn has_roles(&self) -> bool {
        !self.roles.is_empty()
    }

    /// Whether the tenant is in use: what is known here, or else what its issuer record says.
    pub(super) fn status(&self, tenant: &Tenant) -> TenantStatus {
        self.status.unwrap_or(tenant.status)
    }

    /// The same of a tenant of which nothing is known but that it is here.
    pub(super) fn known_status(&self) -> TenantStatus {
        self.status.unwrap_or(TenantStatus::Active)
    }

    /// Whether the tenant has this module.
    pub fn has_module(&self, module: Module) -> bool {
        !self.disabled.contains(module.as_str())
    }

    /// A role of the tenant.
    pub fn role(&self, id: RoleId) -> Option<&Role> {
        self.roles.get(&id)
    }

    /// Whether all roles and groups of a user are among those of the tenant.
    pub(super) fn knows(&self, subject: &SubjectRows) -> bool {
        subject.roles.iter().all(|(role, _)| self.roles.contains_key(role))
            && subject.groups.iter().all(|group| self.groups.contains_key(group))
    }

    /// A group and all that it is a part of, each once.
    pub(super) fn with_ancestors(&self, group: GroupId) -> Vec<GroupId> {
        let (mut found, mut next) = (Vec::new(), Some(group));
        while let Some(id) = next.filter(|id| !found.contains(id) && self.groups.contains_key(id)) {
            found.push(id);
            next = self.groups.get(&id).and_then(|group| group.parent);
        }
        found
    }

    /// Those of these names that are roles that allow something, in the order in which they were given.
    pub fn allowing<'n>(&self, names: &'n [Arc<str>], permission: &str) -> impl Iterator<Item = &'n Arc<str>> {
        let role = |name: &Arc<str>| self.role_ids.get(name).and_then(|id| self.roles.get(id));
        names.iter().filter(move |name| role(name).is_some_and(|role| role.permissions.allows(permission)))
    }

    /// The roles that allow everything.
    pub fn roles_that_allow_all(&self) -> Vec<RoleId> {
        let all = self.roles.iter().filter(|(_, role)| role.permissions.covers(&PermissionPattern::All));
        all.map(|(id, _)| *id).collect()
    }

    /// A group and what it is a part of have these roles together.
    pub fn roles_by_group(&self, group: GroupId) -> Vec<RoleId> {
        self.with_ancestors(group).into_iter().flat_map(|group| self.roles_of_group(group)).copied().collect()
    }

    /// Whom an assignment of a policy reaches, by the kind and the id of the assignee; `None` for a role or a group that
    /// is gone.
    pub fn assignment(&self, kind: &str, id: &str) -> Option<Assignment> {
        match kind {
            "user" => Some(Assignment::User(id.into())),
            "role" => self.role(id.parse().ok()?).map(|role| Assignment::Role(Arc::clone(&role.name))),
            "group" => self.group_name(id.parse().ok()?).map(|name| Assignment::Group(Arc::clone(name))),
            _ => None,
        }
    }

    pub(super) fn group_name(&self, group: GroupId) -> Option<&Arc<str>> {
        self.groups.get(&group).map(|group| &group.name)
    }

    pub(super) fn roles_of_group(&self, group: GroupId) -> &[RoleId] {
        self.groups.get(&group).map_or(&[], |group| &group.roles)
    }
}
