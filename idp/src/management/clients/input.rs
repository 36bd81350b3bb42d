//! From the JSON that a caller sent to a registration (RFC 7591 §2 names most members), or to everything that is wrong with
//! it.

use std::collections::BTreeSet;

use serde_json::Value;
use tenantry_types::{ClientRowId, InputError, ParseError, ScopeSet};
use tenantry_web::input::{Change, Errors, Object};
use tenantry_web::pages::WebLink;

use crate::clients::{ClientName, GrantType, NewClient, PublicClientId, RedirectUri};
use crate::management::input::{all, kept, or_empty};

/// More addresses than this are a mistake.
const MOST_URIS: usize = 50;

/// Reads the body of a `PUT`. The secret comes later.
pub fn wanted(row_id: ClientRowId, client_id: PublicClientId, value: Value) -> Result<NewClient, Vec<InputError>> {
    let errors = Errors::default();
    let mut body = Object::new(value, "", &errors);
    let name = body.required("name", str::parse);
    let auth_method = body.required("token_endpoint_auth_method", str::parse);
    let lists = Lists::read(&mut body);
    let client_uri = body.text("client_uri", home_page);
    let scope = body.required("scope", str::parse);
    let is_first_party = body.boolean("first_party").unwrap_or(false);
    let jwks = jwks(&mut body);
    body.finish();
    let (Some(name), Some(auth_method), Some(scope)) = (name, auth_method, scope) else { return Err(all(errors)) };
    errors.unless_any(NewClient {
        row_id,
        client_id,
        name,
        client_uri,
        auth_method,
        secret: None,
        jwks,
        redirect_uris: lists.redirect_uris.unwrap_or_default(),
        post_logout_redirect_uris: lists.post_logout_redirect_uris.unwrap_or_default(),
        grant_types: lists.grant_types.unwrap_or_default(),
        scope,
        is_first_party,
    })
}

/// The lists of a registration.
#[derive(Debug)]
struct Lists {
    grant_types: Option<BTreeSet<GrantType>>,
    redirect_uris: Option<Vec<RedirectUri>>,
    post_logout_redirect_uris: Option<Vec<RedirectUri>>,
}

impl Lists {
    fn read(body: &mut Object) -> Self {
        Self {
            grant_types: body
                .texts("grant_types", GrantType::ALL.len(), str::parse)
                .map(|list| list.into_iter().collect()),
            redirect_uris: body.texts("redirect_uris", MOST_URIS, str::parse),
            post_logout_redirect_uris: body.texts("post_logout_redirect_uris", MOST_URIS, str::parse),
        }
    }
}

fn jwks(body: &mut Object) -> Option<Value> {
    body.value("jwks").filter(|value| !value.is_null())
}

fn home_page(text: &str) -> Result<String, ParseError> {
    match WebLink::parse(text) {
        Some(_) if text.len() <= 2_000 => Ok(text.to_owned()),
        _ => Err(ParseError::new("must be an http or https address")),
    }
}

/// What an update does. How the client authenticates is not changed: that is another client.
#[derive(Debug)]
pub struct Changes {
    name: Option<ClientName>,
    client_uri: Change<String>,
    lists: Lists,
    scope: Option<ScopeSet>,
    is_first_party: Option<bool>,
    jwks: Option<Value>,
    /// Whether it can be used.
    pub is_active: Option<bool>,
}

/// Reads the body of a `PATCH`.
pub fn changes(value: Value) -> Result<Changes, Vec<InputError>> {
    let errors = Errors::default();
    let mut body = Object::new(value, "", &errors);
    let (name, scope) = (body.change("name", str::parse), body.change("scope", str::parse));
    let changes = Changes {
        name: kept(&body, "name", name),
        scope: kept(&body, "scope", scope),
        client_uri: body.change("client_uri", home_page),
        lists: Lists::read(&mut body),
        is_first_party: body.boolean("first_party"),
        jwks: jwks(&mut body),
        is_active: body.boolean("is_active"),
    };
    body.finish();
    errors.unless_any(changes)
}

impl Changes {
    /// The registration as it is after the changes.
    pub fn apply(&self, before: &NewClient) -> NewClient {
        let mut after = before.clone();
        if let Some(name) = &self.name {
            after.name = name.clone();
        }
        match &self.client_uri {
            Change::Keep => {}
            Change::Clear => after.client_uri = None,
            Change::Set(uri) => after.client_uri = Some(uri.clone()),
        }
        if let Some(types) = &self.lists.grant_types {
            after.grant_types.clone_from(types);
        }
        if let Some(uris) = &self.lists.redirect_uris {
            after.redirect_uris.clone_from(uris);
        }
        if let Some(uris) = &self.lists.post_logout_redirect_uris {
            after.post_logout_redirect_uris.clone_from(uris);
        }
        if let Some(scope) = &self.scope {
            after.scope = scope.clone();
        }
        if let Some(jwks) = &self.jwks {
            after.jwks = Some(jwks.clone());
        }
        after.is_first_party = self.is_first_party.unwrap_or(after.is_first_party);
        after
    }
}

/// Reads the body of a rotation: how long the old secret stays good, in seconds.
pub fn rotation(value: Value) -> Result<u32, Vec<InputError>> {
    let errors = Errors::default();
    let mut body = Object::new(or_empty(value), "", &errors);
    let seconds = body.whole_number("keep_old_seconds", 0..=2_592_000, 86_400);
    body.finish();
    errors.unless_any(seconds)
}
