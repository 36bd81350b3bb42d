//! Which tenant an issuer belongs to: asked by resource servers.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Query};
use serde::{Deserialize, Serialize};
use tenantry_types::{Slug, TenantId};

use super::{PublishedIssuer, TenantName, TenantStatus};
use crate::fault::Fault;
use crate::state::Idp;

/// Origins that are published at most: the answer has to stay small enough to be read.
const MOST_ORIGINS: usize = 200;

/// The query of the look-up.
#[derive(Debug, Deserialize)]
pub struct IssuerQuery {
    issuer: String,
}

#[derive(Serialize)]
struct IssuerDocument<'a> {
    issuer: &'a str,
    tenant: TenantDocument<'a>,
    jwks_uri: String,
    allowed_origins: Vec<&'a str>,
}

#[derive(Serialize)]
struct TenantDocument<'a> {
    id: TenantId,
    slug: &'a Slug,
    name: &'a TenantName,
    status: TenantStatus,
    is_platform: bool,
}

/// `GET /.well-known/tenantry/issuer?issuer=…`: whose issuer a token's `iss` is. A resource server asks the provider
/// that it was configured with, and so never fetches an address that a token names. It also learns from which origins
/// scripts of the tenant's clients come. A tenant that is switched off is told with its status: what is signed about it can
/// be checked, and its people's tokens are to be refused.
pub async fn issuer(idp: Data<Idp>, query: Query<IssuerQuery>) -> Result<HttpResponse, Fault> {
    let PublishedIssuer(issuer) = PublishedIssuer::find(&idp, &query.issuer).await?;
    let origins = idp.clients.origins(issuer.scope()).await.map_err(Fault::from)?;
    let mut allowed_origins: Vec<&str> = origins.iter().map(String::as_str).collect();
    allowed_origins.sort_unstable();
    allowed_origins.truncate(MOST_ORIGINS);
    let document = IssuerDocument {
        issuer: &issuer.url,
        tenant: TenantDocument {
            id: issuer.tenant.id,
            slug: &issuer.tenant.slug,
            name: &issuer.tenant.name,
            status: issuer.tenant.status,
            is_platform: issuer.tenant.is_platform,
        },
        jwks_uri: issuer.endpoint("/oauth2/jwks"),
        allowed_origins,
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={}", idp.config.cache.seconds)))
        .json(document))
}
