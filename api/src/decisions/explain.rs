//! `/api/v1/access/explain`.

use std::collections::HashSet;

use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_types::{Envelope, UserId};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::{Asked, DecisionError, EXPLAIN, Question};
use crate::access::policy::{Explanation, Truth};
use crate::access::{Access, AccessControl, Attributes, Authority, Decision, Permission, Routes};
use crate::authn::Subject;
use crate::input::{Errors, Object};
use crate::state::Api;

/// More policies than this are not told one by one.
const MOST_POLICIES: usize = 200;

/// To see policies: what each says is told to those only who may see it.
const READ: Permission = Permission::new("policy.read");

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const PATH: &str = "/api/v1/access/explain";
    routes.get(PATH, Access::Authenticated, show).post(PATH, Access::Authenticated, explain);
}

/// An answer on the wire.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AccessExplanation)]
pub(crate) struct ExplanationView {
    /// `allow` or `deny`.
    #[schema(example = "deny")]
    decision: &'static str,
    /// Why: `policy`, `role`, `nothing` (allows it), `scope` (of the token is too narrow) or `inactive` (the person is).
    #[schema(example = "policy")]
    reason: &'static str,
    /// In a sentence.
    in_words: String,
    /// The name of the policy that decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    policy: Option<String>,
    /// Whether the scopes of the caller's token allow it. Absent when it is asked about somebody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    scope_allows: Option<bool>,
    /// The roles of the person that allow it.
    roles_that_allow: Vec<String>,
    /// The policies that speak of it, as far as the caller may see them; without `access.explain` only those that are for
    /// the caller. Those that count first, then by priority.
    policies: Vec<PolicyExplanation>,
    /// How many more of these were not looked at: a decision looks at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    omitted: Option<usize>,
}

/// What a policy had to say.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct PolicyExplanation {
    /// Its name.
    name: String,
    /// `allow` or `deny`.
    effect: &'static str,
    /// Its priority.
    priority: i32,
    /// Whether it is for the subject.
    is_assigned: bool,
    /// Whether it counted.
    applies: bool,
    /// In a sentence.
    in_words: String,
    /// What came of its conditions, alternative by alternative.
    alternatives: Vec<Vec<ConditionExplanation>>,
}

/// What came of a condition.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ConditionExplanation {
    /// Of which attribute.
    #[schema(example = "booking.scheduled_time")]
    attribute: String,
    /// What was asked of it.
    #[schema(example = "> now() + 24h")]
    condition: String,
    /// `true`, `false`, or `unknown` where a value is not there.
    #[schema(example = "false")]
    truth: &'static str,
}

fn policy(explanation: &Explanation<'_>) -> PolicyExplanation {
    let truth = |truth| match truth {
        Truth::True => "true",
        Truth::False => "false",
        Truth::Unknown => "unknown",
    };
    let alternative = |steps: &Vec<crate::access::policy::Step<'_>>| {
        let steps = steps.iter().map(|step| ConditionExplanation {
            attribute: step.attribute.to_owned(),
            condition: step.condition.clone(),
            truth: truth(step.truth),
        });
        steps.collect()
    };
    PolicyExplanation {
        name: explanation.policy.name.to_string(),
        effect: explanation.policy.effect.as_str(),
        priority: explanation.policy.priority,
        is_assigned: explanation.is_assigned,
        applies: explanation.applies,
        in_words: explanation.in_words(),
        alternatives: explanation.alternatives.iter().map(alternative).collect(),
    }
}

/// What each policy had to say, and how many more there are. Whoever may not ask about others is told of policies that are
/// for themselves, and everybody of those that they may see: what a tenant forbids to whom is not everybody's to know.
async fn told(
    control: &AccessControl,
    authority: &Authority,
    question: &Question,
    may_explain: bool,
) -> Result<(Vec<PolicyExplanation>, Option<usize>), DecisionError> {
    if authority.decide_for_some(READ) != Decision::Allow {
        return Ok((Vec::new(), None));
    }
    let tenant = question.tenant();
    let mut explained = tenant.policies.explain(&question.resource, &question.action, &question.facts);
    explained.retain(|one| may_explain || one.is_assigned);
    explained.sort_by_key(|one| !one.applies);
    let omitted = explained.len().checked_sub(MOST_POLICIES).filter(|more| *more > 0);
    explained.truncate(MOST_POLICIES);
    let id = |one: &Explanation<'_>| tenant.policy_id(&one.policy.name).map(|id| id.to_string());
    let ids = explained.iter().filter_map(id).collect();
    let known = control.known_of(authority.principal().scope(), READ.resource(), ids).await?;
    let may_see = |known: &Attributes| authority.check(READ, known.iter().cloned()).is_ok();
    let visible: HashSet<String> = known.into_iter().filter(|(_, known)| may_see(known)).map(|(id, _)| id).collect();
    let seen = explained.iter().filter(|one| id(one).is_some_and(|id| visible.contains(&id)));
    Ok((seen.map(policy).collect(), omitted))
}

fn view(question: &Question, policies: Vec<PolicyExplanation>, omitted: Option<usize>) -> ExplanationView {
    let answer = question.answer();
    ExplanationView {
        decision: if answer.is_allowed() { "allow" } else { "deny" },
        reason: answer.code(),
        in_words: question.in_words(),
        policy: answer.policy().map(str::to_owned),
        scope_allows: question.scope,
        roles_that_allow: question.roles().iter().map(ToString::to_string).collect(),
        policies,
        omitted,
    }
}

/// Explains a decision
///
/// About oneself with any token; about others with the permission `access.explain`. Of a resource that is named by its id
/// (`role.id`) and kept here everything is known to whoever has that permission; else only what is said in `attributes`.
/// Everything else is unknown: not enough to allow, and enough to deny. Which policy decided is always told; what the
/// policies say one by one, as far as `policy.read` goes, and without `access.explain` of those that are for the caller.
#[utoipa::path(
    get,
    path = "/api/v1/access/explain",
    tag = "Policies",
    operation_id = "explain_access",
    params(
        ("resource" = String, Query, description = "The kind of resource"),
        ("action" = String, Query, description = "What is to be done to it"),
        ("subject" = Option<String>, Query, description = "The id of a user; the caller when it is absent"),
        ("attributes" = Option<String>, Query, description = "A JSON object of attributes: `{\"booking.status\": \"open\"}`"),
    ),
    responses(
        (status = 200, description = "The answer, and how it comes about", body = inline(Envelope<ExplanationView>),
            example = json!({"status": "success", "data": {
                "decision": "deny", "reason": "nothing",
                "in_words": "May not booking.cancel: no role and no policy allows it.",
                "scope_allows": true, "roles_that_allow": [], "policies": [
                    {"name": "PremiumCustomerBookingPolicy", "effect": "allow", "priority": 0, "is_assigned": true,
                     "applies": false,
                     "in_words": "PremiumCustomerBookingPolicy does not allow: it does not hold that booking.scheduled_time > now() + 24h",
                     "alternatives": [[
                        {"attribute": "booking.scheduled_time", "condition": "> now() + 24h", "truth": "false"},
                        {"attribute": "user.role", "condition": "PremiumCustomer", "truth": "true"}]]}]}})),
        (status = 403, description = "About others only with the permission `access.explain`"),
        (status = 404, description = "The tenant has no such user"),
        (status = 422, description = "The question is none: `errors` says where"),
    )
)]
pub(crate) async fn show(
    request: HttpRequest,
    authority: Authority,
    control: Data<AccessControl>,
    api: Data<Api>,
) -> Result<HttpResponse, DecisionError> {
    let mut query = Query::of(&request, &api.cursors, authority.principal().tenant.id.as_str());
    let (resource, action) = (query.text("resource"), query.text("action"));
    let subject = query.take("subject", str::parse::<UserId>);
    let attributes = query.take("attributes", |text| match serde_json::from_str::<Value>(text) {
        Ok(Value::Object(attributes)) => Ok(attributes),
        _ => Err("must be a JSON object"),
    });
    for (name, value) in [("resource", &resource), ("action", &action)] {
        if value.is_none() {
            query.refuse(name, "required", "must be there");
        }
    }
    query.finish().map_err(DecisionError::Invalid)?;
    let what = (resource.unwrap_or_default(), action.unwrap_or_default());
    let asked = subject.map_or(Asked::Caller, Asked::User);
    answer(&control, &authority, asked, what, attributes.unwrap_or_default()).await
}

/// Explains a decision about what is sent
///
/// `subject` is `{"id": …}` for a user, `{"facts": {"user.role": […]}}` for somebody imagined, and the caller when it is
/// absent.
#[utoipa::path(
    post,
    path = "/api/v1/access/explain",
    tag = "Policies",
    operation_id = "explain_access_to",
    request_body(content = Value, example = json!({
        "subject": {"facts": {"user.role": ["PremiumCustomer"]}}, "resource": "booking", "action": "cancel",
        "attributes": {"booking.scheduled_time": "2026-01-31T09:30:00Z", "env.time": "2026-01-30T09:30:00Z"}})),
    responses(
        (status = 200, description = "The answer, and how it comes about", body = inline(Envelope<ExplanationView>)),
        (status = 403, description = "About others only with the permission `access.explain`"),
        (status = 404, description = "The tenant has no such user"),
    )
)]
pub(crate) async fn explain(
    authority: Authority,
    body: Json<Value>,
    control: Data<AccessControl>,
) -> Result<HttpResponse, DecisionError> {
    let (asked, what, attributes) = parse(body.0, "").map_err(DecisionError::Invalid)?;
    answer(&control, &authority, asked, what, attributes).await
}

/// A question as it is sent: whom it is about, kind of resource and action, and attributes.
pub type Sent = (Asked, (String, String), Map<String, Value>);

/// Reads a question that stands at `pointer`.
///
/// # Errors
/// Everything that is wrong.
pub fn parse(body: Value, pointer: &str) -> Result<Sent, Vec<tenantry_types::InputError>> {
    let errors = Errors::default();
    let mut object = Object::new(body, pointer, &errors);
    let mut named = |name: &str| {
        if !object.has(name) {
            object.refuse(name, "required", "must be there");
        }
        object.text(name, |text| Ok::<_, std::convert::Infallible>(text.to_owned())).unwrap_or_default()
    };
    let what = (named("resource"), named("action"));
    let has_subject = object.has("subject");
    let mut subject = object.object("subject");
    let has_facts = subject.has("facts");
    let id = subject.text("id", str::parse::<UserId>);
    let facts: Map<String, Value> = subject.object("facts").rest().into_iter().collect();
    if has_subject && id.is_some() == has_facts {
        subject.refuse_itself("invalid", "must have an id, or facts");
    }
    for name in facts.keys().filter(|name| !name.starts_with("user.") && !name.starts_with("client.")) {
        subject.refuse("facts", "invalid", format!("{name} is not about a subject"));
    }
    subject.finish();
    let attributes = object.object("attributes").rest().into_iter().collect();
    object.finish();
    let asked = match id {
        Some(id) => Asked::User(id),
        None if has_facts => Asked::Known(facts),
        None => Asked::Caller,
    };
    errors.unless_any((asked, what, attributes))
}

async fn answer(
    control: &AccessControl,
    authority: &Authority,
    asked: Asked,
    what: (String, String),
    attributes: Map<String, Value>,
) -> Result<HttpResponse, DecisionError> {
    let is_own = match &asked {
        Asked::Caller => true,
        Asked::User(id) | Asked::Found(id, _) => {
            matches!(&authority.principal().subject, Subject::User(own) if own == id)
        }
        Asked::Known(_) => false,
    };
    if !is_own {
        authority.require(EXPLAIN)?;
    }
    // By id it is asked about the token as well, when it is one's own.
    let asked = if is_own { Asked::Caller } else { asked };
    let id = attributes.get(&format!("{}.id", what.0)).and_then(Value::as_str).map(str::to_owned);
    let mut question = Question::new(control, authority, asked, what, attributes, "/attributes").await?;
    let may_explain = authority.decide(EXPLAIN.as_str()) == Decision::Allow;
    // What is kept of things is told to whoever may ask about everybody, and not by way of a question about oneself.
    if let Some(id) = id.filter(|_| may_explain) {
        let known = control.known_of(authority.principal().scope(), &question.resource, vec![id]).await?;
        if let Some((_, known)) = known.first() {
            question.know(known);
        }
    }
    let (policies, omitted) = told(control, authority, &question, may_explain).await?;
    Ok(HttpResponse::Ok().json(Envelope::new(view(&question, policies, omitted))))
}
