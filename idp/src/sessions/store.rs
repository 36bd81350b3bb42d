//! Queries on sessions.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, rows_before};
use tenantry_types::{JsonText, SessionId, Sha256Hash, TenantId, UserId, UtcTime};

use super::{Live, LiveSession, Session};
use crate::schema::{sessions, subjects, tenants, users};
use crate::tenants::TenantStatus;
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

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        let SessionRow { id, user_id, authenticated_at, acr, amr } = row;
        Self { id, user_id, authenticated_at, acr, amr: amr.into_inner() }
    }
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = sessions)]
struct LiveRow {
    #[diesel(embed)]
    session: SessionRow,
    address: Option<String>,
    user_agent: Option<String>,
    created_at: UtcTime,
    last_used_at: UtcTime,
    expires_at: UtcTime,
}

impl From<LiveRow> for LiveSession {
    fn from(row: LiveRow) -> Self {
        let LiveRow { session, address, user_agent, created_at, last_used_at, expires_at } = row;
        Self { session: session.into(), address, user_agent, created_at, last_used_at, expires_at }
    }
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

/// The session of a cookie, if it lasts, and its user may still sign in.
pub fn find(
    conn: &mut Connection,
    scope: TenantScope,
    live: Live,
    secret: &Sha256Hash,
) -> Result<Option<Session>, DbError> {
    let row = sessions::table
        .inner_join(
            subjects::table
                .on(subjects::tenant_id.eq(sessions::tenant_id).and(subjects::user_id.eq(sessions::user_id))),
        )
        .inner_join(users::table.on(users::tenant_id.eq(subjects::home_tenant_id).and(users::id.eq(subjects::user_id))))
        .inner_join(tenants::table.on(tenants::id.eq(subjects::home_tenant_id)))
        .filter(sessions::secret_hash.eq(secret).and(sessions::tenant_id.eq(scope.tenant_id())))
        .filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(live.now)))
        .filter(sessions::last_used_at.gt(live.idle_since))
        .filter(users::status.eq(UserStatus::Active))
        // Whether the tenant itself is in use is known of its issuer.
        .filter(subjects::guest_tenant_id.is_null().or(tenants::status.eq(TenantStatus::Active)))
        .select(SessionRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// Sessions that last, the newest first, before one: those of the tenant, or of one person there.
pub fn list_live(
    conn: &mut Connection,
    scope: TenantScope,
    live: Live,
    user: Option<UserId>,
    before: Option<(UtcTime, SessionId)>,
    limit: i64,
) -> Result<Vec<LiveSession>, DbError> {
    let mut query = sessions::table
        .filter(sessions::tenant_id.eq(scope.tenant_id()))
        .filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(live.now)))
        .filter(sessions::last_used_at.gt(live.idle_since))
        .select(LiveRow::as_select())
        .order((sessions::created_at.desc(), sessions::id.desc()))
        .limit(limit)
        .into_boxed();
    if let Some(user) = user {
        query = query.filter(sessions::user_id.eq(user));
    }
    if let Some((time, id)) = before {
        query = query.filter(rows_before!(sessions::created_at, time, sessions::id, id));
    }
    Ok(query.load(conn)?.into_iter().map(Into::into).collect())
}

/// A session, if it lasts.
pub fn find_live(
    conn: &mut Connection,
    scope: TenantScope,
    live: Live,
    id: SessionId,
) -> Result<Option<LiveSession>, DbError> {
    let row = sessions::table
        .filter(sessions::tenant_id.eq(scope.tenant_id()).and(sessions::id.eq(id)))
        .filter(sessions::ended_at.is_null().and(sessions::expires_at.gt(live.now)))
        .filter(sessions::last_used_at.gt(live.idle_since))
        .select(LiveRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// Notes that a session was used.
pub fn touch(conn: &mut Connection, scope: TenantScope, id: SessionId, now: UtcTime) -> Result<(), DbError> {
    diesel::update(sessions::table)
        .filter(sessions::tenant_id.eq(scope.tenant_id()).and(sessions::id.eq(id)))
        .set(sessions::last_used_at.eq(now))
        .execute(conn)?;
    Ok(())
}

/// Ends a session; whose it was, unless it had ended before.
pub fn end(conn: &mut Connection, scope: TenantScope, id: SessionId, now: UtcTime) -> Result<Option<UserId>, DbError> {
    let open = sessions::table
        .filter(sessions::tenant_id.eq(scope.tenant_id()).and(sessions::id.eq(id)))
        .filter(sessions::ended_at.is_null());
    let Some(user) = open.select(sessions::user_id).first(conn).optional()? else { return Ok(None) };
    let changed = diesel::update(open).set(sessions::ended_at.eq(Some(now))).execute(conn)?;
    Ok((changed > 0).then_some(user))
}

/// Ends the sessions that these people, who live in the tenant, have at these others; how many had not ended before.
pub fn end_elsewhere(
    conn: &mut Connection,
    home: TenantScope,
    users: &[UserId],
    at: &[TenantId],
    now: UtcTime,
) -> Result<usize, DbError> {
    let open = sessions::table
        .filter(sessions::tenant_id.ne(home.tenant_id()).and(sessions::tenant_id.eq_any(at)))
        .filter(sessions::user_id.eq_any(users).and(sessions::ended_at.is_null()));
    Ok(diesel::update(open).set(sessions::ended_at.eq(Some(now))).execute(conn)?)
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
