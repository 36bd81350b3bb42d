//! `/access/v1/evaluation`, `/access/v1/evaluations` and what says where they are.

use actix_web::HttpResponse;
use actix_web::http::header::CACHE_CONTROL;
use actix_web::web::Data;
use serde::Serialize;
use serde_json::{Value, json};
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::PublicAddress;
use super::evaluate::Evaluator;
use super::message::{DecisionView, Evaluation, MOST_EVALUATIONS, Semantic, Wanted};
use crate::access::log::DecisionLog;
use crate::access::{AccessControl, Authority};
use crate::audit::Origin;
use crate::decisions::DecisionError;

/// Where decisions are asked for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuthZenConfiguration)]
pub(crate) struct MetadataView {
    /// The address of this service.
    policy_decision_point: String,
    /// Where one decision is asked for.
    access_evaluation_endpoint: String,
    /// Where several are.
    access_evaluations_endpoint: String,
    /// Where it is asked who may do something.
    search_subject_endpoint: String,
    /// Where it is asked what somebody may do.
    search_action_endpoint: String,
    /// Where it is asked to what somebody may do something.
    search_resource_endpoint: String,
}

/// Shows where decisions are asked for
///
/// AuthZEN Authorization API 1.0.
#[utoipa::path(
    get,
    path = "/.well-known/authzen-configuration",
    tag = "Decisions",
    operation_id = "show_authzen_configuration",
    responses((status = 200, description = "The addresses", body = inline(MetadataView), example = json!({
        "policy_decision_point": "https://api.example.com",
        "access_evaluation_endpoint": "https://api.example.com/access/v1/evaluation",
        "access_evaluations_endpoint": "https://api.example.com/access/v1/evaluations",
        "search_subject_endpoint": "https://api.example.com/access/v1/search/subject",
        "search_action_endpoint": "https://api.example.com/access/v1/search/action",
        "search_resource_endpoint": "https://api.example.com/access/v1/search/resource"}))),
)]
pub(crate) async fn show_metadata(address: Data<PublicAddress>) -> HttpResponse {
    let at = |path: &str| format!("{}{path}", address.0);
    HttpResponse::Ok().insert_header((CACHE_CONTROL, "public, max-age=300")).json(MetadataView {
        policy_decision_point: address.0.clone(),
        access_evaluation_endpoint: at("/access/v1/evaluation"),
        access_evaluations_endpoint: at("/access/v1/evaluations"),
        search_subject_endpoint: at("/access/v1/search/subject"),
        search_action_endpoint: at("/access/v1/search/action"),
        search_resource_endpoint: at("/access/v1/search/resource"),
    })
}

/// Decides
///
/// AuthZEN Authorization API 1.0. The subject is a `user` by id; properties of the resource are its attributes, and the
/// context is `env.*`. Of a role, group, account, policy or entry of the audit trail what is kept here counts. Every decision is logged.
#[utoipa::path(
    post,
    path = "/access/v1/evaluation",
    tag = "Decisions",
    operation_id = "evaluate_access",
    request_body(content = Value, example = json!({
        "subject": {"type": "user", "id": "0190b2c4-0000-7000-8000-000000000001"},
        "action": {"name": "cancel"},
        "resource": {"type": "booking", "id": "B-17", "properties": {"scheduled_time": "2026-01-31T09:30:00Z"}},
        "context": {"ip": "10.0.0.1"}})),
    responses((status = 200, description = "The decision", body = inline(DecisionView),
        example = json!({"decision": false, "context": {"reason": "nothing", "policy": null,
            "reason_admin": {"en": "May not booking.cancel: no role and no policy allows it."}}}))),
)]
pub(crate) async fn evaluate(
    authority: Authority,
    origin: Origin,
    body: Json<Value>,
    control: Data<AccessControl>,
    log: Data<DecisionLog>,
) -> Result<HttpResponse, DecisionError> {
    let mut evaluator = Evaluator::new(&control, &authority, &log, &origin);
    let asked = Evaluation::read(&body.0, &Value::Null, Wanted::Decision)?;
    evaluator.look_up([&asked]).await?;
    Ok(HttpResponse::Ok().json(evaluator.answer(&asked).await?))
}

/// Decides several times
///
/// AuthZEN Authorization API 1.0. What a question lacks stands beside `evaluations`; without any of these it is one
/// question. At most 100.
#[utoipa::path(
    post,
    path = "/access/v1/evaluations",
    tag = "Decisions",
    operation_id = "evaluate_access_several_times",
    request_body(content = Value, example = json!({
        "subject": {"type": "user", "id": "0190b2c4-0000-7000-8000-000000000001"},
        "resource": {"type": "booking", "id": "B-17"},
        "options": {"evaluations_semantic": "execute_all"},
        "evaluations": [{"action": {"name": "read"}}, {"action": {"name": "cancel"}}]})),
    responses((status = 200, description = "The decisions, in the order of the questions", body = inline(Value),
        example = json!({"evaluations": [
            {"decision": true, "context": {"reason": "role"}}, {"decision": false, "context": {"reason": "nothing"}}]}))),
)]
pub(crate) async fn evaluate_several(
    authority: Authority,
    origin: Origin,
    body: Json<Value>,
    control: Data<AccessControl>,
    log: Data<DecisionLog>,
) -> Result<HttpResponse, DecisionError> {
    let mut evaluator = Evaluator::new(&control, &authority, &log, &origin);
    let items = match body.0.get("evaluations") {
        None => &[][..],
        Some(Value::Array(items)) if items.len() <= MOST_EVALUATIONS => items,
        Some(_) => {
            let detail = format!("evaluations must be a list of at most {MOST_EVALUATIONS}");
            return Err(DecisionError::Malformed(detail));
        }
    };
    if items.is_empty() {
        // Then it is a request for one, as the specification says.
        let asked = Evaluation::read(&body.0, &Value::Null, Wanted::Decision)?;
        evaluator.look_up([&asked]).await?;
        return Ok(HttpResponse::Ok().json(evaluator.answer(&asked).await?));
    }
    let semantic = Semantic::read(&body.0)?;
    let questions: Vec<_> = items.iter().map(|item| Evaluation::read(item, &body.0, Wanted::Decision)).collect();
    evaluator.look_up(questions.iter().flatten()).await?;
    let people = questions.iter().flatten().filter(|asked| asked.subject.0 == "user");
    evaluator.look_up_people(people.filter_map(|asked| asked.subject.1.as_deref()?.parse().ok())).await?;
    let mut answers = Vec::with_capacity(items.len());
    for question in questions {
        let answered = match question {
            Ok(asked) => evaluator.answer(&asked).await,
            Err(error) => Err(error),
        };
        let answer = match answered {
            Ok(answer) => answer,
            Err(DecisionError::Malformed(detail)) => DecisionView::failed(&detail),
            Err(error) => return Err(error),
        };
        let is_last = semantic.ends_with(answer.decision);
        answers.push(answer);
        if is_last {
            break;
        }
    }
    Ok(HttpResponse::Ok().json(json!({ "evaluations": answers })))
}
