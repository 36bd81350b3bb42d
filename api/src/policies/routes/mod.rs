//! `/api/v1/policies`.

pub mod analysis;
pub mod assignments;
pub mod policies;
pub mod versions;

use serde::Serialize;
use tenantry_types::{PolicyId, TenantId, UtcTime};
use utoipa::ToSchema;

use super::kind::KIND;
use super::model::Contents;
use super::store::Stored;
use crate::access::{Access, Permission, Routes};
use crate::decisions::EXPLAIN;
use crate::input::EntityTag;

/// To see policies.
pub const READ: Permission = Permission::new("policy.read");
/// To make one.
pub const CREATE: Permission = Permission::new("policy.create");
/// To change one, to switch it on and off, and to go back to an earlier version.
pub const UPDATE: Permission = Permission::new("policy.update");
/// To remove one.
pub const DELETE: Permission = Permission::new("policy.delete");
/// To say whom one is for.
pub const ASSIGN: Permission = Permission::new("policy.assign");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const PATH: &str = "/api/v1/policies";
    const ONE: &str = "/api/v1/policies/{policy_id}";
    const ASSIGNMENTS: &str = "/api/v1/policies/{policy_id}/assignments";
    const ASSIGNMENT: &str = "/api/v1/policies/{policy_id}/assignments/{assignment_id}";
    routes
        .describe(KIND)
        .get(PATH, Access::Some(READ), policies::list)
        .post(PATH, Access::Some(CREATE), policies::create)
        .get("/api/v1/policies/attributes", Access::Some(READ), analysis::attributes)
        .post("/api/v1/policies/check", Access::Some(READ), analysis::check)
        .post("/api/v1/policies/simulate", Access::Permission(EXPLAIN), analysis::simulate)
        .get(ONE, Access::Some(READ), policies::show)
        .get("/api/v1/policies/{policy_id}/analysis", Access::Some(READ), analysis::analysis)
        .put(ONE, Access::Some(UPDATE), policies::replace)
        .patch(ONE, Access::Some(UPDATE), policies::update)
        .delete(ONE, Access::Some(DELETE), policies::delete)
        .post("/api/v1/policies/{policy_id}/enable", Access::Some(UPDATE), policies::enable)
        .post("/api/v1/policies/{policy_id}/disable", Access::Some(UPDATE), policies::disable)
        .get("/api/v1/policies/{policy_id}/versions", Access::Some(READ), versions::list)
        .get("/api/v1/policies/{policy_id}/versions/{version}", Access::Some(READ), versions::show)
        .post("/api/v1/policies/{policy_id}/rollback", Access::Some(UPDATE), versions::roll_back)
        .get(ASSIGNMENTS, Access::Some(READ), assignments::list)
        .post(ASSIGNMENTS, Access::Some(ASSIGN), assignments::assign)
        .delete(ASSIGNMENT, Access::Some(ASSIGN), assignments::unassign);
}

/// A policy on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Policy)]
pub(crate) struct PolicyView<'a> {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    id: PolicyId,
    /// What it says.
    #[serde(flatten)]
    contents: &'a Contents,
    /// How often it was changed, and one.
    version: i64,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    created_at: UtcTime,
    /// When it was changed.
    #[schema(value_type = String, format = DateTime)]
    updated_at: UtcTime,
}

/// A policy as it is shown.
pub(super) fn view(policy: &Stored) -> PolicyView<'_> {
    PolicyView {
        id: policy.id,
        contents: &policy.contents,
        version: policy.version,
        created_at: policy.created_at,
        updated_at: policy.updated_at,
    }
}

fn tag(tenant: TenantId, policy: &Stored) -> EntityTag {
    EntityTag::of(tenant, policy.id, policy.version)
}
