//! What the guard decided, as it is logged.

use actix_web::HttpRequest;
use actix_web::web::Data;
use tenantry_web::ingress::RequestContext;

use super::authority::Judged;
use super::judge::Reason;
use super::log::{DecisionLog, DecisionRecord, LoggedDecision, NamedPolicy, SubjectKind};
use super::{Authority, Decision, Permission};
use crate::authn::Subject;

/// Logs what was decided of a request, for whoever asks later why.
pub(super) async fn decision(
    request: &HttpRequest,
    authority: &Authority,
    permission: Permission,
    judged: &Judged<'_>,
) {
    // Only a mistake in wiring leaves it out, which the tests of the log would find.
    let Some(log) = request.app_data::<Data<DecisionLog>>() else { return };
    log.record(record(request, authority, permission, judged)).await;
}

fn record(request: &HttpRequest, authority: &Authority, permission: Permission, judged: &Judged<'_>) -> DecisionRecord {
    let principal = authority.principal();
    let (resource, action) = (permission.resource(), permission.action());
    let tenant = authority.tenant();
    let (reason, policy) = match (judged.decision, judged.reason) {
        (Decision::InsufficientScope(_), _) => ("the token has no scope for it", None),
        (_, Some(Reason::Denied(policy))) => ("a policy forbids it", Some(policy)),
        (_, Some(Reason::Allowed(policy))) => ("a policy allows it", Some(policy)),
        (Decision::Allow, Some(_)) => ("a role allows it", None),
        (Decision::Allow, None) => ("it depends on what it is done to", None),
        (Decision::Forbidden(_), None) => ("it may not be done to this one", None),
        (Decision::Forbidden(_), Some(_)) => ("nothing allows it", None),
    };
    let (subject_kind, subject_id) = match &principal.subject {
        Subject::User(id) => (SubjectKind::User, id.to_string()),
        Subject::Client(id) => (SubjectKind::Client, id.clone()),
    };
    let context = RequestContext::of(request);
    DecisionRecord {
        tenant_id: principal.tenant.id,
        subject_kind,
        subject_id,
        client_id: principal.client_id.clone(),
        resource: resource.to_owned(),
        resource_id: about(request, resource),
        action: action.to_owned(),
        decision: if judged.decision == Decision::Allow { LoggedDecision::Allow } else { LoggedDecision::Deny },
        reason: reason.to_owned(),
        policy: policy.map(|policy| NamedPolicy {
            id: tenant.policy_id(&policy.name).map_or_else(String::new, |id| id.to_string()),
            name: policy.name.to_string(),
            version: None,
        }),
        context: judged.facts.to_json(tenant.kinds.schema(resource)),
        request_id: context.as_ref().map(|context| context.id().to_string()),
        address: context.map(|context| context.client().to_string()),
    }
}

/// The id of the thing that the path names, when it is one of the kind that the permission is for.
fn about(request: &HttpRequest, resource: &str) -> Option<String> {
    let names = [format!("{resource}_id"), "id".to_owned()];
    let id = names.iter().find_map(|name| request.match_info().get(name))?;
    // As many letters as its column has.
    Some(id.chars().take(254).collect())
}
