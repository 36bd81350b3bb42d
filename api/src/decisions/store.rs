//! The people whom a question may be about.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UserId;

use crate::schema::users;

/// The active people of the tenant after one, in the order of their ids.
pub fn people(
    conn: &mut Connection,
    scope: TenantScope,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<UserId>, DbError> {
    let mut query = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::status.eq("active")))
        .order(users::id.asc())
        .select(users::id)
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(users::id.gt(after));
    }
    Ok(query.load(conn)?)
}
