//! What the directory asks of the identity provider, where accounts are made and changed.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use serde_json::Value;
use tenantry_types::{Problem, TenantId, UserId};

use super::model::ProviderAccount;

/// The answer to a call, when it has come.
pub type Answered<'a, T> = Pin<Box<dyn Future<Output = Result<T, ProviderError>> + Send + 'a>>;

/// Why the identity provider did not do what it was asked to.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ProviderError {
    /// It could not be asked, or did not answer. It may have done it.
    #[error("the identity provider cannot be asked: {0}")]
    Unavailable(String),
    /// It refused, and says why. It did nothing.
    #[error("the identity provider refused: {}", .0.title)]
    Refused(Box<Problem>),
}

impl ProviderError {
    /// Whether it has nobody of this id.
    pub fn is_missing(&self) -> bool {
        matches!(self, Self::Refused(problem) if problem.status == 404)
    }
}

/// The accounts at the identity provider. Every call can be repeated: its effect is the same.
pub trait AccountProvider: fmt::Debug + Send + Sync {
    /// Makes an account under this id, or finds it there as it is wanted.
    fn create(&self, tenant: TenantId, id: UserId, account: Value) -> Answered<'_, ProviderAccount>;
    /// Changes the members that are named; `null` takes a value away.
    fn change(&self, tenant: TenantId, id: UserId, changes: Value) -> Answered<'_, ProviderAccount>;
    /// Removes an account and everything of it. That it is not there is no error.
    fn remove(&self, tenant: TenantId, id: UserId) -> Answered<'_, ()>;
    /// The account, if there is one.
    fn find(&self, tenant: TenantId, id: UserId) -> Answered<'_, Option<ProviderAccount>>;
    /// Lets somebody of another tenant in, and says who they are, with the roles that they have as a guest.
    fn invite(&self, tenant: TenantId, id: UserId) -> Answered<'_, ProviderAccount>;
    /// Takes that back. That they were not let in is no error.
    fn dismiss(&self, tenant: TenantId, id: UserId) -> Answered<'_, ()>;
    /// Replaces the names of somebody's roles, unless those of a later version are there. Gives the version that is there.
    fn set_roles(&self, tenant: TenantId, id: UserId, version: i64, names: Vec<String>) -> Answered<'_, i64>;
}
