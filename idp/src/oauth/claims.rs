//! What is said of a user, by scope (OpenID Connect Core §5.4).

use openidconnect::{
    AdditionalClaims, EndUserEmail, EndUserFamilyName, EndUserGivenName, EndUserName, EndUserPhoneNumber,
    EndUserUsername, LocalizedClaim, StandardClaims, SubjectIdentifier, core::CoreGenderClaim,
};
use serde::{Deserialize, Serialize};
use tenantry_types::{ScopeSet, SessionId, TenantId};

use crate::users::User;

/// The scopes that ask for claims about a user, and the claims.
pub const BY_SCOPE: &[(&str, &[&str])] = &[
    ("profile", &["name", "given_name", "family_name", "preferred_username", "updated_at"]),
    ("email", &["email", "email_verified"]),
    ("phone", &["phone_number", "phone_number_verified"]),
    ("roles", &["roles"]),
];

/// Claims of our own.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct OwnClaims {
    /// The tenant in which they are this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<TenantId>,
    /// The session (OpenID Connect Back-Channel Logout §2.1).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<SessionId>,
    /// The names of the user's roles in the tenant.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub roles: Option<Vec<String>>,
}

impl AdditionalClaims for OwnClaims {}

/// What the scopes allow to be said of a user.
pub fn standard(user: &User, scope: &ScopeSet) -> StandardClaims<CoreGenderClaim> {
    let mut claims = StandardClaims::new(SubjectIdentifier::new(user.id.to_string()));
    if scope.contains("profile") {
        let localized = |text: String| LocalizedClaim::from(EndUserName::new(text));
        claims = claims
            .set_name(user.full_name().map(localized))
            .set_given_name(user.given_name.clone().map(|name| LocalizedClaim::from(EndUserGivenName::new(name))))
            .set_family_name(user.family_name.clone().map(|name| LocalizedClaim::from(EndUserFamilyName::new(name))))
            .set_preferred_username(Some(EndUserUsername::new(user.username.to_string())))
            .set_updated_at(Some(user.updated_at.to_datetime()));
    }
    if scope.contains("email") {
        claims = claims
            .set_email(Some(EndUserEmail::new(user.email.to_string())))
            .set_email_verified(Some(user.email_verified));
    }
    if scope.contains("phone") && user.phone.is_some() {
        claims = claims
            .set_phone_number(user.phone.clone().map(EndUserPhoneNumber::new))
            .set_phone_number_verified(Some(user.phone_verified));
    }
    claims
}

/// The roles, where the scopes allow them to be said.
pub fn roles(user: &User, scope: &ScopeSet) -> Option<Vec<String>> {
    scope.contains("roles").then(|| user.roles.clone())
}
