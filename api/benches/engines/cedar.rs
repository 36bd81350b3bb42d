//! Cedar, with a policy for each rule and the entities of each request made beforehand.

use std::collections::{HashMap, HashSet};
use std::str::FromStr as _;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, Entity, EntityUid, PolicySet, Request as CedarRequest,
    RestrictedExpression,
};

use super::{DAY, Engine, NOW, Request, Rule, When};

pub struct Cedar {
    authorizer: Authorizer,
    policies: PolicySet,
    requests: Vec<(CedarRequest, Entities)>,
}

impl Cedar {
    pub fn new(rules: &[Rule], requests: &[Request]) -> Self {
        let source: String = rules.iter().map(policy).collect();
        Self {
            authorizer: Authorizer::new(),
            policies: PolicySet::from_str(&source).unwrap(),
            requests: requests.iter().map(request).collect(),
        }
    }
}

impl Engine for Cedar {
    fn name(&self) -> &'static str {
        "cedar-policy 4.14"
    }

    fn allows(&self, request: usize) -> bool {
        let (request, entities) = &self.requests[request];
        self.authorizer.is_authorized(request, &self.policies, entities).decision() == Decision::Allow
    }
}

fn policy(rule: &Rule) -> String {
    let effect = if rule.allows { "permit" } else { "forbid" };
    let when = match &rule.when {
        When::Owner { guests } => format!("resource.owner == principal.id && resource.guests < {guests}"),
        When::Roles { early, small, guests } => format!(
            "(principal.roles.contains(\"{early}\") && resource.scheduled_time > context.now + {DAY}) || \
             (principal.roles.contains(\"{small}\") && resource.guests <= {guests})"
        ),
    };
    let (action, resource) = (rule.action, &rule.resource);
    format!("{effect}(principal, action == Action::\"{action}\", resource is {resource}) when {{ {when} }};\n")
}

fn request(request: &Request) -> (CedarRequest, Entities) {
    let uid = |kind: &str, id: &str| EntityUid::from_str(&format!("{kind}::\"{id}\"")).unwrap();
    let text = |text: &String| RestrictedExpression::new_string(text.clone());
    let (user, resource) = (uid("User", &request.user), uid(&request.resource, "one"));
    let roles = RestrictedExpression::new_set(request.roles.iter().map(text));
    let of_user = HashMap::from([("id".to_owned(), text(&request.user)), ("roles".to_owned(), roles)]);
    let of_resource = HashMap::from([
        ("owner".to_owned(), text(&request.owner)),
        ("guests".to_owned(), RestrictedExpression::new_long(request.guests)),
        ("scheduled_time".to_owned(), RestrictedExpression::new_long(request.scheduled_time)),
    ]);
    let entity = |uid: &EntityUid, attributes| Entity::new(uid.clone(), attributes, HashSet::new()).unwrap();
    let entities = [entity(&user, of_user), entity(&resource, of_resource)];
    let context = Context::from_pairs([("now".to_owned(), RestrictedExpression::new_long(NOW))]).unwrap();
    let asked = CedarRequest::new(user, uid("Action", request.action), resource, context, None).unwrap();
    (asked, Entities::from_entities(entities, None).unwrap())
}
