//! From JSON to accounts, or everything that is wrong.

use std::fmt::Display;

use serde_json::{Map, Value, json};
use tenantry_types::{EmailAddress, InputError};
use url::Url;

use super::model::AccountStatus;
use crate::input::{Errors, Object};

/// The longest name.
const MAX_NAME: usize = 100;
/// The longest name to sign in with.
const MAX_USERNAME: usize = 254;
/// The longest password that is passed on.
const MAX_PASSWORD: usize = 1_024;
/// The longest address of a picture.
const MAX_URL: usize = 500;
/// The most bytes of metadata, as JSON.
const MAX_METADATA: usize = 16 * 1024;
/// The most members at the top of metadata.
const MAX_MEMBERS: usize = 64;

/// Somebody to be added. It does not print: a password may be in it.
#[derive(Clone)]
pub struct NewAccount {
    /// Where mail reaches them.
    pub email: EmailAddress,
    /// The status that they begin with.
    pub status: AccountStatus,
    /// What the identity provider is to know, by the names that it has for it.
    pub provider: Value,
    /// What only this service knows.
    pub local: LocalProfile,
}

/// What is said of a value that can be taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting<T> {
    /// It is this.
    To(T),
    /// There is none.
    ToNothing,
}

impl<T> Setting<T> {
    /// The value, if there is one.
    pub fn into_option(self) -> Option<T> {
        match self {
            Self::To(value) => Some(value),
            Self::ToNothing => None,
        }
    }
}

/// What of a profile only this service knows; `None` leaves it as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct LocalProfile {
    /// The address of a picture, or none any more.
    pub avatar_url: Option<Setting<String>>,
    /// Whatever the tenant's programs keep with somebody.
    pub metadata: Option<Value>,
}

/// What is to be different. It does not print: a password may be in it.
#[derive(Clone, Default)]
pub struct AccountChange {
    /// What the identity provider is to change, by the names that it has for it.
    pub provider: Map<String, Value>,
    /// The status that they are to have.
    pub status: Option<AccountStatus>,
    /// The address that they are to have.
    pub email: Option<EmailAddress>,
    /// What only this service knows.
    pub local: LocalProfile,
}

/// Reads somebody to be added.
///
/// # Errors
/// Everything that is wrong.
pub fn new_account(body: Value) -> Result<NewAccount, Vec<InputError>> {
    let errors = Errors::default();
    let mut object = Object::new(body, "", &errors);
    let email = object.required("email", str::parse::<EmailAddress>);
    let mut provider = Map::new();
    if let Some(email) = &email {
        provider.insert("email".to_owned(), json!(email));
    }
    provider.extend(object.text("username", username).map(|name| ("username".to_owned(), json!(name))));
    provider.extend(object.text("password", password).map(|text| ("password".to_owned(), json!(text))));
    for (ours, theirs) in NAMES {
        provider.extend(object.text(ours, name).map(|text| ((*theirs).to_owned(), json!(text))));
    }
    provider.extend(object.text("phone", phone).map(|text| ("phone".to_owned(), json!(text))));
    let status = object.text("status", initial_status).unwrap_or(AccountStatus::Pending);
    provider.insert("status".to_owned(), json!(status));
    let local = local_profile(&mut object);
    object.finish();
    match email {
        Some(email) => errors.unless_any(NewAccount { email, status, provider: Value::Object(provider), local }),
        None => Err(errors.unless_any(()).err().unwrap_or_default()),
    }
}

/// Reads what is to be different about somebody.
///
/// # Errors
/// Everything that is wrong.
pub fn account_change(body: Value) -> Result<AccountChange, Vec<InputError>> {
    let errors = Errors::default();
    let mut object = Object::new(body, "", &errors);
    let mut change = AccountChange::default();
    for (required, read) in
        [("email", email_text as fn(&str) -> Result<String, _>), ("username", username), ("password", password)]
    {
        match nullable(&mut object, required, read) {
            Some(Setting::To(text)) => drop(change.provider.insert(required.to_owned(), json!(text))),
            Some(Setting::ToNothing) => object.refuse(required, "required", "cannot be taken away"),
            None => {}
        }
    }
    change.email = change.provider.get("email").and_then(Value::as_str).and_then(|text| text.parse().ok());
    names_and_phone(&mut object, &mut change.provider);
    change.status = object.text("status", str::parse);
    change.provider.extend(change.status.map(|status| ("status".to_owned(), json!(status))));
    change.local = local_profile(&mut object);
    object.finish();
    errors.unless_any(change)
}

/// Reads what somebody may change about themselves.
///
/// # Errors
/// Everything that is wrong.
pub fn own_change(body: Value) -> Result<AccountChange, Vec<InputError>> {
    let errors = Errors::default();
    let mut object = Object::new(body, "", &errors);
    let mut change = AccountChange::default();
    names_and_phone(&mut object, &mut change.provider);
    change.local.avatar_url = nullable(&mut object, "avatar_url", picture);
    object.finish();
    errors.unless_any(change)
}

/// What names are called here and at the identity provider.
const NAMES: &[(&str, &str)] =
    &[("first_name", "given_name"), ("last_name", "family_name"), ("display_name", "display_name")];

fn names_and_phone(object: &mut Object, provider: &mut Map<String, Value>) {
    for (ours, theirs) in NAMES {
        provider.extend(nullable(object, ours, name).map(|text| ((*theirs).to_owned(), json!(text.into_option()))));
    }
    provider.extend(nullable(object, "phone", phone).map(|text| ("phone".to_owned(), json!(text.into_option()))));
}

fn local_profile(object: &mut Object) -> LocalProfile {
    LocalProfile { avatar_url: nullable(object, "avatar_url", picture), metadata: metadata(object) }
}

/// A member that is a text, or `null`, which takes it away.
fn nullable<T, E: Display>(
    object: &mut Object,
    member: &str,
    read: impl FnOnce(&str) -> Result<T, E>,
) -> Option<Setting<T>> {
    match object.value(member)? {
        Value::Null => Some(Setting::ToNothing),
        Value::String(text) => match read(&text) {
            Ok(value) => Some(Setting::To(value)),
            Err(error) => {
                object.refuse(member, "invalid", error.to_string());
                None
            }
        },
        _ => {
            object.refuse(member, "type", "must be a text or null");
            None
        }
    }
}

fn metadata(object: &mut Object) -> Option<Value> {
    let value = object.value("metadata")?;
    let Value::Object(members) = &value else {
        object.refuse("metadata", "type", "must be an object");
        return None;
    };
    if members.len() > MAX_MEMBERS || value.to_string().len() > MAX_METADATA {
        object.refuse("metadata", "too_large", format!("at most {MAX_MEMBERS} members and {MAX_METADATA} bytes"));
        return None;
    }
    Some(value)
}

fn email_text(text: &str) -> Result<String, String> {
    text.parse::<EmailAddress>().map(|email| email.as_str().to_owned()).map_err(|error| error.to_string())
}

fn bounded(text: &str, most: usize) -> Result<String, String> {
    let good = (1..=most).contains(&text.chars().count()) && !text.chars().any(char::is_control) && text.trim() == text;
    if good {
        Ok(text.to_owned())
    } else {
        Err(format!("must be 1 to {most} characters, without control characters and without spaces around them"))
    }
}

fn name(text: &str) -> Result<String, String> {
    bounded(text, MAX_NAME)
}

fn username(text: &str) -> Result<String, String> {
    bounded(text, MAX_USERNAME)
}

/// What a good password is, the identity provider knows.
fn password(text: &str) -> Result<String, String> {
    let good = (1..=MAX_PASSWORD).contains(&text.len());
    if good { Ok(text.to_owned()) } else { Err(format!("must be 1 to {MAX_PASSWORD} bytes")) }
}

/// E.164: a plus sign and at most 15 digits.
fn phone(text: &str) -> Result<String, &'static str> {
    let digits = text.strip_prefix('+').unwrap_or_default();
    let good =
        (7..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    if good { Ok(text.to_owned()) } else { Err("must be a telephone number like +12025550123 (E.164)") }
}

fn picture(text: &str) -> Result<String, &'static str> {
    let wrong = "must be an https address of at most 500 characters";
    let url = Url::parse(text).map_err(|_| wrong)?;
    let good = url.scheme() == "https" && url.username().is_empty() && url.password().is_none();
    if good && text.len() <= MAX_URL { Ok(url.into()) } else { Err(wrong) }
}

fn initial_status(text: &str) -> Result<AccountStatus, &'static str> {
    match text.parse() {
        Ok(status @ (AccountStatus::Pending | AccountStatus::Active)) => Ok(status),
        _ => Err("must be pending or active"),
    }
}
