//! From the JSON of a policy to a policy, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::str::FromStr as _;
use std::sync::Arc;

use serde_json::Value as Json;
use tenantry_types::{InputError, text_enum};

use super::compile::{Test, compile};
use super::schema::{Limit, Schema, nearest};
use crate::input::{Errors, Object, line};

/// How many alternatives a policy has at most.
const MOST_ALTERNATIVES: usize = 50;
/// How many conditions an alternative has at most.
const MOST_CONDITIONS: usize = 50;
/// The largest priority, and the smallest with a minus.
const LARGEST_PRIORITY: i64 = 1_000_000;

text_enum! {
    /// What a policy says of what it matches.
    pub enum Effect {
        /// It may be done.
        Allow = "allow",
        /// It may not be done, whatever else allows it.
        Deny = "deny",
    }
}

/// A policy, compiled.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Its name, which is unique in its tenant.
    pub name: Arc<str>,
    /// What it is for.
    pub description: Option<String>,
    /// What it speaks of.
    pub target: Target,
    /// What it says.
    pub effect: Effect,
    /// When: at least one of these holds. None at all is always.
    pub alternatives: Vec<Alternative>,
    /// Of several of one effect, the one with the highest is named in the log.
    pub priority: i32,
}

/// What a policy speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// A kind of resource; `None` is every kind.
    pub resource: Option<Arc<str>>,
    /// What is done to it; `None` is everything.
    pub action: Option<Arc<str>>,
}

impl Target {
    /// Whether it speaks of everything that the other speaks of.
    pub fn includes(&self, other: &Self) -> bool {
        (self.resource.is_none() || self.resource == other.resource)
            && (self.action.is_none() || self.action == other.action)
    }

    /// Whether it speaks of this.
    pub fn covers(&self, resource: &str, action: &str) -> bool {
        self.resource.as_deref().is_none_or(|own| own == resource)
            && self.action.as_deref().is_none_or(|own| own == action)
    }
}

/// Conditions that must all hold.
#[derive(Debug, Clone)]
pub struct Alternative(pub Vec<Condition>);

/// A condition.
#[derive(Debug, Clone)]
pub struct Condition {
    /// Of which attribute.
    pub attribute: Arc<str>,
    /// As it was written.
    pub source: Json,
    /// As it is tested.
    pub test: Test,
}

/// The kinds of resources that policies can speak of, with their attributes and actions.
#[derive(Debug, Clone)]
pub struct Catalogue {
    resources: BTreeMap<Arc<str>, Resource>,
    /// For policies about every kind of resource: the attributes that all have.
    any: Schema,
}

/// A kind of resource.
#[derive(Debug, Clone)]
pub struct Resource {
    /// Its attributes, and the common ones.
    pub schema: Schema,
    /// What can be done to it.
    pub actions: Vec<Arc<str>>,
}

impl Catalogue {
    /// These kinds of resources.
    pub fn new(resources: impl IntoIterator<Item = (Arc<str>, Resource)>) -> Self {
        Self { resources: resources.into_iter().collect(), any: Schema::with([]) }
    }

    /// Whether this can be done to such a resource.
    pub fn has(&self, resource: &str, action: &str) -> bool {
        let known = self.resources.get(resource);
        known.is_some_and(|known| known.actions.iter().any(|one| &**one == action))
    }

    /// The same for a tenant with these limits.
    #[must_use]
    pub fn with_limits(&self, limits: &[Limit]) -> Self {
        let of = |resource: &Resource| Resource { schema: resource.schema.with_limits(limits), ..resource.clone() };
        let resources = self.resources.iter().map(|(name, resource)| (Arc::clone(name), of(resource)));
        Self { resources: resources.collect(), any: self.any.with_limits(limits) }
    }

    /// The attributes that conditions on this target may name.
    pub fn schema(&self, resource: Option<&str>) -> Option<&Schema> {
        match resource {
            None => Some(&self.any),
            Some(name) => self.resources.get(name).map(|resource| &resource.schema),
        }
    }
}

impl Policy {
    /// Reads and compiles a policy: `{name, description?, priority?, target: {resource, action}, rules: {effect,
    /// conditions?}}`.
    ///
    /// # Errors
    /// Everything that is wrong, at once, each under its JSON pointer.
    pub fn parse(catalogue: &Catalogue, json: Json) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut body = Object::new(json, "", &errors);
        let name = body.required("name", line::<200>).unwrap_or_default();
        let description = body.text("description", line::<2_000>);
        let priority = body.integer("priority", -LARGEST_PRIORITY..=LARGEST_PRIORITY, 0);
        let target = target(catalogue, body.object("target"));
        let mut rules = body.object("rules");
        let effect = rules.required("effect", Effect::from_str);
        let conditions = rules.value("conditions").unwrap_or(Json::Array(Vec::new()));
        let pointer = rules.pointer_to("conditions");
        let alternatives = match catalogue.schema(target.resource.as_deref()) {
            Some(schema) => alternatives(schema, conditions, &pointer, &errors),
            // That the resource is unknown is said already; its attributes are not guessed at.
            None => Vec::new(),
        };
        rules.finish();
        body.finish();
        errors.unless_any(Self {
            name: name.into(),
            description,
            target,
            effect: effect.unwrap_or(Effect::Deny),
            alternatives,
            priority: i32::try_from(priority).unwrap_or_default(),
        })
    }
}

fn target(catalogue: &Catalogue, mut object: Object) -> Target {
    let or_any = |text: &str| Ok::<_, std::convert::Infallible>((text != "*").then(|| Arc::<str>::from(text)));
    let resource = object.required("resource", or_any).flatten();
    let action = object.required("action", or_any).flatten();
    if let Some(name) = &resource {
        match catalogue.resources.get(name) {
            None => {
                object.refuse("resource", "unknown_resource", unknown(name, catalogue.resources.keys(), "resource"));
            }
            Some(resource) => {
                if let Some(action) = action.as_ref().filter(|action| !resource.actions.contains(action)) {
                    object.refuse("action", "unknown_action", unknown(action, resource.actions.iter(), "action"));
                }
            }
        }
    }
    object.finish();
    Target { resource, action }
}

fn unknown<'a>(given: &str, known: impl Iterator<Item = &'a Arc<str>>, what: &str) -> String {
    let suggestion = nearest(given, known.map(|known| &**known));
    let suggestion = suggestion.map_or_else(String::new, |near| format!("; did you mean {near}?"));
    let given: String = given.chars().take(100).collect();
    format!("there is no {what} '{given}'{suggestion}")
}

fn alternatives(schema: &Schema, conditions: Json, pointer: &str, errors: &Errors) -> Vec<Alternative> {
    let Json::Array(list) = conditions else {
        errors.add(pointer, "type", "must be a list of alternatives, each an object of conditions");
        return Vec::new();
    };
    if list.len() > MOST_ALTERNATIVES {
        errors.add(pointer, "limit", format!("at most {MOST_ALTERNATIVES} alternatives"));
        return Vec::new();
    }
    let read = |(at, alternative)| read_alternative(schema, alternative, &format!("{pointer}/{at}"), errors);
    list.into_iter().enumerate().map(read).collect()
}

fn read_alternative(schema: &Schema, json: Json, pointer: &str, errors: &Errors) -> Alternative {
    let mut object = Object::new(json, pointer, errors);
    let members = object.rest();
    if members.is_empty() || members.len() > MOST_CONDITIONS {
        object.refuse_itself("limit", format!("an alternative has 1 to {MOST_CONDITIONS} conditions"));
        return Alternative(Vec::new());
    }
    let mut conditions = Vec::with_capacity(members.len());
    for (attribute, source) in members {
        match compile(schema, &attribute, &source) {
            Ok(test) => conditions.push(Condition { attribute: attribute.into(), source, test }),
            Err(error) => object.refuse(&attribute, error.code, error.detail),
        }
    }
    Alternative(conditions)
}
