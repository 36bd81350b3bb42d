//! The rows of policies.

use diesel::dsl::sql;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{JsonText, PolicyId, TenantId, UtcTime};

use crate::access::policy::{Effect, Filter};
use crate::policies::model::{Contents, TargetNames};
use crate::schema::policies;

/// A policy with where it stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Stored {
    /// Its id.
    pub id: PolicyId,
    /// What it says.
    pub contents: Contents,
    /// How often it was changed, and one.
    pub version: i64,
    /// When it was made.
    pub created_at: UtcTime,
    /// When it was changed.
    pub updated_at: UtcTime,
}

#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = policies, treat_none_as_default_value = false)]
struct PolicyRow {
    id: PolicyId,
    tenant_id: TenantId,
    name: String,
    description: Option<String>,
    target_json: JsonText<TargetNames>,
    rules_json: JsonText<Value>,
    target_resource: String,
    target_action: String,
    effect: Effect,
    is_enabled: bool,
    priority: i64,
    version: i64,
    created_at: UtcTime,
    updated_at: UtcTime,
}

impl From<PolicyRow> for Stored {
    fn from(row: PolicyRow) -> Self {
        let contents = Contents {
            name: row.name,
            description: row.description,
            target: row.target_json.into_inner(),
            rules: row.rules_json.into_inner(),
            priority: row.priority,
            is_enabled: row.is_enabled,
        };
        Self { id: row.id, contents, version: row.version, created_at: row.created_at, updated_at: row.updated_at }
    }
}

impl Stored {
    fn row(&self, scope: TenantScope) -> Result<PolicyRow, DbError> {
        let invalid = |error: serde_json::Error| DbError::Invalid(format!("policy: {error}"));
        let Contents { name, description, target, rules, priority, is_enabled } = self.contents.clone();
        Ok(PolicyRow {
            id: self.id,
            tenant_id: scope.tenant_id(),
            name,
            description,
            target_resource: target.resource.clone(),
            target_action: target.action.clone(),
            effect: self.contents.effect(),
            target_json: JsonText::new(target).map_err(invalid)?,
            rules_json: JsonText::new(rules).map_err(invalid)?,
            is_enabled,
            priority,
            version: self.version,
            created_at: self.created_at,
            updated_at: self.updated_at,
        })
    }
}

/// Which policies are asked for: those that everything given here is true of.
#[derive(Debug, Clone, Default)]
pub struct PolicyFilter {
    /// With this in their name.
    pub name: Option<String>,
    /// About this kind of resource.
    pub resource: Option<String>,
    /// About this action.
    pub action: Option<String>,
    /// Of this effect.
    pub effect: Option<Effect>,
    /// Switched on, or not.
    pub is_enabled: Option<bool>,
}

/// Policies that the caller may see, after a name, in the order of their names.
pub fn list(
    conn: &mut Connection,
    scope: TenantScope,
    wanted: &PolicyFilter,
    visible: &Filter,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Stored>, DbError> {
    let mut query = policies::table
        .filter(policies::tenant_id.eq(scope.tenant_id()))
        .filter(visible.to_sql())
        .order(policies::name.asc())
        .limit(limit)
        .select(PolicyRow::as_select())
        .into_boxed();
    if let Some(name) = &wanted.name {
        // By bytes in both databases, and without the wildcards of LIKE.
        query = query.filter(sql::<Bool>("INSTR(policies.name, ").bind::<Text, _>(name).sql(") > 0"));
    }
    if let Some(resource) = &wanted.resource {
        query = query.filter(policies::target_resource.eq(resource));
    }
    if let Some(action) = &wanted.action {
        query = query.filter(policies::target_action.eq(action));
    }
    if let Some(effect) = wanted.effect {
        query = query.filter(policies::effect.eq(effect));
    }
    if let Some(is_enabled) = wanted.is_enabled {
        query = query.filter(policies::is_enabled.eq(is_enabled));
    }
    if let Some(after) = after {
        query = query.filter(policies::name.gt(after));
    }
    Ok(query.load(conn)?.into_iter().map(Into::into).collect())
}

/// The policies with these ids.
pub fn with_ids(conn: &mut Connection, scope: TenantScope, ids: &[String]) -> Result<Vec<Stored>, DbError> {
    let rows = policies::table
        .filter(policies::tenant_id.eq(scope.tenant_id()).and(policies::id.eq_any(ids)))
        .select(PolicyRow::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(Into::into).collect())
}

/// One policy.
pub fn find(conn: &mut Connection, scope: TenantScope, id: PolicyId) -> Result<Option<Stored>, DbError> {
    let row = policies::table
        .filter(policies::tenant_id.eq(scope.tenant_id()).and(policies::id.eq(id)))
        .select(PolicyRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// What all policies of the tenant are called but this one.
pub fn names_but(conn: &mut Connection, scope: TenantScope, id: PolicyId, most: i64) -> Result<Vec<String>, DbError> {
    let others = policies::table.filter(policies::tenant_id.eq(scope.tenant_id()).and(policies::id.ne(id)));
    Ok(others.select(policies::name).limit(most).load(conn)?)
}

/// How many policies the tenant has.
pub fn count(conn: &mut Connection, scope: TenantScope) -> Result<i64, DbError> {
    Ok(policies::table.filter(policies::tenant_id.eq(scope.tenant_id())).count().get_result(conn)?)
}

/// Adds a policy.
pub fn insert(conn: &mut Connection, scope: TenantScope, policy: &Stored) -> Result<(), DbError> {
    diesel::insert_into(policies::table).values(policy.row(scope)?).execute(conn)?;
    Ok(())
}

/// Makes a policy say something else.
pub fn update(conn: &mut Connection, scope: TenantScope, policy: &Stored) -> Result<(), DbError> {
    let row = policy.row(scope)?;
    diesel::update(policies::table.filter(policies::tenant_id.eq(row.tenant_id).and(policies::id.eq(row.id))))
        .set((
            policies::name.eq(row.name),
            policies::description.eq(row.description),
            policies::target_json.eq(row.target_json),
            policies::rules_json.eq(row.rules_json),
            policies::target_resource.eq(row.target_resource),
            policies::target_action.eq(row.target_action),
            policies::effect.eq(row.effect),
            policies::is_enabled.eq(row.is_enabled),
            policies::priority.eq(row.priority),
            policies::version.eq(row.version),
            policies::updated_at.eq(row.updated_at),
        ))
        .execute(conn)?;
    Ok(())
}

/// Removes a policy, with its versions and assignments.
pub fn delete(conn: &mut Connection, scope: TenantScope, id: PolicyId) -> Result<(), DbError> {
    diesel::delete(policies::table.filter(policies::tenant_id.eq(scope.tenant_id()).and(policies::id.eq(id))))
        .execute(conn)?;
    Ok(())
}
