//! Authorization codes: stored by their digest, good once, for a minute.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope};
use tenantry_types::{ClientRowId, GrantId, JsonText, ScopeSet, SessionId, Sha256Hash, TenantId, UserId, UtcTime};

use crate::schema::authorization_codes;
use crate::sessions::Authentication;

/// What a code stands for.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = authorization_codes, treat_none_as_default_value = false)]
pub struct CodeRow {
    /// The digest of the code.
    pub code_hash: Sha256Hash,
    /// Whose.
    pub tenant_id: TenantId,
    /// To which client it was given.
    pub client_id: ClientRowId,
    /// Who allowed it.
    pub user_id: UserId,
    /// In which session.
    pub session_id: SessionId,
    /// Where it was sent, as the client wrote it.
    pub redirect_uri: String,
    /// What was allowed.
    pub scope: ScopeSet,
    /// The `nonce` of the request.
    pub nonce: Option<String>,
    /// The private extensions of the grant (PKCE), by name.
    pub extensions: JsonText<std::collections::BTreeMap<String, String>>,
    /// How and when the user signed in.
    pub context: JsonText<Authentication>,
    /// When it was made.
    pub created_at: UtcTime,
    /// Until when it is good.
    pub expires_at: UtcTime,
    /// When it was used.
    pub used_at: Option<UtcTime>,
    /// What the first use gave.
    pub grant_id: Option<GrantId>,
}

/// Stores a new code.
pub fn insert(conn: &mut Connection, code: CodeRow) -> Result<(), DbError> {
    diesel::insert_into(authorization_codes::table).values(code).execute(conn)?;
    Ok(())
}

/// Reads a code and keeps others from it until the transaction ends.
pub fn lock(conn: &mut Connection, scope: TenantScope, hash: &Sha256Hash) -> Result<Option<CodeRow>, DbError> {
    Ok(authorization_codes::table
        .filter(authorization_codes::tenant_id.eq(scope.tenant_id()).and(authorization_codes::code_hash.eq(hash)))
        .select(CodeRow::as_select())
        .lock_rows()
        .get_result(conn)
        .optional()?)
}

/// Marks a code as used, and what it gave.
pub fn mark_used(
    conn: &mut Connection,
    scope: TenantScope,
    hash: &Sha256Hash,
    now: UtcTime,
    grant: Option<GrantId>,
) -> Result<(), DbError> {
    diesel::update(authorization_codes::table)
        .filter(authorization_codes::tenant_id.eq(scope.tenant_id()).and(authorization_codes::code_hash.eq(hash)))
        .set((authorization_codes::used_at.eq(Some(now)), authorization_codes::grant_id.eq(grant)))
        .execute(conn)?;
    Ok(())
}

/// Takes back the codes of a person at a tenant, or those of everybody there, that nobody has used yet. Used ones stay, so
/// that a replay is seen.
pub fn take_back(conn: &mut Connection, scope: TenantScope, user: Option<UserId>) -> Result<usize, DbError> {
    let open = authorization_codes::table
        .filter(authorization_codes::tenant_id.eq(scope.tenant_id()).and(authorization_codes::used_at.is_null()));
    Ok(match user {
        Some(user) => diesel::delete(open.filter(authorization_codes::user_id.eq(user))).execute(conn)?,
        None => diesel::delete(open).execute(conn)?,
    })
}

/// The same with the codes that these people, who live in the tenant, were given at these others.
pub fn take_back_elsewhere(
    conn: &mut Connection,
    home: TenantScope,
    users: &[UserId],
    at: &[TenantId],
) -> Result<usize, DbError> {
    let open = authorization_codes::table
        .filter(authorization_codes::tenant_id.ne(home.tenant_id()).and(authorization_codes::tenant_id.eq_any(at)))
        .filter(authorization_codes::user_id.eq_any(users).and(authorization_codes::used_at.is_null()));
    Ok(diesel::delete(open).execute(conn)?)
}

/// The same with the codes of one session.
pub fn take_back_of_session(conn: &mut Connection, scope: TenantScope, session: SessionId) -> Result<usize, DbError> {
    Ok(diesel::delete(authorization_codes::table)
        .filter(authorization_codes::tenant_id.eq(scope.tenant_id()).and(authorization_codes::session_id.eq(session)))
        .filter(authorization_codes::used_at.is_null())
        .execute(conn)?)
}
