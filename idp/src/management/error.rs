//! Why a request of the management API is not done.

use std::fmt;

use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::IntoProblem;

use crate::clients::ClientError;
use crate::credentials::HasherError;
use crate::fault::Fault;
use crate::provision::ProvisionError;
use crate::tenants::TenantError;
use crate::users::UserError;

/// What is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The tenant.
    Tenant,
    /// The login domain.
    Domain,
    /// The person.
    User,
    /// The membership.
    Member,
    /// The session, or it has ended.
    Session,
    /// The client.
    Client,
}

impl Missing {
    const fn kind(self) -> (&'static str, &'static str) {
        match self {
            Self::Tenant => ("/problems/tenant-not-found", "There is no such tenant"),
            Self::Domain => ("/problems/domain-not-found", "The tenant has no such domain"),
            Self::User => ("/problems/user-not-found", "The tenant has no such person"),
            Self::Member => ("/problems/member-not-found", "The tenant has no such member"),
            Self::Session => ("/problems/session-not-found", "The tenant has no such session that lasts"),
            Self::Client => ("/problems/client-not-found", "The tenant has no such client"),
        }
    }
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind().1)
    }
}

/// Why a request of the management API is not done.
#[derive(Debug, thiserror::Error)]
pub enum ManagementError {
    /// What was sent is not right.
    #[error("the input is not valid")]
    Invalid(Vec<InputError>),
    /// It is about something that is not there.
    #[error("{0}")]
    NotFound(Missing),
    /// Something else has what was asked for, at these places of the body.
    #[error("something else has what was asked for")]
    Taken(Vec<String>),
    /// There is something of this id, which is different at these places of the body.
    #[error("there is something else with this id")]
    IdTaken(Vec<String>),
    /// What is there does not allow it.
    #[error("{0}")]
    Refused(&'static str),
    /// A failure on this side.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl IntoProblem for ManagementError {
    fn problem(&self) -> Problem {
        let at = |pointers: &[String], code, detail: &str| {
            pointers.iter().map(|pointer| InputError::new(pointer.clone(), code, detail)).collect()
        };
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::NotFound(missing) => {
                let (kind, title) = missing.kind();
                Problem::not_found().with_kind(kind, title)
            }
            Self::Taken(pointers) => Problem::conflict().with_detail(self.to_string()).with_errors(at(
                pointers,
                "taken",
                "something else has this already",
            )),
            Self::IdTaken(pointers) => Problem::conflict()
                .with_kind("/problems/id-taken", "There is something else with this id")
                .with_errors(at(pointers, "different", "is different from what is there")),
            Self::Refused(reason) => Problem::conflict().with_detail(*reason),
            Self::Fault(fault) => fault.problem(),
        }
    }
}

tenantry_web::problem_response!(ManagementError);

impl From<DbError> for ManagementError {
    fn from(error: DbError) -> Self {
        Self::Fault(error.into())
    }
}

impl From<HasherError> for ManagementError {
    fn from(error: HasherError) -> Self {
        Self::Fault(error.into())
    }
}

/// The key that somebody else was faster with; what it means is seen when the change is tried again.
fn raced(key: &str) -> ManagementError {
    DbError::Conflict { key: key.to_owned() }.into()
}

impl From<UserError> for ManagementError {
    fn from(error: UserError) -> Self {
        match error {
            UserError::Taken(name) => raced(name),
            UserError::Unknown(_) => Self::NotFound(Missing::User),
            UserError::Database(error) => error.into(),
        }
    }
}

impl From<TenantError> for ManagementError {
    fn from(error: TenantError) -> Self {
        match error {
            TenantError::SlugTaken(_) => raced("slug"),
            TenantError::Unknown(_) => Self::NotFound(Missing::Tenant),
            TenantError::Database(error) => error.into(),
        }
    }
}

/// Where a part of a registration stands in the body.
fn pointer_to(name: &str) -> String {
    let name = if name == "auth_method" { "token_endpoint_auth_method" } else { name };
    format!("/{name}")
}

impl From<ClientError> for ManagementError {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Taken(_) => raced("client_id"),
            ClientError::Unknown(_) => Self::NotFound(Missing::Client),
            ClientError::Invalid(wrong) => Self::Invalid(
                wrong.into_iter().map(|(name, why)| InputError::new(pointer_to(name), "invalid", why)).collect(),
            ),
            ClientError::NoSecret(_) => Self::Refused("the client does not authenticate with a secret"),
            ClientError::Database(error) => error.into(),
        }
    }
}

impl From<ProvisionError> for ManagementError {
    fn from(error: ProvisionError) -> Self {
        match error {
            ProvisionError::Tenant(error) => error.into(),
            ProvisionError::Client(error) => error.into(),
            ProvisionError::User(error) => error.into(),
            ProvisionError::Fault(fault) => fault.into(),
        }
    }
}
