//! From the JSON that a client sent to what is to be done with a person, or to everything that is wrong with it.

use serde_json::Value;
use tenantry_types::{EmailAddress, InputError, UserId};
use tenantry_web::input::{Change, Errors, Object};

use crate::credentials::NewPassword;
use crate::management::ManagementError;
use crate::management::input::{all, kept};
use crate::state::Idp;
use crate::users::{MOST_ROLES, NewUser, PersonName, PhoneNumber, Roles, UserStatus, Username};

/// A person to be there.
#[derive(Debug)]
pub struct Person {
    /// Who.
    pub user: NewUser,
    /// Their password, where they have one from the beginning.
    pub password: Option<NewPassword>,
    /// Whether the user name was chosen; otherwise it is the e-mail address.
    pub is_named: bool,
}

/// Reads the body of a `PUT`.
pub fn wanted(id: UserId, value: Value) -> Result<Person, Vec<InputError>> {
    let errors = Errors::default();
    match person(Some(id), Object::new(value, "", &errors)) {
        Some(person) => errors.unless_any(person),
        None => Err(all(errors)),
    }
}

/// Reads a person and finishes the object; `None` when something that must be there is not.
pub fn person(id: Option<UserId>, mut body: Object) -> Option<Person> {
    let email: Option<EmailAddress> = body.required("email", str::parse);
    let username: Option<Username> = body.text("username", str::parse);
    let password = body.text("password", str::parse);
    let phone = body.text("phone", str::parse);
    let given_name = body.text("given_name", str::parse);
    let family_name = body.text("family_name", str::parse);
    let display_name = body.text("display_name", str::parse);
    let status = body.text("status", str::parse).unwrap_or(UserStatus::Active);
    let email_verified = body.boolean("email_verified").unwrap_or(false);
    let roles = if body.has("roles") {
        read_roles(body.object("roles"))
    } else {
        body.value("roles");
        Roles::default()
    };
    body.finish();
    let (id, email) = (id?, email?);
    let is_named = username.is_some();
    let username = username.or_else(|| email.as_str().parse().ok())?;
    let user =
        NewUser { id, username, email, email_verified, phone, given_name, family_name, display_name, status, roles };
    Some(Person { user, password, is_named })
}

/// Reads the body of a `PUT` of roles.
pub fn roles(value: Value) -> Result<Roles, Vec<InputError>> {
    let errors = Errors::default();
    let roles = read_roles(Object::new(value, "", &errors));
    errors.unless_any(roles)
}

fn read_roles(mut body: Object) -> Roles {
    for name in ["version", "names"] {
        if !body.has(name) {
            body.value(name);
            body.refuse(name, "required", "must be there");
        }
    }
    let version = body.integer("version", 0..=i64::MAX, 0);
    let names = body.texts("names", MOST_ROLES, str::parse).unwrap_or_default();
    body.finish();
    Roles { version, names: names.into_iter().collect() }
}

/// What an update does.
#[derive(Debug)]
pub struct Changes {
    /// Where mail reaches them.
    pub email: Option<EmailAddress>,
    /// What they sign in with; the e-mail address, where it is taken away.
    pub username: Change<Username>,
    /// A new password, or none at all.
    pub password: Change<NewPassword>,
    /// A telephone number.
    pub phone: Change<PhoneNumber>,
    /// First name.
    pub given_name: Change<PersonName>,
    /// Last name.
    pub family_name: Change<PersonName>,
    /// The name to show.
    pub display_name: Change<PersonName>,
    /// Whether they can sign in.
    pub status: Option<UserStatus>,
    /// Whether it is known that mail reaches them.
    pub email_verified: Option<bool>,
}

/// Reads the body of a `PATCH`.
pub fn changes(value: Value) -> Result<Changes, Vec<InputError>> {
    let errors = Errors::default();
    let mut body = Object::new(value, "", &errors);
    let email = body.change("email", str::parse);
    let status = body.change("status", str::parse);
    let changes = Changes {
        email: kept(&body, "email", email),
        username: body.change("username", str::parse),
        password: body.change("password", str::parse),
        phone: body.change("phone", str::parse),
        given_name: body.change("given_name", str::parse),
        family_name: body.change("family_name", str::parse),
        display_name: body.change("display_name", str::parse),
        status: kept(&body, "status", status),
        email_verified: body.boolean("email_verified"),
    };
    body.finish();
    errors.unless_any(changes)
}

/// The hash of a password, made on the hasher's own threads.
pub async fn hashed(idp: &Idp, password: Option<NewPassword>) -> Result<Option<String>, ManagementError> {
    match password {
        Some(password) => Ok(Some(idp.hasher.hash_in_turn(password.into_secret()).await?)),
        None => Ok(None),
    }
}
