//! The rows of sessions.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{ConsoleSessionId, Sha256Hash, TenantId, UtcTime};

use super::model::Session;
use crate::schema::console_sessions;

/// Rows that are deleted at once when they are over.
const PRUNED_AT_ONCE: i64 = 100;

#[derive(Queryable, Selectable)]
#[diesel(table_name = console_sessions)]
struct SessionRow {
    id: ConsoleSessionId,
    tenant_id: TenantId,
    issuer: String,
    subject: String,
    csrf_token: String,
    tokens: String,
    last_used_at: UtcTime,
    expires_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = console_sessions, treat_none_as_default_value = false)]
struct NewSession<'a> {
    id: ConsoleSessionId,
    tenant_id: TenantId,
    secret_hash: &'a Sha256Hash,
    issuer: &'a str,
    subject: &'a str,
    csrf_token: &'a str,
    tokens: &'a str,
    created_at: UtcTime,
    last_used_at: UtcTime,
    expires_at: UtcTime,
}

/// The session of a browser. Its secret is what says whose it is, so there is no scope yet: the session gives one.
pub(super) fn find_by_secret(conn: &mut Connection, secret: &Sha256Hash) -> Result<Option<Session>, DbError> {
    let row = console_sessions::table
        .filter(console_sessions::secret_hash.eq(secret))
        .select(SessionRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// A session as it is now.
pub(super) fn find(
    conn: &mut Connection,
    scope: TenantScope,
    id: ConsoleSessionId,
) -> Result<Option<Session>, DbError> {
    let row = console_sessions::table
        .filter(console_sessions::tenant_id.eq(scope.tenant_id()).and(console_sessions::id.eq(id)))
        .select(SessionRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// Adds a session.
pub(super) fn insert(
    conn: &mut Connection,
    scope: TenantScope,
    secret: &Sha256Hash,
    session: &Session,
) -> Result<(), DbError> {
    let row = NewSession {
        id: session.id,
        tenant_id: scope.tenant_id(),
        secret_hash: secret,
        issuer: &session.issuer,
        subject: &session.subject,
        csrf_token: &session.csrf_token,
        tokens: &session.tokens,
        created_at: session.last_used_at,
        last_used_at: session.last_used_at,
        expires_at: session.expires_at,
    };
    diesel::insert_into(console_sessions::table).values(row).execute(conn)?;
    Ok(())
}

/// Gives a session other tokens, if it still has those that were seen. Says whether it had.
pub(super) fn replace_tokens(
    conn: &mut Connection,
    scope: TenantScope,
    seen: &Session,
    tokens: &str,
) -> Result<bool, DbError> {
    let row = console_sessions::table
        .filter(console_sessions::tenant_id.eq(scope.tenant_id()).and(console_sessions::id.eq(seen.id)))
        .filter(console_sessions::tokens.eq(&seen.tokens));
    Ok(diesel::update(row).set(console_sessions::tokens.eq(tokens)).execute(conn)? > 0)
}

/// Notes that a session was used.
pub(super) fn touch(
    conn: &mut Connection,
    scope: TenantScope,
    id: ConsoleSessionId,
    now: UtcTime,
) -> Result<(), DbError> {
    let row = console_sessions::table
        .filter(console_sessions::tenant_id.eq(scope.tenant_id()).and(console_sessions::id.eq(id)));
    diesel::update(row).set(console_sessions::last_used_at.eq(now)).execute(conn)?;
    Ok(())
}

/// Ends a session.
pub(super) fn delete(conn: &mut Connection, scope: TenantScope, id: ConsoleSessionId) -> Result<(), DbError> {
    let row = console_sessions::table
        .filter(console_sessions::tenant_id.eq(scope.tenant_id()).and(console_sessions::id.eq(id)));
    diesel::delete(row).execute(conn)?;
    Ok(())
}

/// Ends the session of a browser, whoever is signed in.
pub(super) fn delete_by_secret(conn: &mut Connection, secret: &Sha256Hash) -> Result<(), DbError> {
    diesel::delete(console_sessions::table.filter(console_sessions::secret_hash.eq(secret))).execute(conn)?;
    Ok(())
}

/// Deletes some of the sessions that are over, of all tenants. Called now and then, so that they do not pile up.
pub(super) fn prune(conn: &mut Connection, now: UtcTime) -> Result<(), DbError> {
    let over: Vec<ConsoleSessionId> = console_sessions::table
        .filter(console_sessions::expires_at.lt(now))
        .select(console_sessions::id)
        .order(console_sessions::expires_at.asc())
        .limit(PRUNED_AT_ONCE)
        .load(conn)?;
    if !over.is_empty() {
        diesel::delete(console_sessions::table.filter(console_sessions::id.eq_any(over))).execute(conn)?;
    }
    Ok(())
}

impl From<SessionRow> for Session {
    fn from(row: SessionRow) -> Self {
        Self {
            id: row.id,
            tenant_id: row.tenant_id,
            issuer: row.issuer,
            subject: row.subject,
            csrf_token: row.csrf_token,
            tokens: row.tokens,
            last_used_at: row.last_used_at,
            expires_at: row.expires_at,
        }
    }
}
