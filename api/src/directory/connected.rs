//! The accounts at the identity provider, through its management API.

use serde_json::Value;
use tenantry_types::{TenantId, UserId};

use super::model::ProviderAccount;
use super::provider::{AccountProvider, Answered, ProviderError};
use crate::idp::{ManagementClient, ManagementError, RolesOf};

/// The accounts at the identity provider.
#[derive(Debug, Clone)]
pub struct Connected(ManagementClient);

impl Connected {
    /// Through this client.
    pub const fn new(client: ManagementClient) -> Self {
        Self(client)
    }
}

impl From<ManagementError> for ProviderError {
    fn from(error: ManagementError) -> Self {
        match error {
            ManagementError::Refused(problem) => Self::Refused(problem),
            passing => Self::Unavailable(passing.to_string()),
        }
    }
}

impl AccountProvider for Connected {
    fn create(&self, tenant: TenantId, id: UserId, account: Value) -> Answered<'_, ProviderAccount> {
        Box::pin(async move { Ok(self.0.put_user(tenant, id, &account).await?) })
    }

    fn change(&self, tenant: TenantId, id: UserId, changes: Value) -> Answered<'_, ProviderAccount> {
        Box::pin(async move { Ok(self.0.change_user(tenant, id, &changes).await?) })
    }

    fn remove(&self, tenant: TenantId, id: UserId) -> Answered<'_, ()> {
        Box::pin(async move { Ok(self.0.remove_user(tenant, id).await?) })
    }

    fn find(&self, tenant: TenantId, id: UserId) -> Answered<'_, Option<ProviderAccount>> {
        Box::pin(async move { Ok(self.0.user(tenant, id).await?) })
    }

    fn invite(&self, tenant: TenantId, id: UserId) -> Answered<'_, ProviderAccount> {
        Box::pin(async move {
            self.0.put_member(tenant, id).await?;
            // Of this tenant, not of their home: the roles that they have there are none here.
            let account = self.0.user(tenant, id).await?;
            account.ok_or_else(|| ProviderError::Unavailable("somebody who was let in is gone".to_owned()))
        })
    }

    fn dismiss(&self, tenant: TenantId, id: UserId) -> Answered<'_, ()> {
        Box::pin(async move { Ok(self.0.remove_member(tenant, id).await?) })
    }

    fn set_roles(&self, tenant: TenantId, id: UserId, version: i64, names: Vec<String>) -> Answered<'_, i64> {
        Box::pin(async move { Ok(self.0.put_roles(tenant, id, &RolesOf { version, names }).await?) })
    }
}
