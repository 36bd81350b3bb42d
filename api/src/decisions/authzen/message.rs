//! Requests and answers (Authorization API 1.0).

use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use crate::decisions::DecisionError;

/// How many evaluations one request may have.
pub(super) const MOST_EVALUATIONS: usize = 100;

/// One question, as it was sent.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Evaluation {
    /// The type and the id of the subject; a search has no id.
    pub(super) subject: (String, Option<String>),
    /// What is to be done; a search for actions does not say.
    pub(super) action: Option<String>,
    /// The type, the id and the properties of the resource.
    pub(super) resource: (String, Option<String>, Map<String, Value>),
    pub(super) context: Map<String, Value>,
}

/// An answer.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = AuthZenDecision)]
pub(crate) struct DecisionView {
    /// Whether it may be done.
    pub(super) decision: bool,
    /// Why: `reason` in a word, `reason_admin` in sentences by language; or what was wrong with the question.
    #[schema(value_type = Object)]
    pub(super) context: Value,
}

impl DecisionView {
    pub(super) fn refused(reason: &str, in_words: &str) -> Self {
        Self { decision: false, context: json!({ "reason": reason, "reason_admin": { "en": in_words } }) }
    }

    /// What is said of a question of several that is none.
    pub(super) fn failed(error: &str) -> Self {
        Self { decision: false, context: json!({ "error": { "status": 400, "message": error } }) }
    }
}

/// Which members a question must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Decision,
    Subjects,
    Actions,
    Resources,
}

fn malformed(detail: impl Into<String>) -> DecisionError {
    DecisionError::Malformed(detail.into())
}

impl Evaluation {
    /// Reads a question. Members that it lacks stand in `defaults`; what nobody knows is left alone, as the
    /// specification wants it.
    ///
    /// # Errors
    /// [`DecisionError::Malformed`].
    pub(super) fn read(item: &Value, defaults: &Value, wanted: Wanted) -> Result<Self, DecisionError> {
        if !item.is_object() {
            return Err(malformed("a question must be an object"));
        }
        let member = |name: &str| item.get(name).or_else(|| defaults.get(name));
        let subject = member("subject");
        let resource = member("resource");
        let subject_id = id(subject, "subject", wanted != Wanted::Subjects)?;
        let resource_id = id(resource, "resource", wanted != Wanted::Resources)?;
        let action = match (member("action"), wanted) {
            (None, Wanted::Actions) => None,
            (action, _) => Some(text(action, "action", "name")?),
        };
        Ok(Self {
            subject: (text(subject, "subject", "type")?, subject_id),
            action,
            resource: (
                text(resource, "resource", "type")?,
                resource_id,
                object(resource.and_then(|resource| resource.get("properties")), "resource.properties")?,
            ),
            context: object(member("context"), "context")?,
        })
    }
}

fn text(entity: Option<&Value>, of: &str, name: &str) -> Result<String, DecisionError> {
    let value = entity.and_then(|entity| entity.get(name)).and_then(Value::as_str);
    let good = value.filter(|text| (1..=1_000).contains(&text.len()));
    good.map(str::to_owned).ok_or_else(|| malformed(format!("{of}.{name} must be a text of 1 to 1000 bytes")))
}

fn id(entity: Option<&Value>, of: &str, is_required: bool) -> Result<Option<String>, DecisionError> {
    let is_there = entity.is_some_and(|entity| entity.get("id").is_some());
    if is_required || is_there { text(entity, of, "id").map(Some) } else { Ok(None) }
}

fn object(value: Option<&Value>, name: &str) -> Result<Map<String, Value>, DecisionError> {
    match value {
        None | Some(Value::Null) => Ok(Map::new()),
        Some(Value::Object(members)) => Ok(members.clone()),
        Some(_) => Err(malformed(format!("{name} must be an object"))),
    }
}

/// When several evaluations end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Semantic {
    #[default]
    ExecuteAll,
    DenyOnFirstDeny,
    PermitOnFirstPermit,
}

impl Semantic {
    pub(super) fn read(body: &Value) -> Result<Self, DecisionError> {
        match body.pointer("/options/evaluations_semantic") {
            None => Ok(Self::ExecuteAll),
            Some(Value::String(text)) if text == "execute_all" => Ok(Self::ExecuteAll),
            Some(Value::String(text)) if text == "deny_on_first_deny" => Ok(Self::DenyOnFirstDeny),
            Some(Value::String(text)) if text == "permit_on_first_permit" => Ok(Self::PermitOnFirstPermit),
            Some(_) => Err(malformed(
                "options.evaluations_semantic must be execute_all, deny_on_first_deny or permit_on_first_permit",
            )),
        }
    }

    /// Whether the evaluations after this answer are not looked at.
    pub(super) const fn ends_with(self, decision: bool) -> bool {
        match self {
            Self::ExecuteAll => false,
            Self::DenyOnFirstDeny => !decision,
            Self::PermitOnFirstPermit => decision,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_an_evaluation_lacks_stands_before_all_of_them() {
        let defaults = json!({"subject": {"type": "user", "id": "a"}, "action": {"name": "read"}});
        let item = json!({"resource": {"type": "booking", "id": "1", "properties": {"x": 1}}, "more": true});
        let read = Evaluation::read(&item, &defaults, Wanted::Decision).unwrap();
        assert_eq!(read.subject, ("user".to_owned(), Some("a".to_owned())));
        assert_eq!((read.action.as_deref(), read.resource.2.len()), (Some("read"), 1));
        for bad in [
            json!(1),
            json!({}),
            json!({"resource": {"type": "booking"}}),
            json!({"resource": {"type": 1, "id": "x"}}),
            json!({"resource": {"type": "booking", "id": "1"}, "context": []}),
            json!({"resource": {"type": "booking", "id": "1"}, "action": {}}),
        ] {
            assert!(Evaluation::read(&bad, &defaults, Wanted::Decision).is_err(), "{bad}");
        }
    }

    #[test]
    fn several_end_when_they_are_told_to() {
        let read = |text: &str| Semantic::read(&json!({"options": {"evaluations_semantic": text}}));
        assert!(!Semantic::read(&json!({})).unwrap().ends_with(false));
        assert!(read("deny_on_first_deny").unwrap().ends_with(false));
        assert!(read("permit_on_first_permit").unwrap().ends_with(true));
        assert!(!read("execute_all").unwrap().ends_with(true));
        assert!(read("whatever").is_err());
    }
}
