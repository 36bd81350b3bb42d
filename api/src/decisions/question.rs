//! A question: who, what, on what.

use std::str::FromStr as _;
use std::sync::Arc;

use serde_json::{Map, Value as Json};
use tenantry_types::{InputError, UserId, UtcTime};

use super::DecisionError;
use crate::access::policy::{Catalogue, Columns, Facts, Filter, Listing, PolicySet, Schema, Value};
use crate::access::{AccessControl, Attributes, Authority, Reason, SubjectAccess, TenantAccess, Who, scope_allows};

/// Whom it is asked about.
#[derive(Debug, Clone)]
pub enum Asked {
    /// The caller, with their token.
    Caller,
    /// A person of the tenant.
    User(UserId),
    /// A person of the tenant who was looked up.
    Found(UserId, Arc<SubjectAccess>),
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
        check_kind(tenant.kinds.catalogue(), &resource, &action).map_err(DecisionError::Invalid)?;
        let schema = tenant.kinds.schema(&resource);
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
                somebody(id, found.ok_or(DecisionError::NoSuchUser)?, caller)
            }
            Asked::Found(id, subject) => somebody(id, subject, caller),
            Asked::Known(known) => {
                attributes.extend(known);
                (Who { tenant: Some(caller.tenant_name()), ..Who::default() }, true)
            }
        };
        let now = ["env.time", "env.local_time"].iter().find_map(|name| attributes.get(*name));
        let now = now.and_then(Json::as_str).and_then(|time| UtcTime::from_str(time).ok());
        let now = now.unwrap_or_else(|| caller.now());
        let mut facts = control.facts(now, &who, &tenant);
        let given = Facts::from_json(schema, now, Json::Object(attributes), pointer);
        add(&mut facts, &given.map_err(DecisionError::Invalid)?, schema);
        let is_client = who.user.is_none() && scope.is_some();
        let by_role = || roles_that_allow(&tenant, &facts, schema, &permission).next().is_some();
        let base = (is_client && scope == Some(true)) || by_role();
        Ok(Self { resource, action, facts, base, scope, is_active, tenant })
    }

    /// The attributes that facts of this kind have.
    pub fn schema(&self) -> &Schema {
        self.tenant.kinds.schema(&self.resource)
    }

    /// The roles that allow it.
    pub fn roles(&self) -> Vec<&Arc<str>> {
        let permission = format!("{}.{}", self.resource, self.action);
        roles_that_allow(&self.tenant, &self.facts, self.schema(), &permission).collect()
    }

    /// Adds what is known here of what it is done to, which counts more than what was said of it.
    pub fn know(&mut self, known: &Attributes) {
        for (name, value) in known {
            if let Some(slot) = self.tenant.kinds.schema(&self.resource).slot(name) {
                self.facts.set(slot, value.clone());
            }
        }
    }

    /// Which of the things that are kept in these columns it may be done to.
    pub fn filter(&self, columns: &Columns) -> Filter {
        let (nobody, nothing) = (PolicySet::default(), Facts::at(self.facts.now()));
        let may = self.may_be_allowed();
        let listing = Listing {
            schema: self.schema(),
            columns,
            resource: &self.resource,
            action: &self.action,
            facts: if may { &self.facts } else { &nothing },
            base: may && self.base,
        };
        if may { self.tenant.policies.filter(&listing) } else { nobody.filter(&listing) }
    }

    /// Whether it could be allowed at all, whatever policies say.
    pub fn may_be_allowed(&self) -> bool {
        self.is_active && self.scope != Some(false)
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
            Answered::Decided(Reason::Role) => match &self.roles()[..] {
                [] => format!("May {what}: a scope names it, and no policy forbids it."),
                roles => {
                    let roles: Vec<&str> = roles.iter().map(|role| &***role).collect();
                    format!("May {what}: the role {} allows it, and no policy forbids it.", roles.join(", "))
                }
            },
            Answered::Decided(Reason::Nothing) => format!("May not {what}: no role and no policy allows it."),
        }
    }
}

/// Somebody of the tenant of the caller, and whether they may do anything at all.
fn somebody(id: UserId, subject: Arc<SubjectAccess>, caller: &Authority) -> (Who, bool) {
    let is_active = subject.is_active;
    let tenant = Some(caller.tenant_name());
    (Who { user: Some(id), subject: Some(subject), tenant, ..Who::default() }, is_active)
}

/// Whether there is such a kind of resource, to which this can be done.
fn check_kind(catalogue: &Catalogue, resource: &str, action: &str) -> Result<(), Vec<InputError>> {
    if catalogue.schema(Some(resource)).is_none() {
        let resource: String = resource.chars().take(100).collect();
        let detail = format!("there is no resource '{resource}'");
        return Err(vec![InputError::new("/resource", "unknown_resource", detail)]);
    }
    if !catalogue.has(resource, action) {
        let action: String = action.chars().take(100).collect();
        return Err(vec![InputError::new("/action", "unknown_action", format!("there is no action '{action}'"))]);
    }
    Ok(())
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
fn roles_that_allow<'f>(
    tenant: &TenantAccess,
    facts: &'f Facts,
    schema: &Schema,
    permission: &str,
) -> impl Iterator<Item = &'f Arc<str>> {
    let held = schema.slot("user.role").and_then(|slot| facts.get(slot));
    let names = if let Some(Value::Set(names)) = held { &names[..] } else { &[] };
    tenant.allowing(names, permission)
}

/// Whether something could be allowed at all, as recorded facts have it: the person was active, and the token, where one
/// is told of, was for it.
pub fn is_open(facts: &Facts, schema: &Schema, permission: &str) -> bool {
    let known = |name| schema.slot(name).and_then(|slot| facts.get(slot));
    let is_active = |status: &Value| matches!(status, Value::Text(status) if &**status == "active");
    let is_person = known("user.id").is_some();
    let in_scope = match known("client.scopes") {
        Some(Value::Set(scopes)) => {
            scopes.iter().any(|scope| scope_allows(scope, permission) || (is_person && &**scope == "api"))
        }
        _ => true,
    };
    in_scope && known("user.status").is_none_or(is_active)
}

/// Whether roles or, of a client, scopes allow something, as recorded facts have them.
pub fn is_base(tenant: &TenantAccess, facts: &Facts, schema: &Schema, permission: &str) -> bool {
    let has_person = schema.slot("user.id").is_some_and(|slot| facts.get(slot).is_some());
    if has_person || schema.slot("user.role").is_some_and(|slot| facts.get(slot).is_some()) {
        return roles_that_allow(tenant, facts, schema, permission).next().is_some();
    }
    match schema.slot("client.scopes").and_then(|slot| facts.get(slot)) {
        Some(Value::Set(scopes)) => scopes.iter().any(|scope| scope_allows(scope, permission)),
        _ => false,
    }
}
