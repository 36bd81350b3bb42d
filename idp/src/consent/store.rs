//! Queries on consents.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{ClientRowId, ScopeSet, TenantId, UserId, UtcTime};

use crate::schema::consents;

/// What a user has allowed a client, and when last.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = consents)]
pub struct Consent {
    /// What was allowed.
    pub scope: ScopeSet,
    /// When last.
    pub granted_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = consents, treat_none_as_default_value = false)]
struct NewConsent<'a> {
    tenant_id: TenantId,
    user_id: UserId,
    client_id: ClientRowId,
    scope: &'a ScopeSet,
    granted_at: UtcTime,
}

/// What a user has allowed a client.
pub fn find(
    conn: &mut Connection,
    scope: TenantScope,
    user: UserId,
    client: ClientRowId,
) -> Result<Option<Consent>, DbError> {
    Ok(consents::table
        .filter(consents::tenant_id.eq(scope.tenant_id()))
        .filter(consents::user_id.eq(user).and(consents::client_id.eq(client)))
        .select(Consent::as_select())
        .first(conn)
        .optional()?)
}

/// Adds to what a user has allowed a client.
pub fn grant(
    conn: &mut Connection,
    scope: TenantScope,
    user: UserId,
    client: ClientRowId,
    allowed: &ScopeSet,
    now: UtcTime,
) -> Result<(), DbError> {
    match find(conn, scope, user, client)? {
        Some(before) => {
            let together = before.scope.union(allowed);
            diesel::update(consents::table)
                .filter(consents::tenant_id.eq(scope.tenant_id()))
                .filter(consents::user_id.eq(user).and(consents::client_id.eq(client)))
                .set((consents::scope.eq(&together), consents::granted_at.eq(now)))
                .execute(conn)?;
        }
        None => {
            let row = NewConsent {
                tenant_id: scope.tenant_id(),
                user_id: user,
                client_id: client,
                scope: allowed,
                granted_at: now,
            };
            diesel::insert_into(consents::table).values(row).execute(conn)?;
        }
    }
    Ok(())
}
