//! Replacing the settings: the change, its audit entry and its message, in one transaction.

use serde_json::json;
use tenantry_db::DbError;
use tenantry_types::{InputError, Problem};
use tenantry_web::problems::IntoProblem;

use super::model::Settings;
use super::routes::UPDATE;
use super::store::{self, VersionedSettings};
use crate::audit::Changes;
use crate::change::Work;
use crate::idempotency::IdempotencyError;
use crate::input::{EntityTag, IfMatch, PreconditionError, database_problem};
use crate::signals::SignalKind;

/// Why settings were not shown or changed.
#[derive(Debug, thiserror::Error)]
pub enum SettingsError {
    /// What was sent is not settings.
    #[error("the settings are not valid")]
    Invalid(Vec<InputError>),
    /// They are not what the caller has seen.
    #[error(transparent)]
    Precondition(#[from] PreconditionError),
    /// The key of the request was used otherwise.
    #[error(transparent)]
    Idempotency(#[from] IdempotencyError),
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl IntoProblem for SettingsError {
    fn problem(&self) -> Problem {
        match self {
            Self::Invalid(errors) => Problem::invalid_input().with_errors(errors.clone()),
            Self::Precondition(error) => error.problem(),
            Self::Idempotency(error) => error.problem(),
            Self::Database(error) => database_problem(error),
        }
    }
}

tenantry_web::problem_response!(SettingsError);

/// Replaces the settings if they are still those that the caller has seen, and gives them with their new version. What
/// changes nothing leaves no trace.
pub(super) fn replace(
    work: &mut Work<'_>,
    if_match: &IfMatch,
    settings: &Settings,
) -> Result<VersionedSettings, SettingsError> {
    let scope = work.scope;
    let old = store::find(work.conn, scope)?;
    if_match.check(&EntityTag::new(scope.tenant_id(), old.version))?;

    let changes = Changes::between(&json!(old.settings), &json!(settings));
    if changes.is_empty() {
        return Ok(old);
    }
    let new = VersionedSettings { settings: settings.clone(), version: old.version + 1 };
    store::save(work.conn, scope, work.clock, &new)?;

    let tenant_id = scope.tenant_id();
    let pointers: Vec<&str> = changes.pointers().collect();
    let payload = json!({ "tenant_id": tenant_id, "version": new.version, "changed": pointers });
    work.tell("tenant_settings.changed", payload)?;
    work.signal(SignalKind::Tenant, None)?;
    work.record(UPDATE.as_str(), "tenant_settings", tenant_id.to_string(), changes)?;
    Ok(new)
}
