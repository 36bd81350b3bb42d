//! What other policies would have changed: recorded requests, decided by both.

use super::decide::{PolicySet, Verdict};
use super::document::Policy;
use super::evaluate::Facts;

/// A request as it was decided on.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// The kind of resource.
    pub resource: String,
    /// What was to be done to it.
    pub action: String,
    /// What was known.
    pub facts: Facts,
    /// Whether the caller's roles allowed it, before any policy was asked.
    pub base: bool,
    /// Whether it could be allowed at all: the token was for it, and the person was not switched off.
    pub may: bool,
}

/// A request that would have been decided otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Difference<'a> {
    /// Which request, counted from 0.
    pub request: usize,
    /// Whether it would be allowed now. Before, it was not; or the other way round.
    pub allowed: bool,
    /// The policy that makes the difference: it counts now and did not, or did and does not any more.
    pub because: &'a Policy,
}

/// The requests that are decided otherwise after a change of policies.
pub fn simulate<'a>(
    before: &'a PolicySet,
    after: &'a PolicySet,
    requests: impl IntoIterator<Item = &'a Recorded>,
) -> impl Iterator<Item = Difference<'a>> {
    let open = requests.into_iter().enumerate().filter(|(_, request)| request.may);
    open.filter_map(move |(at, request)| {
        let decide = |set: &'a PolicySet| set.decide(&request.resource, &request.action, &request.facts);
        let (old, new) = (decide(before), decide(after));
        let allowed = new.allows(request.base);
        if allowed == old.allows(request.base) {
            return None;
        }
        let because = match (old, new) {
            // What forbids, or does not any more, makes the difference before what allows.
            (_, Verdict::Denied(policy)) | (Verdict::Denied(policy), _) => policy,
            (_, Verdict::Allowed(policy)) | (Verdict::Allowed(policy), _) => policy,
            // Where no policy says anything both times nothing has changed.
            (Verdict::Silent, Verdict::Silent) => return None,
        };
        Some(Difference { request: at, allowed, because })
    })
}
