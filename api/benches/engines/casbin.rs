//! casbin, with a line for each rule and the rules' form in the matcher.

use casbin::{CoreApi as _, DefaultModel, Enforcer, MemoryAdapter, MgmtApi as _};
use serde::Serialize;

use super::{DAY, Engine, NOW, Request, Rule, When};

const MODEL: &str = "
[request_definition]
r = sub, obj, act, tomorrow
[policy_definition]
p = obj, act, early, small, guests, below, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.act == p.act && r.obj.kind == p.obj && ((p.early in r.sub.roles && r.obj.time > r.tomorrow) || \
(p.small in r.sub.roles && r.obj.guests <= p.guests) || \
(r.obj.owner == r.sub.id && r.obj.guests < p.below))
";

pub struct Casbin {
    enforcer: Enforcer,
    requests: Vec<(Subject, Object, &'static str)>,
}

#[derive(Debug, Clone, Serialize, Hash)]
struct Subject {
    id: String,
    roles: Vec<String>,
}

#[derive(Debug, Clone, Serialize, Hash)]
struct Object {
    kind: String,
    owner: String,
    /// The fields of casbin's rules are texts. Numbers of one digit have the same order as texts.
    guests: String,
    time: i64,
}

impl Casbin {
    pub fn new(rules: &[Rule], requests: &[Request]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let enforcer = runtime.block_on(async {
            let model = DefaultModel::from_str(MODEL).await.unwrap();
            let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await.unwrap();
            enforcer.add_policies(rules.iter().map(line).collect()).await.unwrap();
            enforcer
        });
        let requests = requests.iter().map(|request| {
            let subject = Subject { id: request.user.clone(), roles: request.roles.clone() };
            let object = Object {
                kind: request.resource.clone(),
                owner: request.owner.clone(),
                guests: request.guests.to_string(),
                time: request.scheduled_time,
            };
            (subject, object, request.action)
        });
        Self { enforcer, requests: requests.collect() }
    }
}

impl Engine for Casbin {
    fn name(&self) -> &'static str {
        "casbin 2.20"
    }

    fn allows(&self, request: usize) -> bool {
        let (subject, object, action) = self.requests[request].clone();
        self.enforcer.enforce((subject, object, action, NOW + DAY)).unwrap()
    }
}

/// What a rule does not speak of is something that nobody has.
fn line(rule: &Rule) -> Vec<String> {
    let (early, small, guests, below) = match &rule.when {
        When::Owner { guests } => ("nobody".to_owned(), "nobody".to_owned(), 0, *guests),
        When::Roles { early, small, guests } => (early.clone(), small.clone(), *guests, 0),
    };
    let effect = if rule.allows { "allow" } else { "deny" };
    vec![
        rule.resource.clone(),
        rule.action.to_owned(),
        early,
        small,
        guests.to_string(),
        below.to_string(),
        effect.to_owned(),
    ]
}
