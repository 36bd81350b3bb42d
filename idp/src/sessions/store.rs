//! Queries on sessions.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{JsonText, SessionId, Sha256Hash, TenantId, UserId, UtcTime};

use super::Session;
use crate::schema::{sessions, users};
use crate::users::UserStatus;

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct SessionRow {
    id: SessionId,
    user_id: UserId,
    authenticated_at: UtcTime,
    acr: String,
    amr: JsonText<Vec<String>>,
}

/// A session to be stored.
#[derive(Insertable)]
#[diesel(table_name = sessions, treat_none_as_default_value = false)]
pub struct NewSession {
    /// Its public name.
    pub id: SessionId,
    /// Whose tenant.
    pub tenant_id: TenantId,
    /// Who signed in.
    pub user_id: UserId,
    /// The digest of what the cookie holds.
    pub secret_hash: Sha256Hash,
    /// When they signed in.
    pub authenticated_at: UtcTime,
    /// The level that was reached.
    pub acr: String,
    /// The methods that were used.
    pub amr: JsonText<Vec<String>>,
    /// From where.
    pub address: Option<String>,
    /// With which browser.
    pub user_agent: Option<String>,
    /// Now.
    pub created_at: UtcTime,
    /// Now.
    pub last_used_at: UtcTime,
    /// When it ends at the latest.
    pub expires_at: UtcTime,
    /// Not ended.
    pub ended_at: Option<UtcTime>,
}

/// Stores a new session.
pub fn insert(conn: &mut Connection, session: NewSession) -> Result<(), DbError> {
    diesel::insert_into(sessions::table).values(session).execute(conn)?;
    Ok(())
}

/// The session of a cookie, if it has not ended, was used since `idle_since`, and its user may still sign in.
pub fn find(
    conn: &mut Connection,
    scope: TenantScope,
    secret: &Sha256Hash,
    now: UtcTime,
    idle_since: UtcTime,
) -> Result<Option<Session>, DbError> {
    let row = sessions::table
        .inner_join(users::table.on(users::tenant_id.eq(sessions::tenant_id).and(users::id.eq(sessions::user_id))))
        .filter(sessions::secret_hash.eq(secret).and(sessions::tenant_id.eq(scope.tenant_id())))
        .filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(now)))
        .filter(sessions::last_used_at.gt(idle_since))
        .filter(users::status.eq(UserStatus::Active))
        .select(SessionRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(|row| Session {
        id: row.id,
        user_id: row.user_id,
        authenticated_at: row.authenticated_at,
        acr: row.acr,
        amr: row.amr.into_inner(),
    }))
}

/// Notes that a session was used.
pub fn touch(conn: &mut Connection, scope: TenantScope, id: SessionId, now: UtcTime) -> Result<(), DbError> {
    diesel::update(sessions::table)
        .filter(sessions::tenant_id.eq(scope.tenant_id()).and(sessions::id.eq(id)))
        .set(sessions::last_used_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Ends a session; whether it had not ended before.
pub fn end(conn: &mut Connection, scope: TenantScope, id: SessionId, now: UtcTime) -> Result<bool, DbError> {
    let changed = diesel::update(sessions::table)
        .filter(sessions::tenant_id.eq(scope.tenant_id()).and(sessions::id.eq(id)))
        .filter(sessions::ended_at.is_null())
        .set(sessions::ended_at.eq(Some(now)))
        .execute(conn)?;
    Ok(changed > 0)
}

/// Ends the sessions of a person at a tenant, or those of everybody there; how many had not ended before.
pub fn end_all(
    conn: &mut Connection,
    scope: TenantScope,
    user: Option<UserId>,
    now: UtcTime,
) -> Result<usize, DbError> {
    let open = sessions::table.filter(sessions::tenant_id.eq(scope.tenant_id()).and(sessions::ended_at.is_null()));
    let ended = sessions::ended_at.eq(Some(now));
    Ok(match user {
        Some(user) => diesel::update(open.filter(sessions::user_id.eq(user))).set(ended).execute(conn)?,
        None => diesel::update(open).set(ended).execute(conn)?,
    })
}
