//! The rows of assignments.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, each};
use tenantry_types::{PolicyAssignmentId, PolicyId, TenantId, UtcTime};

use crate::policies::model::{Assignee, AssigneeType};
use crate::schema::{policy_assignments, roles, user_groups, users};

/// That a policy is for somebody.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct Assignment {
    /// Its id.
    pub id: PolicyAssignmentId,
    /// What kind of assignee.
    pub assignee_type: AssigneeType,
    /// The id of the user, role or group.
    pub assignee_id: String,
    /// Since when.
    pub created_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = policy_assignments, treat_none_as_default_value = false)]
struct NewAssignment<'a> {
    id: PolicyAssignmentId,
    tenant_id: TenantId,
    policy_id: PolicyId,
    assignee_type: AssigneeType,
    assignee_id: &'a str,
    created_at: UtcTime,
}

/// Assignments of a policy after one, in the order in which they were made.
pub fn list_assignments(
    conn: &mut Connection,
    scope: TenantScope,
    policy: PolicyId,
    after: Option<PolicyAssignmentId>,
    limit: i64,
) -> Result<Vec<Assignment>, DbError> {
    let mut query = policy_assignments::table
        .filter(policy_assignments::tenant_id.eq(scope.tenant_id()).and(policy_assignments::policy_id.eq(policy)))
        .order(policy_assignments::id.asc())
        .limit(limit)
        .select((
            policy_assignments::id,
            policy_assignments::assignee_type,
            policy_assignments::assignee_id,
            policy_assignments::created_at,
        ))
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(policy_assignments::id.gt(after));
    }
    Ok(query.load(conn)?)
}

/// One assignment.
pub fn find_assignment(
    conn: &mut Connection,
    scope: TenantScope,
    policy: PolicyId,
    id: PolicyAssignmentId,
) -> Result<Option<Assignment>, DbError> {
    let row = policy_assignments::table
        .filter(policy_assignments::tenant_id.eq(scope.tenant_id()).and(policy_assignments::policy_id.eq(policy)))
        .filter(policy_assignments::id.eq(id))
        .select((
            policy_assignments::id,
            policy_assignments::assignee_type,
            policy_assignments::assignee_id,
            policy_assignments::created_at,
        ))
        .first(conn)
        .optional()?;
    Ok(row)
}

/// How many assignments the tenant has.
pub fn count_assignments(conn: &mut Connection, scope: TenantScope) -> Result<i64, DbError> {
    let rows = policy_assignments::table.filter(policy_assignments::tenant_id.eq(scope.tenant_id()));
    Ok(rows.count().get_result(conn)?)
}

/// Adds assignments, all of them together.
pub fn insert_assignments(
    conn: &mut Connection,
    scope: TenantScope,
    policy: PolicyId,
    new: &[Assignment],
) -> Result<(), DbError> {
    let rows: Vec<NewAssignment<'_>> = new
        .iter()
        .map(|new| NewAssignment {
            id: new.id,
            tenant_id: scope.tenant_id(),
            policy_id: policy,
            assignee_type: new.assignee_type,
            assignee_id: &new.assignee_id,
            created_at: new.created_at,
        })
        .collect();
    if !rows.is_empty() {
        each!(conn, c => diesel::insert_into(policy_assignments::table).values(&rows).execute(c))?;
    }
    Ok(())
}

/// Adds an assignment.
pub fn insert_assignment(
    conn: &mut Connection,
    scope: TenantScope,
    policy: PolicyId,
    new: &Assignment,
) -> Result<(), DbError> {
    let row = NewAssignment {
        id: new.id,
        tenant_id: scope.tenant_id(),
        policy_id: policy,
        assignee_type: new.assignee_type,
        assignee_id: &new.assignee_id,
        created_at: new.created_at,
    };
    diesel::insert_into(policy_assignments::table).values(row).execute(conn)?;
    Ok(())
}

/// Removes an assignment.
pub fn remove_assignment(conn: &mut Connection, scope: TenantScope, id: PolicyAssignmentId) -> Result<(), DbError> {
    let row = policy_assignments::table
        .filter(policy_assignments::tenant_id.eq(scope.tenant_id()).and(policy_assignments::id.eq(id)));
    diesel::delete(row).execute(conn)?;
    Ok(())
}

/// The places of those assignees that the tenant does not have.
pub fn missing(conn: &mut Connection, scope: TenantScope, wanted: &[Assignee]) -> Result<Vec<usize>, DbError> {
    let tenant = scope.tenant_id();
    let of = |kind: AssigneeType| wanted.iter().filter(move |one| one.kind == kind).map(|one| one.id.as_str());
    let users: Vec<String> = users::table
        .filter(users::tenant_id.eq(tenant).and(users::id.eq_any(of(AssigneeType::User))))
        .select(users::id)
        .load(conn)?;
    let roles: Vec<String> = roles::table
        .filter(roles::tenant_id.eq(tenant).and(roles::id.eq_any(of(AssigneeType::Role))))
        .select(roles::id)
        .load(conn)?;
    let groups: Vec<String> = user_groups::table
        .filter(user_groups::tenant_id.eq(tenant).and(user_groups::id.eq_any(of(AssigneeType::Group))))
        .select(user_groups::id)
        .load(conn)?;
    let is_missing = |one: &Assignee| {
        let known = match one.kind {
            AssigneeType::User => &users,
            AssigneeType::Role => &roles,
            AssigneeType::Group => &groups,
        };
        !known.contains(&one.id)
    };
    Ok(wanted.iter().enumerate().filter(|(_, one)| is_missing(one)).map(|(at, _)| at).collect())
}
