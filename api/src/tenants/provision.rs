//! Making a tenant: at the identity provider and here, under one id.
//!
//! First the row, which says that the tenant is being made, and the task with everything that is needed; then the identity
//! provider, which finds what it was told before if it was; then the row says that the tenant is in use, with its roles,
//! its domain and the entry of its audit trail. Whatever breaks off, the worker or a repeat of the request goes on from
//! the task.

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_jose::SealedJson;
use tenantry_types::{DomainName, EmailAddress, Sha256Hash, TenantId, UserId};

use super::domains::{self, DomainView};
use super::model::NewTenant;
use super::routes::CREATE;
use super::store::{self, TenantRow};
use super::tasks::{self, Author, Settled, Task, TaskKind, Tasks};
use super::view::TenantView;
use super::{TenantError, update};
use crate::audit::{self, Changes};
use crate::authn::TenantStatus;
use crate::change::{Change, Work, lock_tenant};
use crate::idempotency::{self, Answer, Begun, Once};
use crate::idp;
use crate::input::EntityTag;
use crate::outbox::{self, Message};
use crate::roles::seed;
use crate::signals::{self, Signal, SignalKind};
use crate::state::Api;

/// What the task says besides the row of the tenant.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Wanted {
    /// Of everything that was asked for but the password, by whom: a repeat asks for the same.
    fingerprint: Sha256Hash,
    administrator: UserId,
    email: EmailAddress,
    domain: Option<DomainName>,
    /// Sealed.
    password: String,
    once: Once,
    author: Author,
}

/// What a request brings, made before its transaction begins.
#[derive(Debug, Clone)]
struct Request {
    id: TenantId,
    new: NewTenant,
    wanted: Wanted,
}

fn sealed_for(tasks: &Tasks, id: TenantId) -> SealedJson<String> {
    SealedJson::new(tasks.keyring().clone(), format!("tenant_tasks/{id}/password"))
}

/// How a request began.
enum Beginning {
    Repeat(Answer),
    Perform(Task),
}

/// Makes a tenant.
///
/// # Errors
/// [`TenantError`]. After [`TenantError::Provider`] with a passing reason the worker goes on; a repeat of the request gets
/// the answer.
pub(super) async fn create(
    tasks: &Tasks,
    change: &Change,
    body: &serde_json::Value,
    new: NewTenant,
) -> Result<Answer, TenantError> {
    let api = tasks.api();
    let once = change.once(api, body);
    let request = request(tasks, change, once.clone(), new)?;
    let begin = move |work: &mut Work<'_>| begin(work, &request);
    match change.step(api, begin).await? {
        Beginning::Repeat(answer) => Ok(answer),
        Beginning::Perform(task) => match tasks.perform(task).await {
            Ok(answer) => answer.ok_or(TenantError::NotFound),
            Err(error) => {
                let (clock, scope) = (api.clock.clone(), change.principal.scope());
                let release = move |conn: &mut _| idempotency::release(conn, scope, &*clock, &once);
                api.db.write(release).await?;
                Err(error)
            }
        },
    }
}

fn request(tasks: &Tasks, change: &Change, once: Once, new: NewTenant) -> Result<Request, TenantError> {
    let api = tasks.api();
    let id = TenantId::new(&*api.clock, &*api.random);
    let asked = json!([change.principal.tenant.id, new.slug, new.name, new.domain, new.admin_email,]);
    let wanted = Wanted {
        fingerprint: Sha256Hash::of(asked.to_string()),
        administrator: UserId::new(&*api.clock, &*api.random),
        email: new.admin_email.clone(),
        domain: new.domain.clone(),
        password: sealed_for(tasks, id).seal(&new.admin_password.expose_secret().to_owned())?,
        once,
        author: Author::of(&change.principal, &change.origin),
    };
    Ok(Request { id, new, wanted })
}

/// Writes the row and the task, or finds those of the same request before.
fn begin(work: &mut Work<'_>, request: &Request) -> Result<Beginning, TenantError> {
    let Request { id, new, wanted } = request;
    if let Begun::Repeat(answer) = idempotency::begin::<TenantError>(work.conn, work.scope, work.clock, &wanted.once)? {
        return Ok(Beginning::Repeat(answer));
    }
    if let Some(domain) = &new.domain
        && domains::is_verified_by_anybody(work.conn, domain)?
    {
        return Err(TenantError::Taken("/domain"));
    }
    let (scope, payload) = match store::find_by_slug(work.conn, &new.slug)? {
        None => {
            let scope = TenantScope::system(*id, "making of tenants");
            store::insert(work.conn, scope, work.clock, &new.slug, &new.name)?;
            (scope, wanted.clone())
        }
        Some(found) => {
            let scope = TenantScope::system(found.id, "making of tenants");
            let begun = tasks::store::find(work.conn, scope, TaskKind::Provision, "")?;
            let begun = begun.map(|task| read(&task)).transpose()?;
            let same = begun
                .filter(|begun| found.status == TenantStatus::Provisioning && begun.fingerprint == wanted.fingerprint);
            let same = same.ok_or(TenantError::Taken("/slug"))?;
            (scope, Wanted { once: wanted.once.clone(), author: wanted.author.clone(), ..same })
        }
    };
    // Two may perform it at once: what they do is the same.
    let (task, _) = tasks::store::put(work.conn, scope, work.clock, TaskKind::Provision, "", json!(payload))?;
    Ok(Beginning::Perform(task))
}

fn read(task: &Task) -> Result<Wanted, TenantError> {
    serde_json::from_value(task.payload.clone()).map_err(|error| DbError::Invalid(format!("task: {error}")).into())
}

/// Tells the identity provider, and then says here that the tenant is in use.
pub(super) async fn perform(tasks: &Tasks, task: &Task) -> Result<Settled, TenantError> {
    let (api, scope, wanted) = (tasks.api().clone(), task.scope(), read(task)?);
    let found = api.db.read(move |conn| store::find(conn, scope)).await?;
    let row = found.ok_or(TenantError::NotFound)?;
    if row.status == TenantStatus::Provisioning {
        let password: SecretString = sealed_for(tasks, task.tenant_id).open(&wanted.password)?.into();
        let (id, email) = (wanted.administrator, wanted.email.clone());
        let administrator = Some(idp::NewAdministrator { id, email, password: Some(password) });
        let new = idp::NewTenant { slug: row.slug, name: row.name, administrator };
        tasks.management().put_tenant(task.tenant_id, &new).await?;
    }
    let task = task.clone();
    api.db.clone().write(move |conn| settle(conn, &api, &task, &wanted)).await
}

/// Both sides have the tenant.
fn settle(conn: &mut Connection, api: &Api, task: &Task, wanted: &Wanted) -> Result<Settled, TenantError> {
    let (scope, id) = (task.scope(), task.tenant_id);
    // A repeat of the request locks its tenant's row before it looks for the answer.
    lock_tenant(conn, wanted.author.tenant())?;
    lock_tenant(conn, id)?;
    let row = store::find(conn, scope)?.ok_or(TenantError::NotFound)?;
    let mut signals = Vec::new();
    let row = if row.status == TenantStatus::Provisioning {
        let active = TenantRow { status: TenantStatus::Active, wanted_status: None, ..row };
        store::update(conn, scope, &*api.clock, &active)?;
        seed::system_roles(conn, scope, &*api.clock, &*api.random)?;
        if let Some(domain) = &wanted.domain {
            domains::claim(conn, scope, &*api.clock, &*api.random, domain, true)?;
        }
        let made = json!({ "slug": active.slug, "name": active.name, "status": active.status, "domain": wanted.domain,
            "administrator": wanted.administrator });
        let entry = wanted.author.clone().entry(CREATE.as_str(), id, Changes::between(&json!({}), &made));
        audit::record(conn, scope, &*api.clock, &*api.random, &entry)?;
        let message = Message { kind: "tenant.created", payload: update::told(&active) };
        outbox::enqueue(conn, scope, &*api.clock, &*api.random, &message)?;
        signals.push(signals::send(conn, scope, &*api.clock, &*api.random, SignalKind::Tenant, None)?);
        active
    } else {
        row
    };
    tasks::store::remove(conn, scope, TaskKind::Provision, "")?;
    let tag = EntityTag::of(id, id, row.version);
    let domains = domains::list(conn, scope)?.iter().map(DomainView::of).collect();
    let answer =
        Answer::created(format!("/api/v1/tenants/{id}"), TenantView::whole(row, domains)).with_etag(tag.as_str());
    let caller = TenantScope::system(wanted.author.tenant(), "answers to repeats");
    idempotency::complete(conn, caller, &wanted.once, &answer)?;
    Ok(Settled::Done { answer: Some(answer), signals })
}

/// The identity provider refused: there is no such tenant.
pub(super) fn undo(conn: &mut Connection, task: &Task) -> Result<Vec<Signal>, TenantError> {
    let (scope, wanted) = (task.scope(), read(task)?);
    lock_tenant(conn, wanted.author.tenant())?;
    let row = store::find(conn, scope)?;
    if row.is_some_and(|row| row.status == TenantStatus::Provisioning) {
        tasks::store::remove_all(conn, scope)?;
        store::remove(conn, scope)?;
    }
    let caller = TenantScope::system(wanted.author.tenant(), "answers to repeats");
    idempotency::abandon(conn, caller, &wanted.once)?;
    Ok(Vec::new())
}
