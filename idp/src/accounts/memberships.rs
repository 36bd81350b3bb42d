//! People of other tenants as members of this one.

use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UserId;

use crate::audit::Author;
use crate::events::{self, Event};
pub use crate::memberships::Membership;
use crate::memberships::{person, store};
use crate::users::User;

/// A person of the tenant, with their roles in it: somebody who lives there, or a member.
pub fn find_person(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<Option<User>, DbError> {
    Ok(person::find(conn, scope, id)?.map(|person| person.user))
}

/// Where somebody is known: at home first, then at the tenants that they are a member of.
pub(super) fn places(conn: &mut Connection, home: TenantScope, user: UserId) -> Result<Vec<TenantScope>, DbError> {
    let elsewhere = store::tenants_of(conn, home, user)?;
    let elsewhere = elsewhere.into_iter().map(|id| TenantScope::system(id, "what happened to a member at home"));
    Ok(std::iter::once(home).chain(elsewhere).collect())
}

/// Why somebody was not made a member.
#[derive(Debug, thiserror::Error)]
pub enum MembershipError {
    /// They are one of as many tenants as one can be.
    #[error("the person is a member of as many tenants as one can be")]
    TooMany,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

/// Makes a person who lives elsewhere a member, and whether they were not one before; `None` when there is no such person,
/// or they live here.
pub fn add_member(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: UserId,
) -> Result<Option<(Membership, bool)>, MembershipError> {
    if let Some(found) = store::find(conn, scope, user)? {
        return Ok(Some((found, false)));
    }
    let home = store::home_of(conn, scope, user)?.filter(|home| *home != scope.tenant_id());
    let Some(home_tenant_id) = home else { return Ok(None) };
    let elsewhere = store::tenants_of(conn, TenantScope::system(home_tenant_id, "count memberships"), user)?;
    if elsewhere.len() >= usize::try_from(store::MOST).unwrap_or(usize::MAX) {
        return Err(MembershipError::TooMany);
    }
    let membership = Membership { user_id: user, home_tenant_id, roles_version: 0, created_at: author.now() };
    store::insert(conn, scope, &membership)?;
    author.record(conn, scope, "membership.create", format!("user:{user}"), json!({ "home": home_tenant_id }))?;
    if let Some(person) = person::of_membership(conn, scope, &membership)? {
        events::store::record(conn, scope, author, &Event::membership_created(&person.user))?;
    }
    Ok(Some((membership, true)))
}

/// Members of the tenant in the order of their ids, after one.
pub fn members(
    conn: &mut Connection,
    scope: TenantScope,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<Membership>, DbError> {
    store::list(conn, scope, after, limit)
}

/// Ends a membership, and with it what the person is signed in to here; whether there was one.
pub fn remove_member(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: UserId,
) -> Result<bool, DbError> {
    if !store::delete(conn, scope, user)? {
        return Ok(false);
    }
    author.record(conn, scope, "membership.delete", format!("user:{user}"), json!({}))?;
    // Their sessions and grants went with the membership.
    events::store::record(conn, scope, author, &Event::session_revoked(user, None, author.now()))?;
    events::store::record(conn, scope, author, &Event::membership_deleted(user))?;
    Ok(true)
}
