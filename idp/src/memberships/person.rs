//! Who somebody is in a tenant: somebody who lives there, or a member.

use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UserId;

use super::{Membership, store};
use crate::tenants::{self, TenantStatus};
use crate::users::{self, User};

/// Somebody in a tenant.
#[derive(Debug, Clone)]
pub struct Person {
    /// Their account at home, with the roles that they have in this tenant.
    pub user: User,
    /// Whether they may be signed in here: their account can be used, and so can the tenant where it is.
    pub may_sign_in: bool,
}

/// The person of this id in the tenant.
pub fn find(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<Option<Person>, DbError> {
    if let Some(user) = users::store::find(conn, scope, id)? {
        let may_sign_in = user.status.may_sign_in();
        return Ok(Some(Person { user, may_sign_in }));
    }
    match store::find(conn, scope, id)? {
        Some(membership) => of_membership(conn, scope, &membership),
        None => Ok(None),
    }
}

/// The same, if they may be signed in.
pub fn find_signed_in(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<Option<User>, DbError> {
    let person = find(conn, scope, id)?.filter(|person| person.may_sign_in);
    Ok(person.map(|person| person.user))
}

/// The person of a membership.
pub fn of_membership(
    conn: &mut Connection,
    scope: TenantScope,
    membership: &Membership,
) -> Result<Option<Person>, DbError> {
    let home = TenantScope::system(membership.home_tenant_id, "the person of a membership");
    let Some(user) = users::store::find(conn, home, membership.user_id)? else { return Ok(None) };
    let tenant = tenants::store::find(conn, home)?;
    let is_open = tenant.is_some_and(|tenant| tenant.status == TenantStatus::Active);
    let roles = store::roles(conn, scope, membership.user_id)?;
    let may_sign_in = is_open && user.status.may_sign_in();
    Ok(Some(Person { user: User { roles, roles_version: membership.roles_version, ..user }, may_sign_in }))
}

/// Whose a name is that somebody signs in with, and how they prove it.
#[derive(Debug, Clone)]
pub struct Claimant {
    /// Who.
    pub id: UserId,
    /// The tenant where their account and their password are.
    pub home: TenantScope,
    /// Whether they may be signed in here.
    pub may_sign_in: bool,
    /// The hash of their password, if they have one.
    pub hash: Option<String>,
}

/// Who signs in under this name or e-mail address. Somebody who lives in the tenant wins over members. Of several members
/// the owner of an address wins over one who chose it as a handle, and then whoever has been a member longer: a name stands
/// for one account, so that a guess is a guess at one password.
///
/// The queries are the same whoever is found, and if nobody is.
pub fn find_for_sign_in(conn: &mut Connection, scope: TenantScope, name: &str) -> Result<Option<Claimant>, DbError> {
    let resident = users::store::find_for_sign_in(conn, scope, name)?;
    let member = store::find_for_sign_in(conn, scope, name)?;
    let resident =
        resident.map(|(id, status, hash)| Claimant { id, home: scope, may_sign_in: status.may_sign_in(), hash });
    Ok(resident.or(member))
}
