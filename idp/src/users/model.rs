//! What a user is.

use std::collections::BTreeSet;
use std::str::FromStr;

use tenantry_db::DbError;
use tenantry_types::{EmailAddress, ParseError, TenantId, UserId, UtcTime, text_enum};

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

/// A part of a person's name, or the name to show: 1 to 200 characters, no control characters.
#[derive(Debug, Clone, PartialEq, Eq, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct PersonName(String);

impl PersonName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PersonName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let text = text.trim();
        if (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be 1 to 200 characters, without control characters"))
        }
    }
}

tenantry_types::text_serde!(PersonName);
tenantry_types::stored_as_text!(PersonName);

/// A telephone number in the international form (E.164): `+` and 7 to 15 digits, of which the first is not 0.
#[derive(Debug, Clone, PartialEq, Eq, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow)]
#[diesel(sql_type = diesel::sql_types::Text)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// The number as it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PhoneNumber {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good = text.strip_prefix('+').is_some_and(|digits| {
            (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0')
        });
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be a telephone number like +919876543210 (E.164)"))
        }
    }
}

tenantry_types::text_serde!(PhoneNumber);
tenantry_types::stored_as_text!(PhoneNumber);

/// The name of a role: 1 to 100 characters, no control characters and no white space around it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct RoleName(String);

impl RoleName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RoleName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good = (1..=100).contains(&text.chars().count())
            && !text.chars().any(char::is_control)
            && text.trim().len() == text.len();
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be 1 to 100 characters, without control characters or spaces around them"))
        }
    }
}

/// The roles of a person in a tenant, and which version of them it is: whoever keeps them numbers the versions upwards.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    /// Which version.
    pub version: i64,
    /// The names, in order, each once.
    pub names: BTreeSet<RoleName>,
}

/// More roles than this of one person are a mistake; each is in every access token.
pub const MOST_ROLES: usize = 64;

/// A user of a tenant.
#[derive(Debug, Clone)]
pub struct User {
    /// The `sub` of tokens.
    pub id: UserId,
    /// Where they live.
    pub tenant_id: TenantId,
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
    /// When the account was made.
    pub created_at: UtcTime,
    /// When the account changed last.
    pub updated_at: UtcTime,
    /// Which version of their roles it is.
    pub roles_version: i64,
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

    /// What they are called on pages: by their name, or by what they sign in with.
    pub fn display(&self) -> String {
        self.full_name().unwrap_or_else(|| self.username.to_string())
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
    /// A telephone number.
    pub phone: Option<PhoneNumber>,
    /// First name.
    pub given_name: Option<PersonName>,
    /// Last name.
    pub family_name: Option<PersonName>,
    /// The name to show, where it is not made of the two.
    pub display_name: Option<PersonName>,
    /// Whether they can sign in.
    pub status: UserStatus,
    /// Their roles in the tenant.
    pub roles: Roles,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_numbers_and_roles_hold_only_what_they_should() {
        assert_eq!(" Ada ".parse::<PersonName>().unwrap().as_str(), "Ada");
        for bad in ["", "  ", "a\nb", &"x".repeat(201)] {
            assert!(bad.parse::<PersonName>().is_err(), "{bad:?}");
        }
        assert!("+919876543210".parse::<PhoneNumber>().is_ok());
        for bad in ["", "919876543210", "+0919876543", "+12345", "+1234567890123456", "+12 345 678"] {
            assert!(bad.parse::<PhoneNumber>().is_err(), "{bad:?}");
        }
        assert!("front desk".parse::<RoleName>().is_ok());
        for bad in ["", " x", "x ", "a\tb", &"x".repeat(101)] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad:?}");
        }
    }
}
