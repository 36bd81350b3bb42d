//! An identity provider that does what a test tells it: the contract that this service relies on, and nothing more.
//!
//! It signs whatever it is asked to, so that hostile tokens can be made, and counts what it is asked.

use std::collections::HashMap;
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use actix_web::dev::ServerHandle;
use actix_web::web::{self, Data, Form, Path, Query};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use serde_json::{Value, json};
use tenantry_jose::{Algorithm, KeySet, SigningKey, left_half_hash, pkce_matches};
use tenantry_types::{Clock, ManualClock, SystemRandom, TenantId, UserId, random_token};

use crate::fake_management::{self, ManagementState};

/// How long its access tokens live.
pub const ACCESS_TOKEN_SECONDS: i64 = 600;

/// The issuer of the tenant `demo` on a domain of its own.
pub const LOGIN_DOMAIN: &str = "https://login.demo.example";

pub struct FakeIdp {
    state: Arc<State>,
    handle: ServerHandle,
}

pub struct State {
    pub url: String,
    pub clock: Arc<ManualClock>,
    tenants: Mutex<HashMap<String, FakeTenant>>,
    codes: Mutex<HashMap<String, Grant>>,
    refresh_tokens: Mutex<HashMap<String, Grant>>,
    /// Answers 503 to everything.
    pub is_down: AtomicBool,
    /// Answers authorization requests with this error.
    pub refusal: Mutex<Option<String>>,
    /// Changes the parameters of the next answers to authorization requests.
    pub answer: Mutex<HashMap<String, Option<String>>>,
    /// Changes the claims of the next ID tokens.
    pub id_claims: Mutex<Value>,
    /// The roles in the access tokens of those who sign in next.
    pub roles: Mutex<Vec<String>>,
    pub issuer_lookups: AtomicUsize,
    pub key_fetches: AtomicUsize,
    pub refreshes: AtomicUsize,
    /// The `traceparent` of each look-up of an issuer.
    pub traces: Mutex<Vec<String>>,
    /// The management API.
    pub management: Arc<ManagementState>,
}

#[derive(Clone)]
pub struct FakeTenant {
    pub id: TenantId,
    /// What it signs with.
    pub key: SigningKey,
    /// What it publishes.
    pub published: Vec<SigningKey>,
    /// The origins of its clients.
    pub origins: Vec<String>,
}

#[derive(Clone)]
struct Grant {
    slug: String,
    user: UserId,
    client_id: String,
    redirect_uri: String,
    challenge: String,
    nonce: String,
    scope: String,
    roles: Vec<String>,
}

impl FakeIdp {
    pub fn start(clock: Arc<ManualClock>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://localhost:{}", listener.local_addr().unwrap().port());
        let state = Arc::new(State {
            url,
            clock,
            tenants: Mutex::default(),
            codes: Mutex::default(),
            refresh_tokens: Mutex::default(),
            is_down: AtomicBool::new(false),
            refusal: Mutex::default(),
            answer: Mutex::default(),
            id_claims: Mutex::new(json!({})),
            roles: Mutex::new(vec!["administrator".to_owned()]),
            issuer_lookups: AtomicUsize::new(0),
            key_fetches: AtomicUsize::new(0),
            refreshes: AtomicUsize::new(0),
            traces: Mutex::default(),
            management: Arc::default(),
        });
        let data = Data::from(Arc::clone(&state));
        let server = HttpServer::new(move || {
            App::new()
                .app_data(data.clone())
                .configure(fake_management::configure)
                .route("/.well-known/tenantry/issuer", web::get().to(issuer))
                .route("/t/{slug}/.well-known/openid-configuration", web::get().to(discovery))
                .route("/t/{slug}/oauth2/jwks", web::get().to(jwks))
                .route("/t/{slug}/oauth2/authorize", web::get().to(authorize))
                .route("/t/{slug}/oauth2/token", web::post().to(token))
                .route("/t/{slug}/oauth2/userinfo", web::get().to(userinfo))
        })
        .workers(1)
        .disable_signals()
        .listen(listener)
        .unwrap()
        .run();
        let handle = server.handle();
        actix_web::rt::spawn(server);
        let idp = Self { state, handle };
        idp.add_tenant("demo");
        idp.add_tenant("platform");
        idp
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn url(&self) -> &str {
        &self.state.url
    }

    pub fn add_tenant(&self, slug: &str) -> FakeTenant {
        self.add_tenant_of(TenantId::new(&*self.state.clock, &SystemRandom), slug)
    }

    /// Lets a tenant of this id sign tokens.
    pub fn add_tenant_of(&self, id: TenantId, slug: &str) -> FakeTenant {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let tenant = FakeTenant { id, key: key.clone(), published: vec![key], origins: Vec::new() };
        self.state.tenants.lock().unwrap().insert(slug.to_owned(), tenant.clone());
        tenant
    }

    pub fn remove_tenant(&self, slug: &str) {
        self.state.tenants.lock().unwrap().remove(slug);
    }

    pub fn tenant(&self, slug: &str) -> FakeTenant {
        self.state.tenants.lock().unwrap()[slug].clone()
    }

    /// Says that the clients of a tenant have these origins.
    pub fn set_origins(&self, slug: &str, origins: &[&str]) {
        let mut tenants = self.state.tenants.lock().unwrap();
        tenants.get_mut(slug).unwrap().origins = origins.iter().map(|origin| (*origin).to_owned()).collect();
    }

    /// Signs with another key from now on, and publishes it beside the old one.
    pub fn rotate(&self, slug: &str) {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let mut tenants = self.state.tenants.lock().unwrap();
        let tenant = tenants.get_mut(slug).unwrap();
        tenant.published.push(key.clone());
        tenant.key = key;
    }

    pub fn issuer(&self, slug: &str) -> String {
        format!("{}/t/{slug}", self.state.url)
    }

    /// The claims of a good access token of a person.
    pub fn user_claims(&self, slug: &str, audience: &str) -> Value {
        let user = UserId::new(&*self.state.clock, &SystemRandom);
        self.state.access_claims(slug, user.as_str(), "some-client", "openid api", audience)
    }

    /// The claims of a good access token of a client.
    pub fn client_claims(&self, slug: &str, audience: &str, scope: &str) -> Value {
        let mut claims = self.state.access_claims(slug, "machine", "machine", scope, audience);
        for only_of_people in ["roles", "auth_time", "acr", "amr", "sid"] {
            claims.as_object_mut().unwrap().remove(only_of_people);
        }
        claims
    }

    /// Lets somebody of the tenant be signed in; `about` says what is different from other sessions.
    pub fn add_session(&self, slug: &str, user: &str, id: &str, about: &Value) {
        let now = self.state.clock.now();
        let mut session = json!({
            "id": id, "user_id": user, "authenticated_at": now, "last_used_at": now,
            "expires_at": now + std::time::Duration::from_secs(86_400), "acr": "urn:tenantry:acr:password",
            "amr": ["pwd"], "address": "192.0.2.17", "user_agent": "Some browser",
        });
        for (name, value) in about.as_object().unwrap() {
            session[name] = value.clone();
        }
        let tenant = self.tenant(slug).id.to_string();
        self.state.management.sessions.lock().unwrap().insert(0, (tenant, session));
    }

    /// Signs claims as an access token of the tenant.
    pub fn sign(&self, slug: &str, claims: &Value) -> String {
        self.tenant(slug).key.sign_jwt("at+jwt", claims).unwrap()
    }

    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

impl State {
    fn access_claims(&self, slug: &str, subject: &str, client_id: &str, scope: &str, audience: &str) -> Value {
        let now = self.clock.now().unix_seconds();
        let tenant = self.tenants.lock().unwrap()[slug].clone();
        json!({
            "iss": format!("{}/t/{slug}", self.url), "sub": subject, "aud": audience, "client_id": client_id,
            "exp": now + ACCESS_TOKEN_SECONDS, "iat": now, "jti": TenantId::new(&*self.clock, &SystemRandom), "scope": scope,
            "tenant_id": tenant.id, "roles": ["administrator"], "acr": "1", "amr": ["pwd"], "auth_time": now,
            "sid": TenantId::new(&*self.clock, &SystemRandom),
        })
    }

    fn tokens(&self, grant: &Grant) -> HttpResponse {
        use secrecy::ExposeSecret as _;
        let tenant = self.tenants.lock().unwrap()[&grant.slug].clone();
        let now = self.clock.now().unix_seconds();
        // The audience is the service that the redirect URI belongs to.
        let audience = grant.redirect_uri.trim_end_matches("/console/callback");
        let mut claims = self.access_claims(&grant.slug, grant.user.as_str(), &grant.client_id, &grant.scope, audience);
        claims["roles"] = json!(grant.roles);
        let access_token = tenant.key.sign_jwt("at+jwt", &claims).unwrap();
        let mut id_claims = json!({
            "iss": claims["iss"], "sub": claims["sub"], "aud": grant.client_id, "exp": now + 3600, "iat": now,
            "nonce": grant.nonce, "at_hash": left_half_hash(Algorithm::Es256, &access_token),
        });
        for (name, value) in self.id_claims.lock().unwrap().as_object().unwrap() {
            id_claims[name] = value.clone();
        }
        let refresh_token = random_token(&SystemRandom).expose_secret().to_owned();
        self.refresh_tokens.lock().unwrap().insert(refresh_token.clone(), grant.clone());
        HttpResponse::Ok().json(json!({
            "access_token": access_token, "token_type": "Bearer", "expires_in": ACCESS_TOKEN_SECONDS,
            "refresh_token": refresh_token, "scope": grant.scope,
            "id_token": tenant.key.sign_jwt("JWT", &id_claims).unwrap(),
        }))
    }

    pub fn forget_refresh_tokens(&self) {
        self.refresh_tokens.lock().unwrap().clear();
    }

    /// The answer to everything while it is down.
    fn down(&self) -> Option<HttpResponse> {
        self.is_down.load(Ordering::SeqCst).then(|| HttpResponse::ServiceUnavailable().finish())
    }
}

async fn issuer(state: Data<State>, query: Query<HashMap<String, String>>, request: HttpRequest) -> HttpResponse {
    let trace = request.headers().get("traceparent").map(|value| value.to_str().unwrap().to_owned());
    state.traces.lock().unwrap().extend(trace);
    state.issuer_lookups.fetch_add(1, Ordering::SeqCst);
    if let Some(down) = state.down() {
        return down;
    }
    let issuer = &query["issuer"];
    // The one login domain, of the tenant `demo`.
    if issuer == LOGIN_DOMAIN {
        let id = state.tenants.lock().unwrap()["demo"].id;
        return HttpResponse::Ok().json(json!({
            "issuer": issuer, "tenant": {"id": id, "slug": "demo", "name": "Tenant demo"},
            "jwks_uri": format!("{LOGIN_DOMAIN}/oauth2/jwks"),
        }));
    }
    let slug = issuer.rsplit('/').next().unwrap();
    let tenants = state.tenants.lock().unwrap();
    match tenants.get(slug).filter(|_| issuer.starts_with(&state.url)) {
        Some(tenant) => HttpResponse::Ok().json(json!({
            "issuer": issuer, "tenant": {"id": tenant.id, "slug": slug, "name": format!("Tenant {slug}"),
                "is_platform": slug == "platform"},
            "jwks_uri": format!("{issuer}/oauth2/jwks"), "allowed_origins": tenant.origins,
        })),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn jwks(state: Data<State>, slug: Path<String>) -> HttpResponse {
    state.key_fetches.fetch_add(1, Ordering::SeqCst);
    if let Some(down) = state.down() {
        return down;
    }
    match state.tenants.lock().unwrap().get(slug.as_str()) {
        Some(tenant) => HttpResponse::Ok().json(tenant.published.iter().collect::<KeySet>().to_jwks()),
        None => HttpResponse::NotFound().finish(),
    }
}

async fn discovery(state: Data<State>, slug: Path<String>) -> HttpResponse {
    if let Some(down) = state.down() {
        return down;
    }
    let issuer = format!("{}/t/{slug}", state.url);
    HttpResponse::Ok().json(json!({
        "issuer": issuer,
        "authorization_endpoint": format!("{issuer}/oauth2/authorize"),
        "token_endpoint": format!("{issuer}/oauth2/token"),
        "userinfo_endpoint": format!("{issuer}/oauth2/userinfo"),
        "end_session_endpoint": format!("{issuer}/oauth2/end_session"),
        "jwks_uri": format!("{issuer}/oauth2/jwks"),
        "response_types_supported": ["code"], "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"], "authorization_response_iss_parameter_supported": true,
    }))
}

/// Signs a new person in at once, and sends the browser back.
async fn authorize(state: Data<State>, slug: Path<String>, query: Query<HashMap<String, String>>) -> HttpResponse {
    use secrecy::ExposeSecret as _;
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    let issuer = format!("{}/t/{slug}", state.url);
    let mut answer: HashMap<String, String> =
        HashMap::from([("state".to_owned(), query["state"].clone()), ("iss".to_owned(), issuer)]);
    if let Some(error) = state.refusal.lock().unwrap().clone() {
        answer.insert("error".to_owned(), error);
    } else {
        let code = random_token(&SystemRandom).expose_secret().to_owned();
        let grant = Grant {
            slug: slug.into_inner(),
            user: UserId::new(&*state.clock, &SystemRandom),
            client_id: query["client_id"].clone(),
            redirect_uri: query["redirect_uri"].clone(),
            challenge: query["code_challenge"].clone(),
            nonce: query["nonce"].clone(),
            scope: query["scope"].clone(),
            roles: state.roles.lock().unwrap().clone(),
        };
        state.codes.lock().unwrap().insert(code.clone(), grant);
        answer.insert("code".to_owned(), code);
    }
    for (name, value) in &*state.answer.lock().unwrap() {
        match value {
            Some(value) => answer.insert(name.clone(), value.clone()),
            None => answer.remove(name),
        };
    }
    let location = url::Url::parse_with_params(&query["redirect_uri"], answer).unwrap();
    HttpResponse::Found().insert_header(("Location", location.as_str())).finish()
}

async fn token(state: Data<State>, form: Form<HashMap<String, String>>) -> HttpResponse {
    if let Some(down) = state.down() {
        return down;
    }
    if form["grant_type"] == "client_credentials" {
        return fake_management::token(&state, &form);
    }
    let invalid_grant = || HttpResponse::BadRequest().json(json!({"error": "invalid_grant"}));
    if form["grant_type"] == "refresh_token" {
        state.refreshes.fetch_add(1, Ordering::SeqCst);
        let grant = state.refresh_tokens.lock().unwrap().remove(&form["refresh_token"]);
        return grant.map_or_else(invalid_grant, |grant| state.tokens(&grant));
    }
    let grant = state.codes.lock().unwrap().remove(&form["code"]);
    match grant {
        Some(grant)
            if grant.redirect_uri == form["redirect_uri"]
                && grant.client_id == form["client_id"]
                && pkce_matches(&form["code_verifier"], &grant.challenge) =>
        {
            state.tokens(&grant)
        }
        _ => invalid_grant(),
    }
}

async fn userinfo(request: HttpRequest) -> HttpResponse {
    let header = request.headers().get("Authorization").unwrap().to_str().unwrap();
    let claims = tenantry_jose::peek(header.trim_start_matches("Bearer ")).unwrap().claims;
    HttpResponse::Ok().json(json!({"sub": claims["sub"], "name": "Ada Lovelace"}))
}
