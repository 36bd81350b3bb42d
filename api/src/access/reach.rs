//! What comes with a role or a group: permissions, and a name that policies ask for.
//!
//! A role without a permission can be worth a lot, because policies speak of those who have it. So whoever gives, takes or
//! names one holds what these policies speak of, as if it were a permission of the role.

use std::collections::{BTreeSet, HashSet};

use tenantry_types::{GroupId, RoleId, UserId};

use super::authority::Authority;
use super::permissions::{PermissionPattern, PermissionSet};
use super::policy::{Assignment, Effect, Target};
use super::subject::SubjectAccess;
use super::tenant::TenantAccess;

/// What somebody comes to have with roles and groups, or loses with them.
#[derive(Debug, Clone, Default)]
pub struct Portion {
    /// What roles allow.
    permissions: PermissionSet,
    /// Names of roles and groups, as policies ask for them.
    names: HashSet<Assignment>,
}

/// Which way it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Somebody comes to have it.
    Given,
    /// Somebody loses it.
    Taken,
}

impl Portion {
    /// What allows this, under no name yet.
    pub fn of(permissions: PermissionSet) -> Self {
        Self { permissions, names: HashSet::new() }
    }

    /// Adds the name of a role.
    pub fn add_role_name(&mut self, name: &str) {
        self.names.insert(Assignment::Role(name.into()));
    }

    /// Adds the name of a group.
    pub fn add_group_name(&mut self, name: &str) {
        self.names.insert(Assignment::Group(name.into()));
    }

    /// Adds another.
    pub fn add(&mut self, other: Self) {
        self.permissions.add_all(&other.permissions);
        self.names.extend(other.names);
    }

    /// Leaves out the names that the other has as well.
    pub fn without_names_of(&mut self, other: &Self) {
        self.names.retain(|name| !other.names.contains(name));
    }

    /// Everything that it can make a difference to: its permissions, and what policies speak of that ask for its names. Of
    /// those that only forbid something to whoever has a name, nobody gains by having it.
    pub fn patterns(&self, tenant: &TenantAccess, turn: Turn) -> BTreeSet<PermissionPattern> {
        let own = self.permissions.patterns();
        let mut patterns: BTreeSet<PermissionPattern> = own.iter().filter_map(|pattern| pattern.parse().ok()).collect();
        if self.names.is_empty() {
            return patterns;
        }
        let about = tenant.policies.policies().filter(|(policy, assignments)| {
            let asked = policy.asks_for(assignments, &self.names);
            match (turn, policy.effect) {
                (Turn::Given, Effect::Allow) => asked.to_have,
                (Turn::Given, Effect::Deny) => asked.to_lack,
                // What an allow gave is taken, and what a deny forbade is given.
                (Turn::Taken, Effect::Allow) => asked.to_have || asked.to_lack,
                (Turn::Taken, Effect::Deny) => asked.to_have,
            }
        });
        patterns.extend(about.map(|(policy, _)| PermissionPattern::from(&policy.target)));
        patterns
    }
}

impl Authority {
    /// Whether they hold everything that comes with this, for as long as it may be.
    pub fn holds_portion(&self, portion: &Portion) -> bool {
        portion.patterns(self.tenant(), Turn::Given).iter().all(|pattern| self.holds(pattern))
    }

    /// Whether they hold as long as somebody else does what the roles of that person allow.
    pub fn holds_as_long(&self, other: &SubjectAccess) -> bool {
        let patterns = other.permissions.patterns();
        let mut patterns = patterns.iter().filter_map(|pattern| pattern.parse::<PermissionPattern>().ok());
        patterns.all(|pattern| self.held(&pattern) >= other.held(&pattern))
    }
}

/// The permissions that a policy speaks of. One action on every kind of resource is a part of everything only.
impl From<&Target> for PermissionPattern {
    fn from(target: &Target) -> Self {
        match (&target.resource, &target.action) {
            (None, _) => Self::All,
            (Some(resource), None) => Self::Resource(resource.to_string()),
            (Some(resource), Some(action)) => Self::One(resource.to_string(), action.to_string()),
        }
    }
}

impl TenantAccess {
    /// What comes with a role: what it inherits included. `None` for a role that the tenant does not have.
    pub fn portion_of_role(&self, id: RoleId) -> Option<Portion> {
        let role = self.role(id)?;
        let mut portion = Portion::of(role.permissions.clone());
        for role in role.lineage.iter().filter_map(|id| self.role(*id)) {
            portion.add_role_name(&role.name);
        }
        Some(portion)
    }

    /// What comes with being somebody of the tenant: what their roles allow, and what policies say of them by name.
    pub fn portion_of(&self, user: UserId, subject: &SubjectAccess) -> Portion {
        let mut portion = Portion::of(subject.permissions.clone());
        subject.roles.iter().for_each(|role| portion.add_role_name(role));
        subject.groups.iter().for_each(|group| portion.add_group_name(group));
        portion.names.insert(Assignment::User(user.as_str().into()));
        portion
    }

    /// What comes with being in a group: what it is a part of included.
    pub fn portion_of_group(&self, id: GroupId) -> Portion {
        let mut portion = Portion::default();
        for group in self.with_ancestors(id) {
            if let Some(name) = self.group_name(group) {
                portion.add_group_name(name);
            }
            let roles = self.roles_of_group(group).iter().filter_map(|role| self.portion_of_role(*role));
            roles.for_each(|role| portion.add(role));
        }
        portion
    }
}
