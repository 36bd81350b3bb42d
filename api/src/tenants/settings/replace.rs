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

/// A limit that policies compare with stays, and of its type: without it a policy that allows would never count again, and
/// one that denies always.
fn check_limits(work: &mut Work<'_>, old: &Settings, new: &Settings) -> Result<(), SettingsError> {
    let lost: Vec<&str> = old.limits.lost(&new.limits).collect();
    if lost.is_empty() {
        return Ok(());
    }
    let rules = store::rules_with_limits(work.conn, work.scope)?;
    let in_use = |name: &&str| rules.iter().any(|rules| names_limit(rules, name));
    let detail = "a policy compares with it: change the policy first, or switch it off";
    let error = |name| InputError::new(format!("/limits/{name}"), "in_use", detail);
    let errors: Vec<InputError> = lost.into_iter().filter(in_use).map(error).collect();
    if errors.is_empty() { Ok(()) } else { Err(SettingsError::Invalid(errors)) }
}

/// Whether conditions have a limit of exactly this name.
fn names_limit(rules: &str, name: &str) -> bool {
    let behind = |part: &str| part.strip_prefix(name).map(|rest| rest.chars().next());
    let goes_on = |next: Option<char>| next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    rules.split("tenant.limits.").skip(1).filter_map(behind).any(|next| !goes_on(next))
}

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
    check_limits(work, &old.settings, settings)?;
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
