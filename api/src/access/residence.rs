//! Which tenant a request is for, where it says so in more than one place.
//!
//! The token says it. The host may say it too, and the parameter `tenant`; neither can say something else. What belongs to
//! another tenant is reached by its id in the path, by those who may.

use super::AccessError;
use crate::authn::Tenant;

/// The parameter that can name the tenant of a request, by its short name or its id.
pub const TENANT_PARAMETER: &str = "tenant";

/// Whether the query names no other tenant than that of the token.
pub(super) fn check_query(query: &str, tenant: &Tenant) -> Result<(), AccessError> {
    if query.is_empty() {
        return Ok(());
    }
    let mut named = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == TENANT_PARAMETER);
    let is_ours = |value: &str| value == tenant.slug.as_str() || value.eq_ignore_ascii_case(tenant.id.as_str());
    if named.all(|(_, value)| is_ours(&value)) { Ok(()) } else { Err(AccessError::OtherTenantNamed) }
}
