//! Queries on signing keys, and the cache in front of them.

use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use moka::future::Cache;
use secrecy::ExposeSecret;
use tenantry_db::{Connection, Db, DbError, LockRowsDsl as _, TenantScope};
use tenantry_jose::{Algorithm, Keyring, SigningKey};
use tenantry_types::{Clock, JsonText, KeyId, Random, TenantId, UtcTime};

use super::{KeyError, PublishedKey, RotationPlan, TenantKeys};
use crate::schema::{signing_keys, tenants};

#[derive(Queryable, Selectable)]
#[diesel(table_name = signing_keys)]
struct SigningKeyRow {
    private_key: String,
    signs_from: UtcTime,
    published_until: Option<UtcTime>,
}

#[derive(Insertable)]
#[diesel(table_name = signing_keys, treat_none_as_default_value = false)]
struct NewSigningKey<'a> {
    id: KeyId,
    tenant_id: TenantId,
    kid: &'a str,
    algorithm: &'a str,
    public_jwk: JsonText<serde_json::Value>,
    private_key: String,
    created_at: UtcTime,
    signs_from: UtcTime,
    published_until: Option<UtcTime>,
}

/// What a sealed private key is for: bound to the tenant, so that a row moved to another does not open.
fn purpose(scope: TenantScope) -> String {
    format!("signing-key:{}", scope.tenant_id())
}

/// The keys of a tenant that are published at `now`.
pub fn load(
    conn: &mut Connection,
    scope: TenantScope,
    keyring: &Keyring,
    now: UtcTime,
) -> Result<TenantKeys, KeyError> {
    let rows = signing_keys::table
        .filter(signing_keys::tenant_id.eq(scope.tenant_id()))
        .filter(signing_keys::published_until.is_null().or(signing_keys::published_until.gt(now)))
        .order(signing_keys::signs_from.asc())
        .select(SigningKeyRow::as_select())
        .load(conn)
        .map_err(DbError::from)?;
    let purpose = purpose(scope);
    let keys = rows.into_iter().map(|row| {
        let der = keyring.open(&purpose, &row.private_key)?;
        let key = SigningKey::from_pkcs8(Algorithm::Es256, &der)?;
        Ok(PublishedKey { key, signs_from: row.signs_from, published_until: row.published_until })
    });
    TenantKeys::new(keys.collect::<Result<_, KeyError>>()?, now)
}

fn insert(
    conn: &mut Connection,
    scope: TenantScope,
    maker: &KeyMaker,
    signs_from: UtcTime,
) -> Result<SigningKey, KeyError> {
    let key = SigningKey::generate(Algorithm::Es256)?;
    let sealed = maker.keyring.seal(&purpose(scope), key.to_pkcs8()?.expose_secret())?;
    let public_jwk = serde_json::Value::Object(key.public_jwk().as_ref().clone());
    let row = NewSigningKey {
        id: KeyId::new(&*maker.clock, &*maker.random),
        tenant_id: scope.tenant_id(),
        kid: key.kid(),
        algorithm: key.algorithm().as_str(),
        public_jwk: JsonText::new(public_jwk).map_err(|error| DbError::Invalid(error.to_string()))?,
        private_key: sealed,
        created_at: maker.clock.now(),
        signs_from,
        published_until: None,
    };
    diesel::insert_into(signing_keys::table).values(row).execute(conn).map_err(DbError::from)?;
    Ok(key)
}

/// Two starters, or two rotations, must not make two keys: they queue at the tenant's row.
fn lock_tenant(conn: &mut Connection, scope: TenantScope) -> Result<(), DbError> {
    let found: Option<TenantId> = tenants::table
        .filter(tenants::id.eq(scope.tenant_id()))
        .select(tenants::id)
        .lock_rows()
        .get_result(conn)
        .optional()?;
    found.map(|_| ()).ok_or(DbError::NotFound)
}

/// The keys of a tenant; its first one is made if it has none.
pub fn load_or_create(conn: &mut Connection, scope: TenantScope, maker: &KeyMaker) -> Result<TenantKeys, KeyError> {
    let now = maker.clock.now();
    lock_tenant(conn, scope)?;
    let ring = load(conn, scope, &maker.keyring, now)?;
    if !ring.keys().is_empty() {
        return Ok(ring);
    }
    insert(conn, scope, maker, now)?;
    load(conn, scope, &maker.keyring, now)
}

/// Adds a key that signs from the time of the plan, and ends the publication of those before it.
pub fn rotate(
    conn: &mut Connection,
    scope: TenantScope,
    maker: &KeyMaker,
    plan: RotationPlan,
) -> Result<SigningKey, KeyError> {
    lock_tenant(conn, scope)?;
    diesel::update(signing_keys::table)
        .filter(signing_keys::tenant_id.eq(scope.tenant_id()).and(signing_keys::published_until.is_null()))
        .set(signing_keys::published_until.eq(Some(plan.old_published_until)))
        .execute(conn)
        .map_err(DbError::from)?;
    insert(conn, scope, maker, plan.signs_from)
}

/// Tenants whose newest key signs since before a time.
pub fn due_for_rotation(conn: &mut Connection, before: UtcTime, most: i64) -> Result<Vec<TenantId>, DbError> {
    Ok(newest_before(before).select(signing_keys::tenant_id).limit(most).load(conn)?)
}

/// Whether the newest key of a tenant signs since before a time. The tenant is locked, so that the answer stays true.
pub fn is_due_for_rotation(conn: &mut Connection, scope: TenantScope, before: UtcTime) -> Result<bool, DbError> {
    lock_tenant(conn, scope)?;
    let newest = newest_before(before).filter(signing_keys::tenant_id.eq(scope.tenant_id()));
    let found: Option<TenantId> = newest.select(signing_keys::tenant_id).first(conn).optional()?;
    Ok(found.is_some())
}

#[diesel::dsl::auto_type(no_type_alias)]
fn newest_before(before: UtcTime) -> _ {
    signing_keys::table.filter(signing_keys::published_until.is_null()).filter(signing_keys::signs_from.lt(before))
}

/// Whether the keys of the first tenants open with these key-encryption keys; of how many.
pub fn check(conn: &mut Connection, keyring: &Keyring, now: UtcTime, most: i64) -> Result<usize, KeyError> {
    let ids: Vec<TenantId> =
        tenants::table.order(tenants::id.asc()).select(tenants::id).limit(most).load(conn).map_err(DbError::from)?;
    for id in &ids {
        load(conn, TenantScope::system(*id, "check of keys"), keyring, now)?;
    }
    Ok(ids.len())
}

/// What is needed to make and to read keys.
#[derive(Debug, Clone)]
pub struct KeyMaker {
    /// The key-encryption keys.
    pub keyring: Arc<Keyring>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness for ids.
    pub random: Arc<dyn Random>,
}

/// The keys of each tenant, remembered for a few seconds: a rotation anywhere is seen by every replica after that, long
/// before the new key signs.
#[derive(Clone)]
pub struct KeyDirectory {
    db: Db,
    maker: KeyMaker,
    cache: Cache<TenantId, Arc<TenantKeys>>,
}

impl KeyDirectory {
    /// A directory that remembers each answer for `time_to_live`.
    pub fn new(db: Db, maker: KeyMaker, time_to_live: Duration) -> Self {
        Self { db, maker, cache: Cache::builder().max_capacity(10_000).time_to_live(time_to_live).build() }
    }

    /// The keys of a tenant; its first one is made on first use.
    pub async fn of(&self, scope: TenantScope) -> Result<Arc<TenantKeys>, KeyError> {
        if let Some(known) = self.cache.get(&scope.tenant_id()).await {
            return Ok(known);
        }
        self.cache.try_get_with(scope.tenant_id(), self.load(scope)).await.map_err(KeyError::Shared)
    }

    async fn load(&self, scope: TenantScope) -> Result<Arc<TenantKeys>, KeyError> {
        let maker = self.maker.clone();
        let ring = self.db.read(move |conn| load(conn, scope, &maker.keyring, maker.clock.now())).await?;
        if !ring.keys().is_empty() {
            return Ok(Arc::new(ring));
        }
        let maker = self.maker.clone();
        Ok(Arc::new(self.db.write(move |conn| load_or_create(conn, scope, &maker)).await?))
    }
}
