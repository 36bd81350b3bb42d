//! Which policies decide: those that speak of what is done, and hold.

use std::collections::HashMap;
use std::sync::Arc;

use super::document::{Effect, Policy};
use super::evaluate::{Facts, Truth};

/// All policies of a tenant that are switched on, by what they speak of: a decision looks only at those.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    policies: Vec<Policy>,
    by_target: HashMap<Arc<str>, Actions>,
    of_any_resource: Actions,
}

/// The policies about one kind of resource, by their action. Each list has the highest priority first.
#[derive(Debug, Clone, Default)]
struct Actions {
    by_action: HashMap<Arc<str>, Vec<usize>>,
    of_any_action: Vec<usize>,
}

impl Actions {
    fn lists(&self, action: &str) -> impl Iterator<Item = usize> {
        self.by_action.get(action).into_iter().flatten().chain(&self.of_any_action).copied()
    }
}

/// What the policies say.
#[derive(Debug, Clone, Copy)]
pub enum Verdict<'a> {
    /// A policy forbids it.
    Denied(&'a Policy),
    /// A policy allows it, and none forbids it.
    Allowed(&'a Policy),
    /// None speaks of it. What nobody allows is not allowed.
    Silent,
}

impl PolicySet {
    /// These policies.
    pub fn new(mut policies: Vec<Policy>) -> Self {
        // Where the priority is the same the name decides, so that every replica names the same policy.
        policies.sort_by(|a, b| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
        let mut set = Self::default();
        for (at, policy) in policies.iter().enumerate() {
            let actions = match &policy.target.resource {
                Some(resource) => set.by_target.entry(Arc::clone(resource)).or_default(),
                None => &mut set.of_any_resource,
            };
            match &policy.target.action {
                Some(action) => actions.by_action.entry(Arc::clone(action)).or_default().push(at),
                None => actions.of_any_action.push(at),
            }
        }
        set.policies = policies;
        set
    }

    /// Whether there are no policies at all.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// The policies that speak of an action on a kind of resource.
    fn about<'a>(&'a self, resource: &str, action: &str) -> impl Iterator<Item = (usize, &'a Policy)> {
        let of_resource = self.by_target.get(resource).into_iter().flat_map(move |actions| actions.lists(action));
        let all = of_resource.chain(self.of_any_resource.lists(action));
        all.filter_map(|at| Some((at, self.policies.get(at)?)))
    }

    /// The policies that speak of an action on a kind of resource, the highest priority first.
    pub(super) fn concerning(&self, resource: &str, action: &str, _facts: &Facts) -> impl Iterator<Item = &Policy> {
        let mut about: Vec<_> = self.about(resource, action).collect();
        about.sort_by_key(|(at, _)| *at);
        about.into_iter().map(|(_, policy)| policy)
    }

    /// What the policies say of an action on a resource. Deny beats allow, whatever their priorities.
    pub fn decide(&self, resource: &str, action: &str, facts: &Facts) -> Verdict<'_> {
        let (mut denied, mut allowed) = (None::<(usize, &Policy)>, None);
        for (at, policy) in self.about(resource, action) {
            let found = match policy.effect {
                Effect::Deny => &mut denied,
                Effect::Allow => &mut allowed,
            };
            // The places are in the order of priority: an earlier one is already named.
            if found.is_none_or(|(named, _)| at < named) && policy.applies(facts) {
                *found = Some((at, policy));
            }
        }
        match (denied, allowed) {
            (Some((_, policy)), _) => Verdict::Denied(policy),
            (None, Some((_, policy))) => Verdict::Allowed(policy),
            (None, None) => Verdict::Silent,
        }
    }

    /// Every policy that speaks of it, the highest priority first, with what came of each of its conditions.
    pub fn explain(&self, resource: &str, action: &str, facts: &Facts) -> Vec<Explanation<'_>> {
        let mut about: Vec<_> = self.about(resource, action).collect();
        about.sort_by_key(|(at, _)| *at);
        about.into_iter().map(|(_, policy)| policy.explain(facts)).collect()
    }
}

impl Policy {
    /// Whether its conditions hold.
    pub fn truth(&self, facts: &Facts) -> Truth {
        if self.alternatives.is_empty() {
            return Truth::True;
        }
        Truth::any(&self.alternatives, |alternative| {
            Truth::all(&alternative.0, |condition| condition.test.holds(facts))
        })
    }

    /// Whether it counts. What cannot be said is not enough to allow, and enough to forbid.
    pub fn applies(&self, facts: &Facts) -> bool {
        match (self.truth(facts), self.effect) {
            (Truth::True, _) | (Truth::Unknown, Effect::Deny) => true,
            (Truth::False, _) | (Truth::Unknown, Effect::Allow) => false,
        }
    }

    fn explain(&self, facts: &Facts) -> Explanation<'_> {
        let alternatives = self.alternatives.iter().map(|alternative| {
            let steps = alternative.0.iter().map(|condition| Step {
                attribute: &condition.attribute,
                condition: match &condition.source {
                    serde_json::Value::String(text) => text.clone(),
                    other => other.to_string(),
                },
                truth: condition.test.holds(facts),
            });
            steps.collect()
        });
        Explanation {
            policy: self,
            applies: self.applies(facts),
            truth: self.truth(facts),
            alternatives: alternatives.collect(),
        }
    }
}

/// Why a policy counted, or did not.
#[derive(Debug, Clone)]
pub struct Explanation<'a> {
    /// The policy.
    pub policy: &'a Policy,
    /// Whether it counted.
    pub applies: bool,
    /// What came of its conditions together.
    pub truth: Truth,
    /// What came of each.
    pub alternatives: Vec<Vec<Step<'a>>>,
}

/// What came of one condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step<'a> {
    /// The attribute.
    pub attribute: &'a str,
    /// What was asked of it, as it is written.
    pub condition: String,
    /// The answer.
    pub truth: Truth,
}

impl Explanation<'_> {
    /// In a sentence, for the person who reads the log.
    pub fn in_words(&self) -> String {
        let (name, effect) = (&self.policy.name, self.policy.effect);
        let because = |wanted: Truth| {
            let steps = self.alternatives.iter().flatten().filter(|step| step.truth == wanted);
            steps.map(|step| format!("{} {}", step.attribute, step.condition)).collect::<Vec<_>>().join("; ")
        };
        match (self.applies, self.truth) {
            (true, Truth::True) if self.alternatives.is_empty() => format!("{name} decides: {effect}, always"),
            (true, Truth::True) => format!("{name} decides: {effect}, because it holds that {}", because(Truth::True)),
            (true, _) => {
                format!("{name} decides: {effect}, because it cannot be said whether {}", because(Truth::Unknown))
            }
            (false, Truth::Unknown) => {
                format!("{name} does not {effect}: it cannot be said whether {}", because(Truth::Unknown))
            }
            (false, _) => format!("{name} does not {effect}: it does not hold that {}", because(Truth::False)),
        }
    }
}
