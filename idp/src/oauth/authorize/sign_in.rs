//! The sign-in page.

use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{StatusCode, header};
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use tenantry_db::DbError;
use tenantry_types::{JsonText, SessionId, Sha256Hash, UserId, random_token};
use tenantry_web::ingress::ClientAddress;
use tenantry_web::problems::Body;

use super::interaction::{Interaction, redirect_with_interaction};
use crate::audit::{self, Entry, Source};
use crate::clients::Client;
use crate::credentials::throttle::Attempt;
use crate::credentials::{self, HasherError, Verdict};
use crate::fault::Fault;
use crate::login::{Form, FormError, pages, session_of};
use crate::memberships::{Claimant, person};
use crate::pages::{Language, SignInError, SignInPage};
use crate::params::Params;
use crate::sessions::store::NewSession;
use crate::sessions::{self, ACR_PASSWORD, CookieJar, cookie};
use crate::state::Idp;
use crate::tenants::Issuer;

const FORM: &str = "sign-in";
const EXPIRED: &str = "This sign-in took too long. Please go back to the application and begin again.";
/// What a browser remembers that it signed in: for a year.
const DEVICE_DAYS: i64 = 365;

/// A request that waits for its user to sign in.
struct Waiting {
    token: String,
    params: Params,
    client: Arc<Client>,
}

impl Waiting {
    async fn open(idp: &Idp, issuer: &Issuer, params: &Params) -> Result<Option<Self>, Fault> {
        let Some(token) = params.get("interaction") else { return Ok(None) };
        let opened = Interaction::open(token, &idp.secrets.interaction, issuer.tenant.id, idp.clock.now());
        let Some(interaction) = opened else { return Ok(None) };
        let params = interaction.params();
        let client = idp.clients.find(issuer.scope(), params.get("client_id").unwrap_or_default()).await?;
        Ok(client.map(|client| Self { token: token.to_owned(), params, client }))
    }
}

/// `GET {issuer}/sign-in?interaction=…`: the form.
pub async fn show(issuer: Issuer, idp: Data<Idp>, request: HttpRequest) -> Result<HttpResponse, Fault> {
    let params = Params::parse(request.query_string().as_bytes()).unwrap_or_default();
    match Waiting::open(&idp, &issuer, &params).await? {
        Some(waiting) => page(&idp, &issuer, &request, &waiting, StatusCode::OK, None, None),
        None => pages::error(&idp, &issuer, &request, StatusCode::BAD_REQUEST, EXPIRED),
    }
}

/// `POST {issuer}/sign-in`: name and password.
pub async fn submit(
    issuer: Issuer,
    idp: Data<Idp>,
    ClientAddress(address): ClientAddress,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, Fault> {
    let form = Form::read(&idp, &issuer, &request, &body, FORM, None);
    let sent = match &form {
        Ok(params) => params.clone(),
        Err(FormError::Stale) => Params::parse(&body).unwrap_or_default(),
        Err(error @ (FormError::CrossSite | FormError::Malformed)) => {
            let message = format!("Nobody was signed in: {error}.");
            return pages::error(&idp, &issuer, &request, error.status(), &message);
        }
    };
    let Some(waiting) = Waiting::open(&idp, &issuer, &sent).await? else {
        return pages::error(&idp, &issuer, &request, StatusCode::BAD_REQUEST, EXPIRED);
    };
    let username = sent.get("username").unwrap_or_default().trim();
    let again = |status, error| page(&idp, &issuer, &request, &waiting, status, Some(username), Some(error));
    if form.is_err() {
        return again(StatusCode::FORBIDDEN, SignInError::SessionExpired);
    }
    let password = sent.get("password").unwrap_or_default();
    let device = known_device(&idp, &issuer, &request, username);
    let claimant = claimant(&idp, &issuer, username).await?;
    // Whoever guesses at an account through many tenants guesses at one account.
    let home = claimant.as_ref().map_or(issuer.tenant.id, |claimant| claimant.home.tenant_id());
    let attempt = Attempt::new(issuer.tenant.id, home, username, address, device.as_deref());
    let _turn = idp.throttle.turn(&attempt).await?;
    if let Some(wait) = idp.throttle.wait(&attempt, idp.clock.now()).await? {
        let retry_after_seconds = wait.as_secs() + 1;
        let mut response = again(StatusCode::TOO_MANY_REQUESTS, SignInError::Throttled { retry_after_seconds })?;
        response.headers_mut().insert(header::RETRY_AFTER, retry_after_seconds.into());
        return Ok(response);
    }
    match check(&idp, claimant, password).await {
        Ok(Some(user)) => {
            idp.throttle.succeeded(&attempt).await?;
            match signed_in(&idp, &issuer, &request, &waiting, username, user, device).await? {
                Some(response) => Ok(response),
                None => again(StatusCode::UNAUTHORIZED, SignInError::InvalidCredentials),
            }
        }
        Ok(None) => {
            idp.throttle.failed(&attempt, idp.clock.now()).await?;
            again(StatusCode::UNAUTHORIZED, SignInError::InvalidCredentials)
        }
        Err(Fault::Hasher(HasherError::Busy)) => {
            let mut response = again(StatusCode::SERVICE_UNAVAILABLE, SignInError::Busy)?;
            response.headers_mut().insert(header::RETRY_AFTER, 2_u64.into());
            Ok(response)
        }
        Err(fault) => Err(fault),
    }
}

/// Whose name this is: that of somebody who lives in the tenant, or of a member.
async fn claimant(idp: &Idp, issuer: &Issuer, username: &str) -> Result<Option<Claimant>, Fault> {
    let scope = issuer.scope();
    let name: String = username.chars().take(254).collect();
    Ok(idp.db.read(move |conn| person::find_for_sign_in(conn, scope, &name)).await?)
}

/// Who it is, if the password is theirs. Every way to be wrong takes the same path and time: unknown name, no password,
/// an account that may not sign in, somebody who lives here or elsewhere.
async fn check(idp: &Idp, claimant: Option<Claimant>, password: &str) -> Result<Option<UserId>, Fault> {
    let password = if password.len() > credentials::MAX_PASSWORD_BYTES { "" } else { password };
    let password = SecretString::from(password);
    let hash = claimant.as_ref().and_then(|claimant| claimant.hash.clone());
    let verdict = idp.hasher.verify(password.clone(), hash.clone()).await?;
    let (Verdict::Correct { outdated }, Some(claimant)) = (verdict, claimant) else { return Ok(None) };
    if !claimant.may_sign_in {
        return Ok(None);
    }
    let (home, user) = (claimant.home, claimant.id);
    if let (true, Some(old)) = (outdated, hash) {
        let new = idp.hasher.hash(password).await?;
        idp.db.write(move |conn| credentials::store::upgrade_hash(conn, home, user, &old, &new)).await?;
    }
    Ok(Some(user))
}

/// A new session with a new secret, whatever cookie the browser came with; `None` for somebody who may not be signed in any
/// more.
async fn signed_in(
    idp: &Idp,
    issuer: &Issuer,
    request: &HttpRequest,
    waiting: &Waiting,
    username: &str,
    user: UserId,
    device: Option<String>,
) -> Result<Option<HttpResponse>, Fault> {
    let now = idp.clock.now();
    let before = session_of(idp, issuer, request).await?.map(|session| session.id);
    let secret = random_token(&*idp.random);
    let hash = Sha256Hash::of(secret.expose_secret());
    let source = Source::of(request);
    let user_agent = request.headers().get(header::USER_AGENT).and_then(|value| value.to_str().ok());
    let user_agent = user_agent.map(|text| text.chars().take(512).collect::<String>());
    let id = SessionId::new(&*idp.clock, &*idp.random);
    let amr = JsonText::new(vec!["pwd".to_owned()])?;
    let (scope, parts, client) = (issuer.scope(), idp.parts(), waiting.client.client_id.to_string());
    let absolute = Duration::from_secs(idp.config.sessions.absolute_seconds);
    let begun = idp
        .db
        .write(move |conn| {
            // A membership may have ended while the password was checked.
            if person::find_signed_in(conn, scope, user)?.is_none() {
                return Ok(false);
            }
            if let Some(before) = before {
                sessions::store::end(conn, scope, before, now)?;
            }
            let session = NewSession {
                id,
                tenant_id: scope.tenant_id(),
                user_id: user,
                secret_hash: hash.clone(),
                authenticated_at: now,
                acr: ACR_PASSWORD.to_owned(),
                amr: amr.clone(),
                address: source.address.clone(),
                user_agent: user_agent.clone(),
                created_at: now,
                last_used_at: now,
                expires_at: now + absolute,
                ended_at: None,
            };
            sessions::store::insert(conn, session)?;
            let entry = Entry {
                action: "session.begin",
                actor: format!("user:{user}"),
                target: format!("session:{id}"),
                detail: serde_json::json!({ "client": client, "methods": ["pwd"] }),
                source: &source,
            };
            audit::store::record(conn, scope, &*parts.clock, &*parts.random, &entry)?;
            Ok::<_, DbError>(true)
        })
        .await?;
    if !begun {
        return Ok(None);
    }
    let jar = CookieJar::of(issuer);
    let mut response = redirect_with_interaction(issuer, "/oauth2/authorize", &waiting.token);
    let device = device.unwrap_or_else(|| new_device(idp, issuer, username));
    let max_age = Some(actix_web::cookie::time::Duration::days(DEVICE_DAYS));
    for cookie in [jar.make(cookie::SESSION, &secret, None), jar.make(cookie::DEVICE, &device.into(), max_age)] {
        response.add_cookie(&cookie).map_err(|_| Fault::Protocol("a cookie could not be set"))?;
    }
    Ok(Some(response))
}

/// The device cookie: a random name with a tag over it and the account that signed in from it.
fn new_device(idp: &Idp, issuer: &Issuer, username: &str) -> String {
    let name = random_token(&*idp.random);
    let username = username.to_lowercase();
    let tag = idp.secrets.device.tag(&device_parts(issuer, &username, name.expose_secret()));
    format!("{}.{}", name.expose_secret(), URL_SAFE_NO_PAD.encode(tag))
}

fn known_device(idp: &Idp, issuer: &Issuer, request: &HttpRequest, username: &str) -> Option<String> {
    let cookie = CookieJar::of(issuer).get(request, cookie::DEVICE)?;
    let (name, tag) = cookie.expose_secret().split_once('.')?;
    let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
    let username = username.to_lowercase();
    let good = idp.secrets.device.verify(&device_parts(issuer, &username, name), &tag);
    good.then(|| cookie.expose_secret().to_owned())
}

fn device_parts<'a>(issuer: &'a Issuer, username: &'a str, name: &'a str) -> [&'a [u8]; 3] {
    [issuer.tenant.id.as_str().as_bytes(), username.as_bytes(), name.as_bytes()]
}

fn page(
    idp: &Idp,
    issuer: &Issuer,
    request: &HttpRequest,
    waiting: &Waiting,
    status: StatusCode,
    username: Option<&str>,
    error: Option<SignInError>,
) -> Result<HttpResponse, Fault> {
    let form = Form::new(idp, issuer, request, FORM, None);
    let action = issuer.path("/sign-in");
    let page = SignInPage {
        language: Language::default(),
        tenant_name: issuer.tenant.name.as_str(),
        client_name: waiting.client.name.as_str(),
        form_action: &action,
        interaction: &waiting.token,
        csrf: &form.tag,
        username: username.or_else(|| waiting.params.get("login_hint")),
        error,
    };
    let html = idp.pages.sign_in(&page)?;
    Ok(pages::respond(status, html, waiting.params.get("redirect_uri"), form.cookie))
}
