//! What is logged of a decision.

use serde_json::Value;
use tenantry_types::{TenantId, text_enum};

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
#[derive(Debug, Clone, PartialEq)]
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
    pub resource: String,
    /// Which one, when it is known. At most 254 bytes are kept.
    pub resource_id: Option<String>,
    /// The part of a permission after the dot. At most 64 bytes are kept.
    pub action: String,
    /// What was decided.
    pub decision: LoggedDecision,
    /// Why, in a word or a sentence. At most 254 bytes are kept.
    pub reason: String,
    /// The policy that decided, when one did.
    pub policy: Option<NamedPolicy>,
    /// The facts that were looked at, by the names of the attributes. More than 64 KiB are replaced by `{"omitted": n}`,
    /// where `n` is how many bytes they were.
    pub context: Value,
    /// The id of the request. At most 64 bytes are kept.
    pub request_id: Option<String>,
    /// The address that the request came from. At most 64 bytes are kept.
    pub address: Option<String>,
}

/// The most bytes of facts that are kept.
const MAX_CONTEXT: usize = 64 * 1024;

/// The text, cut to as many bytes as there is room for.
pub(super) fn cut(mut text: String, most: usize) -> String {
    const ELLIPSIS: &str = "…";
    if text.len() > most {
        text.truncate(text.floor_char_boundary(most - ELLIPSIS.len()));
        text.push_str(ELLIPSIS);
    }
    text
}

/// The same for what is ASCII where it is stored: everything else becomes `?`.
pub(super) fn cut_ascii(text: &str, most: usize) -> String {
    text.chars().map(|c| if c.is_ascii() { c } else { '?' }).take(most).collect()
}

/// The facts as text.
pub(super) fn context_text(context: &Value) -> String {
    let text = context.to_string();
    if text.len() > MAX_CONTEXT { serde_json::json!({ "omitted": text.len() }).to_string() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_between_characters() {
        assert_eq!(cut("abc".to_owned(), 3), "abc");
        assert_eq!(cut("abcdefgh".to_owned(), 6), "abc…");
        let cut = cut("é".repeat(200), 254);
        assert!(cut.len() <= 254 && cut.ends_with("é…"), "{cut}");
        assert_eq!(cut_ascii("aé\u{1f600}bcd", 4), "a??b");
        assert_eq!(context_text(&Value::from("x".repeat(70_000))), "{\"omitted\":70002}");
    }
}
