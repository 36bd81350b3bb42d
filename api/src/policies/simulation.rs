//! What a policy would change: requests decided with the policies as they are, and as they would be.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_db::DbError;
use tenantry_types::{InputError, UtcTime};
use utoipa::ToSchema;

use super::PolicyError;
use super::model::Draft;
use super::routes::READ;
use super::store::{self, RecordedRow};
use crate::access::policy::{Assignment, Facts, Policy, PolicySet, Recorded, simulate};
use crate::access::{AccessControl, Authority, TenantAccess, log};
use crate::decisions::explain::{Sent, parse};
use crate::decisions::{Asked as Subject, DecisionError, Question, is_base, is_open};
use crate::input::{Errors, Object};
use crate::state::Api;

/// How many requests may be sent.
const MOST_REQUESTS: usize = 200;
/// How many recorded decisions are looked at.
const MOST_RECORDED: u32 = 5_000;
/// How many of those that change are told.
const MOST_TOLD: usize = 200;
/// What is said of a policy that is not there, or not for the caller to see.
const UNKNOWN: &str = "no policy of this name is switched on";

/// A simulation, as it is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    after: PolicySet,
    /// The policy that is added, by its name.
    added: Option<String>,
    /// The policy that is taken away.
    without: Option<String>,
    requests: Vec<Sent>,
    recorded: u32,
}

/// What would be decided otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Simulated {
    /// Of the requests that were sent.
    requests: Outcome,
    /// Of the decisions in the log.
    recorded: Outcome,
}

/// What would be decided otherwise, of some requests.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(crate) struct Outcome {
    /// How many were decided.
    decided: usize,
    /// How many could not be, because attributes of then are not those of now.
    unreadable: usize,
    /// How many would be decided otherwise.
    differing: usize,
    /// Those, the first 200.
    changed: Vec<Changed>,
}

/// A request that would be decided otherwise.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Changed {
    /// Its place among those that were sent, or the id of the decision in the log.
    request: String,
    /// The kind of resource.
    #[schema(example = "booking")]
    resource: String,
    /// What was to be done to it.
    #[schema(example = "cancel")]
    action: String,
    /// `allow` or `deny`: what it would be.
    #[schema(example = "deny")]
    decision: &'static str,
    /// The name of the policy that makes the difference, where the caller may see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    because: Option<String>,
}

impl Asked {
    /// Reads what is to be simulated.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub(super) fn parse(authority: &Authority, body: Value) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut object = Object::new(body, "", &errors);
        let recorded = object.whole_number("recorded", 0..=MOST_RECORDED, 0);
        let without = object.text("without", |name| Ok::<_, std::convert::Infallible>(name.to_owned()));
        let draft = object.value("policy");
        if draft.is_some() == without.is_some() {
            object.refuse("policy", "required", "must be there, or else without");
        }
        let tenant = authority.tenant();
        if without.as_deref().is_some_and(|name| tenant.policy_id(name).is_none()) {
            object.refuse("without", "unknown_policy", UNKNOWN);
        }
        let mut requests = Vec::new();
        match object.value("requests") {
            None => {}
            Some(Value::Array(list)) if list.len() <= MOST_REQUESTS => {
                for (at, request) in list.into_iter().enumerate() {
                    match parse(request, &format!("/requests/{at}")) {
                        Ok(request) => requests.push(request),
                        Err(found) => {
                            for error in &found {
                                note(&errors, error, "");
                            }
                        }
                    }
                }
            }
            Some(_) => object.refuse("requests", "limit", format!("must be a list of at most {MOST_REQUESTS}")),
        }
        object.finish();
        let draft = draft.and_then(|draft| match Draft::parse(tenant.kinds.catalogue(), draft, true) {
            Ok(draft) => Some(draft),
            Err(found) => {
                for error in &found {
                    note(&errors, error, "/policy");
                }
                None
            }
        });
        let added = draft.as_ref().map(|draft| draft.contents.name.clone());
        let after = after(tenant, draft, without.as_deref());
        errors.unless_any(Self { after, added, without, requests, recorded })
    }
}

fn note(errors: &Errors, error: &InputError, under: &str) {
    // The codes of input errors are constants everywhere; what is borrowed stays what it was.
    let code = if let std::borrow::Cow::Borrowed(code) = error.code { code } else { "invalid" };
    errors.add(format!("{under}{}", error.pointer), code, error.detail.clone());
}

/// Whom the policy of this name is for as things are; one that there is not yet, everyone.
pub(super) fn assigned(tenant: &TenantAccess, name: &str) -> Vec<Assignment> {
    let found = tenant.policies.policies().find(|(policy, _)| &*policy.name == name);
    found.map_or_else(|| vec![Assignment::Everyone], |(_, assignments)| assignments.to_vec())
}

/// The policies as they would be.
fn after(tenant: &TenantAccess, draft: Option<Draft>, without: Option<&str>) -> PolicySet {
    let gone = draft.as_ref().map(|draft| draft.contents.name.as_str()).or(without).unwrap_or_default();
    let others = tenant.policies.shared().filter(|(policy, _)| &*policy.name != gone);
    let mut policies: Vec<(Arc<Policy>, Vec<Assignment>)> =
        others.map(|(policy, assignments)| (Arc::clone(policy), assignments.to_vec())).collect();
    if let Some(draft) = draft.filter(|draft| draft.contents.is_enabled) {
        let assignments = assigned(tenant, &draft.contents.name);
        policies.push((Arc::new(draft.policy), assignments));
    }
    PolicySet::assigned(policies)
}

/// Decides everything twice.
///
/// # Errors
/// [`PolicyError::Invalid`] for requests that are none, [`PolicyError::Database`].
pub(super) async fn run(
    api: &Api,
    control: &AccessControl,
    authority: &Authority,
    asked: Asked,
) -> Result<Simulated, PolicyError> {
    if asked.recorded > 0 {
        // What was decided about whom is told to those who may read it where it stands.
        authority.require(log::routes::READ)?;
    }
    if let Some(without) = asked.without.clone()
        && readable(control, authority, &BTreeSet::from([without])).await?.is_empty()
    {
        return Err(PolicyError::invalid("/without", "unknown_policy", UNKNOWN));
    }
    let mut sent = Vec::with_capacity(asked.requests.len());
    let people = asked.requests.iter().filter_map(|(subject, ..)| match subject {
        Subject::User(id) => Some(*id),
        _ => None,
    });
    let people = control.subjects(authority.principal().scope(), people).await?;
    for (at, (subject, what, attributes)) in asked.requests.into_iter().enumerate() {
        let subject = match subject {
            Subject::User(id) => {
                let found = people.get(&id).cloned().ok_or(DecisionError::NoSuchUser);
                Subject::Found(id, found.map_err(|error| refused(error, at))?)
            }
            other => other,
        };
        let pointer = format!("/requests/{at}/attributes");
        let question = Question::new(control, authority, subject, what, attributes, &pointer).await;
        let question = question.map_err(|error| refused(error, at))?;
        sent.push((
            at.to_string(),
            Recorded {
                base: question.base,
                may: question.may_be_allowed(),
                resource: question.resource,
                action: question.action,
                facts: question.facts,
            },
        ));
    }
    let (scope, limit) = (authority.principal().scope(), i64::from(asked.recorded));
    let rows = if limit == 0 {
        Vec::new()
    } else {
        api.db.read(move |conn| store::recorded_decisions(conn, scope, limit)).await?
    };
    let (tenant, after) = (Arc::clone(authority.tenant()), asked.after);
    let decide = move || {
        let read: Vec<_> = rows.iter().map(|row| (row, recorded(&tenant, row))).collect();
        let unreadable = read.iter().filter(|(_, request)| request.is_none()).count();
        let from_log: Vec<(String, Recorded)> =
            read.into_iter().filter_map(|(row, request)| Some((row.id.clone(), request?))).collect();
        Simulated {
            requests: outcome(&tenant.policies, &after, &sent, 0),
            recorded: outcome(&tenant.policies, &after, &from_log, unreadable),
        }
    };
    // Some milliseconds for thousands of decisions: not on a thread that serves others.
    let simulated = tokio::task::spawn_blocking(decide).await;
    let mut simulated = simulated.map_err(|error| DbError::Panicked(error.to_string()))?;
    let changed = || simulated.requests.changed.iter().chain(&simulated.recorded.changed);
    let names = changed().filter_map(|one| one.because.clone()).collect();
    let mut visible = readable(control, authority, &names).await?;
    visible.extend(asked.added);
    for one in simulated.requests.changed.iter_mut().chain(&mut simulated.recorded.changed) {
        one.because = one.because.take().filter(|name| visible.contains(name));
    }
    Ok(simulated)
}

/// Those of the policies of these names that the caller may see.
pub(super) async fn readable(
    control: &AccessControl,
    authority: &Authority,
    names: &BTreeSet<String>,
) -> Result<BTreeSet<String>, DbError> {
    let tenant = authority.tenant();
    let ids: BTreeMap<String, &String> =
        names.iter().filter_map(|name| Some((tenant.policy_id(name)?.to_string(), name))).collect();
    let scope = authority.principal().scope();
    let known = control.known_of(scope, READ.resource(), ids.keys().cloned().collect()).await?;
    let seen = known.into_iter().filter(|(_, known)| authority.check(READ, known.iter().cloned()).is_ok());
    Ok(seen.filter_map(|(id, _)| ids.get(&id).map(|name| (*name).clone())).collect())
}

fn outcome(before: &PolicySet, after: &PolicySet, requests: &[(String, Recorded)], unreadable: usize) -> Outcome {
    let mut outcome = Outcome { decided: requests.len(), unreadable, ..Outcome::default() };
    for difference in simulate(before, after, requests.iter().map(|(_, request)| request)) {
        outcome.differing += 1;
        if let Some((name, request)) = requests.get(difference.request).filter(|_| outcome.changed.len() < MOST_TOLD) {
            outcome.changed.push(Changed {
                request: name.clone(),
                resource: request.resource.clone(),
                action: request.action.clone(),
                decision: if difference.allowed { "allow" } else { "deny" },
                because: Some(difference.because.name.to_string()),
            });
        }
    }
    outcome
}

/// A decision of the log as a request; `None` when what was known then is not what is known now. Whether roles allow it is
/// taken from the roles of today.
fn recorded(tenant: &TenantAccess, row: &RecordedRow) -> Option<Recorded> {
    let schema = &tenant.kinds.get(&row.resource)?.schema;
    let facts: Map<String, Value> = serde_json::from_str(&row.context).ok()?;
    let time: UtcTime = row.created_at;
    let facts = Facts::from_json(schema, time, Value::Object(facts), "").ok()?;
    let base = is_base(tenant, &facts, schema, &format!("{}.{}", row.resource, row.action));
    let may = is_open(&facts, schema, &format!("{}.{}", row.resource, row.action));
    Some(Recorded { resource: row.resource.clone(), action: row.action.clone(), facts, base, may })
}

fn refused(error: DecisionError, at: usize) -> PolicyError {
    match error {
        DecisionError::Invalid(mut errors) => {
            // What is wrong with the kind of resource or the action stands in the request itself.
            for error in errors.iter_mut().filter(|error| !error.pointer.starts_with("/requests")) {
                error.pointer = format!("/requests/{at}{}", error.pointer);
            }
            PolicyError::Invalid(errors)
        }
        DecisionError::NoSuchUser => {
            PolicyError::invalid(&format!("/requests/{at}/subject/id"), "unknown_user", "the tenant has no such user")
        }
        DecisionError::Malformed(detail) => PolicyError::invalid(&format!("/requests/{at}"), "invalid", detail),
        DecisionError::Access(error) => error.into(),
        DecisionError::Database(error) => error.into(),
    }
}
