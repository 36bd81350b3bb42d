//! Queries on users.

use std::collections::HashMap;

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, each};
use tenantry_types::{Clock, EmailAddress, TenantId, UserId, UtcTime};

use super::{NewUser, RoleName, Roles, User, UserError, UserStatus, Username};
use crate::schema::{password_credentials, subjects, user_roles, users};

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRow {
    id: UserId,
    tenant_id: TenantId,
    username: Username,
    email: EmailAddress,
    email_verified: bool,
    phone: Option<String>,
    phone_verified: bool,
    given_name: Option<String>,
    family_name: Option<String>,
    display_name: Option<String>,
    status: UserStatus,
    created_at: UtcTime,
    updated_at: UtcTime,
    roles_version: i64,
}

impl UserRow {
    fn with_roles(self, roles: Vec<String>) -> User {
        User {
            id: self.id,
            tenant_id: self.tenant_id,
            username: self.username,
            email: self.email,
            email_verified: self.email_verified,
            phone: self.phone,
            phone_verified: self.phone_verified,
            given_name: self.given_name,
            family_name: self.family_name,
            display_name: self.display_name,
            status: self.status,
            created_at: self.created_at,
            updated_at: self.updated_at,
            roles_version: self.roles_version,
            roles,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = users, treat_none_as_default_value = false)]
struct NewUserRow<'a> {
    id: UserId,
    tenant_id: TenantId,
    username: &'a Username,
    username_normalized: String,
    email: &'a EmailAddress,
    email_normalized: String,
    email_verified: bool,
    phone: Option<&'a str>,
    phone_verified: bool,
    given_name: Option<&'a str>,
    family_name: Option<&'a str>,
    display_name: Option<&'a str>,
    status: UserStatus,
    roles_version: i64,
    created_at: UtcTime,
    updated_at: UtcTime,
}

#[derive(Insertable)]
#[diesel(table_name = user_roles, treat_none_as_default_value = false)]
struct NewUserRole<'a> {
    tenant_id: TenantId,
    user_id: UserId,
    role: &'a str,
}

/// Adds a user with their roles.
pub fn insert(conn: &mut Connection, scope: TenantScope, clock: &dyn Clock, user: &NewUser) -> Result<(), UserError> {
    let now = clock.now();
    let row = NewUserRow {
        id: user.id,
        tenant_id: scope.tenant_id(),
        username: &user.username,
        username_normalized: user.username.normalized(),
        email: &user.email,
        email_normalized: user.email.normalized(),
        email_verified: user.email_verified,
        phone: user.phone.as_ref().map(super::PhoneNumber::as_str),
        phone_verified: false,
        given_name: user.given_name.as_ref().map(super::PersonName::as_str),
        family_name: user.family_name.as_ref().map(super::PersonName::as_str),
        display_name: user.display_name.as_ref().map(super::PersonName::as_str),
        status: user.status,
        roles_version: user.roles.version,
        created_at: now,
        updated_at: now,
    };
    diesel::insert_into(users::table).values(row).execute(conn).map_err(DbError::from).map_err(taken)?;
    // Whoever lives in a tenant can be signed in there: sessions and grants refer to this row.
    let subject = (
        subjects::tenant_id.eq(scope.tenant_id()),
        subjects::user_id.eq(user.id),
        subjects::home_tenant_id.eq(scope.tenant_id()),
    );
    diesel::insert_into(subjects::table).values(subject).execute(conn).map_err(DbError::from)?;
    Ok(insert_roles(conn, scope, user.id, &user.roles)?)
}

/// What a conflict on the table means.
fn taken(error: DbError) -> UserError {
    if error.conflicts_on("username_normalized") {
        UserError::Taken("username")
    } else if error.conflicts_on("email_normalized") {
        UserError::Taken("e-mail address")
    } else {
        UserError::Database(error)
    }
}

fn insert_roles(conn: &mut Connection, scope: TenantScope, id: UserId, roles: &Roles) -> Result<(), DbError> {
    let row = |role| NewUserRole { tenant_id: scope.tenant_id(), user_id: id, role: RoleName::as_str(role) };
    let rows: Vec<_> = roles.names.iter().map(row).collect();
    if !rows.is_empty() {
        each!(conn, c => diesel::insert_into(user_roles::table).values(&rows).execute(c))?;
    }
    Ok(())
}

/// The user with this id, who lives in the tenant.
pub fn find(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<Option<User>, DbError> {
    let row = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(id)))
        .select(UserRow::as_select())
        .first(conn)
        .optional()?;
    row.map(|row| Ok(row.with_roles(roles_of(conn, scope, id)?))).transpose()
}

/// Which of the names that are unique in the tenant somebody other than `id` has: `email`, `username`.
pub fn taken_names(
    conn: &mut Connection,
    scope: TenantScope,
    id: UserId,
    email: &EmailAddress,
    username: &Username,
) -> Result<Vec<&'static str>, DbError> {
    let (email, username) = (email.normalized(), username.normalized());
    let others: Vec<(String, String)> = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.ne(id)))
        .filter(users::email_normalized.eq(&email).or(users::username_normalized.eq(&username)))
        .select((users::email_normalized, users::username_normalized))
        .limit(2)
        .load(conn)?;
    let mut names = Vec::new();
    if others.iter().any(|(theirs, _)| *theirs == email) {
        names.push("email");
    }
    if others.iter().any(|(_, theirs)| *theirs == username) {
        names.push("username");
    }
    Ok(names)
}

/// Stores everything of a user that is there, but their roles.
pub fn update(conn: &mut Connection, scope: TenantScope, user: &User) -> Result<(), UserError> {
    diesel::update(users::table)
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(user.id)))
        .set((
            users::username.eq(&user.username),
            users::username_normalized.eq(user.username.normalized()),
            users::email.eq(&user.email),
            users::email_normalized.eq(user.email.normalized()),
            users::email_verified.eq(user.email_verified),
            users::phone.eq(user.phone.as_deref()),
            users::phone_verified.eq(user.phone_verified),
            users::given_name.eq(user.given_name.as_deref()),
            users::family_name.eq(user.family_name.as_deref()),
            users::display_name.eq(user.display_name.as_deref()),
            users::status.eq(user.status),
            users::updated_at.eq(user.updated_at),
        ))
        .execute(conn)
        .map_err(DbError::from)
        .map_err(taken)?;
    Ok(())
}

/// Gives a user who lives in the tenant these roles and no others.
pub fn replace_roles(
    conn: &mut Connection,
    scope: TenantScope,
    id: UserId,
    roles: &Roles,
    now: UtcTime,
) -> Result<(), DbError> {
    diesel::delete(user_roles::table)
        .filter(user_roles::tenant_id.eq(scope.tenant_id()).and(user_roles::user_id.eq(id)))
        .execute(conn)?;
    insert_roles(conn, scope, id, roles)?;
    diesel::update(users::table)
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(id)))
        .set((users::roles_version.eq(roles.version), users::updated_at.eq(now)))
        .execute(conn)?;
    Ok(())
}

/// Removes a user and everything of theirs; whether they were there.
pub fn delete(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<bool, DbError> {
    let gone = diesel::delete(users::table)
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(id)))
        .execute(conn)?;
    Ok(gone > 0)
}

/// Which users a list shows.
#[derive(Debug, Clone, Default)]
pub struct UserFilter {
    /// Those with this e-mail address.
    pub email: Option<EmailAddress>,
    /// Those with this user name.
    pub username: Option<Username>,
    /// Those in this state.
    pub status: Option<UserStatus>,
}

/// Users who live in the tenant, in the order of their ids, after one.
pub fn list(
    conn: &mut Connection,
    scope: TenantScope,
    filter: &UserFilter,
    after: Option<UserId>,
    limit: i64,
) -> Result<Vec<User>, DbError> {
    let mut query = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()))
        .select(UserRow::as_select())
        .order(users::id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(email) = &filter.email {
        query = query.filter(users::email_normalized.eq(email.normalized()));
    }
    if let Some(username) = &filter.username {
        query = query.filter(users::username_normalized.eq(username.normalized()));
    }
    if let Some(status) = filter.status {
        query = query.filter(users::status.eq(status));
    }
    if let Some(after) = after {
        query = query.filter(users::id.gt(after));
    }
    let rows: Vec<UserRow> = query.load(conn)?;
    let ids: Vec<UserId> = rows.iter().map(|row| row.id).collect();
    let mut roles: HashMap<UserId, Vec<String>> = HashMap::new();
    let all: Vec<(UserId, String)> = user_roles::table
        .filter(user_roles::tenant_id.eq(scope.tenant_id()).and(user_roles::user_id.eq_any(ids)))
        .select((user_roles::user_id, user_roles::role))
        .order((user_roles::user_id.asc(), user_roles::role.asc()))
        .load(conn)?;
    for (id, role) in all {
        roles.entry(id).or_default().push(role);
    }
    Ok(rows
        .into_iter()
        .map(|row| (roles.remove(&row.id).unwrap_or_default(), row))
        .map(|(r, row)| row.with_roles(r))
        .collect())
}

/// Who of those that live in the tenant signs in under this name or e-mail address, with the hash of their password if they have one.
pub fn find_for_sign_in(
    conn: &mut Connection,
    scope: TenantScope,
    name: &str,
) -> Result<Option<(UserId, UserStatus, Option<String>)>, DbError> {
    let name = name.to_lowercase();
    let found = users::table
        .left_join(password_credentials::table.on(password_credentials::user_id.eq(users::id)))
        .filter(users::tenant_id.eq(scope.tenant_id()))
        .filter(users::username_normalized.eq(&name).or(users::email_normalized.eq(&name)))
        // The owner of an address wins over one who chose it as a handle: nobody takes over an account that way.
        .order((users::email_normalized.eq(&name)).desc())
        .select((users::id, users::status, password_credentials::hash.nullable()))
        .first(conn)
        .optional()?;
    Ok(found)
}

fn roles_of(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<Vec<String>, DbError> {
    Ok(user_roles::table
        .filter(user_roles::tenant_id.eq(scope.tenant_id()).and(user_roles::user_id.eq(id)))
        .select(user_roles::role)
        .order(user_roles::role.asc())
        .load(conn)?)
}
