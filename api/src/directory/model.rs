//! People, as the directory knows them.

use serde::{Deserialize, Serialize};
use tenantry_types::{RoleId, TenantId, UserId, UtcTime, text_enum};
use utoipa::ToSchema;

use crate::roles::model::RoleFamily;

text_enum! {
    /// Whether somebody may use their account. Only who is active can.
    pub enum AccountStatus {
        /// Can sign in and do what their roles allow.
        Active = "active",
        /// Switched off by the person.
        Inactive = "inactive",
        /// Blocked for breaking the rules.
        Banned = "banned",
        /// Stopped until something is verified.
        Hold = "hold",
        /// Not verified yet.
        Pending = "pending",
        /// Stopped by an administrator.
        Suspended = "suspended",
    }
}

/// More roles of one person than this are a mistake.
const MOST_ROLES: usize = 1_000;

/// Somebody's account, as the identity provider tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProviderAccount {
    /// The same id here: the `sub` of tokens.
    pub id: UserId,
    /// Where the person lives. In every other tenant they are a guest.
    pub tenant_id: TenantId,
    /// What they sign in with.
    pub username: String,
    /// Where mail reaches them.
    pub email: String,
    /// Whether it is known that it does.
    #[serde(default)]
    pub email_verified: bool,
    /// A telephone number.
    #[serde(default)]
    pub phone: Option<String>,
    /// First name.
    #[serde(default)]
    pub given_name: Option<String>,
    /// Last name.
    #[serde(default)]
    pub family_name: Option<String>,
    /// The name to show, where it is not made of the two.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether they may use it.
    pub status: AccountStatus,
    /// When it was made.
    pub created_at: UtcTime,
    /// When it changed last: what was told of an older state changes nothing.
    pub updated_at: UtcTime,
    /// The names of their roles in the tenant that was asked about, or that it is told to; `None` where nothing is said of them.
    #[serde(default)]
    pub roles: Option<Vec<String>>,
    /// Which version of their roles it is. It has an order of its own: the roles of a guest do not change their account.
    #[serde(default)]
    pub roles_version: i64,
}

impl ProviderAccount {
    /// Whether there is room for all of it.
    pub fn fits(&self) -> bool {
        let short = |text: &str, most: usize| text.chars().count() <= most;
        let names = [&self.given_name, &self.family_name, &self.display_name];
        short(&self.username, 254)
            && short(&self.email, 254)
            && self.phone.as_deref().is_none_or(|phone| phone.len() <= 64 && phone.is_ascii())
            && names.into_iter().flatten().all(|name| short(name, 200))
            && self.roles.as_ref().is_none_or(|roles| roles.len() <= MOST_ROLES)
    }

    /// The same, without a word of their roles.
    #[must_use]
    pub fn without_roles(&self) -> Self {
        Self { roles: None, ..self.clone() }
    }
}

/// A role that somebody has, on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = AccountRole)]
pub struct RoleView {
    /// Its id.
    pub id: RoleId,
    /// Its name.
    #[schema(example = "Customer")]
    pub name: String,
    /// Whom it is for: `Provider`, `Internal` or `Customer`.
    #[schema(value_type = String, example = "Customer")]
    pub role_family: RoleFamily,
}
