//! What a policy says, as it was sent and as it is kept.

use std::str::FromStr as _;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tenantry_types::{InputError, text_enum};
use utoipa::ToSchema;

use crate::access::PermissionPattern;
use crate::access::policy::{Catalogue, Effect, Policy, Target};
use crate::authn::{Principal, Subject};

/// What a policy says: everything that has versions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(as = PolicyDocument)]
pub struct Contents {
    /// Its name, which no other policy of the tenant has.
    #[schema(example = "PremiumCustomerBookingPolicy")]
    pub name: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it speaks of.
    pub target: TargetNames,
    /// The effect, and the alternatives of conditions.
    #[schema(value_type = Object, example = json!({"effect": "allow", "conditions": [{"user.role": "PremiumCustomer"}]}))]
    pub rules: Value,
    /// Of several policies of one effect, the one with the highest is named in the log.
    pub priority: i64,
    /// Whether it counts.
    pub is_enabled: bool,
}

/// What a policy speaks of; `*` stands for everything.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = PolicyTarget)]
pub struct TargetNames {
    /// A kind of resource.
    #[schema(example = "booking")]
    pub resource: String,
    /// What is done to it.
    #[schema(example = "cancel")]
    pub action: String,
}

/// What was sent, checked and compiled.
#[derive(Debug, Clone)]
pub struct Draft {
    /// As it is kept.
    pub contents: Contents,
    /// As it decides.
    pub policy: Policy,
}

impl Draft {
    /// Reads and compiles a policy. `is_enabled` stands for what was not said of it.
    ///
    /// # Errors
    /// Everything that is wrong, at once, each under its JSON pointer.
    pub fn parse(catalogue: &Catalogue, mut json: Value, is_enabled: bool) -> Result<Self, Vec<InputError>> {
        let mut errors = Vec::new();
        let switch = json.as_object_mut().and_then(|body| body.remove("is_enabled"));
        let is_enabled = switch.map_or(is_enabled, |value| {
            value.as_bool().unwrap_or_else(|| {
                errors.push(InputError::new("/is_enabled", "type", "must be true or false"));
                is_enabled
            })
        });
        let rules = json.get("rules").cloned().unwrap_or_default();
        match Policy::parse(catalogue, json) {
            Ok(policy) if errors.is_empty() => Ok(Self { contents: Contents::of(&policy, &rules, is_enabled), policy }),
            Ok(_) => Err(errors),
            Err(found) => {
                errors.extend(found);
                Err(errors)
            }
        }
    }
}

impl Contents {
    fn of(policy: &Policy, rules: &Value, is_enabled: bool) -> Self {
        let conditions = rules.get("conditions").cloned().unwrap_or_else(|| json!([]));
        let name = |name: &Option<std::sync::Arc<str>>| name.as_deref().unwrap_or("*").to_owned();
        Self {
            name: policy.name.to_string(),
            description: policy.description.clone(),
            target: TargetNames { resource: name(&policy.target.resource), action: name(&policy.target.action) },
            rules: json!({ "effect": policy.effect.as_str(), "conditions": conditions }),
            priority: i64::from(policy.priority),
            is_enabled,
        }
    }

    /// What it says of what it matches. What cannot be read denies.
    pub fn effect(&self) -> Effect {
        let effect = self.rules.get("effect").and_then(Value::as_str);
        effect.and_then(|text| Effect::from_str(text).ok()).unwrap_or(Effect::Deny)
    }

    /// The permissions that it speaks of. One action on every kind of resource is a part of everything only.
    pub fn permissions(&self) -> PermissionPattern {
        match (self.target.resource.as_str(), self.target.action.as_str()) {
            ("*", _) => PermissionPattern::All,
            (resource, "*") => PermissionPattern::Resource(resource.to_owned()),
            (resource, action) => PermissionPattern::One(resource.to_owned(), action.to_owned()),
        }
    }

    /// What it speaks of, as the engine knows it.
    pub fn target(&self) -> Target {
        let name = |name: &str| (name != "*").then(|| name.into());
        Target { resource: name(&self.target.resource), action: name(&self.target.action) }
    }

    /// The same with some members replaced (RFC 7396).
    ///
    /// # Errors
    /// When the patch is no object.
    pub fn patched(&self, patch: &Value) -> Result<Value, Vec<InputError>> {
        if !patch.is_object() {
            return Err(vec![InputError::new("", "type", "must be an object")]);
        }
        let mut document = json!(self);
        merge(&mut document, patch);
        Ok(document)
    }
}

/// RFC 7396 §2.
fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    let Value::Object(members) = target else { return };
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name).or_insert(Value::Null), value);
        }
    }
}

text_enum! {
    /// To whom a policy can be assigned.
    pub enum AssigneeType {
        /// A person.
        User = "user",
        /// Everybody who has a role.
        Role = "role",
        /// Everybody who is in a group.
        Group = "group",
    }
}

/// To whom a policy is to be assigned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignee {
    /// What kind.
    pub kind: AssigneeType,
    /// The id of the user, role or group.
    pub id: String,
}

/// Who changed something, as it is kept: `user:<id>` or `client:<id>`.
pub fn actor(principal: &Principal) -> String {
    match &principal.subject {
        Subject::User(id) => format!("user:{id}"),
        // A `client_id` has room enough here (RFC 6749 §2.2 sets no limit; the identity provider does).
        Subject::Client(id) => format!("client:{id}").chars().take(254).collect(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn contents(resource: &str, action: &str) -> Contents {
        Contents {
            name: "P".to_owned(),
            description: Some("d".to_owned()),
            target: TargetNames { resource: resource.to_owned(), action: action.to_owned() },
            rules: json!({"effect": "allow", "conditions": []}),
            priority: 0,
            is_enabled: true,
        }
    }

    #[test]
    fn a_policy_speaks_of_the_permissions_of_its_target() {
        let of = |resource, action| contents(resource, action).permissions().to_string();
        assert_eq!(of("booking", "cancel"), "booking.cancel");
        assert_eq!(of("booking", "*"), "booking.*");
        assert_eq!((of("*", "*"), of("*", "read")), ("*".to_owned(), "*".to_owned()));
    }

    #[test]
    fn a_patch_replaces_members_and_null_removes_them() {
        let patched = contents("booking", "read").patched(&json!({
            "description": null, "target": {"action": "cancel"}, "rules": {"conditions": [{"user.id": "x"}]}, "priority": 3,
        }));
        let patched = patched.unwrap();
        assert_eq!(patched.get("description"), None);
        assert_eq!(patched["target"], json!({"resource": "booking", "action": "cancel"}));
        assert_eq!(patched["rules"], json!({"effect": "allow", "conditions": [{"user.id": "x"}]}));
        assert!(contents("booking", "read").patched(&json!([])).is_err());
    }
}
