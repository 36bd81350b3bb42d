//! The policies themselves.

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use serde_json::{Value, json};
use tenantry_types::{Envelope, PolicyId};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;

use super::assignments::take_assignees;
use super::{PolicyView, READ, tag, view};
use crate::access::Authority;
use crate::change::{Change, Work};
use crate::idempotency::Answer;
use crate::input::{Errors, IfMatch, OptionalIfMatch, versioned};
use crate::policies::PolicyError;
use crate::policies::change::{self, Edit};
use crate::policies::kind::{MISSING, attributes};
use crate::policies::model::Draft;
use crate::policies::store::{self, PolicyFilter, Stored};
use crate::state::Api;

/// Lists policies
///
/// By name. Those that the caller may not see are left out; a page may be shorter for that.
#[utoipa::path(
    get,
    path = "/api/v1/policies",
    tag = "Policies",
    operation_id = "list_policies",
    params(
        ("name" = Option<String>, Query, description = "With this in their name"),
        ("resource" = Option<String>, Query, description = "About this kind of resource; `*` for those about all"),
        ("action" = Option<String>, Query, description = "About this action; `*` for those about all"),
        ("effect" = Option<String>, Query, description = "`allow` or `deny`"),
        ("enabled" = Option<bool>, Query, description = "Only those that count, or only the others"),
        ("limit" = Option<u32>, Query, description = "How many on a page", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "Where the page begins: `page.next` of the one before"),
    ),
    responses((status = 200, description = "The policies", body = inline(Envelope<Vec<PolicyView>>),
        example = json!({"status": "success", "page": {"limit": 50}, "data": [
            {"id": "0190b2c4-0000-7000-8000-000000000005", "name": "PremiumCustomerBookingPolicy",
             "description": "Allows premium customers to cancel bookings up to 24 hours before",
             "target": {"resource": "booking", "action": "cancel"},
             "rules": {"effect": "allow", "conditions": [
                {"user.role": "PremiumCustomer", "booking.scheduled_time": "> now() + 24h"}]},
             "priority": 0, "is_enabled": true, "version": 1,
             "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-01-31T09:30:00Z"}]}))),
)]
pub(crate) async fn list(
    request: HttpRequest,
    authority: Authority,
    api: Data<Api>,
) -> Result<HttpResponse, PolicyError> {
    let principal = authority.principal();
    let mut query = Query::of(&request, &api.cursors, principal.tenant.id.as_str());
    let wanted = PolicyFilter {
        name: query.text("name"),
        resource: query.text("resource"),
        action: query.text("action"),
        effect: query.take("effect", str::parse),
        is_enabled: query.flag("enabled"),
    };
    let page = query.page::<String>().map_err(PolicyError::Invalid)?;
    let visible = authority.filter(READ);
    let is_exact = visible.is_exact();
    let (scope, after, limit) = (principal.scope(), page.after(), page.rows_to_fetch());
    let found = api.db.read(move |conn| store::list(conn, scope, &wanted, &visible, after.as_deref(), limit)).await?;
    let (shown, next) = page.cut(found, |policy| policy.contents.name.clone());
    let may_see = |policy: &Stored| is_exact || authority.check(READ, attributes(policy)).is_ok();
    let shown = shown.into_iter().filter(may_see).map(|policy| json!(view(&policy))).collect();
    Ok(page.respond::<Value>(shown, next))
}

/// Makes a policy
///
/// It is compiled as it is saved; everything that is wrong is told at once. A policy is for those in `assigned_to`, or for everyone
/// until it is assigned to somebody. What it speaks of the caller holds by their roles, for good.
#[utoipa::path(
    post,
    path = "/api/v1/policies",
    tag = "Policies",
    operation_id = "create_policy",
    request_body(content = Value, example = json!({
        "name": "PremiumCustomerBookingPolicy",
        "description": "Allows premium customers to cancel bookings up to 24 hours before",
        "target": {"resource": "booking", "action": "cancel"},
        "rules": {"effect": "allow", "conditions": [
            {"user.role": "PremiumCustomer", "booking.scheduled_time": "> now() + 24h"}]},
        "assigned_to": [{"assignee_type": "role", "assignee_id": "0190b2c4-0000-7000-8000-000000000003"}]})),
    responses(
        (status = 201, description = "The policy", body = inline(Envelope<PolicyView>),
            headers(("ETag" = String, description = "Names this version"), ("Location" = String, description = "Where it is"))),
        (status = 409, description = "There is a policy of this name already, or nobody could undo it"),
    )
)]
pub(crate) async fn create(
    change: Change,
    authority: Authority,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, PolicyError> {
    let (mut document, errors) = (body.0.clone(), Errors::default());
    let assigned_to = take_assignees(&mut document, &errors);
    let draft = match (parse(&authority, &document), errors.unless_any(())) {
        (draft, Ok(())) => draft?,
        (Ok(_), Err(wrong)) => return Err(PolicyError::Invalid(wrong)),
        (Err(error), Err(wrong)) => return Err(error.with(wrong)),
    };
    let work = move |work: &mut Work<'_>| {
        let policy = change::create(work, &authority, &draft, &assigned_to)?;
        let location = format!("/api/v1/policies/{}", policy.id);
        Ok(Answer::created(location, view(&policy)).with_etag(tag(work.scope.tenant_id(), &policy).as_str()))
    };
    change.run(&api, &body.0, work).await
}

/// Shows a policy
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy_id}",
    tag = "Policies",
    operation_id = "show_policy",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("If-None-Match" = Option<String>, Header, description = "An ETag: 304 is the answer while it is the current one"),
    ),
    responses(
        (status = 200, description = "The policy", body = inline(Envelope<PolicyView>),
            headers(("ETag" = String, description = "Names this version; an update sends it as `If-Match`")),
            example = json!({"status": "success", "data":
            {"id": "0190b2c4-0000-7000-8000-000000000005", "name": "NoRefundsAtNight",
             "target": {"resource": "booking", "action": "*"},
             "rules": {"effect": "deny", "conditions": [{"env.time": "between 22:00 and 06:00 Europe/Paris"}]},
             "priority": 10, "is_enabled": true, "version": 3,
             "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-02-01T09:30:00Z"}})),
        (status = 304, description = "It is still that of `If-None-Match`"),
        (status = 404, description = "The tenant has no such policy"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    authority: Authority,
    id: Path<PolicyId>,
    api: Data<Api>,
) -> Result<HttpResponse, PolicyError> {
    let policy = read(&api, &authority, id.into_inner()).await?;
    let tag = tag(authority.principal().tenant.id, &policy);
    Ok(versioned(&request, &tag, view(&policy)))
}

/// A policy that the caller may see.
pub(crate) async fn read(api: &Api, authority: &Authority, id: PolicyId) -> Result<Stored, PolicyError> {
    let scope = authority.principal().scope();
    let found = api.db.read(move |conn| store::find(conn, scope, id)).await?;
    let policy = found.ok_or(PolicyError::NotFound("policy"))?;
    authority.check_shown(READ, READ, attributes(&policy), MISSING)?;
    Ok(policy)
}

/// Replaces a policy
///
/// What is left out has its default; whether it is switched on stays as it is unless it is said.
#[utoipa::path(
    put,
    path = "/api/v1/policies/{policy_id}",
    tag = "Policies",
    operation_id = "replace_policy",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = String, Header, description = "The ETag of the version that is replaced, or `*`"),
    ),
    request_body(content = Value, example = json!({
        "name": "PremiumCustomerBookingPolicy", "target": {"resource": "booking", "action": "cancel"},
        "rules": {"effect": "allow", "conditions": [
            {"user.role": ["PremiumCustomer", "Gold"], "booking.scheduled_time": "> now() + 12h"}]},
        "priority": 5})),
    responses(
        (status = 200, description = "The policy as it is now", body = inline(Envelope<PolicyView>),
            headers(("ETag" = String, description = "Names the new version"))),
        (status = 404, description = "The tenant has no such policy"),
        (status = 409, description = "There is a policy of this name already, or nobody could undo it"),
        (status = 412, description = "Somebody changed it meanwhile: read it again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn replace(
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    id: Path<PolicyId>,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, PolicyError> {
    let draft = Box::new(parse(&authority, &body.0)?);
    let keeps_switch = body.0.get("is_enabled").is_none();
    edit(change, authority, id.into_inner(), Some(if_match), Edit::Replace { draft, keeps_switch }, body.0, &api).await
}

/// Changes a policy
///
/// Members that are sent replace those that are there, in objects one by one, and `null` removes one (RFC 7396).
#[utoipa::path(
    patch,
    path = "/api/v1/policies/{policy_id}",
    tag = "Policies",
    operation_id = "update_policy",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = String, Header, description = "The ETag of the version that is changed, or `*`"),
    ),
    request_body(content = Value, example = json!({"description": null, "priority": 7})),
    responses(
        (status = 200, description = "The policy as it is now", body = inline(Envelope<PolicyView>),
            headers(("ETag" = String, description = "Names the new version"))),
        (status = 404, description = "The tenant has no such policy"),
        (status = 409, description = "There is a policy of this name already, or nobody could undo it"),
        (status = 412, description = "Somebody changed it meanwhile: read it again and repeat the change"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn update(
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    id: Path<PolicyId>,
    body: Json<Value>,
    api: Data<Api>,
) -> Result<Answer, PolicyError> {
    edit(change, authority, id.into_inner(), Some(if_match), Edit::Patch(body.0.clone()), body.0, &api).await
}

/// Removes a policy
///
/// With its versions and assignments; the audit trail keeps what it said.
#[utoipa::path(
    delete,
    path = "/api/v1/policies/{policy_id}",
    tag = "Policies",
    operation_id = "delete_policy",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = String, Header, description = "The ETag of the version that is removed, or `*`"),
    ),
    responses(
        (status = 204, description = "It is gone"),
        (status = 404, description = "The tenant has no such policy"),
        (status = 412, description = "Somebody changed it meanwhile: read it again"),
        (status = 428, description = "`If-Match` is missing"),
    )
)]
pub(crate) async fn delete(
    if_match: IfMatch,
    change: Change,
    authority: Authority,
    id: Path<PolicyId>,
    api: Data<Api>,
) -> Result<Answer, PolicyError> {
    let id = id.into_inner();
    let work = move |work: &mut Work<'_>| {
        change::remove(work, &authority, id, &if_match)?;
        Ok(Answer::no_content())
    };
    change.run(&api, &Value::Null, work).await
}

/// Switches a policy on
///
/// One that is on stays so.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy_id}/enable",
    tag = "Policies",
    operation_id = "enable_policy",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is meant; any, where it is left out"),
    ),
    responses(
        (status = 200, description = "The policy as it is now", body = inline(Envelope<PolicyView>),
            example = json!({"status": "success", "data":
            {"id": "0190b2c4-0000-7000-8000-000000000005", "name": "NoRefundsAtNight",
             "target": {"resource": "booking", "action": "*"},
             "rules": {"effect": "deny", "conditions": [{"env.time": "between 22:00 and 06:00 Europe/Paris"}]},
             "priority": 10, "is_enabled": true, "version": 4,
             "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-02-01T09:30:00Z"}})),
        (status = 404, description = "The tenant has no such policy"),
        (status = 409, description = "Nobody could undo it"),
        (status = 412, description = "Somebody changed it meanwhile: read it again"),
    )
)]
pub(crate) async fn enable(
    OptionalIfMatch(if_match): OptionalIfMatch,
    change: Change,
    authority: Authority,
    id: Path<PolicyId>,
    api: Data<Api>,
) -> Result<Answer, PolicyError> {
    edit(change, authority, id.into_inner(), if_match, Edit::Switch(true), Value::Null, &api).await
}

/// Switches a policy off
///
/// One that is off stays so.
#[utoipa::path(
    post,
    path = "/api/v1/policies/{policy_id}/disable",
    tag = "Policies",
    operation_id = "disable_policy",
    params(
        ("policy_id" = String, Path, description = "Its id", format = Uuid),
        ("If-Match" = Option<String>, Header, description = "The ETag of the version that is meant; any, where it is left out"),
    ),
    responses(
        (status = 200, description = "The policy as it is now", body = inline(Envelope<PolicyView>),
            example = json!({"status": "success", "data":
            {"id": "0190b2c4-0000-7000-8000-000000000005", "name": "NoRefundsAtNight",
             "target": {"resource": "booking", "action": "*"},
             "rules": {"effect": "deny", "conditions": [{"env.time": "between 22:00 and 06:00 Europe/Paris"}]},
             "priority": 10, "is_enabled": false, "version": 4,
             "created_at": "2026-01-31T09:30:00Z", "updated_at": "2026-02-01T09:30:00Z"}})),
        (status = 404, description = "The tenant has no such policy"),
        (status = 412, description = "Somebody changed it meanwhile: read it again"),
    )
)]
pub(crate) async fn disable(
    OptionalIfMatch(if_match): OptionalIfMatch,
    change: Change,
    authority: Authority,
    id: Path<PolicyId>,
    api: Data<Api>,
) -> Result<Answer, PolicyError> {
    edit(change, authority, id.into_inner(), if_match, Edit::Switch(false), Value::Null, &api).await
}

fn parse(authority: &Authority, body: &Value) -> Result<Draft, PolicyError> {
    Draft::parse(authority.tenant().kinds.catalogue(), body.clone(), true).map_err(PolicyError::Invalid)
}

/// One edit as one request.
pub(super) async fn edit(
    change: Change,
    authority: Authority,
    id: PolicyId,
    if_match: Option<IfMatch>,
    edit: Edit,
    body: Value,
    api: &Api,
) -> Result<Answer, PolicyError> {
    let work = move |work: &mut Work<'_>| {
        let policy = change::edit(work, &authority, id, if_match.as_ref(), &edit)?;
        Ok(Answer::ok(view(&policy)).with_etag(tag(work.scope.tenant_id(), &policy).as_str()))
    };
    change.run(api, &body, work).await
}
