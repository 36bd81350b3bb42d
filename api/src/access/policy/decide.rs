//! Which policies decide: those that speak of what is done, and hold.

use std::sync::Arc;

use super::document::{Effect, Policy};
use super::evaluate::{Facts, Truth};
use super::index::{Assignment, Index};

/// All policies of a tenant that are switched on, by what they speak of and whom they concern: a decision looks only at
/// those that can say something.
#[derive(Debug, Clone, Default)]
pub struct PolicySet {
    /// The highest priority first.
    policies: Vec<Assigned>,
    index: Index,
}

/// A policy, and whom it is for.
type Assigned = (Arc<Policy>, Vec<Assignment>);

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

impl Verdict<'_> {
    /// Whether it may be done, where `base` says whether the caller's roles allow it.
    pub const fn allows(self, base: bool) -> bool {
        match self {
            Self::Denied(_) => false,
            Self::Allowed(_) => true,
            Self::Silent => base,
        }
    }
}

impl PolicySet {
    /// These policies, each for everyone.
    pub fn new(policies: Vec<Policy>) -> Self {
        Self::assigned(policies.into_iter().map(|policy| (policy, vec![Assignment::Everyone])))
    }

    /// These policies, each for those that it is assigned to. A policy that is assigned to nobody says nothing.
    pub fn assigned<P: Into<Arc<Policy>>>(policies: impl IntoIterator<Item = (P, Vec<Assignment>)>) -> Self {
        let policies = policies.into_iter().map(|(policy, assignments)| (policy.into(), assignments));
        Self::indexed(in_order(policies.collect()))
    }

    /// The same; the set that was before, where it is of the same policies for the same people.
    pub fn assigned_like(before: &Arc<Self>, policies: impl IntoIterator<Item = Assigned>) -> Arc<Self> {
        let policies = in_order(policies.into_iter().collect());
        let is_same = |(one, other): (&Assigned, &Assigned)| Arc::ptr_eq(&one.0, &other.0) && one.1 == other.1;
        let is_as_before =
            policies.len() == before.policies.len() && policies.iter().zip(&before.policies).all(is_same);
        if is_as_before { Arc::clone(before) } else { Arc::new(Self::indexed(policies)) }
    }

    fn indexed(policies: Vec<Assigned>) -> Self {
        let mut index = Index::default();
        for (at, (policy, assignments)) in (0..u32::MAX).zip(&policies) {
            index.add(at, policy, assignments);
        }
        Self { policies, index }
    }

    /// Whether there are no policies at all.
    pub fn is_empty(&self) -> bool {
        self.policies.is_empty()
    }

    /// The policies with those that they are assigned to, the highest priority first.
    pub fn policies(&self) -> impl ExactSizeIterator<Item = (&Policy, &[Assignment])> {
        self.policies.iter().map(|(policy, assignments)| (&**policy, &**assignments))
    }

    /// The same, to be put into another set.
    pub fn shared(&self) -> impl Iterator<Item = (&Arc<Policy>, &[Assignment])> {
        self.policies.iter().map(|(policy, assignments)| (policy, &**assignments))
    }

    /// How many tests all of them have together.
    pub fn size(&self) -> usize {
        self.policies.iter().map(|(policy, _)| policy.size()).sum()
    }

    fn get(&self, at: u32) -> Option<&Policy> {
        self.policies.get(at as usize).map(|(policy, _)| &**policy)
    }

    /// The policies that can say something of this, the highest priority first.
    pub(super) fn concerning(&self, resource: &str, action: &str, facts: &Facts) -> impl Iterator<Item = &Policy> {
        let mut places = Vec::new();
        self.index.visit(resource, action, facts, |found| {
            places.extend(found.denies.iter().chain(&found.allows));
        });
        places.sort_unstable();
        places.dedup();
        places.into_iter().filter_map(|at: u32| self.get(at))
    }

    /// What the policies say of an action on a resource. Deny beats allow, whatever their priorities.
    pub fn decide(&self, resource: &str, action: &str, facts: &Facts) -> Verdict<'_> {
        let (mut denied, mut allowed) = (None, None);
        self.index.visit(resource, action, facts, |found| {
            self.first(&found.denies, &mut denied, facts);
            if denied.is_none() {
                self.first(&found.allows, &mut allowed, facts);
            }
        });
        let get = |at: Option<u32>| at.and_then(|at| self.get(at));
        match (get(denied), get(allowed)) {
            (Some(policy), _) => Verdict::Denied(policy),
            (None, Some(policy)) => Verdict::Allowed(policy),
            (None, None) => Verdict::Silent,
        }
    }

    /// The first of these that counts, when it comes before the one that is known.
    fn first(&self, places: &[u32], known: &mut Option<u32>, facts: &Facts) {
        let mut before = places.iter().copied().take_while(|at| known.is_none_or(|known| *at < known));
        let first = before.find(|at| self.get(*at).is_some_and(|policy| policy.applies(facts)));
        if let Some(at) = first {
            *known = Some(at);
        }
    }

    /// Every policy that speaks of it, the highest priority first, with what came of each of its conditions.
    pub fn explain(&self, resource: &str, action: &str, facts: &Facts) -> Vec<Explanation<'_>> {
        let about = self.policies.iter().filter(|(policy, _)| policy.target.covers(resource, action));
        let explained = about.map(|(policy, assignments)| {
            policy.explain(facts, assignments.iter().any(|assignment| assignment.includes(facts)))
        });
        explained.collect()
    }
}

/// The highest priority first. Where it is the same the name decides, so that every replica names the same policy.
fn in_order(mut policies: Vec<Assigned>) -> Vec<Assigned> {
    policies.sort_by(|(a, _), (b, _)| b.priority.cmp(&a.priority).then_with(|| a.name.cmp(&b.name)));
    policies
}

impl Policy {
    /// How many tests its conditions have: one for each value that is asked for.
    pub fn size(&self) -> usize {
        let conditions = self.alternatives.iter().flat_map(|alternative| &alternative.0);
        conditions.map(|condition| condition.test.size()).sum()
    }

    /// Whether its conditions hold.
    pub fn truth(&self, facts: &Facts) -> Truth {
        if self.alternatives.is_empty() {
            return Truth::True;
        }
        Truth::any(&self.alternatives, |alternative| {
            Truth::all(&alternative.0, |condition| condition.test.holds(facts))
        })
    }

    /// The same whatever time it is: of a condition that asks for it, it cannot be said whether it holds.
    pub fn truth_at_any_time(&self, facts: &Facts) -> Truth {
        if self.alternatives.is_empty() {
            return Truth::True;
        }
        Truth::any(&self.alternatives, |alternative| {
            Truth::all(&alternative.0, |condition| {
                if condition.test.asks_for_the_time() { Truth::Unknown } else { condition.test.holds(facts) }
            })
        })
    }

    /// Whether it counts. What cannot be said is not enough to allow, and enough to forbid.
    pub fn applies(&self, facts: &Facts) -> bool {
        match (self.truth(facts), self.effect) {
            (Truth::True, _) | (Truth::Unknown, Effect::Deny) => true,
            (Truth::False, _) | (Truth::Unknown, Effect::Allow) => false,
        }
    }

    fn explain(&self, facts: &Facts, is_assigned: bool) -> Explanation<'_> {
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
            is_assigned,
            applies: is_assigned && self.applies(facts),
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
    /// Whether it is assigned to the caller. Otherwise it says nothing, whatever its conditions.
    pub is_assigned: bool,
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
        if !self.is_assigned {
            return format!("{name} does not {effect}: it is not assigned to the caller");
        }
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
