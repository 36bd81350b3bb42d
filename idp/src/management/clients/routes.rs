//! `/admin/v1/tenants/{tenant_id}/clients`.

use std::sync::Arc;
use std::time::Duration;

use actix_web::web::{Data, Path};
use actix_web::{HttpRequest, HttpResponse};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use serde_json::Value;
use tenantry_db::Connection;
use tenantry_types::{ClientRowId, Envelope, InputError, Sha256Hash, TenantId, UtcTime, random_token};
use tenantry_web::listing::Query;
use tenantry_web::problems::Json;
use utoipa::ToSchema;

use super::{change, input};
use crate::clients::store::{self, Registration};
use crate::clients::{NewClient, PublicClientId};
use crate::management::reply::Made;
use crate::management::table::{CLIENTS, READ};
use crate::management::target::{self, scope_of};
use crate::management::{Caller, ManagementError, Missing, Routes, converge, reply};
use crate::state::Idp;

/// Adds the routes.
pub fn configure(routes: &mut Routes) {
    const ONE: &str = "/admin/v1/tenants/{tenant_id}/clients/{client_id}";
    routes
        .get("/admin/v1/tenants/{tenant_id}/clients", READ, list)
        .put(ONE, CLIENTS, put)
        .get(ONE, READ, show)
        .patch(ONE, CLIENTS, update)
        .delete(ONE, CLIENTS, remove)
        .post("/admin/v1/tenants/{tenant_id}/clients/{client_id}/rotate-secret", CLIENTS, rotate_secret);
}

/// A registered client (RFC 7591 §2).
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Client)]
pub(crate) struct ClientDocument {
    /// Its name in the protocol.
    client_id: String,
    /// Its secret, which is shown only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// Its name for people.
    name: String,
    /// Its home page.
    client_uri: Option<String>,
    /// How it authenticates at the token endpoint; this never changes.
    token_endpoint_auth_method: String,
    /// How it may get tokens.
    grant_types: Vec<String>,
    /// Where codes may be sent.
    redirect_uris: Vec<String>,
    /// Where browsers may go after sign-out.
    post_logout_redirect_uris: Vec<String>,
    /// What it may ask for, separated by spaces.
    scope: String,
    /// Whether nobody is asked for consent.
    first_party: bool,
    /// Its public keys (JWK Set), where it signs.
    jwks: Option<Value>,
    /// Whether it can be used.
    is_active: bool,
    /// When it was registered.
    #[schema(value_type = String, format = "date-time")]
    created_at: UtcTime,
    /// When it changed last.
    #[schema(value_type = String, format = "date-time")]
    updated_at: UtcTime,
}

impl ClientDocument {
    fn of(registration: &Registration) -> Self {
        let Registration { client, is_active, created_at, updated_at } = registration;
        let texts = |uris: &[crate::clients::RedirectUri]| uris.iter().map(|uri| uri.as_str().to_owned()).collect();
        Self {
            client_id: client.client_id.to_string(),
            client_secret: None,
            name: client.name.to_string(),
            client_uri: client.client_uri.clone(),
            token_endpoint_auth_method: client.auth_method.to_string(),
            grant_types: client.grant_types.iter().map(ToString::to_string).collect(),
            redirect_uris: texts(&client.redirect_uris),
            post_logout_redirect_uris: texts(&client.post_logout_redirect_uris),
            scope: client.scope.to_string(),
            first_party: client.is_first_party,
            jwks: client.jwks.clone(),
            is_active: *is_active,
            created_at: *created_at,
            updated_at: *updated_at,
        }
    }

    fn with_secret(registration: &Registration, secret: Option<&SecretString>) -> Self {
        Self { client_secret: secret.map(|secret| secret.expose_secret().to_owned()), ..Self::of(registration) }
    }
}

/// A name that cannot be one is nobody's.
fn name_of(text: &str) -> Result<PublicClientId, ManagementError> {
    text.parse().map_err(|_| ManagementError::NotFound(Missing::Client))
}

/// Lists the clients of a tenant
///
/// In the order of their names in the protocol.
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}/clients", tag = "Clients", operation_id = "list_clients",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("limit" = Option<u32>, Query, description = "How many at most: 1 to 200, 50 if it is left out"),
        ("cursor" = Option<String>, Query, description = "`page.next` of the page before"),
    ),
    responses(
        (status = 200, description = "A page of clients", body = inline(Envelope<Vec<ClientDocument>>)),
        (status = 404, description = "There is no such tenant"),
    ),
)]
pub(crate) async fn list(
    request: HttpRequest,
    tenant: Path<TenantId>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let scope = scope_of(*tenant);
    let query = Query::of(&request, &idp.secrets.cursors, tenant.as_str());
    let rows = move |conn: &mut Connection, after: Option<&PublicClientId>, most| {
        store::registrations(conn, scope, after, most)
    };
    let key = |one: &Registration| one.client.client_id.clone();
    target::list(&idp, scope, query, rows, key, |one| ClientDocument::of(&one)).await
}

/// Registers a client
///
/// A client that authenticates with a secret is given one, which is shown in this answer only. Asking again for the same
/// client gives what is there, without the secret: if the first answer was lost, make a new one with `rotate-secret`.
#[utoipa::path(
    put, path = "/admin/v1/tenants/{tenant_id}/clients/{client_id}", tag = "Clients", operation_id = "put_client",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("client_id" = String, Path, description = "The name that it is to have in the protocol"),
    ),
    request_body(content = serde_json::Value, example = json!({
        "name": "Shop", "token_endpoint_auth_method": "client_secret_basic", "grant_types": ["authorization_code", "refresh_token"],
        "redirect_uris": ["https://shop.example/callback"], "scope": "openid profile email"})),
    responses(
        (status = 201, description = "The new client, with its secret if it has one", body = inline(Envelope<ClientDocument>)),
        (status = 200, description = "It was there", body = inline(Envelope<ClientDocument>)),
        (status = 404, description = "There is no such tenant"),
        (status = 409, description = "There is another client of this name (`/problems/id-taken`)"),
    ),
)]
pub(crate) async fn put(
    path: Path<(TenantId, String)>,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, name) = path.into_inner();
    let client_id: PublicClientId = name.parse().map_err(|error: tenantry_types::ParseError| {
        ManagementError::Invalid(vec![InputError::new("client_id", "invalid", error.to_string())])
    })?;
    let row_id = ClientRowId::new(&*idp.clock, &*idp.random);
    let client = input::wanted(row_id, client_id, body).map_err(ManagementError::Invalid)?;
    let secret = client.auth_method.uses_secret().then(|| random_token(&*idp.random));
    let hash = secret.as_ref().map(|secret| Sha256Hash::of(secret.expose_secret()));
    let client = Arc::new(NewClient { secret: hash, ..client });
    let (author, scope) = (caller.author(&idp), scope_of(tenant));
    let work = move |conn: &mut _| change::put(conn, scope, &author, &client);
    let (made, registration) = converge(&idp, work).await?;
    idp.clients.forget();
    let secret = secret.filter(|_| made == Made::Now);
    Ok(reply::made(made, ClientDocument::with_secret(&registration, secret.as_ref())))
}

/// Shows a client
#[utoipa::path(
    get, path = "/admin/v1/tenants/{tenant_id}/clients/{client_id}", tag = "Clients", operation_id = "show_client",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("client_id" = String, Path, description = "The client"),
    ),
    responses(
        (status = 200, description = "The client", body = inline(Envelope<ClientDocument>)),
        (status = 404, description = "There is no such tenant, or it has no such client (`/problems/client-not-found`)"),
    ),
)]
pub(crate) async fn show(
    request: HttpRequest,
    path: Path<(TenantId, String)>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, name) = path.into_inner();
    let (scope, name) = (scope_of(tenant), name_of(&name)?);
    let found = target::read(&idp, scope, move |conn| store::registration(conn, scope, &name)).await?;
    let client = found.ok_or(ManagementError::NotFound(Missing::Client))?;
    reply::found(&request, ClientDocument::of(&client))
}

/// Changes a client
///
/// What is left out stays. How the client authenticates cannot be changed.
#[utoipa::path(
    patch, path = "/admin/v1/tenants/{tenant_id}/clients/{client_id}", tag = "Clients", operation_id = "update_client",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("client_id" = String, Path, description = "The client"),
    ),
    request_body(content = serde_json::Value, example = json!({"name": "Shop", "is_active": false})),
    responses(
        (status = 200, description = "The client as it is now", body = inline(Envelope<ClientDocument>)),
        (status = 404, description = "There is no such tenant, or it has no such client"),
    ),
)]
pub(crate) async fn update(
    path: Path<(TenantId, String)>,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, name) = path.into_inner();
    let name = name_of(&name)?;
    let changes = input::changes(body).map_err(ManagementError::Invalid)?;
    let (author, scope) = (caller.author(&idp), scope_of(tenant));
    let after = idp.change(move |conn| change::update(conn, scope, &author, &name, &changes)).await?;
    idp.clients.forget();
    Ok(reply::changed(ClientDocument::of(&after)))
}

/// Removes a client, and everything that was granted to it
#[utoipa::path(
    delete, path = "/admin/v1/tenants/{tenant_id}/clients/{client_id}", tag = "Clients", operation_id = "delete_client",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("client_id" = String, Path, description = "The client"),
    ),
    responses(
        (status = 204, description = "It is not there any more"),
        (status = 404, description = "There is no such tenant"),
    ),
)]
pub(crate) async fn remove(
    path: Path<(TenantId, String)>,
    caller: Caller,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, name) = path.into_inner();
    let (author, scope, name) = (caller.author(&idp), scope_of(tenant), name_of(&name)?);
    idp.change(move |conn| change::delete(conn, scope, &author, &name)).await?;
    idp.clients.forget();
    Ok(reply::done())
}

/// Gives a client a new secret
///
/// It is shown in this answer only. The one before stays good for `keep_old_seconds` (a day, if it is left out).
#[utoipa::path(
    post, path = "/admin/v1/tenants/{tenant_id}/clients/{client_id}/rotate-secret", tag = "Clients",
    operation_id = "rotate_client_secret",
    params(
        ("tenant_id" = String, Path, description = "The tenant", format = "uuid"),
        ("client_id" = String, Path, description = "The client"),
    ),
    request_body(content = serde_json::Value, example = json!({"keep_old_seconds": 3600})),
    responses(
        (status = 200, description = "The client with its new secret", body = inline(Envelope<ClientDocument>)),
        (status = 404, description = "There is no such tenant, or it has no such client"),
        (status = 409, description = "The client has no secret"),
    ),
)]
pub(crate) async fn rotate_secret(
    path: Path<(TenantId, String)>,
    caller: Caller,
    Json(body): Json<Value>,
    idp: Data<Idp>,
) -> Result<HttpResponse, ManagementError> {
    let (tenant, name) = path.into_inner();
    let name = name_of(&name)?;
    let keep_old = Duration::from_secs(input::rotation(body).map_err(ManagementError::Invalid)?.into());
    let secret = random_token(&*idp.random);
    let hash = Sha256Hash::of(secret.expose_secret());
    let (author, scope) = (caller.author(&idp), scope_of(tenant));
    let work = move |conn: &mut Connection| change::rotate_secret(conn, scope, &author, &name, &hash, keep_old);
    let changed = idp.change(work).await?;
    idp.clients.forget();
    Ok(reply::changed(ClientDocument::with_secret(&changed, Some(&secret))))
}
