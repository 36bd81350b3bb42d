//! Replacing the settings: the change, its audit entry and its message, in one transaction.

use serde_json::json;
use tenantry_db::{Connection, DbError};
use tenantry_types::{Clock, InputError, Problem, Random};
use tenantry_web::problems::IntoProblem;

use super::model::Settings;
use super::routes::UPDATE;
use super::store::{self, VersionedSettings};
use crate::audit::{self, AuditEntry, Changes, Origin};
use crate::authn::Principal;
use crate::input::{EntityTag, IfMatch, PreconditionError};
use crate::outbox::{self, Message};
use crate::tenants;

/// Why settings were not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// What was sent is not settings.
    #[error("the settings are not valid")]
    Invalid(Vec<InputError>),
    /// They are not what the caller has seen.
    #[error(transparent)]
    Precondition(#[from] PreconditionError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IntoProblem for SettingsError {
    fn problem(&self) -> Problem {
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::Precondition(error) => error.problem(),
            Self::Database(error) if error.is_transient() => Problem::unavailable(),
            Self::Database(_) => Problem::internal(),
        }
    }
}

tenantry_web::problem_response!(SettingsError);

/// Who replaces the settings of their tenant, from where, and which version of them.
#[derive(Debug, Clone)]
pub(super) struct Request {
    pub(super) principal: Principal,
    pub(super) origin: Origin,
    pub(super) if_match: IfMatch,
}

/// Replaces the settings if they are still those that the caller has seen, and gives them with their new version. What
/// changes nothing leaves no trace.
pub(super) fn replace(
    conn: &mut Connection,
    clock: &dyn Clock,
    random: &dyn Random,
    request: &Request,
    settings: &Settings,
) -> Result<VersionedSettings, SettingsError> {
    let scope = request.principal.scope();
    tenants::store::keep(conn, clock, &request.principal.tenant)?;
    let old = store::find(conn, scope)?;
    request.if_match.check(&EntityTag::new(scope.tenant_id(), old.version))?;

    let changes = Changes::between(&json!(old.settings), &json!(settings));
    if changes.is_empty() {
        return Ok(old);
    }
    let new = VersionedSettings { settings: settings.clone(), version: old.version + 1 };
    store::save(conn, scope, clock, &new)?;

    let tenant_id = scope.tenant_id();
    let pointers: Vec<&str> = changes.pointers().collect();
    let message = Message {
        kind: "tenant_settings.changed",
        payload: json!({ "tenant_id": tenant_id, "version": new.version, "changed": pointers }),
    };
    outbox::enqueue(conn, scope, clock, random, &message)?;
    let entry = AuditEntry::new(
        &request.principal,
        request.origin.clone(),
        UPDATE.as_str(),
        "tenant_settings",
        tenant_id.to_string(),
        changes,
    );
    audit::record(conn, scope, clock, random, &entry)?;
    Ok(new)
}
