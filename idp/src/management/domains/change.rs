//! Changes of login domains, each as one transaction.

use serde_json::json;
use tenantry_db::{Connection, TenantScope};
use tenantry_types::DomainName;

use crate::audit::Author;
use crate::management::ManagementError;
use crate::management::reply::Made;
use crate::management::target::lock;
use crate::management::tenants::change::tell;
use crate::provision::Provisioner;
use crate::tenants::domains::{self, Domain};

/// Gives the tenant a domain, or says whether it is its primary one. `None` leaves that as it is.
pub fn put(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    provisioner: &Provisioner,
    name: &DomainName,
    is_primary: Option<bool>,
) -> Result<(Made, Domain), ManagementError> {
    let tenant = lock(conn, scope)?;
    let found = domains::find(conn, scope, name)?;
    let made = if found.is_some() { Made::Before } else { Made::Now };
    if found.is_none() && domains::is_taken(conn, name)? {
        return Err(ManagementError::Taken(vec!["/domain".to_owned()]));
    }
    let wanted = is_primary.unwrap_or_else(|| found.as_ref().is_some_and(|domain| domain.is_primary));
    if let Some(found) = found.filter(|domain| domain.is_primary == wanted) {
        return Ok((made, found));
    }
    if wanted {
        domains::clear_primary(conn, scope)?;
    }
    let domain = match domains::find(conn, scope, name)? {
        Some(domain) => {
            domains::set_primary(conn, scope, name, wanted)?;
            Domain { is_primary: wanted, ..domain }
        }
        None => domains::insert(conn, scope, &*author.clock, &*author.random, name, wanted)?,
    };
    let detail = json!({ "is_primary": wanted });
    author.record(conn, scope, "domain.put", format!("domain:{name}"), detail)?;
    tell(conn, scope, author, provisioner, &tenant)?;
    Ok((made, domain))
}

/// Takes a domain from the tenant; that it has it not is no fault.
pub fn delete(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    provisioner: &Provisioner,
    name: &DomainName,
) -> Result<(), ManagementError> {
    let tenant = lock(conn, scope)?;
    if domains::delete(conn, scope, name)? {
        author.record(conn, scope, "domain.delete", format!("domain:{name}"), json!({}))?;
        tell(conn, scope, author, provisioner, &tenant)?;
    }
    Ok(())
}
