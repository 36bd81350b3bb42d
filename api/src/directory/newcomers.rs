//! People who call for the first time.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use diesel::prelude::*;
use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope, UpsertDsl as _};
use tenantry_types::{Clock, Random, RoleAssignmentId, RoleId, TenantId, UserId, UtcTime};

use super::accounts;
use super::provider::AccountProvider;
use crate::access::Newcomers;
use crate::audit::{self, AuditEntry, Changes, Origin};
use crate::authn::{Principal, Subject};
use crate::change::keep_tenant;
use crate::roles::seed;
use crate::schema::{roles, user_roles, users};
use crate::signals::{self, SignalKind};
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
            let keep = move |conn: &mut Connection| {
                let scope = TenantScope::system(tenant, "learn who somebody is");
                // Only who is still in the directory: they may have been removed since.
                if accounts::is_known(conn, scope, user)? {
                    accounts::keep(conn, scope, &account).map(drop)
                } else {
                    Ok(())
                }
            };
            let kept: Result<(), DbError> = this.api.db.write(keep).await;
            if let Err(error) = kept {
                tracing::debug!(%tenant, account = %user, %error, "who somebody is could not be kept");
            }
        });
    }
}

impl Newcomers for Directory {
    fn learn<'a>(&'a self, principal: &'a Principal) -> Pin<Box<dyn Future<Output = Result<(), DbError>> + Send + 'a>> {
        Box::pin(async move {
            let (api, learned) = (self.api.clone(), principal.clone());
            let sent = self.api.db.write(move |conn| learn(conn, &*api.clock, &*api.random, &learned)).await?;
            self.api.signals.pass_on(&sent);
            if let Subject::User(user) = principal.subject
                && !sent.is_empty()
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

#[derive(Insertable)]
#[diesel(table_name = user_roles, treat_none_as_default_value = false)]
struct NewAssignment {
    id: RoleAssignmentId,
    tenant_id: TenantId,
    user_id: UserId,
    role_id: RoleId,
    assigned_by: Option<&'static str>,
    expires_at: Option<UtcTime>,
    created_at: UtcTime,
}

/// The row of a person, and the roles that their token names, where nobody has given them any here. The token is signed
/// by the tenant's issuer, which is the one that says so until this service does.
fn learn(
    conn: &mut Connection,
    clock: &dyn Clock,
    random: &dyn Random,
    principal: &Principal,
) -> Result<Vec<signals::Signal>, DbError> {
    let Subject::User(user_id) = principal.subject else { return Ok(Vec::new()) };
    let scope = principal.scope();
    keep_tenant(conn, clock, &principal.tenant)?;
    let mut sent = Vec::new();
    if seed::system_roles(conn, scope, clock, random)? {
        sent.push(signals::send(conn, scope, clock, random, SignalKind::Access, None)?);
    }
    let was_known = accounts::is_known(conn, scope, user_id)?;
    keep_user(conn, scope, clock, user_id)?;
    let is_disclosed = accounts::disclose(conn, scope, user_id)?;
    let given = give_roles(conn, scope, clock, random, user_id, &principal.roles)?;
    if was_known && given.is_empty() && !is_disclosed {
        return Ok(sent);
    }
    sent.push(signals::send(conn, scope, clock, random, SignalKind::Subject, Some(user_id.as_str()))?);
    let changes = Changes::between(&json!({}), &json!({ "roles": given }));
    let entry = AuditEntry::new(principal, Origin::default(), LEARNED, "account", user_id.as_str().to_owned(), changes);
    audit::record(conn, scope, clock, random, &entry)?;
    Ok(sent)
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

/// Gives the roles of these names that the tenant has to somebody who has none and whose roles nobody manages here.
fn give_roles(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    random: &dyn Random,
    user_id: UserId,
    names: &[String],
) -> Result<Vec<String>, DbError> {
    let tenant_id = scope.tenant_id();
    let of_user = || user_roles::table.filter(user_roles::tenant_id.eq(tenant_id).and(user_roles::user_id.eq(user_id)));
    let is_managed: bool = users::table
        .filter(users::tenant_id.eq(tenant_id).and(users::id.eq(user_id)))
        .select(users::roles_managed)
        .first(conn)?;
    let has: i64 = of_user().count().get_result(conn)?;
    if is_managed || has > 0 || names.is_empty() {
        return Ok(Vec::new());
    }
    let known: Vec<(RoleId, String)> = roles::table
        .filter(roles::tenant_id.eq(tenant_id).and(roles::name.eq_any(names)))
        .select((roles::id, roles::name))
        .limit(100)
        .load(conn)?;
    for (role_id, _) in &known {
        let row = NewAssignment {
            id: RoleAssignmentId::new(clock, random),
            tenant_id,
            user_id,
            role_id: *role_id,
            assigned_by: None,
            expires_at: None,
            created_at: clock.now(),
        };
        diesel::insert_into(user_roles::table).values(row).execute(conn)?;
    }
    Ok(known.into_iter().map(|(_, name)| name).collect())
}
