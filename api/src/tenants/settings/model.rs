//! What a tenant can set.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_types::{EmailAddress, ParseError, text_enum};
use utoipa::ToSchema;

use crate::access::policy::limit;

/// The settings of a tenant.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// How the tenant looks.
    pub branding: Branding,
    /// How its people sign in.
    pub security: Security,
    /// What is switched on and off: at most 100 names of the form `^[a-z][a-z0-9_.-]{0,63}$`.
    #[schema(value_type = BTreeMap<String, bool>, example = json!({"bookings.waiting_list": true}))]
    pub feature_flags: FeatureFlags,
    /// What its policies compare with, as `tenant.limits.<name>`: at most 100 numbers, amounts (`"100.00 EUR"`), durations
    /// (`"24h"`), texts of at most 200 characters, `true` and `false`, by names of the form `^[a-z][a-z0-9_]{0,63}$`.
    #[serde(default)]
    #[schema(value_type = BTreeMap<String, Value>, example = json!({"auto_approve": "100.00 EUR"}))]
    pub limits: Limits,
}

/// How the tenant looks. What is absent is not set.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct Branding {
    /// Its name on pages and in mails: 1 to 100 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, min_length = 1, max_length = 100, example = "Acme Health")]
    pub display_name: Option<DisplayName>,
    /// Its logo: an `https` URL of at most 2,048 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Uri, max_length = 2048, example = "https://acme.example/logo.svg")]
    pub logo_url: Option<LogoUrl>,
    /// Its main colour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, pattern = "^#[0-9a-f]{6}$", example = "#1a6b54")]
    pub primary_color: Option<Color>,
    /// Where its people find help.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = Email, example = "help@acme.example")]
    pub support_email: Option<EmailAddress>,
}

/// How the tenant's people sign in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Security {
    /// After how many minutes without use a session ends.
    #[schema(minimum = 5, maximum = 1440)]
    pub session_idle_minutes: u32,
    /// After how many hours a session ends in any case.
    #[schema(minimum = 1, maximum = 720)]
    pub session_absolute_hours: u32,
    /// Whether a second factor is asked for.
    #[schema(value_type = String, example = "optional")]
    pub mfa: MfaPolicy,
    /// The least number of characters of a password.
    #[schema(minimum = 8, maximum = 64)]
    pub password_min_length: u32,
}

impl Default for Security {
    fn default() -> Self {
        Self { session_idle_minutes: 60, session_absolute_hours: 12, mfa: MfaPolicy::Optional, password_min_length: 12 }
    }
}

text_enum! {
    /// Whether a second factor is asked for.
    pub enum MfaPolicy {
        /// Never.
        Off = "off",
        /// Of those who have one.
        Optional = "optional",
        /// Of everybody.
        Required = "required",
    }
}

/// What is switched on and off.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FeatureFlags(pub(super) BTreeMap<FlagName, bool>);

impl FeatureFlags {
    /// How many there may be.
    pub const MAX: usize = 100;

    /// Whether a feature is switched on. What is not mentioned is off.
    pub fn is_on(&self, name: &FlagName) -> bool {
        self.0.get(name).copied().unwrap_or(false)
    }
}

/// What policies compare with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Limits(pub(super) BTreeMap<String, Value>);

impl Limits {
    /// How many there may be.
    pub const MAX: usize = 100;

    /// Those of `self` that are not there afterwards, or are of another type.
    pub(super) fn lost<'a>(&'a self, afterwards: &'a Self) -> impl Iterator<Item = &'a str> {
        let of = |limits: &Self, name: &str| limits.0.get(name).and_then(|value| limit(name, value).ok());
        let kind = move |limits: &Self, name: &str| of(limits, name).map(|(_, value)| value.type_of());
        self.0.keys().map(String::as_str).filter(move |name| kind(self, name) != kind(afterwards, name))
    }
}

/// The name of a feature flag: `^[a-z][a-z0-9_.-]{0,63}$`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FlagName(String);

impl FlagName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for FlagName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good = text.len() <= 64
            && text.starts_with(|c: char| c.is_ascii_lowercase())
            && text.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b'-'));
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be a lower-case letter and up to 63 lower-case letters, digits, '_', '.', '-'"))
        }
    }
}

tenantry_types::text_serde!(FlagName);

/// A name for people: 1 to 100 characters, no control characters, no space at the ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayName(String);

impl DisplayName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for DisplayName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good =
            (1..=100).contains(&text.chars().count()) && !text.chars().any(char::is_control) && text.trim() == text;
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be 1 to 100 characters, without control characters or spaces at the ends"))
        }
    }
}

tenantry_types::text_serde!(DisplayName);

/// The address of a logo: `https`, with a host, without a user, at most 2,048 characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogoUrl(String);

impl LogoUrl {
    /// The address.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LogoUrl {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("must be an https address like https://example.com/logo.svg");
        let url = url::Url::parse(text).map_err(|_| wrong())?;
        let good = text.len() <= 2048
            && url.scheme() == "https"
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none();
        if good { Ok(Self(url.into())) } else { Err(wrong()) }
    }
}

tenantry_types::text_serde!(LogoUrl);

/// A colour as `#rrggbb`, in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Color(String);

impl Color {
    /// The colour as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Color {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good =
            text.strip_prefix('#').is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|b| b.is_ascii_hexdigit()));
        if good { Ok(Self(text.to_ascii_lowercase())) } else { Err(ParseError::new("must be a colour like #1a6b54")) }
    }
}

tenantry_types::text_serde!(Color);

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_hold_only_what_they_should() {
        assert_eq!("#1A6b54".parse::<Color>().unwrap().as_str(), "#1a6b54");
        for bad in ["1a6b54", "#1a6b5", "#1a6b544", "#1a6b5g", "red", "#ünï"] {
            assert!(bad.parse::<Color>().is_err(), "{bad}");
        }
        assert_eq!("https://Acme.example/l.svg".parse::<LogoUrl>().unwrap().as_str(), "https://acme.example/l.svg");
        for bad in
            ["http://a.example/", "javascript:alert(1)", "https://u:p@a.example/", "/logo.svg", "data:image/png,x", ""]
        {
            assert!(bad.parse::<LogoUrl>().is_err(), "{bad}");
        }
        assert!("Acme – Gesundheit".parse::<DisplayName>().is_ok());
        for bad in ["", " Acme", "Acme\n", "a\u{0}b", &"a".repeat(101)] {
            assert!(bad.parse::<DisplayName>().is_err(), "{bad:?}");
        }
        assert!("a".parse::<FlagName>().is_ok() && "bookings.waiting-list_2".parse::<FlagName>().is_ok());
        for bad in ["", "A", "1a", ".a", "a b", "a/b", &"a".repeat(65)] {
            assert!(bad.parse::<FlagName>().is_err(), "{bad:?}");
        }
    }
}
