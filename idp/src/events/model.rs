//! What an event says.

use serde_json::{Value, json};
use tenantry_types::{SessionId, UserId, UtcTime, text_enum};

use crate::tenants::TenantDocument;
use crate::users::{User, UserDocument, UserStatus};

text_enum! {
    /// The kinds of events, by their URIs: those of OpenID RISC and CAEP, and our own.
    pub enum EventKind {
        /// An account cannot be used any more.
        AccountDisabled = "https://schemas.openid.net/secevent/risc/event-type/account-disabled",
        /// It can again.
        AccountEnabled = "https://schemas.openid.net/secevent/risc/event-type/account-enabled",
        /// It is gone for good.
        AccountPurged = "https://schemas.openid.net/secevent/risc/event-type/account-purged",
        /// A session, or all of a person's, ended.
        SessionRevoked = "https://schemas.openid.net/secevent/caep/event-type/session-revoked",
        /// A password was set, changed or removed.
        CredentialChange = "https://schemas.openid.net/secevent/caep/event-type/credential-change",
        /// A person was added.
        UserCreated = "urn:tenantry:event:user-created",
        /// Their profile or roles changed.
        UserUpdated = "urn:tenantry:event:user-updated",
        /// A person of another tenant became a member.
        MembershipCreated = "urn:tenantry:event:membership-created",
        /// They are a member no more.
        MembershipDeleted = "urn:tenantry:event:membership-deleted",
        /// A tenant was made.
        TenantCreated = "urn:tenantry:event:tenant-created",
        /// Its name, status or domains changed.
        TenantUpdated = "urn:tenantry:event:tenant-updated",
    }
}

impl EventKind {
    /// Whether it is about a tenant; every other is about a person.
    pub const fn is_about_a_tenant(self) -> bool {
        matches!(self, Self::TenantCreated | Self::TenantUpdated)
    }
}

text_enum! {
    /// What happened to a credential (CAEP §3.3, `change_type`).
    pub enum CredentialChange {
        /// There was none before.
        Create = "create",
        /// There was another before.
        Update = "update",
        /// There is none any more.
        Delete = "delete",
    }
}

/// An event, before it has an id.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Of which kind.
    pub kind: EventKind,
    /// The id of the person or the tenant that it is about.
    pub subject: String,
    /// What it says of them.
    pub payload: Value,
}

impl Event {
    fn about(user: UserId, kind: EventKind, payload: Value) -> Self {
        Self { kind, subject: user.to_string(), payload }
    }

    fn with_user(user: &User, kind: EventKind) -> Self {
        Self::about(user.id, kind, json!({ "user": UserDocument::of(user) }))
    }

    /// A person was added.
    pub fn user_created(user: &User) -> Self {
        Self::with_user(user, EventKind::UserCreated)
    }

    /// A person's profile or roles changed.
    pub fn user_updated(user: &User) -> Self {
        Self::with_user(user, EventKind::UserUpdated)
    }

    /// A person may or may not sign in from now on, as their status says.
    pub fn status_changed(user: &User) -> Self {
        if user.status == UserStatus::Active {
            return Self::with_user(user, EventKind::AccountEnabled);
        }
        let payload = json!({ "reason": user.status, "user": UserDocument::of(user) });
        Self::about(user.id, EventKind::AccountDisabled, payload)
    }

    /// A person is gone, and everything of theirs.
    pub fn account_purged(user: UserId) -> Self {
        Self::about(user, EventKind::AccountPurged, json!({}))
    }

    /// One session of a person ended, or all of them.
    pub fn session_revoked(user: UserId, session: Option<SessionId>, at: UtcTime) -> Self {
        let mut payload = json!({ "event_timestamp": at.unix_seconds() });
        if let Some(session) = session {
            payload["sid"] = json!(session);
        }
        Self::about(user, EventKind::SessionRevoked, payload)
    }

    /// The password of a person changed.
    pub fn password_changed(user: UserId, change: CredentialChange) -> Self {
        Self::about(user, EventKind::CredentialChange, json!({ "credential_type": "password", "change_type": change }))
    }

    /// A person of another tenant became a member.
    pub fn membership_created(user: &User) -> Self {
        Self::with_user(user, EventKind::MembershipCreated)
    }

    /// A person of another tenant is a member no more.
    pub fn membership_deleted(user: UserId) -> Self {
        Self::about(user, EventKind::MembershipDeleted, json!({}))
    }

    /// A tenant was made.
    pub fn tenant_created(tenant: &TenantDocument) -> Self {
        Self::with_tenant(tenant, EventKind::TenantCreated)
    }

    /// A tenant changed.
    pub fn tenant_updated(tenant: &TenantDocument) -> Self {
        Self::with_tenant(tenant, EventKind::TenantUpdated)
    }

    fn with_tenant(tenant: &TenantDocument, kind: EventKind) -> Self {
        Self { kind, subject: tenant.id.to_string(), payload: json!({ "tenant": tenant }) }
    }
}
