//! Making a tenant with what it cannot do without: a signing key and its console.

use tenantry_db::{Connection, TenantScope};
use tenantry_types::{ClientRowId, PublicUrl, Slug, TenantId};

use crate::clients::{self, AuthMethod, GrantType, NewClient};
use crate::fault::Fault;
use crate::keys::store::{KeyMaker, load_or_create};
use crate::tenants::{Tenant, TenantError, TenantName, TenantStatus, store};

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

/// Makes a tenant, its first signing key and its console, in the transaction of the caller.
pub fn create(
    conn: &mut Connection,
    maker: &KeyMaker,
    console: &PublicUrl,
    slug: &Slug,
    name: &TenantName,
) -> Result<Tenant, ProvisionError> {
    let (clock, random) = (&*maker.clock, &*maker.random);
    let tenant = Tenant {
        id: TenantId::new(clock, random),
        slug: slug.clone(),
        name: name.clone(),
        status: TenantStatus::Active,
    };
    store::insert(conn, clock, &tenant)?;
    let scope = TenantScope::system(tenant.id, "provision a tenant");
    load_or_create(conn, scope, maker).map_err(Fault::from)?;
    let wrong = |error: tenantry_types::ParseError| Fault::Console(error.to_string());
    let console = NewClient {
        row_id: ClientRowId::new(clock, random),
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
    };
    clients::store::insert(conn, scope, clock, &console)?;
    Ok(tenant)
}
