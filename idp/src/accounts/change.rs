//! Adding, changing and removing a person.

use serde_json::json;
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_types::UserId;

use super::access::sign_out_everywhere;
use super::memberships::{find_person, places, remove_member};
use crate::audit::Author;
use crate::credentials;
use crate::events::{self, CredentialChange, Event};
use crate::oauth::grants::Revocation;
use crate::users::{self, NewUser, User, UserError};

/// What came of asking for a person to be there.
#[derive(Debug, Clone)]
pub enum Created {
    /// They were added.
    Now(Box<User>),
    /// They were there, as the caller wants them.
    Before(Box<User>),
    /// Somebody with the id is there, and is different in these.
    Different(Vec<&'static str>),
    /// Others of the tenant have these names.
    Taken(Vec<&'static str>),
}

/// Adds a person, or finds them: whoever asks twice for the same gets the same. `is_named` is whether the caller chose the
/// user name, which is then compared too.
pub fn create(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    user: &NewUser,
    password_hash: Option<&str>,
    is_named: bool,
) -> Result<Created, UserError> {
    if let Some(found) = users::store::find(conn, scope, user.id)? {
        return Ok(compared(user, is_named, found));
    }
    let taken = users::store::taken_names(conn, scope, user.id, &user.email, &user.username)?;
    if !taken.is_empty() {
        return Ok(Created::Taken(taken));
    }
    users::store::insert(conn, scope, &*author.clock, user)?;
    if let Some(hash) = password_hash {
        credentials::store::set_password(conn, scope, user.id, hash, author.now())?;
    }
    author.record(conn, scope, "user.create", format!("user:{}", user.id), json!({}))?;
    let made = users::store::find(conn, scope, user.id)?.ok_or(DbError::NotFound)?;
    events::store::record(conn, scope, author, &Event::user_created(&made))?;
    if password_hash.is_some() {
        let event = Event::password_changed(user.id, CredentialChange::Create);
        events::store::record(conn, scope, author, &event)?;
    }
    Ok(Created::Now(Box::new(made)))
}

fn compared(wanted: &NewUser, is_named: bool, found: User) -> Created {
    let mut different = Vec::new();
    if found.email.normalized() != wanted.email.normalized() {
        different.push("email");
    }
    if is_named && found.username.normalized() != wanted.username.normalized() {
        different.push("username");
    }
    if different.is_empty() { Created::Before(Box::new(found)) } else { Created::Different(different) }
}

/// Stores a changed person. `before` is what was there, read in this transaction. What changes nothing leaves no trace.
/// Whoever may not sign in any more is signed out.
pub fn update(
    conn: &mut Connection,
    scope: TenantScope,
    author: &Author,
    before: &User,
    mut after: User,
) -> Result<User, UserError> {
    let status_changed = before.status != after.status;
    let changed = changed_members(before, &after);
    if changed.is_empty() && !status_changed {
        return Ok(after);
    }
    after.updated_at = author.now_after(before.updated_at);
    users::store::update(conn, scope, &after)?;
    let mut detail = json!({ "changed": changed });
    if status_changed {
        detail["status"] = json!({ "old": before.status, "new": after.status });
    }
    for place in places(conn, scope, after.id)? {
        let Some(person) = find_person(conn, place, after.id)? else { continue };
        if !changed.is_empty() {
            events::store::record(conn, place, author, &Event::user_updated(&person))?;
        }
        if status_changed {
            events::store::record(conn, place, author, &Event::status_changed(&person))?;
        }
    }
    if status_changed && !after.status.may_sign_in() {
        detail["ended"] = sign_out_everywhere(conn, scope, author, after.id, Revocation::AccountDisabled)?;
    }
    author.record(conn, scope, "user.update", format!("user:{}", after.id), detail)?;
    Ok(after)
}

/// The names of the members that differ, but for the status.
fn changed_members(before: &User, after: &User) -> Vec<&'static str> {
    let compared = [
        ("username", before.username != after.username),
        ("email", before.email != after.email),
        ("email_verified", before.email_verified != after.email_verified),
        ("phone", before.phone != after.phone),
        ("given_name", before.given_name != after.given_name),
        ("family_name", before.family_name != after.family_name),
        ("display_name", before.display_name != after.display_name),
    ];
    compared.into_iter().filter_map(|(name, differs)| differs.then_some(name)).collect()
}

/// Removes a person and everything of theirs; whether they were there. Where they are a member that ends first, so that it
/// is told there.
pub fn delete(conn: &mut Connection, scope: TenantScope, author: &Author, user: UserId) -> Result<bool, DbError> {
    for place in places(conn, scope, user)?.into_iter().skip(1) {
        remove_member(conn, place, author, user)?;
    }
    if !users::store::delete(conn, scope, user)? {
        return Ok(false);
    }
    author.record(conn, scope, "user.delete", format!("user:{user}"), json!({}))?;
    events::store::record(conn, scope, author, &Event::account_purged(user))?;
    Ok(true)
}
