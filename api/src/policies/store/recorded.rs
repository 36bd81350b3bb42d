//! Decisions that were logged.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UtcTime;

use crate::schema::access_logs;

/// A decision with what was known then.
#[derive(Debug, Clone, Queryable)]
pub struct RecordedRow {
    /// Its id.
    pub id: String,
    /// The kind of resource.
    pub resource: String,
    /// What was to be done to it.
    pub action: String,
    /// The facts, as JSON.
    pub context: String,
    /// When it was made.
    pub created_at: UtcTime,
}

/// The last decisions of the tenant.
pub fn recorded_decisions(conn: &mut Connection, scope: TenantScope, limit: i64) -> Result<Vec<RecordedRow>, DbError> {
    let rows = access_logs::table
        .filter(access_logs::tenant_id.eq(scope.tenant_id()))
        .order((access_logs::created_at.desc(), access_logs::id.desc()))
        .limit(limit)
        .select((
            access_logs::id,
            access_logs::resource,
            access_logs::action,
            access_logs::context,
            access_logs::created_at,
        ))
        .load(conn)?;
    Ok(rows)
}
