//! What follows from an event: one transaction with the note that it was received.

use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::{UserId, UtcTime};

use super::model::{Happening, ProviderTenant, SecurityEvent, Standing};
use super::store;
use crate::audit::{self, AuditEntry, Changes, Origin};
use crate::authn::Tenant;
use crate::change::{TenantTold, keep_tenant, tenant_is};
use crate::directory::{AccountStatus, ProviderAccount, accounts, doubt};
use crate::revocations::{self, Revoked};
use crate::roles::claim;
use crate::signals::{self, Signal, SignalKind};
use crate::state::Api;

/// Who did it, in the audit trail: the identity provider, which has an entry of its own for who asked it to.
const PROVIDER: &str = "identity-provider";

/// Does what follows from an event, once. Gives what the replicas are to be told.
pub(super) fn receive(
    conn: &mut Connection,
    api: &Api,
    origin: &Origin,
    tenant: &Tenant,
    event: &SecurityEvent,
) -> Result<Vec<Signal>, DbError> {
    let scope = TenantScope::authenticated(tenant.id);
    keep_tenant(conn, &*api.clock, &as_told(tenant, event))?;
    if !store::note(conn, scope, &*api.clock, event)? {
        tracing::debug!(event = event.id, "a security event was received again");
        return Ok(Vec::new());
    }
    let mut effects = Effects { conn, api, scope, origin, signals: Vec::new() };
    for happening in &event.happenings {
        effects.follow(event, happening)?;
    }
    Ok(effects.signals)
}

/// The tenant with the name that the event tells, so that it is not taken for what was remembered.
fn as_told(tenant: &Tenant, event: &SecurityEvent) -> Tenant {
    let told = event.happenings.iter().find_map(|happening| match happening {
        Happening::Tenant(ProviderTenant { slug, name, .. }) => Some((slug.clone(), name.clone())),
        _ => None,
    });
    let (slug, name) = told.unwrap_or_else(|| (tenant.slug.clone(), tenant.name.clone()));
    Tenant { slug, name, ..tenant.clone() }
}

struct Effects<'a> {
    conn: &'a mut Connection,
    api: &'a Api,
    scope: TenantScope,
    origin: &'a Origin,
    signals: Vec<Signal>,
}

impl Effects<'_> {
    fn follow(&mut self, event: &SecurityEvent, happening: &Happening) -> Result<(), DbError> {
        let at = event.happened_at;
        match happening {
            Happening::Account(account) => self.account(event, account),
            Happening::Disabled(user, account) => {
                self.revoke(Revoked::User(*user), at)?;
                match account {
                    Some(account) => self.account(event, account),
                    None => self.disabled(*user),
                }
            }
            Happening::Departed(user) => {
                self.revoke(Revoked::User(*user), at)?;
                self.departed(event, *user)
            }
            Happening::SessionRevoked(_, Some(session)) => self.revoke(Revoked::Session(*session), at),
            Happening::SessionRevoked(user, None) | Happening::CredentialReplaced(user) => {
                self.revoke(Revoked::User(*user), at)
            }
            Happening::Tenant(told) => self.tenant(told, at),
        }
    }

    fn account(&mut self, event: &SecurityEvent, account: &ProviderAccount) -> Result<(), DbError> {
        if store::was_overtaken(self.conn, self.scope, event, Standing::Departed)? {
            return Ok(());
        }
        let tools = (&*self.api.clock, &*self.api.random);
        let kept = if account.tenant_id == self.scope.tenant_id() {
            accounts::keep(self.conn, self.scope, tools, account)?
        } else {
            // The versions of a guest's roles begin anew with each membership, and the event may be of an earlier one: what the
            // provider has now decides.
            let kept = accounts::keep(self.conn, self.scope, tools, &account.without_roles())?;
            if accounts::has_other_roles(self.conn, self.scope, account)? {
                doubt(self.conn, self.scope, account.id, false, self.api.clock.now())?;
            }
            kept
        };
        self.signals.extend(kept.signals);
        self.changed("account.update", account.id, kept.changes)
    }

    fn disabled(&mut self, user: UserId) -> Result<(), DbError> {
        let status = AccountStatus::Suspended;
        if accounts::set_status(self.conn, self.scope, user, status, self.api.clock.now())? {
            return self.changed("account.update", user, Changes::between(&json!({}), &json!({ "status": status })));
        }
        Ok(())
    }

    fn departed(&mut self, event: &SecurityEvent, user: UserId) -> Result<(), DbError> {
        if store::was_overtaken(self.conn, self.scope, event, Standing::Present)? {
            return Ok(());
        }
        if accounts::is_guest(self.conn, self.scope, user)? {
            // They may have been let in again since, with an answer that was faster than this event: what the provider has
            // now decides. What was issued to them is refused already, and the roles of that membership are gone.
            if claim::forget(self.conn, self.scope, user)? {
                self.signal(SignalKind::Subject, Some(user.as_str()))?;
            }
            return doubt(self.conn, self.scope, user, true, self.api.clock.now());
        }
        if accounts::remove(self.conn, self.scope, user)? {
            return self.changed("account.delete", user, Changes::between(&json!({ "id": user }), &json!({})));
        }
        Ok(())
    }

    /// Tokens from before a tenant was switched off stay refused when it is switched on again: its people sign in anew.
    fn tenant(&mut self, told: &ProviderTenant, at: UtcTime) -> Result<(), DbError> {
        if told.status != "active" {
            self.revoke(Revoked::Tenant, at)?;
        }
        let told = TenantTold { name: &told.name, status: told.status.parse().ok(), as_of: told.updated_at };
        let changes = tenant_is(self.conn, self.scope, &*self.api.clock, &told)?;
        if !changes.is_empty() {
            let is_switched = changes.pointers().any(|pointer| pointer == "/status");
            let action = if is_switched { "tenant.set_status" } else { "tenant.update" };
            self.record(action, "tenant", self.scope.tenant_id().to_string(), changes)?;
        }
        self.signal(SignalKind::Tenant, None)
    }

    /// An entry of the audit trail, and every replica forgets what it knew of them.
    fn changed(&mut self, action: &'static str, user: UserId, changes: Changes) -> Result<(), DbError> {
        if changes.is_empty() {
            return Ok(());
        }
        self.record(action, "account", user.to_string(), changes)?;
        self.signal(SignalKind::Subject, Some(user.as_str()))
    }

    fn record(
        &mut self,
        action: &'static str,
        target_kind: &'static str,
        target_id: String,
        changes: Changes,
    ) -> Result<(), DbError> {
        let entry = AuditEntry::by_system(PROVIDER, action, target_kind, target_id, changes);
        let entry = AuditEntry { origin: self.origin.clone(), ..entry };
        audit::record(self.conn, self.scope, &*self.api.clock, &*self.api.random, &entry)
    }

    fn revoke(&mut self, whose: Revoked, at: UtcTime) -> Result<(), DbError> {
        let (clock, random) = (&*self.api.clock, &*self.api.random);
        let sent = revocations::revoke(self.conn, self.scope, clock, random, whose, at.min(clock.now()))?;
        self.signals.extend(sent);
        Ok(())
    }

    fn signal(&mut self, kind: SignalKind, subject: Option<&str>) -> Result<(), DbError> {
        let (clock, random) = (&*self.api.clock, &*self.api.random);
        self.signals.push(signals::send(self.conn, self.scope, clock, random, kind, subject)?);
        Ok(())
    }
}
