//! The trail of what happened: every entry is written in the transaction of what it tells.

pub mod store;

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, Random, UtcTime};
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

/// Who changes something, where it came from, and what a change needs besides the database.
#[derive(Debug, Clone)]
pub struct Author {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub random: Arc<dyn Random>,
    /// Who: see [`Entry::actor`].
    pub actor: String,
    /// From where.
    pub source: Source,
}

impl Author {
    /// The operator, at the command line.
    pub fn operator(clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self { clock, random, actor: "operator".to_owned(), source: Source::default() }
    }

    /// The time now.
    pub fn now(&self) -> UtcTime {
        self.clock.now()
    }

    /// The time of a change of what was changed last at `before`: now, or later than that. Receivers of events go by it, and
    /// the clocks of two replicas differ.
    pub fn now_after(&self, before: UtcTime) -> UtcTime {
        self.now().max(before + Duration::from_micros(1))
    }

    /// Writes an entry. Call it in the transaction of what the entry tells.
    pub fn record(
        &self,
        conn: &mut Connection,
        scope: TenantScope,
        action: &'static str,
        target: String,
        detail: Value,
    ) -> Result<(), DbError> {
        let entry = Entry { action, actor: self.actor.clone(), target, detail, source: &self.source };
        store::record(conn, scope, &*self.clock, &*self.random, &entry)
    }
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
