//! Changes of memberships, each as one transaction.

use tenantry_db::{Connection, TenantScope};
use tenantry_types::UserId;

use crate::accounts::{self, Membership, MembershipError};
use crate::audit::Author;
use crate::management::reply::Made;
use crate::management::target::lock;
use crate::management::{ManagementError, Missing};
use crate::users;

/// Makes a person who lives elsewhere a member.
pub fn put(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: UserId,
) -> Result<(Made, Membership), ManagementError> {
    lock(conn, scope)?;
    let added = accounts::add_member(conn, scope, author, user).map_err(|error| match error {
        MembershipError::TooMany => ManagementError::Refused("the person is a member of as many tenants as one can be"),
        MembershipError::Database(error) => error.into(),
    })?;
    match added {
        Some((membership, true)) => Ok((Made::Now, membership)),
        Some((membership, false)) => Ok((Made::Before, membership)),
        None if users::store::find(conn, scope, user)?.is_some() => {
            Err(ManagementError::Refused("the person lives in this tenant, and so needs no membership"))
        }
        None => Err(ManagementError::NotFound(Missing::User)),
    }
}

/// Ends a membership; that there is none is no fault.
pub fn delete(conn: &mut Connection, scope: TenantScope, author: &Author, user: UserId) -> Result<(), ManagementError> {
    lock(conn, scope)?;
    accounts::remove_member(conn, scope, author, user)?;
    Ok(())
}
