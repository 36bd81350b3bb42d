//! A question: who, what, on what.

use std::str::FromStr as _;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tenantry_types::{InputError, UserId, UtcTime};

use super::DecisionError;
use crate::access::policy::{Catalogue, Columns, Facts, Filter, Listing, PolicySet, Schema, Value};
use crate::access::{AccessControl, Attributes, Authority, Reason, TenantAccess, Who, scope_allows};

/// Whom it is asked about.
#[derive(Debug, Clone)]
pub enum Asked {
    /// The caller, with their token.
    Caller,
    /// A person of the tenant.
    User(UserId),
    /// Somebody of whom only this is known: `user.*` and `client.*`.
    Known(Map<String, Json>),
}

/// A question that can be answered.
#[derive(Debug, Clone)]
pub struct Question {
    /// The kind of resource.
    pub resource: String,
    /// What is to be done to it.
    pub action: String,
    /// What is known.
    pub facts: Facts,
    /// The attributes that facts of this kind have.
    pub schema: Schema,
    /// The roles that allow it.
    pub roles: Vec<Arc<str>>,
    /// Whether it is allowed where no policy says anything.
    pub base: bool,
    /// Whether the scopes of the token allow it; `None` where it is not asked about a token.
    pub scope: Option<bool>,
    /// Whether the person may do anything at all.
    pub is_active: bool,
    tenant: Arc<TenantAccess>,
}

/// What came of it.
#[derive(Debug, Clone, Copy)]
pub enum Answered<'a> {
    /// The person may do nothing at all.
    Inactive,
    /// The scopes of the token do not allow it.
    OutOfScope,
    /// The roles and policies have decided.
    Decided(Reason<'a>),
}

impl Answered<'_> {
    /// Whether it may be done.
    pub const fn is_allowed(self) -> bool {
        matches!(self, Self::Decided(reason) if reason.is_allowed())
    }

    /// Why, in a word.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Inactive => "inactive",
            Self::OutOfScope => "scope",
            Self::Decided(Reason::Denied(_) | Reason::Allowed(_)) => "policy",
            Self::Decided(Reason::Role) => "role",
            Self::Decided(Reason::Nothing) => "nothing",
        }
    }

    /// The name of the policy that decided.
    pub fn policy(&self) -> Option<&str> {
        match self {
            Self::Decided(Reason::Denied(policy) | Reason::Allowed(policy)) => Some(&policy.name),
            _ => None,
        }
    }
}

impl Question {
    /// Puts together what is known. `attributes` are those of the resource and of `env.*`, by their names; `pointer` is
    /// where they stand.
    ///
    /// # Errors
    /// [`DecisionError::Invalid`] with everything that is wrong, [`DecisionError::NoSuchUser`],
    /// [`DecisionError::Database`].
    pub async fn new(
        control: &AccessControl,
        caller: &Authority,
        asked: Asked,
        (resource, action): (String, String),
        mut attributes: Map<String, Json>,
        pointer: &str,
    ) -> Result<Self, DecisionError> {
        let tenant = Arc::clone(caller.tenant());
        let schema = schema(tenant.kinds.catalogue(), &resource, &action).map_err(DecisionError::Invalid)?;
        refuse_known(&attributes, pointer)?;
        let permission = format!("{resource}.{action}");
        let mut scope = None;
        let (who, is_active) = match asked {
            Asked::Caller => {
                scope = Some(caller.is_in_scope(&permission));
                (caller.who(), true)
            }
            Asked::User(id) => {
                let found = control.subject(caller.principal().scope(), id).await?;
                let subject = found.ok_or(DecisionError::NoSuchUser)?;
                let is_active = subject.is_active;
                (
                    Who { user: Some(id), subject: Some(subject), tenant: caller.who().tenant, ..Who::default() },
                    is_active,
                )
            }
            Asked::Known(known) => {
                attributes.extend(known);
                (Who { tenant: caller.who().tenant, ..Who::default() }, true)
            }
        };
        let now = attributes.get("env.time").and_then(Json::as_str).and_then(|time| UtcTime::from_str(time).ok());
        let now = now.unwrap_or_else(|| caller.now());
        let mut facts = control.facts(now, &who, &tenant);
        let given = Facts::from_json(&schema, now, Json::Object(attributes), pointer);
        add(&mut facts, &given.map_err(DecisionError::Invalid)?, &schema);
        let roles = roles_that_allow(&tenant, &facts, &schema, &permission);
        let is_client = who.user.is_none() && scope.is_some();
        let base = !roles.is_empty() || (is_client && scope == Some(true));
        Ok(Self { resource, action, facts, schema, roles, base, scope, is_active, tenant })
    }

    /// Adds what is known here of what it is done to, which counts more than what was said of it.
    pub fn know(&mut self, known: &Attributes) {
        for (name, value) in known {
            if let Some(slot) = self.schema.slot(name) {
                self.facts.set(slot, value.clone());
            }
        }
    }

    /// Which of the things that are kept in these columns it may be done to.
    pub fn filter(&self, columns: &Columns) -> Filter {
        let (nobody, nothing) = (PolicySet::default(), Facts::at(self.facts.now()));
        let may = self.is_active && self.scope != Some(false);
        let listing = Listing {
            schema: &self.schema,
            columns,
            resource: &self.resource,
            action: &self.action,
            facts: if may { &self.facts } else { &nothing },
            base: may && self.base,
        };
        if may { self.tenant.policies.filter(&listing) } else { nobody.filter(&listing) }
    }

    /// The answer.
    pub fn answer(&self) -> Answered<'_> {
        if !self.is_active {
            return Answered::Inactive;
        }
        if self.scope == Some(false) {
            return Answered::OutOfScope;
        }
        Answered::Decided(self.tenant.judge(&self.resource, &self.action, &self.facts, self.base))
    }

    /// What was asked of which tenant.
    pub fn tenant(&self) -> &TenantAccess {
        &self.tenant
    }

    /// The answer in a sentence.
    pub fn in_words(&self) -> String {
        let what = format!("{}.{}", self.resource, self.action);
        match self.answer() {
            Answered::Inactive => "The person is switched off and may do nothing.".to_owned(),
            Answered::OutOfScope => format!("The access token has no scope that allows {what}."),
            Answered::Decided(reason @ (Reason::Denied(policy) | Reason::Allowed(policy))) => {
                let explained = self.tenant.policies.explain(&self.resource, &self.action, &self.facts);
                let why = explained.iter().find(|one| one.policy.name == policy.name);
                let why = why.map_or_else(|| policy.name.to_string(), crate::access::policy::Explanation::in_words);
                format!("{} {what}: {why}.", if reason.is_allowed() { "May" } else { "May not" })
            }
            Answered::Decided(Reason::Role) if self.roles.is_empty() => {
                format!("May {what}: a scope names it, and no policy forbids it.")
            }
            Answered::Decided(Reason::Role) => {
                format!("May {what}: the role {} allows it, and no policy forbids it.", self.roles.join(", "))
            }
            Answered::Decided(Reason::Nothing) => format!("May not {what}: no role and no policy allows it."),
        }
    }
}

/// The attributes of a kind of resource to which this can be done.
fn schema(catalogue: &Catalogue, resource: &str, action: &str) -> Result<Schema, Vec<InputError>> {
    let Some(schema) = catalogue.schema(Some(resource)) else {
        let resource: String = resource.chars().take(100).collect();
        let detail = format!("there is no resource '{resource}'");
        return Err(vec![InputError::new("/resource", "unknown_resource", detail)]);
    };
    if !catalogue.has(resource, action) {
        let action: String = action.chars().take(100).collect();
        return Err(vec![InputError::new("/action", "unknown_action", format!("there is no action '{action}'"))]);
    }
    Ok(schema.clone())
}

/// What this service knows itself nobody else says.
fn refuse_known(attributes: &Map<String, Json>, pointer: &str) -> Result<(), DecisionError> {
    let known = |name: &&String| ["user.", "client.", "tenant."].iter().any(|prefix| name.starts_with(prefix));
    let errors: Vec<InputError> = attributes
        .keys()
        .filter(known)
        .map(|name| {
            let place = format!("{pointer}/{}", name.replace('~', "~0").replace('/', "~1"));
            InputError::new(place, "known", "is known here: name a subject, or describe one")
        })
        .collect();
    if errors.is_empty() { Ok(()) } else { Err(DecisionError::Invalid(errors)) }
}

fn add(facts: &mut Facts, given: &Facts, schema: &Schema) {
    for attribute in schema.attributes() {
        if let Some(slot) = schema.slot(&attribute.name)
            && let Some(value) = given.get(slot)
        {
            facts.set(slot, value.clone());
        }
    }
}

/// Those of the caller's roles, as the facts have them, that allow a permission.
pub(super) fn roles_that_allow(
    tenant: &TenantAccess,
    facts: &Facts,
    schema: &Schema,
    permission: &str,
) -> Vec<Arc<str>> {
    let held = schema.slot("user.role").and_then(|slot| facts.get(slot));
    let Some(Value::Set(names)) = held else { return Vec::new() };
    tenant.allowing(permission).into_iter().filter(|name| names.contains(name)).collect()
}

/// Whether roles or, of a client, scopes allow something, as recorded facts have them.
pub fn is_base(tenant: &TenantAccess, facts: &Facts, schema: &Schema, permission: &str) -> bool {
    let has_person = schema.slot("user.id").is_some_and(|slot| facts.get(slot).is_some());
    if has_person || schema.slot("user.role").is_some_and(|slot| facts.get(slot).is_some()) {
        return !roles_that_allow(tenant, facts, schema, permission).is_empty();
    }
    match schema.slot("client.scopes").and_then(|slot| facts.get(slot)) {
        Some(Value::Set(scopes)) => scopes.iter().any(|scope| scope_allows(scope, permission)),
        _ => false,
    }
}
