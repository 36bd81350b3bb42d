//! Queries on clients, and the cache in front of them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use moka::future::Cache;
use tenantry_db::{Connection, Db, DbError, TenantScope};
use tenantry_jose::KeySet;
use tenantry_types::{ClientRowId, Clock, JsonText, Origin, ScopeSet, Sha256Hash, TenantId, UtcTime};
use url::Url;

use super::management::is_management;
use super::{AuthMethod, Client, ClientError, ClientName, GrantType, NewClient, PublicClientId, RedirectUri, Secret};
use crate::schema::clients;
use crate::tenants;

#[derive(Queryable, Selectable)]
#[diesel(table_name = clients)]
struct ClientRow {
    id: ClientRowId,
    client_id: PublicClientId,
    name: ClientName,
    client_uri: Option<String>,
    auth_method: AuthMethod,
    secret_hash: Option<Sha256Hash>,
    previous_secret_hash: Option<Sha256Hash>,
    previous_secret_until: Option<UtcTime>,
    jwks: Option<JsonText<serde_json::Value>>,
    redirect_uris: JsonText<Vec<RedirectUri>>,
    post_logout_redirect_uris: JsonText<Vec<RedirectUri>>,
    grant_types: JsonText<Vec<GrantType>>,
    scope: ScopeSet,
    is_first_party: bool,
}

impl From<ClientRow> for Client {
    fn from(row: ClientRow) -> Self {
        // Checked when it was registered; a set that no longer reads has no key, so nothing is believed.
        let keys = row.jwks.map(|jwks| {
            KeySet::from_jwks(&jwks).unwrap_or_else(|error| {
                tracing::error!(client = %row.client_id, %error, "the keys of a client cannot be read");
                KeySet::default()
            })
        });
        Self {
            row_id: row.id,
            client_id: row.client_id,
            name: row.name,
            client_uri: row.client_uri,
            auth_method: row.auth_method,
            secret: row
                .secret_hash
                .map(|current| Secret { current, previous: row.previous_secret_hash.zip(row.previous_secret_until) }),
            keys,
            redirect_uris: row.redirect_uris.into_inner(),
            post_logout_redirect_uris: row.post_logout_redirect_uris.into_inner(),
            grant_types: row.grant_types.into_inner().into_iter().collect(),
            scope: row.scope,
            is_first_party: row.is_first_party,
        }
    }
}

#[derive(Insertable)]
#[diesel(table_name = clients, treat_none_as_default_value = false)]
struct NewClientRow<'a> {
    id: ClientRowId,
    tenant_id: TenantId,
    client_id: &'a PublicClientId,
    name: &'a ClientName,
    client_uri: Option<&'a str>,
    auth_method: AuthMethod,
    secret_hash: Option<&'a Sha256Hash>,
    previous_secret_hash: Option<&'a Sha256Hash>,
    previous_secret_until: Option<UtcTime>,
    jwks: Option<JsonText<&'a serde_json::Value>>,
    redirect_uris: JsonText<&'a [RedirectUri]>,
    post_logout_redirect_uris: JsonText<&'a [RedirectUri]>,
    grant_types: JsonText<Vec<GrantType>>,
    scope: &'a ScopeSet,
    is_first_party: bool,
    is_active: bool,
    created_at: UtcTime,
    updated_at: UtcTime,
}

/// Registers a client.
pub fn insert(
    conn: &mut Connection,
    scope: TenantScope,
    clock: &dyn Clock,
    client: &NewClient,
) -> Result<(), ClientError> {
    client.check().map_err(ClientError::Invalid)?;
    check_scope(conn, scope, &client.scope)?;
    let json = |error: serde_json::Error| DbError::Invalid(error.to_string());
    let now = clock.now();
    let row = NewClientRow {
        id: client.row_id,
        tenant_id: scope.tenant_id(),
        client_id: &client.client_id,
        name: &client.name,
        client_uri: client.client_uri.as_deref(),
        auth_method: client.auth_method,
        secret_hash: client.secret.as_ref(),
        previous_secret_hash: None,
        previous_secret_until: None,
        jwks: client.jwks.as_ref().map(JsonText::new).transpose().map_err(json)?,
        redirect_uris: JsonText::new(client.redirect_uris.as_slice()).map_err(json)?,
        post_logout_redirect_uris: JsonText::new(client.post_logout_redirect_uris.as_slice()).map_err(json)?,
        grant_types: JsonText::new(client.grant_types.iter().copied().collect()).map_err(json)?,
        scope: &client.scope,
        is_first_party: client.is_first_party,
        is_active: true,
        created_at: now,
        updated_at: now,
    };
    match diesel::insert_into(clients::table).values(row).execute(conn).map_err(DbError::from) {
        Ok(_) => Ok(()),
        Err(DbError::Conflict { .. }) => Err(ClientError::Taken(client.client_id.to_string())),
        Err(error) => Err(error.into()),
    }
}

/// Only clients of platform tenants can be given scopes of the management API.
fn check_scope(conn: &mut Connection, scope: TenantScope, wanted: &ScopeSet) -> Result<(), ClientError> {
    if !wanted.iter().any(is_management) {
        return Ok(());
    }
    let tenant = tenants::store::find(conn, scope)?;
    if tenant.is_some_and(|tenant| tenant.is_platform) {
        Ok(())
    } else {
        Err(ClientError::Invalid(vec![("scope", "names admin.…, which is for clients of platform tenants")]))
    }
}

/// The client of this name that is in use.
pub fn find(conn: &mut Connection, scope: TenantScope, client_id: &str) -> Result<Option<Client>, DbError> {
    let row = clients::table
        .filter(clients::tenant_id.eq(scope.tenant_id()).and(clients::client_id.eq(client_id)))
        .filter(clients::is_active.eq(true))
        .select(ClientRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// A client as it was registered, in use or not.
#[derive(Debug, Clone)]
pub struct Registration {
    /// What was registered.
    pub client: NewClient,
    /// Whether it can be used.
    pub is_active: bool,
    /// When it was registered.
    pub created_at: UtcTime,
    /// When it changed last.
    pub updated_at: UtcTime,
}

#[derive(Queryable, Selectable)]
#[diesel(table_name = clients)]
struct RegistrationRow {
    #[diesel(embed)]
    client: ClientRow,
    is_active: bool,
    created_at: UtcTime,
    updated_at: UtcTime,
}

impl From<RegistrationRow> for Registration {
    fn from(RegistrationRow { client, is_active, created_at, updated_at }: RegistrationRow) -> Self {
        let client = NewClient {
            row_id: client.id,
            client_id: client.client_id,
            name: client.name,
            client_uri: client.client_uri,
            auth_method: client.auth_method,
            secret: client.secret_hash,
            jwks: client.jwks.map(JsonText::into_inner),
            redirect_uris: client.redirect_uris.into_inner(),
            post_logout_redirect_uris: client.post_logout_redirect_uris.into_inner(),
            grant_types: client.grant_types.into_inner().into_iter().collect(),
            scope: client.scope,
            is_first_party: client.is_first_party,
        };
        Self { client, is_active, created_at, updated_at }
    }
}

/// The registration of this name, whether the client is in use or not.
pub fn registration(
    conn: &mut Connection,
    scope: TenantScope,
    client_id: &PublicClientId,
) -> Result<Option<Registration>, DbError> {
    let row = clients::table
        .filter(clients::tenant_id.eq(scope.tenant_id()).and(clients::client_id.eq(client_id)))
        .select(RegistrationRow::as_select())
        .first(conn)
        .optional()?;
    Ok(row.map(Into::into))
}

/// Registrations in the order of their names in the protocol, after one.
pub fn registrations(
    conn: &mut Connection,
    scope: TenantScope,
    after: Option<&PublicClientId>,
    limit: i64,
) -> Result<Vec<Registration>, DbError> {
    let mut query = clients::table
        .filter(clients::tenant_id.eq(scope.tenant_id()))
        .select(RegistrationRow::as_select())
        .order(clients::client_id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(clients::client_id.gt(after));
    }
    Ok(query.load(conn)?.into_iter().map(Into::into).collect())
}

/// Stores everything of a client that is there, but how it authenticates and its secret.
pub fn update(conn: &mut Connection, scope: TenantScope, changed: &Registration) -> Result<(), ClientError> {
    let client = &changed.client;
    client.check().map_err(ClientError::Invalid)?;
    check_scope(conn, scope, &client.scope)?;
    let json = |error: serde_json::Error| DbError::Invalid(error.to_string());
    let grant_types: Vec<GrantType> = client.grant_types.iter().copied().collect();
    diesel::update(clients::table)
        .filter(clients::tenant_id.eq(scope.tenant_id()).and(clients::id.eq(client.row_id)))
        .set((
            clients::name.eq(&client.name),
            clients::client_uri.eq(client.client_uri.as_deref()),
            clients::jwks.eq(client.jwks.as_ref().map(JsonText::new).transpose().map_err(json)?),
            clients::redirect_uris.eq(JsonText::new(client.redirect_uris.as_slice()).map_err(json)?),
            clients::post_logout_redirect_uris
                .eq(JsonText::new(client.post_logout_redirect_uris.as_slice()).map_err(json)?),
            clients::grant_types.eq(JsonText::new(grant_types).map_err(json)?),
            clients::scope.eq(&client.scope),
            clients::is_first_party.eq(client.is_first_party),
            clients::is_active.eq(changed.is_active),
            clients::updated_at.eq(changed.updated_at),
        ))
        .execute(conn)
        .map_err(DbError::from)?;
    Ok(())
}

/// Removes a client and everything that was granted to it; whether it was there.
pub fn delete(conn: &mut Connection, scope: TenantScope, client_id: &PublicClientId) -> Result<bool, DbError> {
    let gone = diesel::delete(clients::table)
        .filter(clients::tenant_id.eq(scope.tenant_id()).and(clients::client_id.eq(client_id)))
        .execute(conn)?;
    Ok(gone > 0)
}

/// Clients in the order of their names in the protocol, after one.
pub fn page(
    conn: &mut Connection,
    scope: TenantScope,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Client>, DbError> {
    let mut query = clients::table
        .filter(clients::tenant_id.eq(scope.tenant_id()))
        .select(ClientRow::as_select())
        .order(clients::client_id.asc())
        .limit(limit)
        .into_boxed();
    if let Some(after) = after {
        query = query.filter(clients::client_id.gt(after));
    }
    Ok(query.load(conn)?.into_iter().map(Into::into).collect())
}

/// The browser origins of the clients that are in use.
fn origins(conn: &mut Connection, scope: TenantScope) -> Result<HashSet<String>, DbError> {
    let uris: Vec<JsonText<Vec<RedirectUri>>> = clients::table
        .filter(clients::tenant_id.eq(scope.tenant_id()).and(clients::is_active.eq(true)))
        .select(clients::redirect_uris)
        .limit(MOST_CLIENTS_WITH_ORIGINS)
        .load(conn)?;
    Ok(uris.iter().flat_map(|uris| uris.iter()).filter_map(origin_of).map(|origin| origin.to_string()).collect())
}

/// Beyond so many clients the browser ones among them call without CORS.
const MOST_CLIENTS_WITH_ORIGINS: i64 = 10_000;

fn origin_of(uri: &RedirectUri) -> Option<Origin> {
    Origin::of(&Url::parse(uri.as_str()).ok()?)
}

/// Gives a client a new secret; the one before stays good until `previous_until`.
pub fn replace_secret(
    conn: &mut Connection,
    scope: TenantScope,
    client_id: &str,
    secret: &Sha256Hash,
    previous_until: UtcTime,
    now: UtcTime,
) -> Result<(), ClientError> {
    let client = find(conn, scope, client_id)?.ok_or_else(|| ClientError::Unknown(client_id.to_owned()))?;
    let Some(old) = client.secret else { return Err(ClientError::NoSecret(client_id.to_owned())) };
    diesel::update(clients::table)
        .filter(clients::tenant_id.eq(scope.tenant_id()).and(clients::id.eq(client.row_id)))
        .set((
            clients::secret_hash.eq(Some(secret)),
            clients::previous_secret_hash.eq(Some(&old.current)),
            clients::previous_secret_until.eq(Some(previous_until)),
            clients::updated_at.eq(now),
        ))
        .execute(conn)
        .map_err(DbError::from)?;
    Ok(())
}

/// Clients by name, remembered for a few seconds: what changes is seen by every replica after that.
#[derive(Clone)]
pub struct ClientDirectory {
    db: Db,
    cache: Cache<(TenantId, String), Option<Arc<Client>>>,
    origins: Cache<TenantId, Arc<HashSet<String>>>,
}

impl ClientDirectory {
    /// A directory that remembers each answer for `time_to_live`.
    pub fn new(db: Db, time_to_live: Duration) -> Self {
        Self {
            db,
            cache: Cache::builder().max_capacity(10_000).time_to_live(time_to_live).build(),
            origins: Cache::builder().max_capacity(1_000).time_to_live(time_to_live).build(),
        }
    }

    /// Forgets what is remembered, so that a change is seen here at once.
    pub fn forget(&self) {
        self.cache.invalidate_all();
        self.origins.invalidate_all();
    }

    /// The browser origins of all clients of the tenant.
    pub async fn origins(&self, scope: TenantScope) -> Result<Arc<HashSet<String>>, Arc<DbError>> {
        let load = async { Ok(Arc::new(self.db.read(move |conn| origins(conn, scope)).await?)) };
        self.origins.try_get_with(scope.tenant_id(), load).await
    }

    /// The client of this name in the tenant.
    pub async fn find(&self, scope: TenantScope, client_id: &str) -> Result<Option<Arc<Client>>, Arc<DbError>> {
        // What cannot be a name is never asked for, so that junk does not fill the cache.
        if client_id.parse::<PublicClientId>().is_err() {
            return Ok(None);
        }
        let key = (scope.tenant_id(), client_id.to_owned());
        if let Some(known) = self.cache.get(&key).await {
            return Ok(known);
        }
        let client_id = client_id.to_owned();
        let load = async { Ok(self.db.read(move |conn| find(conn, scope, &client_id)).await?.map(Arc::new)) };
        self.cache.try_get_with(key, load).await
    }
}

/// Remembers that an assertion was used; `false` when it was used before (RFC 7523 §3, point 7).
pub fn remember_assertion(
    conn: &mut Connection,
    scope: TenantScope,
    hash: &Sha256Hash,
    expires_at: UtcTime,
) -> Result<bool, DbError> {
    use crate::schema::used_assertions;
    let row = (
        used_assertions::assertion_hash.eq(hash),
        used_assertions::tenant_id.eq(scope.tenant_id()),
        used_assertions::expires_at.eq(expires_at),
    );
    match diesel::insert_into(used_assertions::table).values(row).execute(conn).map_err(DbError::from) {
        Ok(_) => Ok(true),
        Err(DbError::Conflict { .. }) => Ok(false),
        Err(error) => Err(error),
    }
}
