//! `/access/v1/search/…` (Authorization API 1.0).

use std::collections::HashSet;
use std::str::FromStr;

use actix_web::HttpResponse;
use actix_web::web::Data;
use serde_json::{Value, json};
use tenantry_db::Connection;
use tenantry_types::UserId;
use tenantry_web::problems::Json;

use super::evaluate::Evaluator;
use super::message::{Evaluation, Wanted};
use crate::access::log::DecisionLog;
use crate::access::{AccessControl, Attributes, Authority};
use crate::audit::Origin;
use crate::decisions::{DecisionError, Question, store};
use crate::state::Api;

/// How many people are looked at for one page of subjects.
const PEOPLE: u32 = 50;
/// And how many things for one page of resources.
const PAGE: i64 = 50;

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
    let mut evaluator = Evaluator::new(&control, &authority, &log, &origin);
    let asked = Evaluation::read(&body.0, &Value::Null, Wanted::Subjects)?;
    evaluator.look_up([&asked]).await?;
    let after = token::<UserId>(&body.0)?;
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
        evaluator.look_up_people(people.iter().copied()).await?;
        for person in people {
            if is_allowed(&evaluator, &asked, person, &action).await? {
                results.push(json!({ "type": "user", "id": person }));
            }
        }
    }
    Ok(found(&results, &next))
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
    let mut evaluator = Evaluator::new(&control, &authority, &log, &origin);
    let asked = Evaluation::read(&body.0, &Value::Null, Wanted::Actions)?;
    evaluator.look_up([&asked]).await?;
    let person = asked.subject.1.as_deref().and_then(|id| id.parse::<UserId>().ok());
    let kind = authority.tenant().kinds.get(&asked.resource.0);
    evaluator.look_up_people(person).await?;
    let mut results = Vec::new();
    if let (Some(person), Some(kind), "user") = (person, kind, asked.subject.0.as_str()) {
        for action in &kind.actions {
            if is_allowed(&evaluator, &asked, person, action).await? {
                results.push(json!({ "name": action }));
            }
        }
    }
    Ok(found(&results, ""))
}

/// Finds to what somebody may do something
///
/// AuthZEN Authorization API 1.0: among the roles, groups, accounts, policies or entries of the audit trail of the tenant.
/// 50 are looked at for a page, so a page may have few results or none and still not be the last: the list ends where
/// `next_token` is empty. What is kept elsewhere, whoever keeps it has to search.
#[utoipa::path(
    post,
    path = "/access/v1/search/resource",
    tag = "Decisions",
    operation_id = "search_resources",
    request_body(content = Value, example = json!({
        "subject": {"type": "user", "id": "0190b2c4-0000-7000-8000-000000000001"}, "action": {"name": "update"},
        "resource": {"type": "account"}})),
    responses((status = 200, description = "The resources", body = inline(Value), example = json!({
        "results": [{"type": "account", "id": "0190b2c4-0000-7000-8000-000000000001"}], "page": {"next_token": ""}}))),
)]
pub(crate) async fn resources(
    authority: Authority,
    origin: Origin,
    body: Json<Value>,
    control: Data<AccessControl>,
    log: Data<DecisionLog>,
    api: Data<Api>,
) -> Result<HttpResponse, DecisionError> {
    let evaluator = Evaluator::new(&control, &authority, &log, &origin);
    let asked = Evaluation::read(&body.0, &Value::Null, Wanted::Resources)?;
    let after = token::<String>(&body.0)?;
    let (kind, action) = (asked.resource.0.clone(), asked.action.clone().unwrap_or_default());
    let Some((kept, columns)) = authority.tenant().kinds.kept(&kind) else {
        return Err(DecisionError::Malformed(format!("resource.type: {kind:.100} are not kept here")));
    };
    let person = asked.subject.1.as_deref().and_then(|id| id.parse::<UserId>().ok());
    let question = match person.filter(|_| asked.subject.0 == "user") {
        Some(person) => asked_of(&evaluator, &asked, person, &action).await?,
        None => None,
    };
    let Some(question) = question else { return Ok(found(&[], "")) };
    let (scope, kept, visible) = (authority.principal().scope(), *kept, question.filter(columns));
    let is_exact = visible.is_exact();
    let search = move |conn: &mut Connection| store::ids(conn, scope, &kept, &visible, after.as_deref(), PAGE + 1);
    let mut ids = api.db.read(search).await?;
    let mut next = String::new();
    if i64::try_from(ids.len()).is_ok_and(|found| found > PAGE) {
        ids.pop();
        next = ids.last().cloned().unwrap_or_default();
    }
    if !is_exact {
        let known = control.known_of(scope, &kind, ids.clone()).await?;
        let may = |(id, known): (String, Attributes)| {
            let mut one = question.clone();
            one.know(&known);
            one.answer().is_allowed().then_some(id)
        };
        let allowed: HashSet<String> = known.into_iter().filter_map(may).collect();
        ids.retain(|id| allowed.contains(id));
    }
    let results: Vec<Value> = ids.into_iter().map(|id| json!({ "type": kind, "id": id })).collect();
    Ok(found(&results, &next))
}

fn found(results: &[Value], next: &str) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "results": results, "page": { "next_token": next } }))
}

/// Searches are not decisions that anybody acts on, and are not logged.
async fn is_allowed(
    evaluator: &Evaluator<'_>,
    asked: &Evaluation,
    person: UserId,
    action: &str,
) -> Result<bool, DecisionError> {
    Ok(asked_of(evaluator, asked, person, action).await?.is_some_and(|question| question.answer().is_allowed()))
}

/// The question; `None` where the answer is no in any case.
async fn asked_of(
    evaluator: &Evaluator<'_>,
    asked: &Evaluation,
    person: UserId,
    action: &str,
) -> Result<Option<Question>, DecisionError> {
    match evaluator.question(asked, person, action).await {
        Ok(question) => Ok(Some(question)),
        Err(DecisionError::NoSuchUser) => Ok(None),
        Err(DecisionError::Invalid(errors)) => {
            if errors.iter().any(|error| error.code == "type") {
                let details: Vec<&str> = errors.iter().map(|error| error.detail.as_str()).collect();
                return Err(DecisionError::Malformed(details.join("; ")));
            }
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// After which the page begins.
fn token<T: FromStr>(body: &Value) -> Result<Option<T>, DecisionError> {
    match body.pointer("/page/token").or_else(|| body.pointer("/page/next_token")) {
        None => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(token) => {
            let token = token.as_str().filter(|text| text.len() <= 100).and_then(|text| text.parse().ok());
            token.map(Some).ok_or_else(|| DecisionError::Malformed("page.token is not one of this list".to_owned()))
        }
    }
}
