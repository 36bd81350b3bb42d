//! Making and changing a tenant, each as one transaction.

use serde_json::json;
use tenantry_db::{Connection, TenantScope};
use tenantry_types::TenantId;

use super::input::{Changes, Wanted};
use crate::accounts;
use crate::audit::Author;
use crate::events::{self, Event};
use crate::management::ManagementError;
use crate::management::reply::Made;
use crate::management::target::{lock, scope_of};
use crate::management::users::change::created;
use crate::oauth::grants::Revocation;
use crate::provision::Provisioner;
use crate::tenants::{Tenant, TenantDocument, TenantStatus, store};

/// Makes a tenant with its administrator, or finds them as they are wanted.
pub fn put(
    conn: &mut Connection,
    author: &Author,
    provisioner: &Provisioner,
    wanted: &Wanted,
    password_hash: Option<&str>,
) -> Result<(Made, Tenant), ManagementError> {
    let new = &wanted.tenant;
    let scope = scope_of(new.id);
    let (made, tenant) = match store::lock(conn, scope)? {
        Some(found) if found.slug == new.slug => (Made::Before, found),
        Some(_) => return Err(ManagementError::IdTaken(vec!["/slug".to_owned()])),
        None if store::find_by_slug(conn, &new.slug)?.is_some() => {
            return Err(ManagementError::Taken(vec!["/slug".to_owned()]));
        }
        None => (Made::Now, provisioner.establish(conn, author, new)?),
    };
    if let Some(person) = &wanted.administrator {
        let asked = accounts::create(conn, scope, author, &person.user, password_hash, person.is_named)?;
        created(asked, "/administrator")?;
    }
    Ok((made, tenant))
}

/// Renames a tenant, or switches it off or on. What changes nothing leaves no trace.
pub fn update(
    conn: &mut Connection,
    author: &Author,
    provisioner: &Provisioner,
    id: TenantId,
    changes: &Changes,
) -> Result<Tenant, ManagementError> {
    let scope = scope_of(id);
    let before = lock(conn, scope)?;
    let after = Tenant {
        name: changes.name.clone().unwrap_or_else(|| before.name.clone()),
        status: changes.status.unwrap_or(before.status),
        updated_at: author.now_after(before.updated_at),
        ..before.clone()
    };
    if after.name == before.name && after.status == before.status {
        return Ok(before);
    }
    // Whoever switched off the tenant that lets them in could not switch it on again.
    if after.is_platform && after.status != TenantStatus::Active {
        return Err(ManagementError::Refused("a platform tenant cannot be switched off here"));
    }
    store::update(conn, scope, &after)?;
    let mut detail = json!({ "name": after.name, "status": { "old": before.status, "new": after.status } });
    if after.status == TenantStatus::Suspended && before.status != TenantStatus::Suspended {
        let (sessions, grants) = accounts::end_access(conn, scope, author, None, Revocation::TenantDisabled)?;
        detail["ended"] = json!({ "sessions": sessions, "grants": grants });
    }
    if after.status != TenantStatus::Active && before.status == TenantStatus::Active {
        // Those who live here are not let in elsewhere either.
        let (sessions, grants) = accounts::end_access_elsewhere(conn, scope, author, None, Revocation::TenantDisabled)?;
        detail["ended_elsewhere"] = json!({ "sessions": sessions, "grants": grants });
    }
    author.record(conn, scope, "tenant.update", format!("tenant:{id}"), detail)?;
    tell(conn, scope, author, provisioner, &after)?;
    Ok(after)
}

/// Tells that a tenant changed.
pub fn tell(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    provisioner: &Provisioner,
    tenant: &Tenant,
) -> Result<(), ManagementError> {
    let event = Event::tenant_updated(&TenantDocument::new(tenant, &provisioner.public_url));
    events::store::record(conn, scope, author, &event)?;
    Ok(())
}
