//! The tenant that a path names: the caller's own, or any for whoever manages the tenants of the platform.

use tenantry_db::TenantScope;
use tenantry_types::TenantId;

use super::TenantError;
use super::store::{self, TenantRow};
use crate::access::{AccessError, Authority, Decision, Permission};
use crate::audit::{self, AuditEntry, Changes, Origin};
use crate::state::Api;

/// To do in other tenants what one may do in one's own. Only people and programs of a platform tenant can use it; besides, the
/// permission for what is done is needed.
pub const TENANTS: Permission = Permission::new("platform.tenants");

/// The scope for the tenant that a path names. Others than one's own are for administrators of the platform: to everybody
/// else they are not there.
fn scope_of(authority: &Authority, id: &str) -> Result<TenantScope, TenantError> {
    let id: TenantId = id.parse().map_err(|_| TenantError::NotFound)?;
    let principal = authority.principal();
    if id == principal.tenant.id {
        return Ok(principal.scope());
    }
    if !principal.tenant.is_platform {
        return Err(TenantError::NotFound);
    }
    let allowed = allow(authority, TENANTS);
    tracing::info!(
        target_tenant = %id,
        actor = principal.subject.id(),
        allowed = allowed.is_ok(),
        "somebody of the platform turns to a tenant"
    );
    allowed.map(|()| TenantScope::system(id, "management of tenants"))
}

/// As [`scope_of`], of a tenant that is there.
pub(super) async fn find(api: &Api, authority: &Authority, id: &str) -> Result<(TenantScope, TenantRow), TenantError> {
    let scope = scope_of(authority, id)?;
    let row = api.db.read(move |conn| store::find(conn, scope)).await?.ok_or(TenantError::NotFound)?;
    Ok((scope, row))
}

/// As [`find`], of a tenant at which the caller looks. That somebody of the platform looked at another tenant's things is in
/// that tenant's audit trail, each time: it is there before anything is shown.
pub(super) async fn look(
    api: &Api,
    authority: &Authority,
    origin: Origin,
    id: &str,
    (permission, kind): (Permission, &'static str),
) -> Result<(TenantScope, TenantRow), TenantError> {
    let (scope, row) = find(api, authority, id).await?;
    let principal = authority.principal();
    if scope.tenant_id() != principal.tenant.id {
        let target = row.id.to_string();
        let entry = AuditEntry::new(principal, origin, permission.as_str(), kind, target, Changes::default());
        let (clock, random) = (api.clock.clone(), api.random.clone());
        // With the tenant of the actor in it, as every entry of somebody from elsewhere.
        api.db.write(move |conn| audit::record(conn, scope, &*clock, &*random, &entry)).await?;
    }
    Ok((scope, row))
}

/// Whether the caller manages the tenants of the platform.
pub(super) fn platform(authority: &Authority) -> Result<(), TenantError> {
    if authority.principal().tenant.is_platform { allow(authority, TENANTS) } else { Err(TenantError::NotPlatform) }
}

/// Whether the caller may do something that only some requests of a route ask for.
pub(super) fn allow(authority: &Authority, permission: Permission) -> Result<(), TenantError> {
    match authority.decide(permission.as_str()) {
        Decision::Allow => Ok(()),
        Decision::InsufficientScope(permission) => Err(AccessError::InsufficientScope(permission).into()),
        Decision::Forbidden(permission) => Err(AccessError::Forbidden(permission).into()),
    }
}
