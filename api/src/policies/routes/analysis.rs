//! What policies can speak of, what is probably a mistake in one, and what another would change.

use std::sync::Arc;

use actix_web::HttpResponse;
use actix_web::web::{Data, Path};
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_db::DbError;
use tenantry_types::{Envelope, InputError, PolicyId};
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::policies::read;
use crate::access::policy::{Assignment, Attribute, Finding, Schema, analyse};
use crate::access::{AccessControl, Authority};
use crate::policies::PolicyError;
use crate::policies::model::Draft;
use crate::policies::simulation::{self, Simulated};
use crate::policies::store;
use crate::state::Api;

/// What policies can speak of, on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyVocabulary)]
pub(crate) struct VocabularyView {
    /// What is known of every caller and every request.
    common: Vec<AttributeView>,
    /// The kinds of resources.
    resources: Vec<ResourceView>,
}

/// A kind of resource.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyResource)]
pub(crate) struct ResourceView {
    /// Its name.
    #[schema(example = "booking")]
    resource: String,
    /// What can be done to it.
    #[schema(example = json!(["cancel", "read"]))]
    actions: Vec<String>,
    /// What is known of one.
    attributes: Vec<AttributeView>,
}

/// Something that conditions can ask about.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyAttribute)]
pub(crate) struct AttributeView {
    /// As conditions name it.
    #[schema(example = "booking.scheduled_time")]
    name: String,
    /// Of what type its values are.
    #[schema(example = "time")]
    r#type: &'static str,
    /// What it means.
    meaning: String,
}

fn attribute(attribute: &Attribute) -> AttributeView {
    AttributeView {
        name: attribute.name.to_string(),
        r#type: attribute.r#type.as_str(),
        meaning: attribute.meaning.to_string(),
    }
}

/// Shows what policies can speak of
///
/// The kinds of resources with their actions and attributes, those that the tenant's own permissions name included.
#[utoipa::path(
    get,
    path = "/api/v1/policies/attributes",
    tag = "Policies",
    operation_id = "list_policy_attributes",
    responses((status = 200, description = "The attributes", body = inline(Envelope<VocabularyView>),
        example = json!({"status": "success", "data": {
            "common": [{"name": "user.role", "type": "set", "meaning": "the roles of the person in this tenant"}],
            "resources": [{"resource": "booking", "actions": ["cancel", "read"], "attributes": [
                {"name": "booking.scheduled_time", "type": "time", "meaning": "when it begins"}]}]}}))),
)]
pub(crate) async fn attributes(authority: Authority) -> HttpResponse {
    let kinds = &authority.tenant().kinds;
    let resources = kinds.iter().map(|(name, kind)| ResourceView {
        resource: name.to_owned(),
        actions: kind.actions.iter().map(ToString::to_string).collect(),
        attributes: own(&kind.schema).map(attribute).collect(),
    });
    let resources = resources.collect();
    let common = kinds.catalogue().schema(None).map_or(&[][..], Schema::attributes);
    let common = common.iter().map(attribute).collect();
    HttpResponse::Ok().json(Envelope::new(VocabularyView { common, resources }))
}

fn own(schema: &Schema) -> impl Iterator<Item = &Attribute> {
    let is_own = |attribute: &&Attribute| schema.slot(&attribute.name).is_some_and(|slot| schema.is_of_resource(slot));
    schema.attributes().iter().filter(is_own)
}

/// What came of checking a policy.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyCheck)]
pub(crate) struct CheckView {
    /// Whether it could be saved.
    is_valid: bool,
    /// Everything that is wrong with it.
    errors: Vec<InputError>,
    /// What is probably not meant.
    findings: Vec<FindingView>,
}

/// Something that is probably not meant.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyFinding)]
pub(crate) struct FindingView {
    /// `never_true`, `always_true`, `redundant_alternative`, `redundant`, `shadowed`, `denies_unknown`, `over` or
    /// `not_looked_at`.
    #[schema(example = "shadowed")]
    code: &'static str,
    /// Where in the policy: a JSON Pointer (RFC 6901).
    #[schema(example = "/rules/conditions/0")]
    pointer: String,
    /// In a sentence.
    detail: String,
    /// The name of the other policy that makes it so.
    #[serde(skip_serializing_if = "Option::is_none")]
    other: Option<String>,
}

/// What is wrong with a policy, and what is probably not meant: as far as others make it so, those that the caller may see.
/// Compared for as long as it takes: not on a thread that serves others.
async fn looked_at(
    control: &AccessControl,
    authority: &Authority,
    json: Value,
    assigned: impl FnOnce(&Draft) -> Vec<Assignment> + Send + 'static,
) -> Result<CheckView, PolicyError> {
    let (tenant, now) = (Arc::clone(authority.tenant()), authority.now());
    let look = move || -> Result<Vec<Finding>, Vec<InputError>> {
        let draft = Draft::parse(tenant.kinds.catalogue(), json, true)?;
        let Some(schema) = tenant.kinds.catalogue().schema(draft.policy.target.resource.as_deref()) else {
            return Ok(Vec::new());
        };
        Ok(analyse(&tenant.policies, schema, &draft.policy, &assigned(&draft), now))
    };
    let looked = tokio::task::spawn_blocking(look).await;
    let found = match looked.map_err(|error| DbError::Panicked(error.to_string()))? {
        Ok(found) => found,
        Err(errors) => return Ok(CheckView { is_valid: false, errors, findings: Vec::new() }),
    };
    let others = found.iter().filter_map(|finding| finding.other.as_deref().map(str::to_owned)).collect();
    let visible = simulation::readable(control, authority, &others).await?;
    let is_visible = |finding: &Finding| finding.other.as_deref().is_none_or(|other| visible.contains(other));
    let view = |Finding { code, pointer, detail, other }| FindingView {
        code: code.as_str(),
        pointer,
        detail,
        other: other.map(|name| name.to_string()),
    };
    let findings = found.into_iter().filter(is_visible).map(view).collect();
    Ok(CheckView { is_valid: true, errors: Vec::new(), findings })
}

/// Checks a policy without saving it
///
/// For editors: everything that is wrong, and what is probably not meant, beside the policies that there are.
#[utoipa::path(
    post,
    path = "/api/v1/policies/check",
    tag = "Policies",
    operation_id = "check_policy",
    request_body(content = Value, example = json!({
        "name": "Never", "target": {"resource": "booking", "action": "cancel"},
        "rules": {"effect": "allow", "conditions": [{"booking.guests": "between 5 and 2"}]}})),
    responses((status = 200, description = "What came of it", body = inline(Envelope<CheckView>),
        example = json!({"status": "success", "data": {"is_valid": true, "errors": [], "findings": [
            {"code": "never_true", "pointer": "/rules/conditions/0",
             "detail": "the conditions contradict one another: they are never all true"}]}}))),
)]
pub(crate) async fn check(
    authority: Authority,
    body: Json<Value>,
    control: Data<AccessControl>,
) -> Result<HttpResponse, PolicyError> {
    let tenant = Arc::clone(authority.tenant());
    let assigned = move |draft: &Draft| simulation::assigned(&tenant, &draft.policy.name);
    let view = looked_at(&control, &authority, body.0, assigned).await?;
    Ok(HttpResponse::Ok().json(Envelope::new(view)))
}

/// Shows what is probably not meant in a policy
#[utoipa::path(
    get,
    path = "/api/v1/policies/{policy_id}/analysis",
    tag = "Policies",
    operation_id = "analyse_policy",
    params(("policy_id" = String, Path, description = "Its id", format = Uuid)),
    responses(
        (status = 200, description = "What was found", body = inline(Envelope<CheckView>),
            example = json!({"status": "success", "data": {"is_valid": true, "errors": [], "findings": [
                {"code": "shadowed", "pointer": "", "detail": "NobodyCancels denies wherever this policy allows",
                 "other": "NobodyCancels"}]}})),
        (status = 404, description = "The tenant has no such policy"),
    )
)]
pub(crate) async fn analysis(
    authority: Authority,
    id: Path<PolicyId>,
    api: Data<Api>,
    control: Data<AccessControl>,
) -> Result<HttpResponse, PolicyError> {
    let policy = read(&api, &authority, id.into_inner()).await?;
    let (scope, id) = (authority.principal().scope(), policy.id);
    let rows = api.db.read(move |conn| store::list_assignments(conn, scope, id, None, MOST_ASSIGNMENTS)).await?;
    let tenant = authority.tenant();
    let reach = |row: &store::Assignment| tenant.assignment(row.assignee_type.as_str(), &row.assignee_id);
    let assignments: Vec<Assignment> =
        if rows.is_empty() { vec![Assignment::Everyone] } else { rows.iter().filter_map(reach).collect() };
    let view = looked_at(&control, &authority, json!(policy.contents), move |_| assignments).await?;
    Ok(HttpResponse::Ok().json(Envelope::new(view)))
}

/// More assignments of one policy than matter to what is found.
const MOST_ASSIGNMENTS: i64 = 1_000;

/// Shows what a policy would change
///
/// `policy` is added, or replaces the one of its name for those whom that is for; `without` names one that is taken away.
/// Decided is over `requests` (at most 200; as they are explained) and over the last `recorded` decisions of the log (at
/// most 5,000; with `access_log.read`), with the policies as they are and as they would be. Which policy makes a difference is
/// told where `policy.read` goes as far.
#[utoipa::path(
    post,
    path = "/api/v1/policies/simulate",
    tag = "Policies",
    operation_id = "simulate_policy",
    request_body(content = Value, example = json!({
        "policy": {"name": "NobodyCancels", "target": {"resource": "booking", "action": "cancel"},
                   "rules": {"effect": "deny"}},
        "requests": [{"subject": {"facts": {"user.role": ["administrator"]}}, "resource": "booking", "action": "cancel",
                      "attributes": {"booking.status": "open"}}],
        "recorded": 1000})),
    responses((status = 200, description = "What would be decided otherwise", body = inline(Envelope<Simulated>),
        example = json!({"status": "success", "data": {
            "requests": {"decided": 1, "unreadable": 0, "changed": [
                {"request": "0", "resource": "booking", "action": "cancel", "decision": "deny", "because": "NobodyCancels"}]},
            "recorded": {"decided": 0, "unreadable": 0, "changed": []}}}))),
)]
pub(crate) async fn simulate(
    authority: Authority,
    body: Json<Value>,
    control: Data<AccessControl>,
    api: Data<Api>,
) -> Result<HttpResponse, PolicyError> {
    let asked = simulation::Asked::parse(&authority, body.0).map_err(PolicyError::Invalid)?;
    let simulated = simulation::run(&api, &control, &authority, asked).await?;
    Ok(HttpResponse::Ok().json(Envelope::new(simulated)))
}
