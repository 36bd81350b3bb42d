//! `/access/v1/search/…` (Authorization API 1.0).

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use tenantry_types::UserId;
use tenantry_web::problems::Json;

use super::evaluate::Evaluator;
use super::message::{Evaluation, Wanted};
use crate::access::log::DecisionLog;
use crate::access::{AccessControl, Authority};
use crate::audit::Origin;
use crate::decisions::{DecisionError, store};
use crate::state::Api;

/// How many people are looked at for one page of subjects.
const PEOPLE: u32 = 50;

/// Finds who may do something
///
/// AuthZEN Authorization API 1.0. The active people of the tenant are asked about, 50 for a page, so a page may have few
/// results or none and still not be the last: the list ends where `next_token` is empty.
#[utoipa::path(
    post,
    path = "/access/v1/search/subject",
    tag = "Decisions",
    operation_id = "search_subjects",
    request_body(content = Value, example = json!({
        "subject": {"type": "user"}, "action": {"name": "cancel"},
        "resource": {"type": "booking", "id": "B-17", "properties": {"scheduled_time": "2026-01-31T09:30:00Z"}}})),
    responses((status = 200, description = "The people", body = inline(Value), example = json!({
        "results": [{"type": "user", "id": "0190b2c4-0000-7000-8000-000000000001"}], "page": {"next_token": ""}}))),
)]
pub(crate) async fn subjects(
    authority: Authority,
    origin: Origin,
    body: Json<Value>,
    control: Data<AccessControl>,
    log: Data<DecisionLog>,
    api: Data<Api>,
) -> Result<HttpResponse, DecisionError> {
    let evaluator = Evaluator { control: &control, caller: &authority, log: &log, origin: &origin };
    let asked = Evaluation::read(&body.0, &Value::Null, Wanted::Subjects)?;
    let after = token(&body.0)?;
    let mut results = Vec::new();
    let mut next = String::new();
    if asked.subject.0 == "user" {
        let scope = authority.principal().scope();
        let mut people = api.db.read(move |conn| store::people(conn, scope, after, i64::from(PEOPLE) + 1)).await?;
        if people.len() > PEOPLE as usize {
            people.truncate(PEOPLE as usize);
            next = people.last().map(ToString::to_string).unwrap_or_default();
        }
        let action = asked.action.clone().unwrap_or_default();
        for person in people {
            if is_allowed(&evaluator, &asked, person, &action).await? {
                results.push(json!({ "type": "user", "id": person }));
            }
        }
    }
    Ok(HttpResponse::Ok().json(json!({ "results": results, "page": { "next_token": next } })))
}

/// Finds what somebody may do
///
/// AuthZEN Authorization API 1.0: of everything that can be done to such a resource.
#[utoipa::path(
    post,
    path = "/access/v1/search/action",
    tag = "Decisions",
    operation_id = "search_actions",
    request_body(content = Value, example = json!({
        "subject": {"type": "user", "id": "0190b2c4-0000-7000-8000-000000000001"},
        "resource": {"type": "booking", "id": "B-17"}})),
    responses((status = 200, description = "The actions", body = inline(Value), example = json!({
        "results": [{"name": "cancel"}, {"name": "read"}], "page": {"next_token": ""}}))),
)]
pub(crate) async fn actions(
    authority: Authority,
    origin: Origin,
    body: Json<Value>,
    control: Data<AccessControl>,
    log: Data<DecisionLog>,
) -> Result<HttpResponse, DecisionError> {
    let evaluator = Evaluator { control: &control, caller: &authority, log: &log, origin: &origin };
    let asked = Evaluation::read(&body.0, &Value::Null, Wanted::Actions)?;
    let person = asked.subject.1.as_deref().and_then(|id| id.parse::<UserId>().ok());
    let kind = authority.tenant().kinds.get(&asked.resource.0);
    let mut results = Vec::new();
    if let (Some(person), Some(kind), "user") = (person, kind, asked.subject.0.as_str()) {
        for action in &kind.actions {
            if is_allowed(&evaluator, &asked, person, action).await? {
                results.push(json!({ "name": action }));
            }
        }
    }
    Ok(HttpResponse::Ok().json(json!({ "results": results, "page": { "next_token": "" } })))
}

/// Searches are not decisions that anybody acts on, and are not logged.
async fn is_allowed(
    evaluator: &Evaluator<'_>,
    asked: &Evaluation,
    person: UserId,
    action: &str,
) -> Result<bool, DecisionError> {
    match evaluator.question(asked, person, action).await {
        Ok(question) => Ok(question.answer().is_allowed()),
        Err(DecisionError::NoSuchUser) => Ok(false),
        Err(DecisionError::Invalid(errors)) => {
            if errors.iter().any(|error| error.code == "type") {
                let details: Vec<&str> = errors.iter().map(|error| error.detail.as_str()).collect();
                return Err(DecisionError::Malformed(details.join("; ")));
            }
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// After whom the page begins.
fn token(body: &Value) -> Result<Option<UserId>, DecisionError> {
    match body.pointer("/page/token").or_else(|| body.pointer("/page/next_token")) {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(token) => {
            let token = token.as_str().and_then(|text| text.parse().ok());
            token.map(Some).ok_or_else(|| DecisionError::Malformed("page.token is not one of this list".to_owned()))
        }
    }
}
