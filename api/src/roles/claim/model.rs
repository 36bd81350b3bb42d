//! Which roles somebody holds.

use std::collections::{BTreeSet, HashMap, HashSet};

use tenantry_types::{GroupId, RoleId, Sha256Hash};

/// The most names that a token carries, and that the identity provider takes.
const MOST_NAMES: usize = 64;

/// What a tenant has said of its roles and groups.
#[derive(Debug, Clone, Default)]
pub(super) struct Structure {
    pub(super) names: HashMap<RoleId, String>,
    /// What a role inherits from.
    pub(super) inherits: HashMap<RoleId, Vec<RoleId>>,
    /// What a group is a part of.
    pub(super) part_of: HashMap<GroupId, GroupId>,
    pub(super) roles_of: HashMap<GroupId, Vec<RoleId>>,
}

/// What somebody has been given, by themselves.
#[derive(Debug, Clone, Default)]
pub(super) struct Given {
    pub(super) roles: Vec<RoleId>,
    pub(super) groups: Vec<GroupId>,
}

impl Structure {
    /// The names of the roles that somebody holds: their own first, then those of their groups, then what these inherit
    /// from, each in order. Where there are more than a token carries, the last are left out.
    pub(super) fn names(&self, given: &Given) -> Vec<String> {
        let own: Vec<RoleId> = given.roles.clone();
        let by_groups = self.with_ancestors(&given.groups);
        let by_groups: Vec<RoleId> =
            by_groups.iter().filter_map(|group| self.roles_of.get(group)).flatten().copied().collect();
        let inherited = self.ancestors(own.iter().chain(&by_groups).copied().collect());
        let mut found: Vec<String> = Vec::new();
        for roles in [own, by_groups, inherited] {
            let names: BTreeSet<&String> = roles.iter().filter_map(|role| self.names.get(role)).collect();
            let new: Vec<String> = names.into_iter().filter(|name| !found.contains(name)).cloned().collect();
            found.extend(new);
        }
        if found.len() > MOST_NAMES {
            tracing::warn!(roles = found.len(), "somebody holds more roles than a token carries");
            found.truncate(MOST_NAMES);
        }
        found
    }

    /// Groups and all that they are a part of. A circle ends where it began.
    fn with_ancestors(&self, groups: &[GroupId]) -> HashSet<GroupId> {
        let mut found = HashSet::new();
        for group in groups {
            let mut next = Some(*group);
            while let Some(group) = next.filter(|group| found.insert(*group)) {
                next = self.part_of.get(&group).copied();
            }
        }
        found
    }

    /// What roles inherit from, also through others.
    fn ancestors(&self, mut open: Vec<RoleId>) -> Vec<RoleId> {
        let mut found: HashSet<RoleId> = open.iter().copied().collect();
        let mut inherited = Vec::new();
        while let Some(role) = open.pop() {
            for parent in self.inherits.get(&role).into_iter().flatten() {
                if found.insert(*parent) {
                    inherited.push(*parent);
                    open.push(*parent);
                }
            }
        }
        inherited
    }
}

/// What a set of names is known by.
pub(super) fn names_digest(names: &[String]) -> Sha256Hash {
    let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
    names.sort_unstable();
    // No name has a control character in it.
    Sha256Hash::of(names.join("\n"))
}

#[cfg(test)]
mod tests {
    use tenantry_types::{SystemClock, SystemRandom};

    use super::*;

    fn role() -> RoleId {
        RoleId::new(&SystemClock, &SystemRandom)
    }

    fn group() -> GroupId {
        GroupId::new(&SystemClock, &SystemRandom)
    }

    #[test]
    fn roles_come_by_groups_and_by_inheritance_and_circles_end() {
        let (own, by_group, by_whole, base) = (role(), role(), role(), role());
        let (part, whole) = (group(), group());
        let structure = Structure {
            names: [(own, "own"), (by_group, "by group"), (by_whole, "by whole"), (base, "base")]
                .map(|(id, name)| (id, name.to_owned()))
                .into(),
            inherits: [(by_whole, vec![base]), (base, vec![by_whole, own])].into(),
            part_of: [(part, whole), (whole, part)].into(),
            roles_of: [(part, vec![by_group, own]), (whole, vec![by_whole])].into(),
        };
        let given = Given { roles: vec![own], groups: vec![part] };
        assert_eq!(structure.names(&given), ["own", "by group", "by whole", "base"]);
        assert_eq!(structure.names(&Given { roles: vec![own, role()], groups: vec![group()] }), ["own"]);
        assert!(structure.names(&Given::default()).is_empty());
    }

    #[test]
    fn a_token_carries_so_many_names_and_their_own_first() {
        let ids: Vec<RoleId> = (0..=MOST_NAMES).map(|_| role()).collect();
        let last = ids[MOST_NAMES];
        let group = group();
        let structure = Structure {
            names: ids.iter().enumerate().map(|(at, id)| (*id, format!("role {at:03}"))).collect(),
            roles_of: [(group, ids.clone())].into(),
            ..Structure::default()
        };
        let names = structure.names(&Given { roles: vec![last], groups: vec![group] });
        assert_eq!((names.len(), names[0].as_str()), (MOST_NAMES, "role 064"));
    }

    #[test]
    fn a_digest_does_not_depend_on_the_order() {
        let digest = |names: &[&str]| names_digest(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>());
        assert_eq!(digest(&["a", "b"]), digest(&["b", "a"]));
        assert_ne!(digest(&["a", "b"]), digest(&["a b"]));
        assert_ne!(digest(&[]), digest(&["a"]));
    }
}
