//! What a tenant is called, and what a request for a new one says.

use std::str::FromStr;

use secrecy::SecretString;
use serde_json::Value;
use tenantry_types::{DomainName, EmailAddress, InputError, ParseError, Slug};

use crate::authn::TenantStatus;
use crate::input::{Errors, Object};

/// The name of a tenant for people: 1 to 200 characters, no control characters, no space at the ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantName(String);

impl TenantName {
    /// The name itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The short name that stands for it where none is given: its letters and digits, with hyphens for what is between;
    /// `None` where too few are left.
    pub fn to_slug(&self) -> Option<Slug> {
        let mut slug = String::new();
        for c in self.0.chars().flat_map(char::to_lowercase) {
            if slug.len() >= 60 {
                break;
            }
            if c.is_ascii_alphanumeric() {
                slug.push(c);
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        slug.trim_end_matches('-').parse().ok()
    }
}

impl FromStr for TenantName {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let good =
            (1..=200).contains(&text.chars().count()) && !text.chars().any(char::is_control) && text.trim() == text;
        if good {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new("must be 1 to 200 characters, without control characters or spaces at the ends"))
        }
    }
}

tenantry_types::text_serde!(TenantName);

/// A request for a new tenant.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// Its name for people.
    pub name: TenantName,
    /// Its short name, which is part of its issuer.
    pub slug: Slug,
    /// A domain that it says is its own; it counts once it is verified.
    pub domain: Option<DomainName>,
    /// The address of its first administrator.
    pub admin_email: EmailAddress,
    /// What the administrator signs in with.
    pub admin_password: SecretString,
}

impl NewTenant {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(value: Value) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut body = Object::new(value, "", &errors);
        let name: Option<TenantName> = required(&mut body, "name", str::parse);
        let slug = if body.has("slug") { body.text("slug", str::parse) } else { made_of(name.as_ref(), &body) };
        body.value("slug");
        let domain = body.text("domain", str::parse);
        let admin_email = required(&mut body, "admin_email", str::parse);
        let admin_password = required(&mut body, "admin_password", password);
        body.finish();
        match (name, slug, admin_email, admin_password) {
            (Some(name), Some(slug), Some(admin_email), Some(admin_password)) => {
                errors.unless_any(Self { name, slug, domain, admin_email, admin_password })
            }
            _ => Err(errors.unless_any(()).err().unwrap_or_default()),
        }
    }
}

/// The short name that stands for a name, where that has enough letters.
fn made_of(name: Option<&TenantName>, body: &Object) -> Option<Slug> {
    let slug = name?.to_slug();
    if slug.is_none() {
        body.refuse("slug", "required", "must be given: the name has too few letters to make one of");
    }
    slug
}

/// What a request to change a tenant says. What is absent stays.
#[derive(Debug, Clone, Default)]
pub struct TenantPatch {
    /// Its name for people.
    pub name: Option<TenantName>,
    /// Whether it is to be in use.
    pub status: Option<TenantStatus>,
}

impl TenantPatch {
    /// Reads the body of a request.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(value: Value) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut body = Object::new(value, "", &errors);
        let patch = Self { name: body.text("name", str::parse), status: body.text("status", chosen_status) };
        body.finish();
        errors.unless_any(patch)
    }
}

/// A status that can be asked for.
fn chosen_status(text: &str) -> Result<TenantStatus, ParseError> {
    text.parse()
        .ok()
        .filter(|status| *status != TenantStatus::Provisioning)
        .ok_or_else(|| ParseError::new("must be one of: active inactive suspended"))
}

/// What the identity provider takes as a password at all; its rules may want more.
fn password(text: &str) -> Result<SecretString, ParseError> {
    if (8..=512).contains(&text.chars().count()) {
        Ok(text.into())
    } else {
        Err(ParseError::new("must be 8 to 512 characters"))
    }
}

/// Takes a text that has to be there.
pub(super) fn required<T, E: std::fmt::Display>(
    body: &mut Object,
    name: &str,
    parse: impl FnOnce(&str) -> Result<T, E>,
) -> Option<T> {
    if body.has(name) {
        return body.text(name, parse);
    }
    body.value(name);
    body.refuse(name, "required", "must be given");
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn wrong(value: Value) -> Vec<(String, String)> {
        let errors = NewTenant::parse(value).unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.code.into_owned())).collect()
    }

    #[test]
    fn the_short_name_is_made_of_the_name() {
        let slug = |name: &str| name.parse::<TenantName>().unwrap().to_slug().map(|slug| slug.as_str().to_owned());
        assert_eq!(slug("Acme Corporation").as_deref(), Some("acme-corporation"));
        assert_eq!(slug("  A & B – C".trim()).as_deref(), Some("a-b-c"));
        assert_eq!(slug(&"x".repeat(100)).unwrap().len(), 60);
        assert_eq!((slug("日本"), slug("A")), (None, None));
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let value = json!({"name": " x", "slug": "A", "domain": "nonsense", "admin_email": "x", "admin_password": "short",
                           "colour": 1});
        let names = ["/name", "/slug", "/domain", "/admin_email", "/admin_password", "/colour"];
        assert_eq!(wrong(value).iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(), names);
        let missing: Vec<_> = wrong(json!({}));
        assert!(missing.iter().all(|(_, code)| code == "required") && missing.len() == 3, "{missing:?}");
        assert_eq!(
            wrong(json!({"name": "日本", "admin_email": "a@b.example", "admin_password": "long enough"}))[0].0,
            "/slug"
        );
    }

    #[test]
    fn a_status_that_only_this_service_gives_cannot_be_asked_for() {
        assert!(TenantPatch::parse(json!({"status": "provisioning"})).is_err());
        assert!(TenantPatch::parse(json!({"status": "suspended", "name": null})).unwrap().name.is_none());
    }
}
