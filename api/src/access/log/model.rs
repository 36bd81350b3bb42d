//! What is logged of a decision.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Serialize;
use serde_json::Value;
use tenantry_types::{TenantId, UtcTime, text_enum};
use utoipa::ToSchema;

use crate::access::policy::Facts;
use crate::access::{Authority, Kinds, Permission};

text_enum! {
    /// What kind of subject asked.
    pub enum SubjectKind {
        /// A person, through a client.
        User = "user",
        /// A client on its own behalf.
        Client = "client",
    }
}

text_enum! {
    /// What was decided.
    pub enum LoggedDecision {
        /// They may.
        Allow = "allow",
        /// They may not.
        Deny = "deny",
    }
}

/// The policy that decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedPolicy {
    /// Its id.
    pub id: String,
    /// What it was called.
    pub name: String,
    /// Which version of it.
    pub version: Option<i64>,
}

/// A decision, as it is logged. When it was made is set as it is recorded.
///
/// Texts that are longer than there is room for are cut and end in `…`: a decision is always logged.
#[derive(Debug, Clone)]
pub struct DecisionRecord {
    /// The tenant whose resource it was about.
    pub tenant_id: TenantId,
    /// What kind of subject asked.
    pub subject_kind: SubjectKind,
    /// The id of the user, or the `client_id`. At most 254 bytes are kept.
    pub subject_id: String,
    /// The client through which was asked. At most 254 bytes are kept.
    pub client_id: String,
    /// The kind of resource: the part of a permission before the dot. At most 254 bytes are kept.
    pub resource: Cow<'static, str>,
    /// Which one, when it is known. At most 254 bytes are kept.
    pub resource_id: Option<String>,
    /// The part of a permission after the dot. At most 64 bytes are kept.
    pub action: Cow<'static, str>,
    /// What was decided.
    pub decision: LoggedDecision,
    /// Why, in a word or a sentence. At most 254 bytes are kept.
    pub reason: Cow<'static, str>,
    /// The policy that decided, when one did.
    pub policy: Option<NamedPolicy>,
    /// The facts that were looked at, by the names of the attributes. More than 64 KiB are replaced by `{"omitted": n}`,
    /// where `n` is how many bytes they were.
    pub context: Context,
    /// The id of the request. At most 64 bytes are kept.
    pub request_id: Option<String>,
    /// The address that the request came from. At most 64 bytes are kept.
    pub address: Option<String>,
}

/// The facts that were looked at. They become JSON when they are written, where nobody waits for it.
#[derive(Clone)]
pub enum Context {
    /// They are.
    Json(Value),
    /// What is known of the caller of a request for a permission.
    Caller(Authority, Permission),
    /// What was known about a thing.
    Known(Box<(Facts, Arc<Kinds>, String)>),
}

impl Context {
    /// What was known about a thing of a kind.
    pub fn known(facts: Facts, kinds: Arc<Kinds>, resource: &str) -> Self {
        Self::Known(Box::new((facts, kinds, resource.to_owned())))
    }

    pub(super) fn to_json_text(&self) -> String {
        match self {
            Self::Json(value) => value.to_string(),
            Self::Caller(caller, permission) => {
                caller.known().to_json_text(caller.tenant().kinds.schema(permission.resource()))
            }
            Self::Known(known) => {
                let (facts, kinds, resource) = &**known;
                facts.to_json_text(kinds.schema(resource))
            }
        }
    }
}

impl From<Value> for Context {
    fn from(value: Value) -> Self {
        Self::Json(value)
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json_text())
    }
}

/// Which decisions are asked for: those that everything given here is true of.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DecisionFilter {
    /// Asked by the subject with this id.
    pub subject: Option<String>,
    /// About this kind of resource.
    pub resource: Option<String>,
    /// About this one.
    pub resource_id: Option<String>,
    /// About this action.
    pub action: Option<String>,
    /// Decided like this.
    pub decision: Option<LoggedDecision>,
    /// Decided by the policy with this id.
    pub policy: Option<String>,
    /// At this time or later.
    pub from: Option<UtcTime>,
    /// Before this time.
    pub to: Option<UtcTime>,
}

/// A decision as it is shown.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
#[schema(as = LoggedDecision)]
pub struct DecisionView {
    /// Its id.
    #[schema(format = Uuid)]
    pub id: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: UtcTime,
    /// Who asked.
    pub subject: SubjectOfDecision,
    /// The client through which was asked.
    pub client_id: String,
    /// The kind of resource.
    #[schema(example = "booking")]
    pub resource: String,
    /// Which one, when it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resource_id: Option<String>,
    /// What was to be done with it.
    #[schema(example = "cancel")]
    pub action: String,
    /// `allow` or `deny`.
    #[schema(example = "deny")]
    pub decision: String,
    /// Why.
    pub reason: String,
    /// The policy that decided, when one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyOfDecision>,
    /// The facts that were looked at.
    #[schema(value_type = Object)]
    pub context: Value,
    /// The id of the request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The address that the request came from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
}

/// Who asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct SubjectOfDecision {
    /// `user` or `client`.
    pub kind: String,
    /// The id of the user, or the `client_id`.
    pub id: String,
}

/// The policy that decided, as it was then.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct PolicyOfDecision {
    /// Its id.
    pub id: String,
    /// What it was called.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Which version of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
}

/// The most bytes of facts that are kept.
const MAX_CONTEXT: usize = 64 * 1024;

/// The text, cut to as many bytes as there is room for.
pub(super) fn cut(text: &str, most: usize) -> Cow<'_, str> {
    const ELLIPSIS: &str = "…";
    if text.len() <= most {
        return text.into();
    }
    let kept = &text[..text.floor_char_boundary(most - ELLIPSIS.len())];
    Cow::Owned(format!("{kept}{ELLIPSIS}"))
}

/// The same for what is ASCII where it is stored: everything else becomes `?`.
pub(super) fn cut_ascii(text: &str, most: usize) -> Cow<'_, str> {
    if text.is_ascii() {
        return text[..text.len().min(most)].into();
    }
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).take(most).collect()
}

/// The facts as text.
pub(super) fn context_text(context: &Context) -> String {
    let text = context.to_json_text();
    if text.len() > MAX_CONTEXT { serde_json::json!({ "omitted": text.len() }).to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        assert_eq!(cut("abc", 3), "abc");
        assert_eq!(cut("abcdefgh", 6), "abc…");
        let long = "é".repeat(200);
        let cut = cut(&long, 254);
        assert!(cut.len() <= 254 && cut.ends_with("é…"), "{cut}");
        assert_eq!((cut_ascii("aé\u{1f600}bcd", 4), cut_ascii("abc", 2)), ("a??b".into(), "ab".into()));
        assert_eq!(context_text(&Value::from("x".repeat(70_000)).into()), "{\"omitted\":70002}");
    }
}
