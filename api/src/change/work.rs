//! The transaction.

use std::fmt;

use serde_json::Value;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{Clock, Random};

use super::Change;
use crate::audit::{self, AuditEntry, Changes, Origin};
use crate::authn::Principal;
use crate::outbox::{self, Message};
use crate::revocations::{self, Revoked};
use crate::signals::{self, Signal, SignalKind};
use crate::state::Api;

/// What a change works with while its transaction is open.
pub struct Work<'a> {
    /// The connection.
    pub conn: &'a mut Connection,
    /// Whose rows may be touched.
    pub scope: TenantScope,
    /// Who is calling.
    pub principal: &'a Principal,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Where ids come from.
    pub random: &'a dyn Random,
    origin: &'a Origin,
    sent: Vec<Signal>,
}

impl fmt::Debug for Work<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work").field("principal", &self.principal).finish_non_exhaustive()
    }
}

impl<'a> Work<'a> {
    pub(super) fn new(conn: &'a mut Connection, change: &'a Change, api: &'a Api) -> Self {
        Self {
            conn,
            scope: change.scope(),
            principal: &change.principal,
            clock: &*api.clock,
            random: &*api.random,
            origin: &change.origin,
            sent: Vec::new(),
        }
    }

    /// Adds an entry to the audit trail: what was done, by the name of the permission that allowed it, on what, and what
    /// is different now.
    pub fn record(
        &mut self,
        action: &'static str,
        target_kind: &'static str,
        target_id: impl Into<String>,
        changes: Changes,
    ) -> Result<(), DbError> {
        let entry =
            AuditEntry::new(self.principal, self.origin.clone(), action, target_kind, target_id.into(), changes);
        audit::record(self.conn, self.scope, self.clock, self.random, &entry)
    }

    /// Adds a message to the outbox.
    pub fn tell(&mut self, kind: &'static str, payload: Value) -> Result<(), DbError> {
        outbox::enqueue(self.conn, self.scope, self.clock, self.random, &Message { kind, payload })
    }

    /// Tells every replica to forget what it remembers of this.
    pub fn signal(&mut self, kind: SignalKind, subject: Option<&str>) -> Result<(), DbError> {
        let signal = signals::send(self.conn, self.scope, self.clock, self.random, kind, subject)?;
        self.sent.push(signal);
        Ok(())
    }

    /// Passes on what was sent to the replicas in this transaction by others.
    pub fn pass(&mut self, sent: Vec<Signal>) {
        self.sent.extend(sent);
    }

    /// Tells every replica to forget what it remembers of another tenant, which the work has changed as well.
    pub fn signal_to(&mut self, scope: TenantScope, kind: SignalKind) -> Result<(), DbError> {
        let signal = signals::send(self.conn, scope, self.clock, self.random, kind, None)?;
        self.sent.push(signal);
        Ok(())
    }

    /// Refuses the tokens that were issued until now.
    pub fn revoke(&mut self, whose: Revoked) -> Result<(), DbError> {
        let now = self.clock.now();
        self.sent.extend(revocations::revoke(self.conn, self.scope, self.clock, self.random, whose, now)?);
        Ok(())
    }

    pub(super) fn into_signals(self) -> Vec<Signal> {
        self.sent
    }
}
