//! What changed, field by field.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::masking;

/// The fields that changed, by their JSON Pointer (RFC 6901). Secrets are masked as they are collected, and there is no
/// other way to make one.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(transparent)]
pub struct Changes(BTreeMap<String, Change>);

/// One field; an absent value was not there before, or is not there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Change {
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl Changes {
    /// What is different between two forms of a thing. Objects are compared member by member; everything else as a
    /// whole. A secret that changed is there as one that did, and with nothing of what it is.
    pub fn between(before: &Value, after: &Value) -> Self {
        let mut changes = Self::default();
        changes.collect(&mut String::new(), None, Some(before), Some(after));
        changes
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The pointers of the fields that changed, in order.
    pub fn pointers(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// `name` is what the thing is called; one whose name is that of a secret is not looked into.
    fn collect(&mut self, pointer: &mut String, name: Option<&str>, before: Option<&Value>, after: Option<&Value>) {
        if before == after {
            return;
        }
        let looked_into = !name.is_some_and(masking::is_secret);
        let (true, Some(Value::Object(old)), Some(Value::Object(new))) = (looked_into, before, after) else {
            let masked = |value: Option<&Value>| value.map(|value| masking::masked(name, value));
            self.0.insert(pointer.clone(), Change { before: masked(before), after: masked(after) });
            return;
        };
        // A member of a private key is a secret whatever its name.
        let is_key = old.contains_key("kty") || new.contains_key("kty");
        if is_key {
            let masked = |members: &Map<String, Value>| masking::masked(name, &Value::Object(members.clone()));
            self.0.insert(pointer.clone(), Change { before: Some(masked(old)), after: Some(masked(new)) });
            return;
        }
        let length = pointer.len();
        for member in old.keys().chain(new.keys().filter(|member| !old.contains_key(*member))) {
            pointer.push('/');
            pointer.push_str(&member.replace('~', "~0").replace('/', "~1"));
            self.collect(pointer, Some(member), old.get(member), new.get(member));
            pointer.truncate(length);
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({"a": 1, "b": {"x": [1, 2], "y": "same"}, "gone": true, "o": {}});
        let after = json!({"a": 2, "b": {"x": [1], "y": "same"}, "s/l~sh": null, "o": 1});
        let changes = Changes::between(&before, &after);
        assert_eq!(
            serde_json::to_value(&changes).unwrap(),
            json!({
                "/a": {"before": 1, "after": 2},
                "/b/x": {"before": [1, 2], "after": [1]},
                "/gone": {"before": true},
                "/o": {"before": {}, "after": 1},
                "/s~1l~0sh": {"after": null},
            })
        );
        assert!(Changes::between(&after, &after).is_empty());
        assert_eq!(changes.pointers().next(), Some("/a"));
    }

    #[test]
    fn secrets_are_told_as_changed_and_not_what_they_are() {
        let before =
            json!({"client": {"secret": "old-one", "jwk": {"kty": "oct", "k": "old-one"}}, "token": {"a": "old-one"}});
        let after =
            json!({"client": {"secret": "new-one", "jwk": {"kty": "oct", "k": "new-one"}}, "token": {"a": "new-one"}});
        let changes = serde_json::to_value(Changes::between(&before, &after)).unwrap();
        let both = json!({"before": "[masked]", "after": "[masked]"});
        let key = json!({"kty": "oct", "k": "[masked]"});
        assert_eq!(
            changes,
            json!({"/client/secret": both, "/client/jwk": {"before": key, "after": key}, "/token": both})
        );
        let made = Changes::between(&json!({}), &json!({"name": "x", "password": "new-one"}));
        assert!(!serde_json::to_string(&made).unwrap().contains("new-one"));
    }
}
