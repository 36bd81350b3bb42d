//! Answering a question.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde_json::{Map, Value, json};
use tenantry_types::{InputError, UserId};

use super::message::{DecisionView, Evaluation};
use crate::access::log::{Context, DecisionLog, DecisionRecord, LoggedDecision, NamedPolicy, SubjectKind};
use crate::access::{AccessControl, Attributes, Authority, SubjectAccess};
use crate::audit::Origin;
use crate::decisions::{Asked, DecisionError, Question};

/// Who is asked, and where answers are logged.
#[derive(Debug, Clone)]
pub(super) struct Evaluator<'a> {
    pub(super) control: &'a AccessControl,
    pub(super) caller: &'a Authority,
    pub(super) log: &'a DecisionLog,
    pub(super) origin: &'a Origin,
    /// What is kept of the things that are asked about, by their types and ids.
    pub(super) known: HashMap<(String, String), Attributes>,
    /// The people who are asked about, as far as they were looked up; `None` for somebody whom nobody has seen.
    people: HashMap<UserId, Option<Arc<SubjectAccess>>>,
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(
        control: &'a AccessControl,
        caller: &'a Authority,
        log: &'a DecisionLog,
        origin: &'a Origin,
    ) -> Self {
        Self { control, caller, log, origin, known: HashMap::new(), people: HashMap::new() }
    }
}

impl Evaluator<'_> {
    /// Looks up what is kept of the things that these are about, with a query for each kind.
    ///
    /// # Errors
    /// [`DecisionError::Database`].
    pub(super) async fn look_up<'a>(
        &mut self,
        asked: impl IntoIterator<Item = &'a Evaluation>,
    ) -> Result<(), DecisionError> {
        let mut ids: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Evaluation { resource: (kind, id, _), .. } in asked {
            ids.entry(kind.clone()).or_default().extend(id.clone());
        }
        for (kind, ids) in ids {
            let known = self.control.known_of(self.caller.principal().scope(), &kind, ids).await?;
            self.known.extend(known.into_iter().map(|(id, known)| ((kind.clone(), id), known)));
        }
        Ok(())
    }

    /// Looks up people, all at once.
    ///
    /// # Errors
    /// [`DecisionError::Database`].
    pub(super) async fn look_up_people(
        &mut self,
        people: impl IntoIterator<Item = UserId>,
    ) -> Result<(), DecisionError> {
        let people: BTreeSet<UserId> = people.into_iter().collect();
        let mut found = self.control.subjects(self.caller.principal().scope(), people.iter().copied()).await?;
        self.people = people.into_iter().map(|user| (user, found.remove(&user))).collect();
        Ok(())
    }

    /// The answer, logged.
    ///
    /// # Errors
    /// [`DecisionError::Malformed`] for attributes that are of another type, [`DecisionError::Database`].
    pub(super) async fn answer(&self, asked: &Evaluation) -> Result<DecisionView, DecisionError> {
        let (kind, Some(id)) = &asked.subject else {
            return Err(DecisionError::Malformed("subject.id must be there".to_owned()));
        };
        let user = (kind == "user").then(|| id.parse::<UserId>().ok()).flatten();
        // Whoever is not in the directory may do nothing, also where a policy is for everyone.
        let Some(user) = user else {
            return Ok(DecisionView::refused("unknown_subject", "The tenant has no such user."));
        };
        let action = asked.action.clone().unwrap_or_default();
        match self.question(asked, user, &action).await {
            Ok(question) => {
                let answer = question.answer();
                self.record(asked, user, &question).await;
                let context = json!({
                    "reason": answer.code(), "policy": answer.policy(), "reason_admin": { "en": question.in_words() },
                });
                Ok(DecisionView { decision: answer.is_allowed(), context })
            }
            Err(DecisionError::NoSuchUser) => {
                Ok(DecisionView::refused("unknown_subject", "The tenant has no such user."))
            }
            Err(DecisionError::Invalid(errors)) => refusal(&errors),
            Err(error) => Err(error),
        }
    }

    /// The question whether a person may do this.
    pub(super) async fn question(
        &self,
        asked: &Evaluation,
        user: UserId,
        action: &str,
    ) -> Result<Question, DecisionError> {
        let (resource, id, properties) = &asked.resource;
        let attributes = self.attributes(resource, id.as_deref(), properties, &asked.context);
        let what = (resource.clone(), action.to_owned());
        let who = match self.people.get(&user) {
            Some(Some(subject)) => Asked::Found(user, Arc::clone(subject)),
            Some(None) => return Err(DecisionError::NoSuchUser),
            None => Asked::User(user),
        };
        let mut question = Question::new(self.control, self.caller, who, what, attributes, "").await?;
        let known = id.as_ref().and_then(|id| self.known.get(&(resource.clone(), id.clone())));
        if let Some(known) = known {
            question.know(known);
        }
        Ok(question)
    }

    /// The properties and the context by the names of attributes. What is none of them nobody asks for; the time is that of
    /// this service, whatever the clock of whoever asks says.
    fn attributes(
        &self,
        resource: &str,
        id: Option<&str>,
        properties: &Map<String, Value>,
        context: &Map<String, Value>,
    ) -> Map<String, Value> {
        let Some(kind) = self.caller.tenant().kinds.get(resource) else { return Map::new() };
        let own = properties.iter().map(|(name, value)| (format!("{resource}.{name}"), value.clone()));
        let surroundings = context.iter().filter(|(name, _)| !["time", "local_time"].contains(&name.as_str()));
        let surroundings = surroundings.map(|(name, value)| (format!("env.{name}"), value.clone()));
        let named = id.map(|id| (format!("{resource}.id"), Value::from(id)));
        own.chain(surroundings).chain(named).filter(|(name, _)| kind.schema.slot(name).is_some()).collect()
    }

    async fn record(&self, asked: &Evaluation, user: UserId, question: &Question) {
        let (principal, answer, tenant) = (self.caller.principal(), question.answer(), question.tenant());
        let policy = answer.policy().map(|name| {
            let known = tenant.policy_version(name);
            NamedPolicy {
                id: known.map_or_else(String::new, |(id, _)| id.to_string()),
                name: name.to_owned(),
                version: known.map(|(_, version)| version),
            }
        });
        let record = DecisionRecord {
            tenant_id: principal.tenant.id,
            subject_kind: SubjectKind::User,
            subject_id: user.to_string(),
            client_id: principal.client_id.clone(),
            resource: question.resource.clone().into(),
            resource_id: asked.resource.1.clone(),
            action: question.action.clone().into(),
            decision: if answer.is_allowed() { LoggedDecision::Allow } else { LoggedDecision::Deny },
            reason: question.in_words().into(),
            policy,
            context: Context::known(question.facts.clone(), Arc::clone(&tenant.kinds), &question.resource),
            request_id: self.origin.request_id.clone(),
            address: self.origin.address.clone(),
        };
        self.log.record(record).await;
    }
}

/// A kind of resource or an action that nobody has heard of may be asked about: the answer is no. Attributes of another
/// type are a mistake of whoever asks.
fn refusal(errors: &[InputError]) -> Result<DecisionView, DecisionError> {
    let details = || errors.iter().map(|error| error.detail.as_str()).collect::<Vec<_>>().join("; ");
    let is_unknown = |error: &InputError| ["unknown_resource", "unknown_action"].contains(&&*error.code);
    if errors.iter().all(is_unknown) {
        return Ok(DecisionView::refused("unknown", &details()));
    }
    Err(DecisionError::Malformed(details()))
}
