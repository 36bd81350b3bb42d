//! How it is decided, for the caller of a request and for anybody else whom it is asked about.

use std::net::IpAddr;
use std::sync::Arc;

use tenantry_types::{TenantId, UserId, UtcTime};

use super::policy::{Facts, Policy, Verdict};
use super::subject::SubjectAccess;
use super::tenant::TenantAccess;

/// Why something may be done, or may not.
#[derive(Debug, Clone, Copy)]
pub enum Reason<'a> {
    /// A policy forbids it.
    Denied(&'a Policy),
    /// A policy allows it.
    Allowed(&'a Policy),
    /// A role allows it, and no policy forbids it.
    Role,
    /// Nothing allows it.
    Nothing,
}

impl Reason<'_> {
    /// Whether it may be done.
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Allowed(_) | Self::Role)
    }
}

/// Somebody whom it is asked about, with what is known of where they ask from.
#[derive(Debug, Clone, Default)]
pub struct Who {
    /// Which person; `None` for a client.
    pub user: Option<UserId>,
    /// What is known of that person in the tenant.
    pub subject: Option<Arc<SubjectAccess>>,
    /// Through which client.
    pub client_id: Option<Arc<str>>,
    /// With which scopes, where that is known.
    pub scopes: Option<Vec<String>>,
    /// In which tenant: its id and its short name.
    pub tenant: Option<(TenantId, Arc<str>)>,
    /// From which address.
    pub address: Option<IpAddr>,
    /// How strongly the person was authenticated.
    pub acr: Option<Arc<str>>,
    /// By which methods, where that is known.
    pub amr: Option<Vec<String>>,
    /// When.
    pub auth_time: Option<UtcTime>,
    /// Who acts in their name, where that is somebody else.
    pub actor: Option<Arc<str>>,
}

impl TenantAccess {
    /// Whether somebody may do this to something of which `facts` are known; `by_role` says whether roles allow it.
    pub fn judge(&self, resource: &str, action: &str, facts: &Facts, by_role: bool) -> Reason<'_> {
        match self.policies.decide(resource, action, facts) {
            Verdict::Denied(policy) => Reason::Denied(policy),
            Verdict::Allowed(policy) => Reason::Allowed(policy),
            Verdict::Silent if by_role => Reason::Role,
            Verdict::Silent => Reason::Nothing,
        }
    }
}
