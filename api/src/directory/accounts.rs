//! The rows of people, as the identity provider tells of them.

use std::collections::HashMap;

use diesel::prelude::*;
use serde_json::{Value, json};
use tenantry_db::{Connection, DbError, LockRowsDsl as _, TenantScope};
use tenantry_types::{Clock, Random, TenantId, UserId, UtcTime};

use super::model::{AccountStatus, ProviderAccount};
use crate::audit::Changes;
use crate::roles::claim::{self, Adoption, ToldRoles};
use crate::schema::users;
use crate::signals::Signal;

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct KnownRow {
    username: Option<String>,
    email: Option<String>,
    email_verified: bool,
    phone: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    display_name: Option<String>,
    status: AccountStatus,
    version: i64,
    profile_as_of: Option<UtcTime>,
    is_withheld: bool,
}

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct NewRow<'a> {
    id: UserId,
    tenant_id: TenantId,
    home_tenant_id: Option<TenantId>,
    username: Option<&'a str>,
    email: Option<&'a str>,
    email_normalized: Option<String>,
    email_verified: bool,
    phone: Option<&'a str>,
    given_name: Option<&'a str>,
    family_name: Option<&'a str>,
    display_name: Option<&'a str>,
    metadata: &'a str,
    status: AccountStatus,
    roles_managed: bool,
    roles_version: i64,
    version: i64,
    created_at: UtcTime,
    updated_at: UtcTime,
    profile_as_of: Option<UtcTime>,
    is_withheld: bool,
}

/// What came of what the identity provider told of somebody.
#[derive(Debug)]
pub struct Kept {
    /// What changed.
    pub changes: Changes,
    /// What of it changed in their roles. The replicas are told of that already.
    pub roles: Changes,
    /// What they are told.
    pub signals: Vec<Signal>,
}

/// Brings the row of somebody up to date, or makes it. What was told of an older state than is known changes nothing. Their
/// roles count too until somebody gives them some here; they have an order of their own. To be called with the tenant's row
/// locked.
///
/// Of somebody who is at home elsewhere nothing but the id, the status and the roles that they have as a guest is kept before
/// they come themselves: neither they nor their home agreed when they were invited.
pub fn keep(
    conn: &mut Connection,
    scope: TenantScope,
    tools: (&dyn Clock, &dyn Random),
    account: &ProviderAccount,
) -> Result<Kept, DbError> {
    let known: Option<KnownRow> = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(account.id)))
        .select(KnownRow::as_select())
        .first(conn)
        .optional()?;
    let as_of = known.as_ref().and_then(|known| known.profile_as_of);
    let is_late = as_of.is_some_and(|as_of| as_of > account.updated_at);
    let (mut before, mut after) = match known {
        None => (json!({}), add(conn, scope, account)?),
        Some(_) if is_late => (json!({}), json!({})),
        Some(known) => update(conn, scope, &known, account)?,
    };
    let adoption = match told_roles(account, is_late) {
        Some(told) => claim::adopt(conn, scope, tools, account.id, &told)?,
        None => Adoption::default(),
    };
    let mut roles = Changes::default();
    if let Some((old, new)) = adoption.changed {
        roles = Changes::between(&json!({ "roles": old }), &json!({ "roles": new }));
        (before["roles"], after["roles"]) = (json!(old), json!(new));
    }
    Ok(Kept { changes: Changes::between(&before, &after), roles, signals: adoption.signals })
}

/// Whether somebody's roles are told to be others than are known, where nobody gives them any here.
pub fn has_other_roles(conn: &mut Connection, scope: TenantScope, account: &ProviderAccount) -> Result<bool, DbError> {
    match told_roles(account, false) {
        Some(told) => claim::is_news(conn, scope, account.id, &told),
        None => Ok(false),
    }
}

fn told_roles(account: &ProviderAccount, is_late: bool) -> Option<ToldRoles<'_>> {
    let names = account.roles.as_deref()?;
    Some(ToldRoles { version: account.roles_version, names, is_late })
}

/// Makes the row. Gives what it shows.
fn add(conn: &mut Connection, scope: TenantScope, account: &ProviderAccount) -> Result<Value, DbError> {
    let is_withheld = account.tenant_id != scope.tenant_id();
    diesel::insert_into(users::table).values(new_row(scope.tenant_id(), account, is_withheld)).execute(conn)?;
    Ok(shown(account, is_withheld))
}

/// Brings the row up to date. Gives what it showed, and shows now.
fn update(
    conn: &mut Connection,
    scope: TenantScope,
    known: &KnownRow,
    account: &ProviderAccount,
) -> Result<(Value, Value), DbError> {
    let is_withheld = known.is_withheld && account.tenant_id != scope.tenant_id();
    let (before, after) = (known.shown(), shown(account, is_withheld));
    let is_same = before == after;
    if is_same && known.profile_as_of == Some(account.updated_at) {
        return Ok((before, after));
    }
    let row = new_row(scope.tenant_id(), account, is_withheld);
    let version = known.version + i64::from(!is_same);
    diesel::update(users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(account.id))))
        .set((
            users::home_tenant_id.eq(row.home_tenant_id),
            users::username.eq(row.username),
            users::email.eq(row.email),
            users::email_normalized.eq(row.email_normalized),
            users::email_verified.eq(row.email_verified),
            users::phone.eq(row.phone),
            users::given_name.eq(row.given_name),
            users::family_name.eq(row.family_name),
            users::display_name.eq(row.display_name),
            users::status.eq(row.status),
            users::version.eq(version),
            users::updated_at.eq(row.updated_at),
            users::profile_as_of.eq(row.profile_as_of),
            users::is_withheld.eq(row.is_withheld),
        ))
        .execute(conn)?;
    Ok((before, after))
}

/// How people are called.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct Named {
    /// Who.
    pub id: UserId,
    /// Where mail reaches them.
    pub email: Option<String>,
    given_name: Option<String>,
    family_name: Option<String>,
    display_name: Option<String>,
}

impl Named {
    /// The name to show: the one that is set, or that which is made of the two.
    pub fn full_name(&self) -> Option<String> {
        let parts: Vec<&str> =
            [&self.given_name, &self.family_name].into_iter().flatten().map(String::as_str).collect();
        self.display_name.clone().or_else(|| (!parts.is_empty()).then(|| parts.join(" ")))
    }
}

/// How those of these people who are known here are called.
pub fn named(conn: &mut Connection, scope: TenantScope, ids: &[UserId]) -> Result<HashMap<UserId, Named>, DbError> {
    let rows: Vec<Named> = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq_any(ids)))
        .select(Named::as_select())
        .load(conn)?;
    Ok(rows.into_iter().map(|row| (row.id, row)).collect())
}

/// Notes that somebody came themselves. Says whether who they are was withheld until now: it is to be asked for then.
pub fn disclose(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<bool, DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)));
    let disclosed = diesel::update(row.filter(users::is_withheld.eq(true))).set(users::is_withheld.eq(false));
    Ok(disclosed.execute(conn)? > 0)
}

/// Whether somebody is in the directory. Their row is locked by that of the tenant, or by this.
pub fn is_known(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<bool, DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)));
    let found: Option<UserId> = row.select(users::id).lock_rows().get_result(conn).optional()?;
    Ok(found.is_some())
}

/// Whether somebody is in the directory as a guest from another tenant.
pub fn is_guest(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<bool, DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)));
    let home: Option<Option<TenantId>> = row.select(users::home_tenant_id).first(conn).optional()?;
    Ok(home.flatten().is_some())
}

/// Takes somebody out of the directory, with their roles and groups. Says whether they were in it.
pub fn remove(conn: &mut Connection, scope: TenantScope, user: UserId) -> Result<bool, DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)));
    Ok(diesel::delete(row).execute(conn)? > 0)
}

/// Sets the status of somebody of whom nothing else is told. Says whether it was another.
pub fn set_status(
    conn: &mut Connection,
    scope: TenantScope,
    user: UserId,
    status: AccountStatus,
    now: UtcTime,
) -> Result<bool, DbError> {
    let row = users::table.filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user)));
    let changed = diesel::update(row.filter(users::status.ne(status)))
        .set((users::status.eq(status), users::version.eq(users::version + 1), users::updated_at.eq(now)))
        .execute(conn)?;
    Ok(changed > 0)
}

fn new_row(tenant_id: TenantId, account: &ProviderAccount, is_withheld: bool) -> NewRow<'_> {
    let told = (!is_withheld).then_some(account);
    NewRow {
        id: account.id,
        tenant_id,
        home_tenant_id: (account.tenant_id != tenant_id).then_some(account.tenant_id),
        username: told.map(|account| account.username.as_str()),
        email: told.map(|account| account.email.as_str()),
        email_normalized: told.map(|account| account.email.to_lowercase()),
        email_verified: told.is_some_and(|account| account.email_verified),
        phone: told.and_then(|account| account.phone.as_deref()),
        given_name: told.and_then(|account| account.given_name.as_deref()),
        family_name: told.and_then(|account| account.family_name.as_deref()),
        display_name: told.and_then(|account| account.display_name.as_deref()),
        metadata: "{}",
        status: account.status,
        roles_managed: false,
        roles_version: 0,
        version: 1,
        created_at: account.created_at,
        updated_at: account.updated_at,
        profile_as_of: Some(account.updated_at),
        is_withheld,
    }
}

impl KnownRow {
    fn shown(&self) -> Value {
        json!({
            "username": self.username, "email": self.email, "email_verified": self.email_verified, "phone": self.phone,
            "first_name": self.given_name, "last_name": self.family_name, "display_name": self.display_name,
            "status": self.status,
        })
    }
}

fn shown(account: &ProviderAccount, is_withheld: bool) -> Value {
    if is_withheld {
        return json!({
            "username": null, "email": null, "email_verified": false, "phone": null, "first_name": null,
            "last_name": null, "display_name": null, "status": account.status,
        });
    }
    json!({
        "username": account.username, "email": account.email, "email_verified": account.email_verified,
        "phone": account.phone, "first_name": account.given_name, "last_name": account.family_name,
        "display_name": account.display_name, "status": account.status,
    })
}
