//! What a user is.

use std::str::FromStr;

use tenantry_db::DbError;
use tenantry_types::{EmailAddress, ParseError, UserId, text_enum};

text_enum! {
    /// The state of an account.
    pub enum UserStatus {
        /// Can sign in.
        Active = "active",
        /// Switched off by the user.
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

impl UserStatus {
    /// Whether an account in this state can sign in and keeps its tokens.
    pub const fn may_sign_in(self) -> bool {
        matches!(self, Self::Active)
    }
}

/// What a user types to say who they are: an e-mail address or a handle, 1 to 254 characters, no white space.
#[derive(Debug, Clone, PartialEq, Eq, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct Username(String);

impl Username {
    /// The name as it was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The form under which a name is looked up, so that case does not matter.
    pub fn normalized(&self) -> String {
        self.0.to_lowercase()
    }
}

impl FromStr for Username {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good = !text.is_empty() && text.len() <= 254 && !text.chars().any(|c| c.is_control() || c.is_whitespace());
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be 1 to 254 characters without spaces"))
        }
    }
}

tenantry_types::text_serde!(Username);
tenantry_types::stored_as_text!(Username);

/// A user of a tenant.
#[derive(Debug, Clone, serde::Serialize)]
pub struct User {
    /// The `sub` of tokens.
    pub id: UserId,
    /// What they sign in with, besides the e-mail address.
    pub username: Username,
    /// Where mail reaches them.
    pub email: EmailAddress,
    /// Whether they proved that it does.
    pub email_verified: bool,
    /// A telephone number (E.164).
    pub phone: Option<String>,
    /// Whether they proved that it is theirs.
    pub phone_verified: bool,
    /// First name.
    pub given_name: Option<String>,
    /// Last name.
    pub family_name: Option<String>,
    /// The name to show, where it is not made of the two.
    pub display_name: Option<String>,
    /// Whether they can sign in.
    pub status: UserStatus,
    /// When the account changed last.
    pub updated_at: tenantry_types::UtcTime,
    /// The names of their roles in the tenant.
    pub roles: Vec<String>,
}

impl User {
    /// The name to greet them with.
    pub fn full_name(&self) -> Option<String> {
        self.display_name.clone().or_else(|| match (&self.given_name, &self.family_name) {
            (Some(given), Some(family)) => Some(format!("{given} {family}")),
            (Some(one), None) | (None, Some(one)) => Some(one.clone()),
            (None, None) => None,
        })
    }
}

/// What is needed to make a user.
#[derive(Debug, Clone)]
pub struct NewUser {
    /// The `sub` of tokens.
    pub id: UserId,
    /// What they sign in with, besides the e-mail address.
    pub username: Username,
    /// Where mail reaches them.
    pub email: EmailAddress,
    /// Whether that is known to be so.
    pub email_verified: bool,
    /// First name.
    pub given_name: Option<String>,
    /// Last name.
    pub family_name: Option<String>,
    /// Whether they can sign in.
    pub status: UserStatus,
    /// The names of their roles in the tenant.
    pub roles: Vec<String>,
}

/// Why something about a user could not be done.
#[derive(Debug, thiserror::Error)]
pub enum UserError {
    /// Another user of the tenant has the name or the address.
    #[error("another user has this {0}")]
    Taken(&'static str),
    /// There is no such user.
    #[error("there is no user '{0}'")]
    Unknown(String),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}
