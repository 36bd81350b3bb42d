//! Whom policies are for.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use tenantry_types::{Envelope, Id, PolicyAssignmentId, PolicyId, UtcTime};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::policies::read;
use crate::access::Authority;
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{Errors, Object};
use crate::policies::model::{Assignee, AssigneeType};
use crate::policies::store::{self, Assignment};
use crate::policies::{PolicyError, assign};
use crate::state::Api;

/// To how many a policy is assigned at most as it is made.
const MOST_AT_ONCE: usize = 100;

/// An assignment on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyAssignment)]
pub(crate) struct AssignmentView {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    id: PolicyAssignmentId,
    /// `user`, `role` or `group`.
    #[schema(example = "role")]
    assignee_type: &'static str,
    /// The id of the user, role or group.
    #[schema(format = Uuid)]
    assignee_id: String,
    /// Since when.
    #[schema(value_type = String, format = DateTime)]
    created_at: UtcTime,
}

fn view(assignment: Assignment) -> AssignmentView {
    AssignmentView {
        id: assignment.id,
        assignee_type: assignment.assignee_type.as_str(),
        assignee_id: assignment.assignee_id,
        created_at: assignment.created_at,
    }
}

/// Lists whom a policy is for
///
/// A policy without assignments is for everyone.
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy_id}/assignments",
    tag = "Policies",
    operation_id = "list_policy_assignments",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("limit" = Option<u32>, Query, description = "How many on a page", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses(
        (status = 200, description = "The assignments", body = inline(Envelope<Vec<AssignmentView>>),
            example = json!({"status": "success", "page": {"limit": 50}, "data": [
            {"id": "0190b2c4-0000-7000-8000-000000000006", "assignee_type": "role",
             "assignee_id": "0190b2c4-0000-7000-8000-000000000003", "created_at": "2026-01-31T09:30:00Z"}]})),
        (status = 404, description = "The tenant has no such policy"),
    )
)]
pub(crate) async fn list(
    request: HttpRequest,
    authority: Authority,
    id: Path<PolicyId>,
    api: Data<Api>,
) -> Result<HttpResponse, PolicyError> {
    let policy = read(&api, &authority, id.into_inner()).await?;
    let principal = authority.principal();
    let query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let page = query.page::<PolicyAssignmentId>().map_err(PolicyError::Invalid)?;
    let (scope, after, limit) = (principal.scope(), page.after(), page.rows_to_fetch());
    let found = api.db.read(move |conn| store::list_assignments(conn, scope, policy.id, after, limit)).await?;
    Ok(page.answer(found, |assignment| assignment.id, view))
}

/// Assigns a policy
///
/// To a user, a role or a group of the tenant. With its first assignment a policy is not for everyone any more.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy_id}/assignments",
    tag = "Policies",
    operation_id = "assign_policy",
    params(("policy_id" = String, Path, description = "Its id", format = Uuid)),
    request_body(content = Value, example = json!({
        "assignee_type": "role", "assignee_id": "0190b2c4-0000-7000-8000-000000000003"})),
    responses(
        (status = 201, description = "The assignment", body = inline(Envelope<AssignmentView>)),
        (status = 404, description = "The tenant has no such policy"),
        (status = 409, description = "It is assigned to them already, or nobody could undo it"),
    )
)]
pub(crate) async fn assign(
    change: Change,
    authority: Authority,
    id: Path<PolicyId>,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, PolicyError> {
    let id = id.into_inner();
    let assignee = parse(body.0.clone())?;
    let work = move |work: &mut Work<'_>| {
        let assignment = assign::assign(work, &authority, id, &assignee)?;
        let location = format!("/api/v1/policies/{id}/assignments/{}", assignment.id);
        Ok(Answer::created(location, view(assignment)))
    };
    change.run(&api, &body.0, work).await
}

/// Takes an assignment back
///
/// Without its last assignment a policy is for everyone. Where that is an allow policy that is switched on, it has to be said:
/// `everyone=true`.
#[utoipa::path(
    delete,
    path = "/api/v1/policies/{policy_id}/assignments/{assignment_id}",
    tag = "Policies",
    operation_id = "unassign_policy",
    params(
        ("policy_id" = String, Path, description = "The id of the policy", format = Uuid),
        ("assignment_id" = String, Path, description = "The id of the assignment", format = Uuid),
        ("everyone" = Option<bool>, Query, description = "That an allow policy may come to be for everyone"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "The tenant has no such policy, or the policy no such assignment"),
        (status = 409, description = "The policy would come to be for everyone, or nobody could undo it"),
    )
)]
pub(crate) async fn unassign(
    request: HttpRequest,
    change: Change,
    authority: Authority,
    path: Path<(PolicyId, PolicyAssignmentId)>,
    api: Data<Api>,
) -> Result<Answer, PolicyError> {
    let (policy, id) = path.into_inner();
    let mut query = Query::of(&request, &api.cursors, authority.principal().tenant.id.as_str());
    let everyone = query.flag("everyone") == Some(true);
    query.finish().map_err(PolicyError::Invalid)?;
    let work = move |work: &mut Work<'_>| {
        assign::unassign(work, &authority, policy, id, everyone)?;
        Ok(Answer::no_content())
    };
    change.run(&api, &Value::Null, work).await
}

/// Takes the assignees of a new policy out of what was sent.
pub(super) fn take_assignees(body: &mut Value, errors: &Errors) -> Vec<Assignee> {
    match body.as_object_mut().and_then(|body| body.remove("assigned_to")) {
        None => Vec::new(),
        Some(Value::Array(list)) if (1..=MOST_AT_ONCE).contains(&list.len()) => {
            let mut assignees: Vec<Assignee> = Vec::with_capacity(list.len());
            for (at, one) in list.into_iter().enumerate() {
                let assignee = read_assignee(one, &format!("/assigned_to/{at}"), errors);
                if assignees.contains(&assignee) {
                    errors.add(format!("/assigned_to/{at}"), "duplicate", "is named already");
                }
                assignees.push(assignee);
            }
            assignees
        }
        Some(_) => {
            let detail = format!("must be a list of 1 to {MOST_AT_ONCE}; without it the policy is for everyone");
            errors.add("/assigned_to", "limit", detail);
            Vec::new()
        }
    }
}

fn parse(body: Value) -> Result<Assignee, PolicyError> {
    let errors = Errors::default();
    let assignee = read_assignee(body, "", &errors);
    errors.unless_any(assignee).map_err(PolicyError::Invalid)
}

fn read_assignee(body: Value, pointer: &str, errors: &Errors) -> Assignee {
    let mut object = Object::new(body, pointer, errors);
    for name in ["assignee_type", "assignee_id"] {
        if !object.has(name) {
            object.refuse(name, "required", "must be there");
        }
    }
    let kind = object.text("assignee_type", str::parse);
    // Whatever it is the id of.
    let id = object.text("assignee_id", |text| text.parse::<Id<()>>().map(|id| id.to_string()));
    object.finish();
    Assignee { kind: kind.unwrap_or(AssigneeType::User), id: id.unwrap_or_default() }
}
