//! Queries on users.

use diesel::prelude::*;
use tenantry_db::{Connection, DbError, TenantScope, each};
use tenantry_types::{Clock, EmailAddress, TenantId, UserId, UtcTime};

use super::{NewUser, User, UserError, UserStatus, Username};
use crate::schema::{password_credentials, user_roles, users};

#[derive(Queryable, Selectable)]
#[diesel(table_name = users)]
struct UserRow {
    id: UserId,
    username: Username,
    email: EmailAddress,
    email_verified: bool,
    phone: Option<String>,
    phone_verified: bool,
    given_name: Option<String>,
    family_name: Option<String>,
    display_name: Option<String>,
    status: UserStatus,
    updated_at: UtcTime,
}

impl UserRow {
    fn with_roles(self, roles: Vec<String>) -> User {
        User {
            id: self.id,
            username: self.username,
            email: self.email,
            email_verified: self.email_verified,
            phone: self.phone,
            phone_verified: self.phone_verified,
            given_name: self.given_name,
            family_name: self.family_name,
            display_name: self.display_name,
            status: self.status,
            updated_at: self.updated_at,
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
        phone: None,
        phone_verified: false,
        given_name: user.given_name.as_deref(),
        family_name: user.family_name.as_deref(),
        display_name: None,
        status: user.status,
        created_at: now,
        updated_at: now,
    };
    diesel::insert_into(users::table).values(row).execute(conn).map_err(DbError::from).map_err(|error| {
        if error.conflicts_on("username_normalized") {
            UserError::Taken("username")
        } else if error.conflicts_on("email_normalized") {
            UserError::Taken("e-mail address")
        } else {
            UserError::Database(error)
        }
    })?;
    let roles: Vec<_> =
        user.roles.iter().map(|role| NewUserRole { tenant_id: scope.tenant_id(), user_id: user.id, role }).collect();
    if !roles.is_empty() {
        each!(conn, c => diesel::insert_into(user_roles::table).values(&roles).execute(c)).map_err(DbError::from)?;
    }
    Ok(())
}

/// The user with this id.
pub fn find(conn: &mut Connection, scope: TenantScope, id: UserId) -> Result<Option<User>, DbError> {
    let row = users::table
        .filter(users::tenant_id.eq(scope.tenant_id()).and(users::id.eq(id)))
        .select(UserRow::as_select())
        .first(conn)
        .optional()?;
    row.map(|row| Ok(row.with_roles(roles_of(conn, scope, id)?))).transpose()
}

/// Who signs in under this name or e-mail address, with the hash of their password if they have one.
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
