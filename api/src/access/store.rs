//! The rows that say who may do what.

use std::collections::{BTreeMap, HashMap};

use diesel::dsl::exists;
use diesel::prelude::*;
use diesel::sql_types::{Nullable, Text, Timestamp};
use serde_json::{Value, json};
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{GroupId, JsonText, PolicyId, RoleId, TenantId, UserId, UtcTime};

use super::subject::SubjectRows;
use super::tenant::TenantRows;
use crate::authn::TenantStatus;
use crate::schema::{
    account_doubts, group_members, group_roles, permissions, policies, policy_assignments, role_parents,
    role_permissions, roles, tenant_domains, tenant_modules, tenant_settings, tenants, user_groups, user_roles, users,
};

/// More roles, groups or policies than a tenant may make.
const MOST: i64 = 20_000;

/// More documents than this are not asked for one by one.
const MANY: usize = 500;

/// How often a policy was changed, and when it was last.
pub(super) type PolicyVersion = (i64, UtcTime);

/// A policy as it is kept.
#[derive(Debug, Clone, Queryable)]
pub(super) struct PolicyRow {
    pub(super) id: PolicyId,
    pub(super) name: String,
    description: Option<String>,
    target: JsonText<Value>,
    rules: JsonText<Value>,
    priority: i64,
    version: i64,
    updated_at: UtcTime,
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

    /// Which version of it this is.
    pub(super) const fn version(&self) -> PolicyVersion {
        (self.version, self.updated_at)
    }
}

/// Counts the changes of what a tenant has said about access; `None` for a tenant that has no row.
pub(super) fn generation(conn: &mut Connection, scope: TenantScope) -> Result<Option<i64>, DbError> {
    let row = tenants::table.filter(tenants::id.eq(scope.tenant_id())).select(tenants::access_generation);
    Ok(row.first(conn).optional()?)
}

/// Whether a tenant is in use; `None` for a tenant that has no row.
pub(super) fn status(conn: &mut Connection, scope: TenantScope) -> Result<Option<TenantStatus>, DbError> {
    let row = tenants::table.filter(tenants::id.eq(scope.tenant_id())).select(tenants::status);
    Ok(row.first(conn).optional()?)
}

/// What a tenant has said about access.
pub(super) fn load_tenant(conn: &mut Connection, scope: TenantScope) -> Result<TenantRows, DbError> {
    let tenant = scope.tenant_id();
    // Before everything else: what is committed after this look makes it another.
    let row = tenants::table.filter(tenants::id.eq(tenant)).select((tenants::status, tenants::access_generation));
    let row: Option<(TenantStatus, i64)> = row.first(conn).optional()?;
    let limits = tenant_settings::table
        .filter(tenant_settings::tenant_id.eq(tenant))
        .select(tenant_settings::limits)
        .first::<JsonText<BTreeMap<String, Value>>>(conn)
        .optional()?;
    Ok(TenantRows {
        status: row.map(|(status, _)| status),
        generation: row.map(|(_, generation)| generation),
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
    pub(super) versions: Vec<(PolicyId, PolicyVersion)>,
    /// What was asked for of these.
    pub(super) documents: Vec<PolicyRow>,
    /// To whom they are assigned: what kind, and its id.
    pub(super) assignments: Vec<(PolicyId, String, String)>,
    /// The permissions that the tenant has added: resource and action.
    pub(super) permissions: Vec<(String, String)>,
}

/// Which policies of a tenant are switched on.
pub(super) fn policy_versions(
    conn: &mut Connection,
    scope: TenantScope,
) -> Result<Vec<(PolicyId, PolicyVersion)>, DbError> {
    let rows = policies::table
        .filter(policies::tenant_id.eq(scope.tenant_id()).and(policies::is_enabled.eq(true)))
        .select((policies::id, (policies::version, policies::updated_at)))
        .limit(MOST)
        .load(conn)?;
    Ok(rows)
}

/// What these say, of those that are switched on; where they are many, what all of them say.
pub(super) fn load_policies(
    conn: &mut Connection,
    scope: TenantScope,
    ids: &[PolicyId],
) -> Result<Vec<PolicyRow>, DbError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut query = policies::table
        .filter(policies::tenant_id.eq(scope.tenant_id()).and(policies::is_enabled.eq(true)))
        .select((
            policies::id,
            policies::name,
            policies::description,
            policies::target_json,
            policies::rules_json,
            policies::priority,
            policies::version,
            policies::updated_at,
        ))
        .limit(MOST)
        .into_boxed();
    if ids.len() <= MANY {
        query = query.filter(policies::id.eq_any(ids.to_vec()));
    }
    Ok(query.load(conn)?)
}

/// To whom the policies of a tenant are assigned.
pub(super) fn load_policy_assignments(
    conn: &mut Connection,
    scope: TenantScope,
) -> Result<Vec<(PolicyId, String, String)>, DbError> {
    let rows = policy_assignments::table
        .filter(policy_assignments::tenant_id.eq(scope.tenant_id()))
        .order(policy_assignments::id.asc())
        .select((policy_assignments::policy_id, policy_assignments::assignee_type, policy_assignments::assignee_id))
        .limit(MOST * 10)
        .load(conn)?;
    Ok(rows)
}

/// The permissions that a tenant has added, in order.
pub(super) fn load_permissions(conn: &mut Connection, scope: TenantScope) -> Result<Vec<(String, String)>, DbError> {
    let rows = permissions::table
        .filter(permissions::tenant_id.eq(scope.tenant_id()))
        .order((permissions::resource.asc(), permissions::action.asc()))
        .select((permissions::resource, permissions::action))
        .limit(MOST)
        .load(conn)?;
    Ok(rows)
}

/// Whether an active user of the tenant has one of these roles, for good, by themselves or by a group. Groups inside of
/// groups are not followed: whoever is to be left should be so in a plain way.
pub fn anybody_has(conn: &mut Connection, scope: TenantScope, roles: &[RoleId]) -> Result<bool, DbError> {
    let tenant = scope.tenant_id();
    let leaving = || {
        account_doubts::table
            .filter(account_doubts::tenant_id.eq(tenant).and(account_doubts::may_end.eq(true)))
            .select(account_doubts::user_id)
    };
    // Nor does anybody count who is being removed or switched off.
    let active = || {
        users::table
            .filter(users::tenant_id.eq(tenant).and(users::status.eq("active")))
            .filter(users::id.ne_all(leaving()))
            .select(users::id)
    };
    let by_themselves = user_roles::table
        .filter(user_roles::tenant_id.eq(tenant).and(user_roles::role_id.eq_any(roles)))
        .filter(user_roles::expires_at.is_null())
        .filter(user_roles::user_id.eq_any(active()));
    if diesel::select(exists(by_themselves)).get_result::<bool>(conn)? {
        return Ok(true);
    }
    let groups = group_roles::table
        .filter(group_roles::tenant_id.eq(tenant).and(group_roles::role_id.eq_any(roles)))
        .select(group_roles::group_id);
    let by_groups = group_members::table
        .filter(group_members::tenant_id.eq(tenant).and(group_members::group_id.eq_any(groups)))
        .filter(group_members::user_id.eq_any(active()));
    Ok(diesel::select(exists(by_groups)).get_result::<bool>(conn)?)
}

/// The same of several people, in a query for each kind of rows. Nothing of somebody who was never seen.
pub(super) fn load_subjects(
    conn: &mut Connection,
    scope: TenantScope,
    people: &[UserId],
) -> Result<HashMap<UserId, SubjectRows>, DbError> {
    let tenant = scope.tenant_id();
    let known: Vec<(UserId, String, Option<String>, bool, bool)> = users::table
        .filter(users::tenant_id.eq(tenant).and(users::id.eq_any(people)))
        .select((users::id, users::status, users::email, users::email_verified, users::roles_managed))
        .limit(MOST)
        .load(conn)?;
    let roles: Vec<(UserId, RoleId, Option<UtcTime>)> = user_roles::table
        .filter(user_roles::tenant_id.eq(tenant).and(user_roles::user_id.eq_any(people)))
        .select((user_roles::user_id, user_roles::role_id, user_roles::expires_at))
        .limit(MOST * 10)
        .load(conn)?;
    let groups: Vec<(UserId, GroupId)> = group_members::table
        .filter(group_members::tenant_id.eq(tenant).and(group_members::user_id.eq_any(people)))
        .select((group_members::user_id, group_members::group_id))
        .limit(MOST * 10)
        .load(conn)?;
    let mut rows: HashMap<UserId, SubjectRows> = HashMap::with_capacity(known.len());
    for (id, status, email, is_email_verified, is_managed) in known {
        let of = SubjectRows { status: Some(status), email, is_email_verified, is_managed, ..SubjectRows::default() };
        rows.insert(id, of);
    }
    for (user, role, until) in roles {
        rows.entry(user).or_default().roles.push((role, until));
    }
    for (user, group) in groups {
        rows.entry(user).or_default().groups.push(group);
    }
    Ok(rows)
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
         UNION ALL SELECT 'withheld', id, NULL FROM users WHERE tenant_id = ? AND id = ? AND is_withheld \
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
            "withheld" => rows.is_withheld = true,
            "role" => rows.roles.push((fact.value.parse::<RoleId>().map_err(wrong)?, fact.expires_at)),
            _ => rows.groups.push(fact.value.parse::<GroupId>().map_err(wrong)?),
        }
    }
    Ok(rows)
}
