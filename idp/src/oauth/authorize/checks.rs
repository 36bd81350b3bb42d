//! What an authorization request must be, as a list of named rules.

use std::borrow::Cow;
use std::sync::Arc;

use oxide_auth::code_grant::authorization::{Authorization, Error as CoreError, Input, Output, Request as CoreRequest};
use oxide_auth::code_grant::extensions::Pkce;
use oxide_auth::primitives::grant::Extensions;
use oxide_auth::primitives::registrar::{ClientUrl, PreGrant, RegisteredUrl, Registrar as _};
use tenantry_jose::is_s256_challenge;
use tenantry_types::ScopeSet;

use super::error::{AuthorizeError, ErrorCode, RedirectError};
use super::request::{AuthorizationRequest, Prompt};
use crate::clients::{Client, GrantType};
use crate::fault::Fault;
use crate::oauth::registrar::{OneClient, scope_set};
use crate::params::Params;

type Rule = fn(&Params, &Client) -> Result<(), RedirectError>;

/// The rules whose refusal the client is told, in the order in which they are looked at. The core then checks PKCE and
/// scope.
const RULES: &[(&str, Rule)] = &[
    ("no request objects (OpenID Connect Core §6)", no_request_object),
    ("the client may use codes (RFC 6749 §4.1.2.1)", client_uses_codes),
    ("response_type is code (RFC 6749 §4.1.1)", response_type_is_code),
    ("response_mode is query (OAuth 2.0 Multiple Response Types §2.1)", response_mode_is_query),
    ("code_challenge_method is S256 (RFC 9700 §2.1.1)", challenge_is_s256),
    ("texts that are kept are short", kept_texts_are_short),
    ("scope is well formed (RFC 6749 §3.3)", scope_is_well_formed),
    ("prompt is known, and none stands alone (OpenID Connect Core §3.1.2.1)", prompt_is_known),
    ("max_age is a number (OpenID Connect Core §3.1.2.1)", max_age_is_a_number),
];

/// Checks a request of a client that was looked up before by the request's `client_id`.
pub fn check(params: &Params, client: Arc<Client>) -> Result<AuthorizationRequest, AuthorizeError> {
    let redirect_uri = redirect_uri(params, &client)?;
    let state = params.get("state").map(str::to_owned);
    let refuse = |error| AuthorizeError::Redirect { redirect_uri: redirect_uri.clone(), state: state.clone(), error };
    for (_, rule) in RULES {
        rule(params, &client).map_err(refuse)?;
    }
    let (pre_grant, extensions) = run_core(params, &client).map_err(|refusal| match refusal {
        Refusal::Told(error) => refuse(error),
        Refusal::Fault(fault) => AuthorizeError::Fault(fault),
    })?;
    Ok(AuthorizationRequest {
        scope: scope_set(&pre_grant.scope),
        redirect_uri,
        state,
        nonce: params.get("nonce").map(str::to_owned),
        prompt: prompts(params).unwrap_or_default(),
        max_age: params.get("max_age").and_then(|text| text.parse().ok()),
        login_hint: params.get("login_hint").map(str::to_owned),
        hinted_subject: None,
        extensions,
        client,
    })
}

/// The redirect URI, if it is one that the client registered. Anything else is never redirected to.
fn redirect_uri(params: &Params, client: &Client) -> Result<String, AuthorizeError> {
    let requested =
        params.get("redirect_uri").ok_or(AuthorizeError::Page("The application did not say where to return to."))?;
    if client.redirect_uris.iter().any(|uri| uri.matches(requested)) {
        Ok(requested.to_owned())
    } else {
        Err(AuthorizeError::Page("The application asked to return to an address that is not registered for it."))
    }
}

fn no_request_object(params: &Params, _: &Client) -> Result<(), RedirectError> {
    if params.get("request").is_some() {
        return Err(RedirectError::new(ErrorCode::RequestNotSupported, "request objects are not supported"));
    }
    if params.get("request_uri").is_some() {
        return Err(RedirectError::new(ErrorCode::RequestUriNotSupported, "request_uri is not supported"));
    }
    Ok(())
}

fn client_uses_codes(_: &Params, client: &Client) -> Result<(), RedirectError> {
    if client.may_use(GrantType::AuthorizationCode) {
        return Ok(());
    }
    Err(RedirectError::new(ErrorCode::UnauthorizedClient, "the client may not use the authorization code grant"))
}

fn response_type_is_code(params: &Params, _: &Client) -> Result<(), RedirectError> {
    match params.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => Err(RedirectError::new(ErrorCode::UnsupportedResponseType, "the only response_type is code")),
        None => Err(RedirectError::new(ErrorCode::InvalidRequest, "response_type is missing")),
    }
}

fn response_mode_is_query(params: &Params, _: &Client) -> Result<(), RedirectError> {
    match params.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(RedirectError::new(ErrorCode::InvalidRequest, "the only response_mode is query")),
    }
}

/// Said here, because the core answers everything about PKCE with one silence.
fn challenge_is_s256(params: &Params, _: &Client) -> Result<(), RedirectError> {
    let wrong = |description| Err(RedirectError::new(ErrorCode::InvalidRequest, description));
    match (params.get("code_challenge"), params.get("code_challenge_method")) {
        (None, _) => wrong("code_challenge is missing: PKCE is required"),
        (Some(_), None | Some("plain")) => wrong("code_challenge_method must be S256"),
        (Some(challenge), Some("S256")) if is_s256_challenge(challenge) => Ok(()),
        (Some(_), Some("S256")) => wrong("code_challenge must be 43 characters of base64url"),
        (Some(_), Some(_)) => wrong("code_challenge_method must be S256"),
    }
}

fn kept_texts_are_short(params: &Params, _: &Client) -> Result<(), RedirectError> {
    const LONGEST: &[(&str, usize, &str)] = &[
        ("state", 2_048, "state is longer than 2048 bytes"),
        ("nonce", 512, "nonce is longer than 512 bytes"),
        ("scope", 2_048, "scope is longer than 2048 bytes"),
        ("login_hint", 254, "login_hint is longer than 254 bytes"),
    ];
    for (name, longest, description) in LONGEST {
        if params.get(name).is_some_and(|value| value.len() > *longest) {
            return Err(RedirectError::new(ErrorCode::InvalidRequest, description));
        }
    }
    Ok(())
}

fn scope_is_well_formed(params: &Params, _: &Client) -> Result<(), RedirectError> {
    match params.get("scope").map(str::parse::<ScopeSet>) {
        Some(Err(_)) => Err(RedirectError::new(ErrorCode::InvalidScope, "scope is malformed")),
        _ => Ok(()),
    }
}

fn prompt_is_known(params: &Params, _: &Client) -> Result<(), RedirectError> {
    prompts(params).map(|_| ())
}

fn prompts(params: &Params) -> Result<Vec<Prompt>, RedirectError> {
    let wrong = |description| RedirectError::new(ErrorCode::InvalidRequest, description);
    let Some(text) = params.get("prompt") else { return Ok(Vec::new()) };
    let prompts: Vec<Prompt> = text
        .split(' ')
        .map(|one| one.parse().map_err(|_| wrong("prompt must be none, login, consent or select_account")))
        .collect::<Result<_, _>>()?;
    if prompts.contains(&Prompt::None) && prompts.len() > 1 {
        return Err(wrong("prompt=none must stand alone"));
    }
    Ok(prompts)
}

fn max_age_is_a_number(params: &Params, _: &Client) -> Result<(), RedirectError> {
    match params.get("max_age").map(str::parse::<u64>) {
        Some(Err(_)) => Err(RedirectError::new(ErrorCode::InvalidRequest, "max_age must be a number of seconds")),
        _ => Ok(()),
    }
}

enum Refusal {
    Told(RedirectError),
    Fault(Fault),
}

/// oxide-auth's machine: it binds the client to the redirect URI, keeps the PKCE challenge, and negotiates the scope.
fn run_core(params: &Params, client: &Client) -> Result<(PreGrant, Extensions), Refusal> {
    let request = CoreParams(params);
    let allowed = client.scope_for_people();
    let registrar = OneClient { client, allowed: &allowed, default: &allowed.intersection(&openid_only()) };
    let pkce = Pkce::required();
    let mut machine = Authorization::new(&request);
    let mut input = Input::None;
    loop {
        input = match machine.advance(input) {
            Output::Bind { client_id, redirect_uri } => {
                let url = ClientUrl { client_id: Cow::Owned(client_id), redirect_uri: redirect_uri.map(Cow::Owned) };
                let bound =
                    registrar.bound_redirect(url).map_err(|_| protocol("the checked redirect URI was refused"))?;
                Input::Bound { request: &request, bound_client: bound }
            }
            Output::Extend => {
                let mut extensions = Extensions::new();
                let challenge = pkce
                    .challenge(request.extension("code_challenge_method"), request.extension("code_challenge"))
                    .map_err(|()| protocol("the checked PKCE challenge was refused"))?;
                if let Some(challenge) = challenge {
                    extensions.set(&pkce, challenge);
                }
                Input::Extended(extensions)
            }
            Output::Negotiate { bound_client, scope } => {
                let pre_grant = registrar.negotiate(bound_client.clone(), scope).map_err(|_| {
                    Refusal::Told(RedirectError::new(
                        ErrorCode::InvalidScope,
                        "the client may not ask for one of these scopes",
                    ))
                })?;
                Input::Negotiated { pre_grant, state: params.get("state").map(str::to_owned) }
            }
            Output::Ok { pre_grant, extensions, .. } => {
                return match pre_grant.redirect_uri {
                    RegisteredUrl::Exact(_) => Ok((pre_grant, extensions)),
                    _ => Err(protocol("the redirect URI was changed")),
                };
            }
            Output::Err(CoreError::Redirect(_)) => {
                return Err(Refusal::Told(RedirectError::new(ErrorCode::InvalidScope, "scope is malformed")));
            }
            Output::Err(_) => return Err(protocol("the authorization machine refused a checked request")),
        };
    }
}

fn openid_only() -> ScopeSet {
    ["openid"].into_iter().collect()
}

fn protocol(what: &'static str) -> Refusal {
    Refusal::Fault(Fault::Protocol(what))
}

struct CoreParams<'a>(&'a Params);

impl CoreParams<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.0.get(name).map(Cow::Borrowed)
    }
}

impl CoreRequest for CoreParams<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn client_id(&self) -> Option<Cow<'_, str>> {
        self.get("client_id")
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.get("scope")
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.get("redirect_uri")
    }

    fn state(&self) -> Option<Cow<'_, str>> {
        self.get("state")
    }

    fn response_type(&self) -> Option<Cow<'_, str>> {
        self.get("response_type")
    }

    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.get(key)
    }
}

/// The private extensions by name, as they are stored with the code.
pub fn stored_extensions(extensions: &Extensions) -> std::collections::BTreeMap<String, String> {
    extensions.private().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect()
}
