//! What is known of every caller and every request, for the conditions of policies.

use std::net::IpAddr;

use tenantry_types::UtcTime;

use super::policy::{Facts, Schema, Slot, Value};
use super::subject::SubjectAccess;
use crate::authn::{Principal, Subject};

/// Where the common attributes stand: the same in every schema.
#[derive(Debug, Clone, Copy)]
pub(super) struct CommonSlots {
    user_id: Option<Slot>,
    user_role: Option<Slot>,
    user_teams: Option<Slot>,
    client_id: Option<Slot>,
    tenant_id: Option<Slot>,
    tenant_slug: Option<Slot>,
    time: Option<Slot>,
    ip: Option<Slot>,
    acr: Option<Slot>,
    amr: Option<Slot>,
    auth_time: Option<Slot>,
}

impl CommonSlots {
    pub(super) fn new() -> Self {
        let schema = Schema::with([]);
        let slot = |name| schema.slot(name);
        Self {
            user_id: slot("user.id"),
            user_role: slot("user.role"),
            user_teams: slot("user.teams"),
            client_id: slot("client.id"),
            tenant_id: slot("tenant.id"),
            tenant_slug: slot("tenant.slug"),
            time: slot("env.time"),
            ip: slot("env.ip"),
            acr: slot("env.acr"),
            amr: slot("env.amr"),
            auth_time: slot("env.auth_time"),
        }
    }

    /// What is known of this caller now.
    pub(super) fn facts(
        &self,
        now: UtcTime,
        principal: &Principal,
        subject: Option<&SubjectAccess>,
        address: Option<IpAddr>,
    ) -> Facts {
        let mut facts = Facts::at(now);
        let mut say = |slot: Option<Slot>, value: Value| {
            if let Some(slot) = slot {
                facts.set(slot, value);
            }
        };
        if let Subject::User(id) = &principal.subject {
            say(self.user_id, Value::text(id.as_str()));
        }
        if let Some(subject) = subject {
            say(self.user_role, Value::set(&subject.roles));
            say(self.user_teams, Value::set(&subject.groups));
        }
        say(self.client_id, Value::text(&principal.client_id));
        say(self.tenant_id, Value::text(principal.tenant.id.as_str()));
        say(self.tenant_slug, Value::text(principal.tenant.slug.as_str()));
        say(self.time, Value::Time(now));
        if let Some(address) = address {
            say(self.ip, Value::address(address));
        }
        if let Some(acr) = &principal.acr {
            say(self.acr, Value::text(acr));
        }
        say(self.amr, Value::set(&principal.amr));
        if let Some(time) = principal.auth_time {
            say(self.auth_time, Value::Time(time));
        }
        facts
    }
}
