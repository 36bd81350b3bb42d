//! What policies said, and going back to it.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::Value;
use tenantry_types::{Envelope, PolicyId, UtcTime};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::PolicyView;
use super::policies::{edit, read};
use crate::access::Authority;
use crate::change::Change;
use crate::idempotency::Answer;
use crate::input::{EntityTag, Errors, IfMatch, Object, versioned};
use crate::policies::PolicyError;
use crate::policies::change::Edit;
use crate::policies::model::Contents;
use crate::policies::store::{self, Version};
use crate::state::Api;

/// A version on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyVersion)]
pub(crate) struct VersionView {
    /// Counted from 1.
    version: i64,
    /// What the policy said.
    policy: Contents,
    /// Who made it so.
    changed_by: ActorView,
    /// When.
    #[schema(value_type = String, format = DateTime)]
    created_at: UtcTime,
}

/// Who made it so.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyActor)]
pub(crate) struct ActorView {
    /// `user` or `client`.
    #[schema(example = "user")]
    kind: String,
    /// The id of the user, or the `client_id`.
    id: String,
}

fn view(version: Version) -> VersionView {
    let (kind, id) = version.changed_by.split_once(':').unwrap_or(("", &version.changed_by));
    VersionView {
        version: version.number,
        changed_by: ActorView { kind: kind.to_owned(), id: id.to_owned() },
        policy: version.contents,
        created_at: version.created_at,
    }
}

/// Lists the versions of a policy
///
/// The newest first; each change, also switching on and off, is one.
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy_id}/versions",
    tag = "Policies",
    operation_id = "list_policy_versions",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("limit" = Option<u32>, Query, description = "How many on a page", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses(
        (status = 200, description = "The versions", body = inline(Envelope<Vec<VersionView>>),
            example = json!({"status": "success", "page": {"limit": 50}, "data": [
            {"version": 2, "changed_by": {"kind": "user", "id": "0190b2c4-0000-7000-8000-000000000001"},
             "created_at": "2026-02-01T09:30:00Z",
             "policy": {"name": "NobodyDeletes", "target": {"resource": "*", "action": "delete"},
                        "rules": {"effect": "deny", "conditions": []}, "priority": 0, "is_enabled": false}}]})),
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
    let page = query.page::<i64>().map_err(PolicyError::Invalid)?;
    let (scope, before, limit) = (principal.scope(), page.after(), page.rows_to_fetch());
    let found = api.db.read(move |conn| store::list_versions(conn, scope, policy.id, before, limit)).await?;
    Ok(page.answer(found, |version| version.number, view))
}

/// Shows a version of a policy
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy_id}/versions/{version}",
    tag = "Policies",
    operation_id = "show_policy_version",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("version" = i64, Path, description = "Which version, counted from 1"),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 is the answer while it is the current one"),
    ),
    responses(
        (status = 200, description = "What the policy said", body = inline(Envelope<VersionView>),
            headers(("ETag" = String, description = "Names this version, which stays as it is")),
            example = json!({"status": "success", "data":
            {"version": 1, "changed_by": {"kind": "client", "id": "provisioning"}, "created_at": "2026-01-31T09:30:00Z",
             "policy": {"name": "NobodyDeletes", "target": {"resource": "*", "action": "delete"},
                        "rules": {"effect": "deny", "conditions": []}, "priority": 0, "is_enabled": true}}})),
        (status = 304, description = "It is still that of `If-None-Match`"),
        (status = 404, description = "The tenant has no such policy, or the policy no such version"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    path: Path<(PolicyId, String)>,
    authority: Authority,
    api: Data<Api>,
) -> Result<HttpResponse, PolicyError> {
    let (id, number) = path.into_inner();
    let number: i64 = number.parse().map_err(|_| PolicyError::NotFound("version"))?;
    let policy = read(&api, &authority, id).await?;
    let principal = authority.principal();
    let (scope, tag) = (principal.scope(), EntityTag::of(principal.tenant.id, id, number));
    let found = api.db.read(move |conn| store::find_version(conn, scope, policy.id, number)).await?;
    Ok(versioned(&request, &tag, view(found.ok_or(PolicyError::NotFound("version"))?)))
}

/// Goes back to an earlier version
///
/// What the policy said then it says again, as a new version. Whether it is switched on stays as it is.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy_id}/rollback",
    tag = "Policies",
    operation_id = "roll_back_policy",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = String, Header, description = "The ETag of the version that there is now, or `*`"),
    ),
    request_body(content = Value, example = json!({"version": 1})),
    responses(
        (status = 200, description = "The policy as it is now", body = inline(Envelope<PolicyView>),
            headers(("ETag" = String, description = "Names the new version"))),
        (status = 404, description = "The tenant has no such policy, or the policy no such version"),
        (status = 409, description = "There is a policy of the name of then, or nobody could undo it"),
        (status = 412, description = "Somebody changed it meanwhile: read it again"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn roll_back(
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    id: Path<PolicyId>,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, PolicyError> {
    let errors = Errors::default();
    let mut object = Object::new(body.0.clone(), "", &errors);
    if !object.has("version") {
        object.refuse("version", "required", "must be there");
    }
    let version = object.integer("version", 1..=i64::MAX, 1);
    object.finish();
    let version = errors.unless_any(version).map_err(PolicyError::Invalid)?;
    edit(change, authority, id.into_inner(), Some(if_match), Edit::RollBack(version), body.0, &api).await
}
