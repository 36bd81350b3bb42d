//! Ending what somebody is signed in to.

use serde_json::{Value, json};
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{SessionId, UserId};

use super::elsewhere::end_access_elsewhere;
use crate::audit::Author;
use crate::events::{self, Event};
use crate::oauth::grants::Revocation;
use crate::oauth::{codes, grants};
use crate::sessions;

/// Ends the sessions, the grants and the unused codes of a person at a tenant, or of everybody there. Access tokens that
/// are out stay good at resource servers until they expire, or until these hear of it.
pub fn end_access(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: Option<UserId>,
    because: Revocation,
) -> Result<(usize, usize), DbError> {
    let now = author.now();
    let sessions = sessions::store::end_all(conn, scope, user, now)?;
    let grants = grants::revoke_all(conn, scope, user, now, because)?;
    codes::take_back(conn, scope, user)?;
    Ok((sessions, grants))
}

/// Ends one session, with its grants and its unused codes; whether it had not ended before. To be called with the tenant's
/// row locked, which the event needs: whoever locks it first waits for nobody with less.
pub fn end_session(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    session: SessionId,
    because: Revocation,
) -> Result<bool, DbError> {
    let now = author.now();
    let Some(user) = sessions::store::end(conn, scope, session, now)? else { return Ok(false) };
    let grants = grants::revoke_of_session(conn, scope, session, now, because)?;
    codes::take_back_of_session(conn, scope, session)?;
    let detail = json!({ "user": user, "grants_revoked": grants });
    author.record(conn, scope, "session.end", format!("session:{session}"), detail)?;
    events::store::record(conn, scope, author, &Event::session_revoked(user, Some(session), now))?;
    Ok(true)
}

/// Signs a person out of a tenant everywhere. It is told even where nothing was open, because access tokens may be out.
pub fn revoke_sessions(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: UserId,
) -> Result<(), DbError> {
    let (sessions, grants) = end_access(conn, scope, author, Some(user), Revocation::Administrator)?;
    let detail = json!({ "sessions": sessions, "grants": grants });
    author.record(conn, scope, "user.revoke_sessions", format!("user:{user}"), detail)?;
    events::store::record(conn, scope, author, &Event::session_revoked(user, None, author.now()))?;
    Ok(())
}

/// Signs somebody who lives in the tenant out of it, and of those that they are a member of: what they are signed in to
/// anywhere hangs on their account. Gives what ended, for the audit trail.
pub(super) fn sign_out_everywhere(
    conn: &mut Connection,
    home: TenantScope,
    author: &Author,
    user: UserId,
    because: Revocation,
) -> Result<Value, DbError> {
    let (sessions, grants) = end_access(conn, home, author, Some(user), because)?;
    events::store::record(conn, home, author, &Event::session_revoked(user, None, author.now()))?;
    let elsewhere = end_access_elsewhere(conn, home, author, Some(user), because)?;
    Ok(json!({ "sessions": sessions + elsewhere.0, "grants": grants + elsewhere.1 }))
}
