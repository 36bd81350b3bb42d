//! The trail of what happened: every entry is written in the transaction of what it tells.

pub mod store;

use serde_json::Value;
use tenantry_web::ingress::RequestContext;

/// What an entry says. The request it belongs to is added by [`Source`].
#[derive(Debug, Clone)]
pub struct Entry<'a> {
    /// What was done, as `noun.verb`.
    pub action: &'static str,
    /// Who did it: `user:<id>`, `client:<id>`, `operator` (the command line) or `system`.
    pub actor: String,
    /// What it was done to, as `noun:<id>`.
    pub target: String,
    /// What else there is to know. Never a secret.
    pub detail: Value,
    /// Where it came from.
    pub source: &'a Source,
}

/// Where something came from.
#[derive(Debug, Clone, Default)]
pub struct Source {
    /// The address of the client.
    pub address: Option<String>,
    /// The id of the request.
    pub request_id: Option<String>,
}

impl Source {
    /// The request that is being answered.
    pub fn of(request: &actix_web::HttpRequest) -> Self {
        let context = RequestContext::of(request);
        Self {
            address: context.as_ref().map(|context| context.client().to_string()),
            request_id: context.as_ref().map(|context| context.id().to_string()),
        }
    }
}
