//! What stands around every page of somebody who is signed in: the sections that there are for them, and the way out.

use serde::Serialize;

/// The parts of the console, in the order of the navigation. A new one also needs its word in `text`, and its line in
/// `assets/console/app.js`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Section {
    /// Who is signed in.
    Overview,
    /// The people of the tenant.
    Users,
    /// What they may do, by role.
    Roles,
    /// Who belongs together.
    Groups,
    /// Under which conditions things may be done.
    Policies,
    /// Who is signed in where.
    Sessions,
    /// Who did what, and what was decided.
    Audit,
    /// The tenants.
    Tenants,
    /// The description of the API.
    ApiReference,
}

impl Section {
    const ALL: [Self; 9] = [
        Self::Overview,
        Self::Users,
        Self::Groups,
        Self::Roles,
        Self::Policies,
        Self::Sessions,
        Self::Audit,
        Self::Tenants,
        Self::ApiReference,
    ];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Users => "users",
            Self::Roles => "roles",
            Self::Groups => "groups",
            Self::Policies => "policies",
            Self::Sessions => "sessions",
            Self::Audit => "audit",
            Self::Tenants => "tenants",
            Self::ApiReference => "api_reference",
        }
    }

    const fn path(self) -> &'static str {
        match self {
            Self::Overview => "/console",
            Self::Users => "/console/users",
            Self::Roles => "/console/roles",
            Self::Groups => "/console/groups",
            Self::Policies => "/console/policies",
            Self::Sessions => "/console/sessions",
            Self::Audit => "/console/audit",
            Self::Tenants => "/console/tenants",
            Self::ApiReference => "/docs",
        }
    }

    /// The permissions of which one has to be there for the section to be of use; none for those that everybody has.
    const fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Users => &["account.read", "account.create"],
            Self::Roles => &["role.read", "role.create"],
            Self::Groups => &["group.read", "group.create"],
            Self::Policies => &["policy.read", "policy.create"],
            Self::Audit => &["audit.read", "access_log.read"],
            Self::Tenants => &["tenant.read"],
            Self::Overview | Self::Sessions | Self::ApiReference => &[],
        }
    }

    /// The section whose pages scripts make, by its part of the path.
    pub(crate) fn of_segment(segment: &str) -> Option<Self> {
        let is_it = |section: &Self| section.path().strip_prefix("/console/") == Some(segment);
        Self::ALL.into_iter().find(is_it)
    }
}

/// A section as the navigation shows it.
#[derive(Serialize)]
pub(super) struct SectionView {
    name: &'static str,
    path: &'static str,
    current: bool,
}

/// What the navigation shows to somebody with these permissions, who is in a section.
pub(super) fn sections(current: Section, permissions: &[&str]) -> Vec<SectionView> {
    let is_of_use = |section: &Section| {
        section.needs().is_empty() || section.needs().iter().any(|needed| permissions.contains(needed))
    };
    let view =
        |section: Section| SectionView { name: section.name(), path: section.path(), current: section == current };
    Section::ALL.into_iter().filter(|section| *section == current || is_of_use(section)).map(view).collect()
}
