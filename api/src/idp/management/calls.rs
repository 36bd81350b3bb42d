//! The calls, one function each. Every one of them can be repeated.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tenantry_types::{DomainName, SessionId, TenantId, UserId};

use super::{
    DomainState, ManagementClient, ManagementError, Member, NewTenant, RolesOf, SessionRecord, SessionsPage,
    TenantChange, TenantRecord, envelope, model::RolesThere,
};

impl ManagementClient {
    /// Makes a tenant under this id, or finds it there as it is wanted. The password of somebody who is there already
    /// stays as it is.
    ///
    /// # Errors
    /// [`ManagementError`]; a refusal names `/slug` or what is below `/administrator`.
    pub async fn put_tenant(&self, id: TenantId, tenant: &NewTenant) -> Result<TenantRecord, ManagementError> {
        self.send(Method::PUT, &["tenants", id.as_str()], tenant).await
    }

    /// The tenant of this id; `None` when there is none.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn tenant(&self, id: TenantId) -> Result<Option<TenantRecord>, ManagementError> {
        self.get(&["tenants", id.as_str()]).await
    }

    /// Renames a tenant, or switches it off or on.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn change_tenant(&self, id: TenantId, change: &TenantChange) -> Result<TenantRecord, ManagementError> {
        self.send(Method::PATCH, &["tenants", id.as_str()], change).await
    }

    /// Gives a tenant a login domain that was verified to be its own.
    ///
    /// # Errors
    /// [`ManagementError`]; a refusal may say that another tenant has it.
    pub async fn put_domain(
        &self,
        tenant: TenantId,
        domain: &DomainName,
        is_primary: bool,
    ) -> Result<DomainState, ManagementError> {
        let body = json!({ "is_primary": is_primary });
        self.send(Method::PUT, &["tenants", tenant.as_str(), "domains", domain.as_str()], &body).await
    }

    /// Takes a login domain from a tenant.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn remove_domain(&self, tenant: TenantId, domain: &DomainName) -> Result<(), ManagementError> {
        self.remove(&["tenants", tenant.as_str(), "domains", domain.as_str()]).await
    }

    /// Makes a person under this id, or finds them there as they are wanted.
    ///
    /// # Errors
    /// [`ManagementError`]; a refusal names the member that it is about.
    pub async fn put_user<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        id: UserId,
        user: &Value,
    ) -> Result<T, ManagementError> {
        self.send(Method::PUT, &["tenants", tenant.as_str(), "users", id.as_str()], user).await
    }

    /// A person; `None` when the tenant has nobody of this id.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn user<T: DeserializeOwned>(&self, tenant: TenantId, id: UserId) -> Result<Option<T>, ManagementError> {
        self.get(&["tenants", tenant.as_str(), "users", id.as_str()]).await
    }

    /// Changes what the body names about a person; `null` takes a value away.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn change_user<T: DeserializeOwned>(
        &self,
        tenant: TenantId,
        id: UserId,
        change: &Value,
    ) -> Result<T, ManagementError> {
        self.send(Method::PATCH, &["tenants", tenant.as_str(), "users", id.as_str()], change).await
    }

    /// Removes a person and everything of theirs.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn remove_user(&self, tenant: TenantId, id: UserId) -> Result<(), ManagementError> {
        self.remove(&["tenants", tenant.as_str(), "users", id.as_str()]).await
    }

    /// Replaces the roles of a person, unless a later set is there. Gives the version of the set that is there now.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn put_roles(&self, tenant: TenantId, id: UserId, roles: &RolesOf) -> Result<i64, ManagementError> {
        let path = ["tenants", tenant.as_str(), "users", id.as_str(), "roles"];
        let there: RolesThere = self.send(Method::PUT, &path, roles).await?;
        Ok(there.roles_version)
    }

    /// A page of the sessions of a tenant that last, or of those of one person there: at most `limit`, from where the page
    /// before said that this one begins.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn sessions(
        &self,
        tenant: TenantId,
        user: Option<UserId>,
        limit: u32,
        cursor: Option<&str>,
    ) -> Result<SessionsPage, ManagementError> {
        let limit = limit.to_string();
        let mut query = vec![("limit", limit.as_str())];
        query.extend(user.as_ref().map(|user| ("user_id", user.as_str())));
        query.extend(cursor.map(|cursor| ("cursor", cursor)));
        let body = self.call(Method::GET, &["tenants", tenant.as_str(), "sessions"], &query, None).await?;
        let envelope = envelope::<Vec<SessionRecord>>(body)?;
        Ok(SessionsPage { sessions: envelope.data, next: envelope.page.and_then(|page| page.next) })
    }

    /// A session that lasts; `None` when the tenant has none of this id.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn session(&self, tenant: TenantId, id: SessionId) -> Result<Option<SessionRecord>, ManagementError> {
        self.get(&["tenants", tenant.as_str(), "sessions", id.as_str()]).await
    }

    /// Ends a session, with what was given in it.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn end_session(&self, tenant: TenantId, id: SessionId) -> Result<(), ManagementError> {
        self.remove(&["tenants", tenant.as_str(), "sessions", id.as_str()]).await
    }

    /// Ends everything that a person is signed in to in this tenant.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn end_sessions_of(&self, tenant: TenantId, id: UserId) -> Result<(), ManagementError> {
        self.remove(&["tenants", tenant.as_str(), "users", id.as_str(), "sessions"]).await
    }

    /// Lets somebody of another tenant sign in at this one.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn put_member(&self, tenant: TenantId, id: UserId) -> Result<Member, ManagementError> {
        self.send(Method::PUT, &["tenants", tenant.as_str(), "members", id.as_str()], &json!({})).await
    }

    /// Takes that back.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn remove_member(&self, tenant: TenantId, id: UserId) -> Result<(), ManagementError> {
        self.remove(&["tenants", tenant.as_str(), "members", id.as_str()]).await
    }
}
