//! What one user may do in a tenant.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenantry_types::{GroupId, RoleId, UtcTime};

use super::permissions::PermissionSet;
use super::tenant::TenantAccess;

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
    /// The ids of their roles.
    pub role_ids: BTreeSet<RoleId>,
    /// The names of their roles.
    pub roles: BTreeSet<Arc<str>>,
    /// The ids of their groups, and of those that these are a part of.
    pub group_ids: BTreeSet<GroupId>,
    /// The names of these.
    pub groups: BTreeSet<Arc<str>>,
    /// What their roles allow.
    pub permissions: PermissionSet,
    /// When this changes by itself: a role is held for a time only.
    pub valid_until: Option<UtcTime>,
}

/// The rows that [`SubjectAccess`] is made of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct SubjectRows {
    /// Their status; `None` for somebody who was never seen.
    pub(super) status: Option<String>,
    pub(super) email: Option<String>,
    pub(super) is_email_verified: bool,
    /// Whether their roles are given here. Before anybody has, those in their tokens count.
    pub(super) is_managed: bool,
    pub(super) roles: Vec<(RoleId, Option<UtcTime>)>,
    pub(super) groups: Vec<GroupId>,
}

impl SubjectAccess {
    pub(super) fn new(tenant: Arc<TenantAccess>, rows: &SubjectRows, now: UtcTime) -> Self {
        let group_ids: BTreeSet<GroupId> = rows.groups.iter().flat_map(|group| tenant.with_ancestors(*group)).collect();
        let held = rows.roles.iter().filter(|(_, until)| until.is_none_or(|until| now < until));
        let by_groups = group_ids.iter().flat_map(|group| tenant.roles_of_group(*group)).copied();
        let role_ids: BTreeSet<RoleId> = held.map(|(role, _)| *role).chain(by_groups).collect();
        let known = || role_ids.iter().filter_map(|role| tenant.role(*role));
        let mut permissions = PermissionSet::default();
        known().for_each(|role| permissions.add_all(&role.permissions));
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
            tenant,
        }
    }
}
