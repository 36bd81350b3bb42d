//! What the guard and the handlers decided, as it is logged.

use std::borrow::Cow;

use actix_web::HttpRequest;
use actix_web::web::Data;
use tenantry_web::ingress::RequestContext;

use super::authority::Judged;
use super::log::{Context, DecisionLog, DecisionRecord, LoggedDecision, NamedPolicy, SubjectKind};
use super::told::{Outcome, Why};
use super::{Authority, Decision, Permission};
use crate::authn::Subject;

/// What is said of a decision.
struct Said {
    is_allowed: bool,
    reason: Cow<'static, str>,
    policy: Option<NamedPolicy>,
    context: Context,
}

/// Logs what the guard decided of a request, for whoever asks later why.
pub(super) async fn decision(
    request: &HttpRequest,
    authority: &Authority,
    permission: Permission,
    judged: &Judged<'_>,
) {
    let tenant = authority.tenant();
    let why = judged.reason.map(|reason| Why::of(reason, tenant));
    let reason = match (&why, judged.decision) {
        (Some(why), _) => why.in_words(),
        (None, Decision::InsufficientScope(_)) => Why::OutOfScope.in_words(),
        (None, Decision::Allow | Decision::Forbidden(_)) => Why::Nothing.in_words(),
    };
    let said = Said {
        is_allowed: judged.decision == Decision::Allow,
        reason: reason.into(),
        policy: why.and_then(Why::policy),
        context: Context::Caller(authority.clone(), permission),
    };
    log(request, authority, permission, said).await;
}

/// Logs what the handler of a request decided about what it was about.
pub(super) async fn outcome(request: &HttpRequest, authority: &Authority, permission: Permission, is_refused: bool) {
    let said = match authority.told().outcome(permission, is_refused) {
        Outcome::One(grounds) => {
            let words = grounds.why.in_words();
            let is_another = grounds.permission != permission;
            Said {
                is_allowed: !is_refused,
                // What was asked for may need more than the permission that the route is for.
                reason: if is_another {
                    format!("{}: {words}", grounds.permission.as_str()).into()
                } else {
                    words.into()
                },
                context: Context::known(grounds.facts, grounds.kinds, grounds.permission.resource()),
                policy: grounds.why.policy(),
            }
        }
        Outcome::List | Outcome::Silence => Said {
            is_allowed: !is_refused,
            reason: if is_refused { "it may not be done to this one" } else { "it depends on what it is done to" }
                .into(),
            policy: None,
            context: Context::Caller(authority.clone(), permission),
        },
    };
    log(request, authority, permission, said).await;
}

async fn log(request: &HttpRequest, authority: &Authority, permission: Permission, said: Said) {
    // Only a mistake in wiring leaves it out, which the tests of the log would find.
    let Some(log) = request.app_data::<Data<DecisionLog>>() else { return };
    let principal = authority.principal();
    let (resource, action) = (permission.resource(), permission.action());
    let (subject_kind, subject_id) = match &principal.subject {
        Subject::User(id) => (SubjectKind::User, id.as_str().to_owned()),
        Subject::Client(id) => (SubjectKind::Client, id.clone()),
    };
    let context = RequestContext::of(request);
    let record = DecisionRecord {
        tenant_id: principal.tenant.id,
        subject_kind,
        subject_id,
        client_id: principal.client_id.clone(),
        resource: resource.into(),
        resource_id: about(request, resource),
        action: action.into(),
        decision: if said.is_allowed { LoggedDecision::Allow } else { LoggedDecision::Deny },
        reason: said.reason,
        policy: said.policy,
        context: said.context,
        request_id: context.as_ref().map(|context| context.id().to_string()),
        address: context.map(|context| context.client().to_string()),
    };
    log.record(record).await;
}

/// The id of the thing that the path names, when it is one of the kind that the permission is for.
fn about(request: &HttpRequest, resource: &str) -> Option<String> {
    let path = request.match_info();
    let of_kind = path.iter().find(|(name, _)| name.strip_suffix("_id") == Some(resource));
    let id = of_kind.map(|(_, id)| id).or_else(|| path.get("id"))?;
    // As much as there is room for.
    Some(id[..id.floor_char_boundary(254)].to_owned())
}
