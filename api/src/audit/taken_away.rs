//! What is taken away in one file leaves two entries: that somebody began to take it, with what they asked for, and when all
//! of it was sent how much that was.

use serde_json::json;
use tenantry_db::DbError;

use super::{AuditEntry, Changes, Origin, store};
use crate::access::Permission;
use crate::authn::Principal;
use crate::state::Api;

/// An export that has begun.
#[derive(Debug)]
pub struct Export {
    api: Api,
    principal: Principal,
    origin: Origin,
    permission: Permission,
    count: usize,
}

impl Export {
    /// Notes that an export begins, by which right, and the query that says what of it. What cannot be noted is not sent.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn begin(
        api: &Api,
        principal: &Principal,
        origin: Origin,
        permission: Permission,
        query: &str,
    ) -> Result<Self, DbError> {
        let (api, principal) = (api.clone(), principal.clone());
        let export = Self { api, principal, origin, permission, count: 0 };
        export.record(Changes::between(&json!({}), &json!({ "query": query }))).await?;
        Ok(export)
    }

    /// So many more were read.
    pub fn add(&mut self, count: usize) {
        self.count += count;
    }

    /// Notes that all of it was read, or that it broke off before. Who goes away in the middle leaves the first entry alone.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn end(&self, is_whole: bool) -> Result<(), DbError> {
        let told = json!({ "exported": self.count, "is_whole": is_whole });
        self.record(Changes::between(&json!({}), &told)).await
    }

    async fn record(&self, changes: Changes) -> Result<(), DbError> {
        let (api, scope) = (self.api.clone(), self.principal.scope());
        let (action, kind) = (self.permission.as_str(), self.permission.resource());
        let target = self.principal.tenant.id.to_string();
        let entry = AuditEntry::new(&self.principal, self.origin.clone(), action, kind, target, changes);
        self.api.db.write(move |conn| store::record(conn, scope, &*api.clock, &*api.random, &entry)).await
    }
}
