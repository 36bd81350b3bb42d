//! Making a tenant with what it cannot do without: a signing key and its console.

use serde_json::json;
use tenantry_db::{Connection, TenantScope};
use tenantry_types::{ClientRowId, PublicUrl, Slug, TenantId};

use crate::audit::Author;
use crate::clients::{self, AuthMethod, GrantType, NewClient};
use crate::events::{self, Event};
use crate::fault::Fault;
use crate::keys::store::{KeyMaker, load_or_create};
use crate::tenants::{Tenant, TenantDocument, TenantError, TenantName, TenantStatus, store};

/// The `client_id` of the administration console, in every tenant.
pub const CONSOLE_CLIENT_ID: &str = "tenantry-console";

/// Why a tenant was not made.
#[derive(Debug, thiserror::Error)]
pub enum ProvisionError {
    /// The slug is taken, or the database failed.
    #[error(transparent)]
    Tenant(#[from] TenantError),
    /// Its console could not be registered.
    #[error(transparent)]
    Client(#[from] clients::ClientError),
    /// A user could not be made.
    #[error(transparent)]
    User(#[from] crate::users::UserError),
    /// A failure on this side.
    #[error(transparent)]
    Fault(#[from] Fault),
}

impl From<tenantry_db::DbError> for ProvisionError {
    fn from(error: tenantry_db::DbError) -> Self {
        Self::Fault(error.into())
    }
}

/// What a tenant is made of.
#[derive(Debug, Clone)]
pub struct NewTenant {
    /// The same id at both services.
    pub id: TenantId,
    /// Its short name, which never changes.
    pub slug: Slug,
    /// Its name for people.
    pub name: TenantName,
    /// Whether it is in use.
    pub status: TenantStatus,
    /// Whether it is the operator's own.
    pub is_platform: bool,
}

/// What tenants are made with.
#[derive(Debug, Clone)]
pub struct Provisioner {
    /// Makes their signing keys.
    pub maker: KeyMaker,
    /// The public address of the service that hosts the console.
    pub console: PublicUrl,
    /// The public address of this provider.
    pub public_url: PublicUrl,
}

impl Provisioner {
    /// Makes a tenant, its first signing key and its console, in the transaction of the caller, and tells of
    /// it.
    pub fn establish(&self, conn: &mut Connection, author: &Author, new: &NewTenant) -> Result<Tenant, ProvisionError> {
        let tenant = make(conn, &self.maker, &self.console, new)?;
        let scope = TenantScope::system(tenant.id, "provision a tenant");
        let detail = json!({ "slug": new.slug, "is_platform": new.is_platform });
        author.record(conn, scope, "tenant.create", format!("tenant:{}", tenant.id), detail)?;
        let event = Event::tenant_created(&TenantDocument::new(&tenant, &self.public_url));
        events::store::record(conn, scope, author, &event)?;
        Ok(tenant)
    }
}

/// Makes a tenant with a new id, its first signing key and its console, in the transaction of the caller. Nobody is told.
pub fn create(
    conn: &mut Connection,
    maker: &KeyMaker,
    console: &PublicUrl,
    slug: &Slug,
    name: &TenantName,
) -> Result<Tenant, ProvisionError> {
    let new = NewTenant {
        id: TenantId::new(&*maker.clock, &*maker.random),
        slug: slug.clone(),
        name: name.clone(),
        status: TenantStatus::Active,
        is_platform: false,
    };
    make(conn, maker, console, &new)
}

fn make(
    conn: &mut Connection,
    maker: &KeyMaker,
    console: &PublicUrl,
    new: &NewTenant,
) -> Result<Tenant, ProvisionError> {
    let now = maker.clock.now();
    let tenant = Tenant {
        id: new.id,
        slug: new.slug.clone(),
        name: new.name.clone(),
        status: new.status,
        is_platform: new.is_platform,
        created_at: now,
        updated_at: now,
    };
    store::insert(conn, &tenant)?;
    let scope = TenantScope::system(tenant.id, "provision a tenant");
    load_or_create(conn, scope, maker).map_err(Fault::from)?;
    clients::store::insert(conn, scope, &*maker.clock, &console_client(maker, console)?)?;
    Ok(tenant)
}

fn console_client(maker: &KeyMaker, console: &PublicUrl) -> Result<NewClient, Fault> {
    let wrong = |error: tenantry_types::ParseError| Fault::Console(error.to_string());
    Ok(NewClient {
        row_id: ClientRowId::new(&*maker.clock, &*maker.random),
        client_id: CONSOLE_CLIENT_ID.parse().map_err(wrong)?,
        name: "Tenantry console".parse().map_err(wrong)?,
        client_uri: None,
        auth_method: AuthMethod::None,
        secret: None,
        jwks: None,
        redirect_uris: vec![format!("{}/console/callback", console.as_str()).parse().map_err(wrong)?],
        post_logout_redirect_uris: vec![format!("{}/console/signed-out", console.as_str()).parse().map_err(wrong)?],
        grant_types: [GrantType::AuthorizationCode, GrantType::RefreshToken].into(),
        scope: "openid profile email roles offline_access api".parse().map_err(wrong)?,
        is_first_party: true,
    })
}
