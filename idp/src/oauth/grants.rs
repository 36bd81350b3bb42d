//! Grants: what a user gave a client at one time. All tokens that came of it live and die with it.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope};
use tenantry_types::{
    ClientRowId, GrantId, JsonText, ScopeSet, SessionId, Sha256Hash, TenantId, UserId, UtcTime, text_enum,
};

use super::refresh_token::ChainState;
use crate::schema::grants;
use crate::sessions::Authentication;

text_enum! {
    /// Why a grant ended before its time.
    pub enum Revocation {
        /// The code was presented twice (RFC 6749 §4.1.2).
        CodeReplayed = "code_replayed",
        /// A refresh token was presented after it had been rotated (RFC 9700 §4.14.2).
        RefreshReused = "refresh_reused",
        /// The user signed out.
        SignedOut = "signed_out",
        /// An administrator or a program for them ended it.
        Administrator = "administrator",
        /// The account may not sign in any more.
        AccountDisabled = "account_disabled",
        /// The tenant was switched off.
        TenantDisabled = "tenant_disabled",
    }
}

/// A grant as it is stored.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = grants, treat_none_as_default_value = false)]
pub struct GrantRow {
    /// What its tokens carry.
    pub id: GrantId,
    /// Whose.
    pub tenant_id: TenantId,
    /// To which client.
    pub client_id: ClientRowId,
    /// By whom.
    pub user_id: UserId,
    /// The session that it ends with; none with `offline_access`.
    pub session_id: Option<SessionId>,
    /// What was granted; a refresh may narrow a token, never this.
    pub scope: ScopeSet,
    /// How and when the user signed in.
    pub context: JsonText<Authentication>,
    /// The place of the newest refresh token in its chain.
    pub generation: i64,
    /// The digest of the newest refresh token's secret, if the client has one.
    pub refresh_hash: Option<Sha256Hash>,
    /// When the newest refresh token was made, if it is not the first.
    pub rotated_at: Option<UtcTime>,
    /// When it began.
    pub created_at: UtcTime,
    /// When it ends at the latest.
    pub expires_at: UtcTime,
    /// When it ended before its time.
    pub revoked_at: Option<UtcTime>,
    /// Why it did.
    pub revoked_because: Option<Revocation>,
}

impl GrantRow {
    /// What is known of its refresh tokens, if it has any.
    pub fn chain(&self) -> Option<ChainState> {
        Some(ChainState {
            generation: u32::try_from(self.generation).ok()?,
            hash: self.refresh_hash.clone()?,
            rotated_at: self.rotated_at,
        })
    }

    /// When it was used last, as far as its refresh tokens show.
    pub fn last_used(&self) -> UtcTime {
        self.rotated_at.unwrap_or(self.created_at)
    }
}

/// Stores a new grant.
pub fn insert(conn: &mut Connection, grant: GrantRow) -> Result<(), DbError> {
    diesel::insert_into(grants::table).values(grant).execute(conn)?;
    Ok(())
}

/// Reads a grant and keeps others from it until the transaction ends.
pub fn lock(conn: &mut Connection, scope: TenantScope, id: GrantId) -> Result<Option<GrantRow>, DbError> {
    Ok(grants::table
        .filter(grants::tenant_id.eq(scope.tenant_id()).and(grants::id.eq(id)))
        .select(GrantRow::as_select())
        .lock_rows()
        .get_result(conn)
        .optional()?)
}

/// Moves the chain of a grant on by one. The row must be locked.
pub fn advance(conn: &mut Connection, scope: TenantScope, id: GrantId, next: &ChainState) -> Result<(), DbError> {
    diesel::update(grants::table)
        .filter(grants::tenant_id.eq(scope.tenant_id()).and(grants::id.eq(id)))
        .set((
            grants::generation.eq(i64::from(next.generation)),
            grants::refresh_hash.eq(Some(&next.hash)),
            grants::rotated_at.eq(next.rotated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Ends a grant and with it everything that came of it.
pub fn revoke(
    conn: &mut Connection,
    scope: TenantScope,
    id: GrantId,
    now: UtcTime,
    because: Revocation,
) -> Result<bool, DbError> {
    let changed = diesel::update(grants::table)
        .filter(grants::tenant_id.eq(scope.tenant_id()).and(grants::id.eq(id)).and(grants::revoked_at.is_null()))
        .set((grants::revoked_at.eq(Some(now)), grants::revoked_because.eq(Some(because))))
        .execute(conn)?;
    Ok(changed > 0)
}

/// Ends the grants that live with a session.
pub fn revoke_of_session(
    conn: &mut Connection,
    scope: TenantScope,
    session: SessionId,
    now: UtcTime,
    because: Revocation,
) -> Result<usize, DbError> {
    Ok(diesel::update(grants::table)
        .filter(grants::tenant_id.eq(scope.tenant_id()).and(grants::session_id.eq(Some(session))))
        .filter(grants::revoked_at.is_null())
        .set((grants::revoked_at.eq(Some(now)), grants::revoked_because.eq(Some(because))))
        .execute(conn)?)
}

/// Ends the grants of a person at a tenant, or those of everybody there; how many had not ended before.
pub fn revoke_all(
    conn: &mut Connection,
    scope: TenantScope,
    user: Option<UserId>,
    now: UtcTime,
    because: Revocation,
) -> Result<usize, DbError> {
    let open = grants::table.filter(grants::tenant_id.eq(scope.tenant_id()).and(grants::revoked_at.is_null()));
    let ended = (grants::revoked_at.eq(Some(now)), grants::revoked_because.eq(Some(because)));
    Ok(match user {
        Some(user) => diesel::update(open.filter(grants::user_id.eq(user))).set(ended).execute(conn)?,
        None => diesel::update(open).set(ended).execute(conn)?,
    })
}

/// Ends the grants that these people, who live in the tenant, have made at these others; how many had not ended before.
pub fn revoke_elsewhere(
    conn: &mut Connection,
    home: TenantScope,
    users: &[UserId],
    at: &[TenantId],
    now: UtcTime,
    because: Revocation,
) -> Result<usize, DbError> {
    let open = grants::table
        .filter(grants::tenant_id.ne(home.tenant_id()).and(grants::tenant_id.eq_any(at)))
        .filter(grants::user_id.eq_any(users).and(grants::revoked_at.is_null()));
    let ended = (grants::revoked_at.eq(Some(now)), grants::revoked_because.eq(Some(because)));
    Ok(diesel::update(open).set(ended).execute(conn)?)
}

/// Whether the tokens of a grant are still good.
pub fn is_alive(conn: &mut Connection, scope: TenantScope, id: GrantId) -> Result<bool, DbError> {
    let alive = grants::table
        .filter(grants::tenant_id.eq(scope.tenant_id()).and(grants::id.eq(id)).and(grants::revoked_at.is_null()))
        .select(grants::id)
        .first::<GrantId>(conn)
        .optional()?;
    Ok(alive.is_some())
}
