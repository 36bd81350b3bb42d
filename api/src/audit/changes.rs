//! What changed, field by field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The fields that changed, by their JSON Pointer (RFC 6901).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Changes(BTreeMap<String, Change>);

/// One field; an absent value was not there before, or is not there any more.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// What it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

impl Changes {
    /// What is different between two forms of a thing. Objects are compared member by member; everything else as a
    /// whole.
    pub fn between(before: &Value, after: &Value) -> Self {
        let mut changes = Self::default();
        changes.collect(&mut String::new(), Some(before), Some(after));
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

    fn collect(&mut self, pointer: &mut String, before: Option<&Value>, after: Option<&Value>) {
        if before == after {
            return;
        }
        let (Some(Value::Object(old)), Some(Value::Object(new))) = (before, after) else {
            self.0.insert(pointer.clone(), Change { before: before.cloned(), after: after.cloned() });
            return;
        };
        let length = pointer.len();
        for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(*name))) {
            pointer.push('/');
            pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
            self.collect(pointer, old.get(name), new.get(name));
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
}
