//! From the JSON that a client sent to what is to be done with a tenant, or to everything that is wrong with it.

use serde_json::Value;
use tenantry_types::{InputError, TenantId};
use tenantry_web::input::{Errors, Object};

use crate::management::input::{all, kept};
use crate::management::users::input::{Person, person};
use crate::provision::NewTenant;
use crate::tenants::{TenantName, TenantStatus};

/// A tenant to be made, and perhaps its first person.
#[derive(Debug)]
pub struct Wanted {
    /// The tenant.
    pub tenant: NewTenant,
    /// Its administrator.
    pub administrator: Option<Person>,
}

/// Reads the body of a `PUT`.
pub fn wanted(id: TenantId, value: Value) -> Result<Wanted, Vec<InputError>> {
    let errors = Errors::default();
    let mut body = Object::new(value, "", &errors);
    let slug = body.required("slug", str::parse);
    let name = body.required("name", str::parse);
    let status = body.text("status", str::parse).unwrap_or(TenantStatus::Active);
    let administrator = if body.has("administrator") {
        administrator(body.object("administrator"))
    } else {
        body.value("administrator");
        None
    };
    body.finish();
    let (Some(slug), Some(name)) = (slug, name) else { return Err(all(errors)) };
    let tenant = NewTenant { id, slug, name, status, is_platform: false };
    errors.unless_any(Wanted { tenant, administrator })
}

/// The first person of a tenant: they have the role `administrator` and can sign in.
fn administrator(mut body: Object) -> Option<Person> {
    let id = body.required("id", str::parse);
    for (member, why) in [("roles", "are administrator"), ("status", "is active"), ("email_verified", "is false")] {
        if body.value(member).is_some() {
            body.refuse(member, "unknown", format!("cannot be chosen here: it {why}"));
        }
    }
    let mut person = person(id, body)?;
    person.user.roles.names = "administrator".parse().into_iter().collect();
    Some(person)
}

/// What an update does.
#[derive(Debug)]
pub struct Changes {
    /// The name for people.
    pub name: Option<TenantName>,
    /// Whether it is in use.
    pub status: Option<TenantStatus>,
}

/// Reads the body of a `PATCH`.
pub fn changes(value: Value) -> Result<Changes, Vec<InputError>> {
    let errors = Errors::default();
    let mut body = Object::new(value, "", &errors);
    let name = body.change("name", str::parse);
    let status = body.change("status", str::parse);
    let changes = Changes { name: kept(&body, "name", name), status: kept(&body, "status", status) };
    body.finish();
    errors.unless_any(changes)
}
