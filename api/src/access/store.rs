//! The rows that say who may do what.

use std::collections::BTreeMap;

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamp};
use serde_json::{Value, json};
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{GroupId, JsonText, PolicyId, RoleId, TenantId, UserId, UtcTime};

use super::subject::SubjectRows;
use super::tenant::TenantRows;
use crate::schema::{
    group_members, group_roles, permissions, policies, policy_assignments, role_parents, role_permissions, roles,
    tenant_domains, tenant_modules, tenant_settings, tenants, user_groups, user_roles, users,
};

/// More roles, groups or policies than a tenant may make.
const MOST: i64 = 20_000;

/// A policy as it is kept.
#[derive(Debug, Clone, Queryable)]
pub(super) struct PolicyRow {
    pub(super) id: PolicyId,
    pub(super) name: String,
    pub(super) description: Option<String>,
    pub(super) target: JsonText<Value>,
    pub(super) rules: JsonText<Value>,
    pub(super) priority: i64,
}

impl PolicyRow {
    /// The policy as it was sent.
    pub(super) fn document(&self) -> Value {
        json!({
            "name": self.name,
            "description": self.description,
            "priority": self.priority,
            "target": *self.target,
            "rules": *self.rules,
        })
    }
}

/// What a tenant has said about access.
pub(super) fn load_tenant(conn: &mut Connection, scope: TenantScope) -> Result<TenantRows, DbError> {
    let tenant = scope.tenant_id();
    let status = tenants::table.filter(tenants::id.eq(tenant)).select(tenants::status).first(conn).optional()?;
    let limits = tenant_settings::table
        .filter(tenant_settings::tenant_id.eq(tenant))
        .select(tenant_settings::limits)
        .first::<JsonText<BTreeMap<String, Value>>>(conn)
        .optional()?;
    Ok(TenantRows {
        status,
        limits: limits.map(JsonText::into_inner).unwrap_or_default(),
        disabled: tenant_modules::table
            .filter(tenant_modules::tenant_id.eq(tenant).and(tenant_modules::is_enabled.eq(false)))
            .select(tenant_modules::module_name)
            .limit(MOST)
            .load(conn)?,
        roles: roles::table
            .filter(roles::tenant_id.eq(tenant))
            .select((roles::id, roles::name))
            .limit(MOST)
            .load(conn)?,
        permissions: role_permissions::table
            .filter(role_permissions::tenant_id.eq(tenant))
            .select((role_permissions::role_id, role_permissions::permission))
            .limit(MOST * 10)
            .load(conn)?,
        parents: role_parents::table
            .filter(role_parents::tenant_id.eq(tenant))
            .select((role_parents::role_id, role_parents::parent_id))
            .limit(MOST)
            .load(conn)?,
        groups: user_groups::table
            .filter(user_groups::tenant_id.eq(tenant))
            .select((user_groups::id, user_groups::name, user_groups::parent_id))
            .limit(MOST)
            .load(conn)?,
        group_roles: group_roles::table
            .filter(group_roles::tenant_id.eq(tenant))
            .select((group_roles::group_id, group_roles::role_id))
            .limit(MOST)
            .load(conn)?,
    })
}

/// The tenant that a host was verified to belong to.
pub(super) fn tenant_of_host(conn: &mut Connection, host: &str) -> Result<Option<TenantId>, DbError> {
    let found = tenant_domains::table
        .filter(tenant_domains::verified_domain.eq(host))
        .select(tenant_domains::tenant_id)
        .first(conn)
        .optional()?;
    Ok(found)
}

/// What a tenant's policies are, and of what they can speak.
#[derive(Debug, Clone, Default)]
pub(super) struct PolicyRows {
    /// Those that are switched on.
    pub(super) policies: Vec<PolicyRow>,
    /// To whom they are assigned: what kind, and its id.
    pub(super) assignments: Vec<(PolicyId, String, String)>,
    /// The permissions that the tenant has added: resource and action.
    pub(super) permissions: Vec<(String, String)>,
}

/// The policies of a tenant that are switched on, with what is needed to compile them.
pub(super) fn load_policies(conn: &mut Connection, scope: TenantScope) -> Result<PolicyRows, DbError> {
    let tenant = scope.tenant_id();
    let assignments = policy_assignments::table
        .filter(policy_assignments::tenant_id.eq(tenant))
        .select((policy_assignments::policy_id, policy_assignments::assignee_type, policy_assignments::assignee_id))
        .limit(MOST * 10)
        .load(conn)?;
    let permissions = permissions::table
        .filter(permissions::tenant_id.eq(tenant))
        .select((permissions::resource, permissions::action))
        .limit(MOST)
        .load(conn)?;
    let rows = policies::table
        .filter(policies::tenant_id.eq(scope.tenant_id()).and(policies::is_enabled.eq(true)))
        .select((
            policies::id,
            policies::name,
            policies::description,
            policies::target_json,
            policies::rules_json,
            policies::priority,
        ))
        .limit(MOST)
        .load(conn)?;
    Ok(PolicyRows { policies: rows, assignments, permissions })
}

/// Whether an active user of the tenant has one of these roles, for good, by themselves or by a group. Groups inside of
/// groups are not followed: whoever is to be left should be so in a plain way.
pub fn anybody_has(conn: &mut Connection, scope: TenantScope, roles: &[RoleId]) -> Result<bool, DbError> {
    let tenant = scope.tenant_id();
    let active = users::table.filter(users::tenant_id.eq(tenant).and(users::status.eq("active"))).select(users::id);
    let by_themselves = user_roles::table
        .filter(user_roles::tenant_id.eq(tenant).and(user_roles::role_id.eq_any(roles)))
        .filter(user_roles::expires_at.is_null())
        .filter(user_roles::user_id.eq_any(active));
    if diesel::select(exists(by_themselves)).get_result::<bool>(conn)? {
        return Ok(true);
    }
    let groups = group_roles::table
        .filter(group_roles::tenant_id.eq(tenant).and(group_roles::role_id.eq_any(roles)))
        .select(group_roles::group_id);
    let by_groups = group_members::table
        .filter(group_members::tenant_id.eq(tenant).and(group_members::group_id.eq_any(groups)))
        .filter(group_members::user_id.eq_any(active));
    Ok(diesel::select(exists(by_groups)).get_result::<bool>(conn)?)
}

#[derive(QueryableByName)]
struct Fact {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = Nullable<Timestamp>)]
    expires_at: Option<UtcTime>,
}

/// All that is known of a user's access, in one query.
pub(super) fn load_subject(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<SubjectRows, DbError> {
    let tenant = scope.tenant_id();
    let facts: Vec<Fact> = diesel::sql_query(
        "SELECT 'status' AS kind, status AS value, NULL AS expires_at FROM users WHERE tenant_id = ? AND id = ? \
         UNION ALL SELECT 'email', email, NULL FROM users WHERE tenant_id = ? AND id = ? AND email IS NOT NULL \
         UNION ALL SELECT 'verified', id, NULL FROM users WHERE tenant_id = ? AND id = ? AND email_verified \
         UNION ALL SELECT 'managed', id, NULL FROM users WHERE tenant_id = ? AND id = ? AND roles_managed \
         UNION ALL SELECT 'role', role_id, expires_at FROM user_roles WHERE tenant_id = ? AND user_id = ? \
         UNION ALL SELECT 'group', group_id, NULL FROM group_members WHERE tenant_id = ? AND user_id = ?",
    )
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(user)
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(user)
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(user)
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(user)
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(user)
    .bind::<Text, _>(tenant)
    .bind::<Text, _>(user)
    .load(conn)?;
    let mut rows = SubjectRows::default();
    let wrong = |error: tenantry_types::ParseError| DbError::Invalid(error.to_string());
    for fact in facts {
        match fact.kind.as_str() {
            "status" => rows.status = Some(fact.value),
            "email" => rows.email = Some(fact.value),
            "verified" => rows.is_email_verified = true,
            "managed" => rows.is_managed = true,
            "role" => rows.roles.push((fact.value.parse::<RoleId>().map_err(wrong)?, fact.expires_at)),
            _ => rows.groups.push(fact.value.parse::<GroupId>().map_err(wrong)?),
        }
    }
    Ok(rows)
}
