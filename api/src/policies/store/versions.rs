//! The rows of versions.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{JsonText, PolicyId, TenantId, UtcTime};

use super::Stored;
use crate::policies::model::Contents;
use crate::schema::policy_versions;

/// What a policy said, from when, and who made it so.
#[derive(Debug, Clone, PartialEq)]
pub struct Version {
    /// Counted from 1.
    pub number: i64,
    /// What it said.
    pub contents: Contents,
    /// `user:<id>` or `client:<id>`.
    pub changed_by: String,
    /// When it was changed to this.
    pub created_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = policy_versions, treat_none_as_default_value = false)]
struct NewVersion<'a> {
    tenant_id: TenantId,
    policy_id: PolicyId,
    version: i64,
    document: JsonText<Contents>,
    changed_by: &'a str,
    created_at: UtcTime,
}

type Row = (i64, JsonText<Contents>, String, UtcTime);

fn version((number, document, changed_by, created_at): Row) -> Version {
    Version { number, contents: document.into_inner(), changed_by, created_at }
}

/// Keeps what a policy says now.
pub fn add_version(
    conn: &mut Connection,
    scope: TenantScope,
    policy: &Stored,
    changed_by: &str,
) -> Result<(), DbError> {
    let document =
        JsonText::new(policy.contents.clone()).map_err(|error| DbError::Invalid(format!("policy: {error}")))?;
    let row = NewVersion {
        tenant_id: scope.tenant_id(),
        policy_id: policy.id,
        version: policy.version,
        document,
        changed_by,
        created_at: policy.updated_at,
    };
    diesel::insert_into(policy_versions::table).values(row).execute(conn)?;
    Ok(())
}

/// Versions of a policy before one, the newest first.
pub fn list_versions(
    conn: &mut Connection,
    scope: TenantScope,
    id: PolicyId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Version>, DbError> {
    let mut query = policy_versions::table
        .filter(policy_versions::tenant_id.eq(scope.tenant_id()).and(policy_versions::policy_id.eq(id)))
        .order(policy_versions::version.desc())
        .limit(limit)
        .select((
            policy_versions::version,
            policy_versions::document,
            policy_versions::changed_by,
            policy_versions::created_at,
        ))
        .into_boxed();
    if let Some(before) = before {
        query = query.filter(policy_versions::version.lt(before));
    }
    Ok(query.load::<Row>(conn)?.into_iter().map(version).collect())
}

/// One version.
pub fn find_version(
    conn: &mut Connection,
    scope: TenantScope,
    id: PolicyId,
    number: i64,
) -> Result<Option<Version>, DbError> {
    let row: Option<Row> = policy_versions::table
        .filter(policy_versions::tenant_id.eq(scope.tenant_id()).and(policy_versions::policy_id.eq(id)))
        .filter(policy_versions::version.eq(number))
        .select((
            policy_versions::version,
            policy_versions::document,
            policy_versions::changed_by,
            policy_versions::created_at,
        ))
        .first(conn)
        .optional()?;
    Ok(row.map(version))
}
