//! From JSON to a role.

use serde_json::Value;
use tenantry_types::{InputError, RoleId};

use super::model::{RoleFamily, RoleName};
use crate::access::PermissionPattern;
use crate::input::{Errors, Object, line};

/// How many permissions a role names at most.
const MOST_PERMISSIONS: usize = 500;
/// How many roles a role inherits from at most.
const MOST_PARENTS: usize = 20;

/// A role as it is sent.
#[derive(Debug, Clone)]
pub(super) struct RoleInput {
    pub(super) name: String,
    pub(super) family: RoleFamily,
    pub(super) description: Option<String>,
    pub(super) permissions: Vec<PermissionPattern>,
    pub(super) inherits: Vec<RoleId>,
}

/// What is changed of a role; what is `None` stays.
#[derive(Debug, Clone, Default)]
pub(super) struct RolePatch {
    /// `Some(None)` takes it away.
    #[allow(clippy::option_option, reason = "that it is absent and that it is null are two things")]
    pub(super) description: Option<Option<String>>,
    pub(super) permissions: Option<Vec<PermissionPattern>>,
    pub(super) inherits: Option<Vec<RoleId>>,
}

impl RoleInput {
    /// `{name, role_family, description?, permissions?, inherits?}`.
    pub(super) fn parse(body: Value) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut body = Object::new(body, "", &errors);
        let name = body.required("name", str::parse::<RoleName>);
        let family = body.required("role_family", str::parse::<RoleFamily>);
        let description = body.text("description", line::<500>);
        let permissions = body.texts("permissions", MOST_PERMISSIONS, str::parse).unwrap_or_default();
        let inherits = body.texts("inherits", MOST_PARENTS, str::parse).unwrap_or_default();
        body.finish();
        errors.unless_any(()).and_then(|()| {
            let (Some(name), Some(family)) = (name, family) else { return Err(Vec::new()) };
            Ok(Self {
                name: name.as_str().to_owned(),
                family,
                description,
                permissions: distinct(permissions),
                inherits: distinct(inherits),
            })
        })
    }
}

impl RolePatch {
    /// `{description?, permissions?, inherits?}`; a role keeps its name and its family.
    pub(super) fn parse(body: Value) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut body = Object::new(body, "", &errors);
        for fixed in ["name", "role_family"] {
            if body.value(fixed).is_some() {
                body.refuse(fixed, "fixed", "policies and tokens speak of it: make another role instead");
            }
        }
        let says_description = body.contains("description");
        let description = body.text("description", line::<500>);
        let patch = Self {
            description: says_description.then_some(description),
            permissions: body.texts("permissions", MOST_PERMISSIONS, str::parse).map(distinct),
            inherits: body.texts("inherits", MOST_PARENTS, str::parse).map(distinct),
        };
        body.finish();
        errors.unless_any(patch)
    }
}

fn distinct<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort();
    list.dedup();
    list
}
