//! What one user may do in a tenant.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenantry_types::{GroupId, RoleId, UtcTime};

use super::permissions::{PermissionPattern, PermissionSet};
use super::tenant::TenantAccess;
use crate::authn::Principal;

/// Until when something is held; less is less.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Held {
    /// It is not.
    Not,
    /// Until this time.
    Until(UtcTime),
    /// Until it is taken.
    ForGood,
}

/// What one user may do in a tenant: their roles, of their own and by their groups, and what these allow.
#[derive(Debug, Clone)]
pub struct SubjectAccess {
    /// What the tenant has said, of which this was made.
    pub tenant: Arc<TenantAccess>,
    /// Whether they may do anything at all.
    pub is_active: bool,
    /// Their status, such as `active`.
    pub status: Option<Arc<str>>,
    /// Their e-mail address.
    pub email: Option<Arc<str>>,
    /// Whether it is known to be theirs.
    pub is_email_verified: bool,
    /// The ids of their roles, those that these inherit from included.
    pub role_ids: BTreeSet<RoleId>,
    /// The names of their roles.
    pub roles: BTreeSet<Arc<str>>,
    /// The ids of their groups, and of those that these are a part of.
    pub group_ids: BTreeSet<GroupId>,
    /// The names of these.
    pub groups: BTreeSet<Arc<str>>,
    /// What their roles allow.
    pub permissions: PermissionSet,
    /// What they hold for good.
    lasting: PermissionSet,
    /// What they hold for a time only, and until when.
    ending: Vec<(UtcTime, PermissionSet)>,
    /// When this changes by itself: a role is held for a time only.
    pub valid_until: Option<UtcTime>,
}

/// The rows that [`SubjectAccess`] is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SubjectRows {
    /// Whether who they are is not known here before they come themselves.
    pub(super) is_withheld: bool,
    /// Their status; `None` for somebody who was never seen.
    pub(super) status: Option<String>,
    pub(super) email: Option<String>,
    pub(super) is_email_verified: bool,
    /// Whether their roles are given here. Before anybody has, those in their tokens count.
    pub(super) is_managed: bool,
    pub(super) roles: Vec<(RoleId, Option<UtcTime>)>,
    pub(super) groups: Vec<GroupId>,
}

impl SubjectRows {
    /// Whether they were never seen, or not since they were invited, or their roles were given nowhere yet and their token
    /// names some that the tenant has. Before a tenant has any roles, that makes it have some.
    pub(super) fn is_new(&self, principal: &Principal, tenant: &TenantAccess) -> bool {
        let named = || principal.roles.iter().any(|name| tenant.has_role_named(name));
        let has_unlearned_roles = || !principal.roles.is_empty() && (!tenant.has_roles() || named());
        self.status.is_none()
            || self.is_withheld
            || (!self.is_managed && self.roles.is_empty() && has_unlearned_roles())
    }
}

impl SubjectAccess {
    pub(super) fn new(tenant: Arc<TenantAccess>, rows: &SubjectRows, now: UtcTime) -> Self {
        let group_ids: BTreeSet<GroupId> = rows.groups.iter().flat_map(|group| tenant.with_ancestors(*group)).collect();
        let held = rows.roles.iter().filter(|(_, until)| until.is_none_or(|until| now < until));
        let by_groups = group_ids.iter().flat_map(|group| tenant.roles_of_group(*group)).map(|role| (*role, None));
        let (mut permissions, mut lasting, mut ending) =
            (PermissionSet::default(), PermissionSet::default(), Vec::new());
        let mut role_ids = BTreeSet::new();
        for (id, until) in held.copied().chain(by_groups) {
            let Some(role) = tenant.role(id) else { continue };
            // Whoever has a role has those that it inherits from, for policies too (ANSI INCITS 359-2004, §6.2: authorized
            // roles).
            role_ids.extend(role.lineage.iter().copied());
            permissions.add_all(&role.permissions);
            match until {
                Some(until) => ending.push((until, role.permissions.clone())),
                None => lasting.add_all(&role.permissions),
            }
        }
        let known = || role_ids.iter().filter_map(|role| tenant.role(*role));
        Self {
            is_active: rows.status.as_deref() == Some("active"),
            status: rows.status.as_deref().map(Into::into),
            email: rows.email.as_deref().map(Into::into),
            is_email_verified: rows.is_email_verified,
            roles: known().map(|role| Arc::clone(&role.name)).collect(),
            groups: group_ids.iter().filter_map(|group| tenant.group_name(*group).cloned()).collect(),
            valid_until: rows.roles.iter().filter_map(|(_, until)| *until).filter(|until| now < *until).min(),
            role_ids,
            group_ids,
            permissions,
            lasting,
            ending,
            tenant,
        }
    }

    /// Until when they hold everything that the pattern stands for.
    pub fn held(&self, pattern: &PermissionPattern) -> Held {
        if self.lasting.covers(pattern) {
            return Held::ForGood;
        }
        let ends = self.ending.iter().filter(|(_, permissions)| permissions.covers(pattern)).map(|(until, _)| *until);
        ends.max().map_or(Held::Not, Held::Until)
    }
}
