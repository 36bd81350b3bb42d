//! What is known of every caller and every request, for the conditions of policies.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenantry_types::UtcTime;

use super::judge::Who;
use super::policy::{Facts, Schema, SignIn, Slot, Value};
use super::tenant::TenantAccess;

/// Where the common attributes stand: the same in every schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommonSlots {
    user_id: Option<Slot>,
    user_role: Option<Slot>,
    user_teams: Option<Slot>,
    user_status: Option<Slot>,
    user_email: Option<Slot>,
    user_email_verified: Option<Slot>,
    client_id: Option<Slot>,
    client_scopes: Option<Slot>,
    tenant_id: Option<Slot>,
    tenant_slug: Option<Slot>,
    tenant_status: Option<Slot>,
    time: Option<Slot>,
    ip: Option<Slot>,
    acr: Option<Slot>,
    amr: Option<Slot>,
    auth_time: Option<Slot>,
    device_trusted: Option<Slot>,
    actor: Option<Slot>,
}

impl CommonSlots {
    pub(super) fn new() -> Self {
        let schema = Schema::with([]);
        let slot = |name| schema.slot(name);
        Self {
            user_id: slot("user.id"),
            user_role: slot("user.role"),
            user_teams: slot("user.teams"),
            user_status: slot("user.status"),
            user_email: slot("user.email"),
            user_email_verified: slot("user.email_verified"),
            client_id: slot("client.id"),
            client_scopes: slot("client.scopes"),
            tenant_id: slot("tenant.id"),
            tenant_slug: slot("tenant.slug"),
            tenant_status: slot("tenant.status"),
            time: slot("env.time"),
            ip: slot("env.ip"),
            acr: slot("env.acr"),
            amr: slot("env.amr"),
            auth_time: slot("env.auth_time"),
            device_trusted: slot("env.device_trusted"),
            actor: slot("env.actor"),
        }
    }

    /// Where it stands how and when somebody signed in.
    pub(super) fn sign_in(&self) -> Option<SignIn> {
        Some(SignIn { acr: self.acr?, auth_time: self.auth_time? })
    }

    /// What is known of somebody of a tenant at a time.
    pub(super) fn facts(&self, now: UtcTime, who: &Who, tenant: &TenantAccess) -> Facts {
        let mut facts = Facts::at(now);
        let mut say = |slot: Option<Slot>, value: Option<Value>| {
            if let (Some(slot), Some(value)) = (slot, value) {
                facts.set(slot, value);
            }
        };
        say(self.user_id, who.user.map(|id| Value::text(id.as_str())));
        if let Some(subject) = &who.subject {
            // In order, and each once, already.
            let set = |names: &BTreeSet<Arc<str>>| Some(Value::Set(names.iter().cloned().collect()));
            let text = |text: &Option<Arc<str>>| text.clone().map(Value::Text);
            say(self.user_role, set(&subject.roles));
            say(self.user_teams, set(&subject.groups));
            say(self.user_status, text(&subject.status));
            say(self.user_email, text(&subject.email));
            say(self.user_email_verified, Some(Value::Bool(subject.is_email_verified)));
            // Nobody can make a device a trusted one yet.
            say(self.device_trusted, Some(Value::Bool(false)));
        }
        say(self.client_id, who.client_id.as_deref().map(Value::text));
        say(self.client_scopes, who.scopes.as_ref().map(Value::set));
        if let Some((id, slug)) = &who.tenant {
            say(self.tenant_id, Some(Value::text(id.as_str())));
            say(self.tenant_slug, Some(Value::text(slug)));
            say(self.tenant_status, Some(Value::text(tenant.known_status().as_str())));
        }
        say(self.time, Some(Value::Time(now)));
        say(self.ip, who.address.map(Value::address));
        say(self.acr, who.acr.as_deref().map(Value::text));
        say(self.amr, who.amr.as_ref().map(Value::set));
        say(self.auth_time, who.auth_time.map(Value::Time));
        say(self.actor, who.actor.as_deref().map(Value::text));
        for (slot, value) in &tenant.limits {
            say(Some(*slot), Some(value.clone()));
        }
        facts
    }
}
