//! The calls, one function each. Every one of them can be repeated.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tenantry_types::{DomainName, TenantId, UserId};

use super::{DomainState, ManagementClient, ManagementError, Member, NewTenant, RolesOf, TenantChange, TenantRecord};

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

    /// Replaces the roles of a person, unless a later set is there.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn put_roles(&self, tenant: TenantId, id: UserId, roles: &RolesOf) -> Result<(), ManagementError> {
        let path = ["tenants", tenant.as_str(), "users", id.as_str(), "roles"];
        self.send::<Value>(Method::PUT, &path, roles).await.map(drop)
    }

    /// Ends everything that a person is signed in to in this tenant.
    ///
    /// # Errors
    /// [`ManagementError`].
    pub async fn revoke_sessions(&self, tenant: TenantId, id: UserId) -> Result<(), ManagementError> {
        let path = ["tenants", tenant.as_str(), "users", id.as_str(), "revoke-sessions"];
        self.call(Method::POST, &path, &[], Some(&json!({}))).await.map(drop)
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
