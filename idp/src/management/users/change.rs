//! Changes of people, each as one transaction.

use tenantry_db::{Connection, TenantScope};
use tenantry_types::UserId;
use tenantry_web::input::Change;

use super::input::{Changes, Person};
use crate::accounts::{self, Created};
use crate::audit::Author;
use crate::management::reply::Made;
use crate::management::target::lock;
use crate::management::{ManagementError, Missing};
use crate::users::{Roles, User, Username, store};

/// Where members of a person stand whose description is at this place of the body.
fn pointers(at: &str, names: &[&str]) -> Vec<String> {
    names.iter().map(|name| format!("{at}/{name}")).collect()
}

/// What came of asking for a person to be there, who is described at this place of the body.
pub fn created(created: Created, at: &str) -> Result<(Made, User), ManagementError> {
    match created {
        Created::Now(user) => Ok((Made::Now, *user)),
        Created::Before(user) => Ok((Made::Before, *user)),
        Created::Different(names) => Err(ManagementError::IdTaken(pointers(at, &names))),
        Created::Taken(names) => Err(ManagementError::Taken(pointers(at, &names))),
    }
}

/// Adds a person, or finds them as they are wanted.
pub fn put(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    person: &Person,
    password_hash: Option<&str>,
) -> Result<(Made, User), ManagementError> {
    lock(conn, scope)?;
    created(accounts::create(conn, scope, author, &person.user, password_hash, person.is_named)?, "")
}

/// Changes a person who lives in the tenant. `password_hash` is that of the new password, where there is one.
pub fn update(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    id: UserId,
    changes: &Changes,
    password_hash: Option<&str>,
) -> Result<User, ManagementError> {
    lock(conn, scope)?;
    let before = store::find(conn, scope, id)?.ok_or(ManagementError::NotFound(Missing::User))?;
    let after = changed(&before, changes)?;
    let taken = store::taken_names(conn, scope, id, &after.email, &after.username)?;
    if !taken.is_empty() {
        return Err(ManagementError::Taken(pointers("", &taken)));
    }
    let after = accounts::update(conn, scope, author, &before, after)?;
    match (password_hash, &changes.password) {
        (Some(hash), _) => accounts::set_password(conn, scope, author, id, hash)?,
        (None, Change::Clear) => accounts::remove_password(conn, scope, author, id)?,
        (None, _) => {}
    }
    Ok(after)
}

/// The person as they are after the changes.
fn changed(before: &User, changes: &Changes) -> Result<User, ManagementError> {
    let text = |change: &Change<_>, old: &Option<String>| match change {
        Change::Keep => old.clone(),
        Change::Clear => None,
        Change::Set(name) => Some(crate::users::PersonName::as_str(name).to_owned()),
    };
    let mut after = User {
        given_name: text(&changes.given_name, &before.given_name),
        family_name: text(&changes.family_name, &before.family_name),
        display_name: text(&changes.display_name, &before.display_name),
        status: changes.status.unwrap_or(before.status),
        ..before.clone()
    };
    match &changes.phone {
        Change::Keep => {}
        Change::Clear => (after.phone, after.phone_verified) = (None, false),
        Change::Set(number) => {
            after.phone_verified = after.phone_verified && after.phone.as_deref() == Some(number.as_str());
            after.phone = Some(number.to_string());
        }
    }
    let by_address = before.username.normalized() == before.email.normalized();
    if let Some(email) = &changes.email {
        // That mail reached the old address says nothing of the new one.
        after.email_verified = after.email_verified && email.normalized() == before.email.normalized();
        after.email = email.clone();
    }
    after.email_verified = changes.email_verified.unwrap_or(after.email_verified);
    let address = || after.email.as_str().parse::<Username>();
    match &changes.username {
        Change::Set(username) => after.username = username.clone(),
        Change::Keep if !(by_address && changes.email.is_some()) => {}
        // Whoever signs in with their address signs in with the new one.
        Change::Keep | Change::Clear => {
            after.username = address().map_err(|_| ManagementError::Refused("the address is no user name"))?;
        }
    }
    Ok(after)
}

/// Removes a person who lives in the tenant; that they are not there is no fault.
pub fn delete(conn: &mut Connection, scope: TenantScope, author: &Author, id: UserId) -> Result<(), ManagementError> {
    lock(conn, scope)?;
    accounts::delete(conn, scope, author, id)?;
    Ok(())
}

/// Replaces the roles of a person of the tenant: somebody who lives there, or a member.
pub fn replace_roles(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    id: UserId,
    roles: &Roles,
) -> Result<User, ManagementError> {
    lock(conn, scope)?;
    let person = accounts::find_person(conn, scope, id)?.ok_or(ManagementError::NotFound(Missing::User))?;
    Ok(accounts::replace_roles(conn, scope, author, person, roles)?)
}
