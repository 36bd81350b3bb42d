//! People who call for the first time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use diesel::prelude::*;
use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope, UpsertDsl as _};
use tenantry_types::{Clock, Random, TenantId, UserId, UtcTime};

use super::accounts;
use super::model::ProviderAccount;
use super::provider::AccountProvider;
use super::reconcile::record_roles;
use crate::access::Newcomers;
use crate::audit::{self, AuditEntry, Changes, Origin};
use crate::authn::{Principal, Subject};
use crate::change::{keep_tenant, lock_tenant};
use crate::roles::claim::{self, FromToken};
use crate::roles::seed;
use crate::schema::users;
use crate::signals::{self, Signal, SignalKind};
use crate::state::Api;

/// What an entry of the audit trail calls it.
const LEARNED: &str = "account.first_seen";

/// The directory of every tenant.
#[derive(Debug, Clone)]
pub struct Directory {
    api: Api,
    provider: Arc<dyn AccountProvider>,
}

impl Directory {
    /// The directory in the database of `api`; who people are is asked of the provider.
    pub fn new(api: Api, provider: Arc<dyn AccountProvider>) -> Self {
        Self { api, provider }
    }

    /// Asks who somebody is, and keeps the answer. Nobody waits for it: what fails is told by the next security event.
    fn ask(&self, tenant: TenantId, user: UserId) {
        let this = self.clone();
        tokio::spawn(async move {
            let account = match this.provider.find(tenant, user).await {
                Ok(Some(account)) => account,
                Ok(None) => return,
                Err(error) => {
                    tracing::debug!(%tenant, account = %user, %error, "it is not known yet who somebody is");
                    return;
                }
            };
            let api = this.api.clone();
            let keep = move |conn: &mut Connection| {
                let scope = TenantScope::system(tenant, "learn who somebody is");
                lock_tenant(conn, tenant)?;
                // Only who is still in the directory: they may have been removed since.
                if accounts::is_known(conn, scope, user)? { keep(conn, &api, scope, &account) } else { Ok(Vec::new()) }
            };
            match this.api.db.write(keep).await {
                Ok(sent) => this.api.signals.pass_on(&sent),
                Err(error) => tracing::debug!(%tenant, account = %user, %error, "who somebody is could not be kept"),
            }
        });
    }
}

impl Newcomers for Directory {
    fn learn<'a>(&'a self, principal: &'a Principal) -> Pin<Box<dyn Future<Output = Result<(), DbError>> + Send + 'a>> {
        Box::pin(async move {
            let (api, learned) = (self.api.clone(), principal.clone());
            let learned = self.api.db.write(move |conn| learn(conn, &*api.clock, &*api.random, &learned)).await?;
            self.api.signals.pass_on(&learned.sent);
            if let Subject::User(user) = principal.subject
                && learned.is_to_be_asked
            {
                self.ask(principal.tenant.id, user);
            }
            Ok(())
        })
    }
}

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct NewUser {
    id: UserId,
    tenant_id: TenantId,
    email_verified: bool,
    metadata: &'static str,
    status: &'static str,
    roles_managed: bool,
    roles_version: i64,
    version: i64,
    created_at: UtcTime,
    updated_at: UtcTime,
}

/// Keeps what the provider answers. Roles that it tells of are its own doing.
fn keep(
    conn: &mut Connection,
    api: &Api,
    scope: TenantScope,
    account: &ProviderAccount,
) -> Result<Vec<Signal>, DbError> {
    let tools = (&*api.clock, &*api.random);
    let kept = accounts::keep(conn, scope, tools, account)?;
    record_roles(conn, scope, tools, account.id, kept.roles)?;
    Ok(kept.signals)
}

/// What was learned of whoever calls.
#[derive(Debug, Default)]
struct Learned {
    sent: Vec<Signal>,
    /// Whether the provider is to be asked who they are.
    is_to_be_asked: bool,
}

/// The row of a person, and the roles that their token names, where nobody has given them any here and the provider has not
/// told which they have. The token is signed by the tenant's issuer, which is the one that says so until this service does;
/// but it may be older than what is known.
fn learn(
    conn: &mut Connection,
    clock: &dyn Clock,
    random: &dyn Random,
    principal: &Principal,
) -> Result<Learned, DbError> {
    let Subject::User(user_id) = principal.subject else { return Ok(Learned::default()) };
    let scope = principal.scope();
    keep_tenant(conn, clock, &principal.tenant)?;
    let mut sent = Vec::new();
    if seed::system_roles(conn, scope, clock, random)? {
        sent.push(signals::send(conn, scope, clock, random, SignalKind::Access, None)?);
    }
    let was_known = accounts::is_known(conn, scope, user_id)?;
    keep_user(conn, scope, clock, user_id)?;
    let is_disclosed = accounts::disclose(conn, scope, user_id)?;
    let by_token = claim::adopt_from_token(conn, scope, (clock, random), user_id, &principal.roles)?;
    let is_in_question = by_token == FromToken::InQuestion;
    let given = if let FromToken::Given(names) = by_token { names } else { Vec::new() };
    if was_known && given.is_empty() && !is_disclosed {
        return Ok(Learned { is_to_be_asked: is_in_question || !sent.is_empty(), sent });
    }
    sent.push(signals::send(conn, scope, clock, random, SignalKind::Subject, Some(user_id.as_str()))?);
    let changes = Changes::between(&json!({}), &json!({ "roles": given }));
    let entry = AuditEntry::new(principal, Origin::default(), LEARNED, "account", user_id.as_str().to_owned(), changes);
    audit::record(conn, scope, clock, random, &entry)?;
    Ok(Learned { sent, is_to_be_asked: true })
}

fn keep_user(conn: &mut Connection, scope: TenantScope, clock: &dyn Clock, id: UserId) -> Result<(), DbError> {
    let now = clock.now();
    let row = NewUser {
        id,
        tenant_id: scope.tenant_id(),
        email_verified: false,
        metadata: "{}",
        status: "active",
        roles_managed: false,
        roles_version: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    diesel::insert_into(users::table)
        .values(row)
        .upsert((users::tenant_id, users::id), users::id.eq(id))
        .execute(conn)?;
    Ok(())
}
