//! What was decided about single things while a request was handled: the guard of the route logs it.

use std::sync::Arc;

use parking_lot::Mutex;

use super::Permission;
use super::judge::Reason;
use super::kinds::Kinds;
use super::log::NamedPolicy;
use super::policy::{Facts, Policy};
use super::tenant::TenantAccess;

/// Why, without the policies that it was found in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Why {
    /// The token has no scope for it.
    OutOfScope,
    /// A policy forbids it.
    Denied(NamedPolicy),
    /// A policy allows it.
    Allowed(NamedPolicy),
    /// A role allows it.
    Role,
    /// Nothing allows it.
    Nothing,
}

/// What was decided of one thing, and on what grounds.
#[derive(Debug, Clone)]
pub(super) struct Grounds {
    pub(super) permission: Permission,
    pub(super) why: Why,
    pub(super) facts: Facts,
    pub(super) kinds: Arc<Kinds>,
}

/// What is told from where it is decided to where it is logged.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<Heard>);

#[derive(Debug, Default)]
struct Heard {
    /// Many things were decided about, and none of them alone says what came of the request.
    is_list: bool,
    /// The last of them was refused.
    ends_refused: bool,
    allowed: Option<Grounds>,
    refused: Option<Grounds>,
}

/// What is known of what came of a request.
#[derive(Debug, Clone)]
pub(super) enum Outcome {
    /// It was about many things.
    List,
    /// It was about this.
    One(Box<Grounds>),
    /// Nothing was said.
    Silence,
}

impl Told {
    /// From here on a list is made.
    pub(super) fn lists(&self) {
        self.0.lock().is_list = true;
    }

    /// Whether a list is made.
    pub(super) fn is_list(&self) -> bool {
        self.0.lock().is_list
    }

    /// Notes a decision about one thing. The last of those that allowed, and of those that refused, counts.
    pub(super) fn note(&self, grounds: Grounds) {
        let mut heard = self.0.lock();
        if heard.is_list {
            return;
        }
        heard.ends_refused = matches!(grounds.why, Why::OutOfScope | Why::Denied(_) | Why::Nothing);
        if heard.ends_refused {
            heard.refused = Some(grounds);
        } else {
            heard.allowed = Some(grounds);
        }
    }

    /// Whether the last that was decided was a refusal: what may not be seen is answered as if it were not there.
    pub(super) fn ends_refused(&self) -> bool {
        self.0.lock().ends_refused
    }

    /// What came of a request for this permission.
    pub(super) fn outcome(&self, permission: Permission, is_refused: bool) -> Outcome {
        let heard = self.0.lock();
        if heard.is_list {
            return Outcome::List;
        }
        let grounds = if is_refused {
            heard.refused.clone()
        } else {
            heard.allowed.clone().filter(|grounds| grounds.permission == permission)
        };
        grounds.map_or(Outcome::Silence, |grounds| Outcome::One(Box::new(grounds)))
    }
}

impl Why {
    pub(super) fn of(reason: Reason<'_>, tenant: &TenantAccess) -> Self {
        match reason {
            Reason::Denied(policy) => Self::Denied(named(policy, tenant)),
            Reason::Allowed(policy) => Self::Allowed(named(policy, tenant)),
            Reason::Role => Self::Role,
            Reason::Nothing => Self::Nothing,
        }
    }

    /// In words.
    pub(super) const fn in_words(&self) -> &'static str {
        match self {
            Self::OutOfScope => "the token has no scope for it",
            Self::Denied(_) => "a policy forbids it",
            Self::Allowed(_) => "a policy allows it",
            Self::Role => "a role allows it",
            Self::Nothing => "nothing allows it",
        }
    }

    /// The policy that decided.
    pub(super) fn policy(self) -> Option<NamedPolicy> {
        match self {
            Self::Denied(policy) | Self::Allowed(policy) => Some(policy),
            Self::OutOfScope | Self::Role | Self::Nothing => None,
        }
    }
}

/// A policy as the log names it.
fn named(policy: &Policy, tenant: &TenantAccess) -> NamedPolicy {
    let name = policy.name.to_string();
    match tenant.policy_version(&name) {
        Some((id, version)) => NamedPolicy { id: id.to_string(), name, version: Some(version) },
        None => NamedPolicy { id: String::new(), name, version: None },
    }
}
