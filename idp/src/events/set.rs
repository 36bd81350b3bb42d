//! The token that carries an event (RFC 8417).

use serde::Serialize;
use serde_json::{Map, Value, json};
use tenantry_types::{EventId, PublicUrl, TenantId, UtcTime};

use super::EventKind;
use super::store::StoredEvent;
use crate::tenants::Tenant;

/// The media type in the header, without `application/` (RFC 8417 §2.3).
pub const TYP: &str = "secevent+jwt";

/// What a security event token says.
#[derive(Debug, Clone, Serialize)]
pub struct SetClaims<'a> {
    iss: String,
    aud: &'a str,
    iat: i64,
    jti: EventId,
    #[serde(skip_serializing_if = "Option::is_none")]
    txn: Option<&'a str>,
    toe: i64,
    tenant_id: TenantId,
    sub_id: Value,
    events: Map<String, Value>,
}

/// The claims of an event of this tenant. `iss` is the issuer below the provider's own address, whose keys are published
/// whatever the status of the tenant is. There is no `sub` and no `exp` (RFC 8417 §4.6, RFC 8417 §2.2).
pub fn claims<'a>(
    event: &'a StoredEvent,
    tenant: &Tenant,
    public_url: &PublicUrl,
    audience: &'a str,
    now: UtcTime,
) -> SetClaims<'a> {
    let issuer = tenant.issuer_url(public_url);
    let about_a_tenant = event.kind.parse::<EventKind>().is_ok_and(EventKind::is_about_a_tenant);
    // RFC 9493 §3.2.4 and §3.2.5.
    let sub_id = if about_a_tenant {
        json!({ "format": "opaque", "id": event.subject_id })
    } else {
        json!({ "format": "iss_sub", "iss": issuer, "sub": event.subject_id })
    };
    let payload = event.payload.clone().into_inner();
    SetClaims {
        iss: issuer,
        aud: audience,
        iat: now.unix_seconds(),
        jti: event.id,
        txn: event.request_id.as_deref(),
        toe: event.created_at.unix_seconds(),
        tenant_id: tenant.id,
        sub_id,
        events: Map::from_iter([(event.kind.clone(), payload)]),
    }
}
