//! Which tenant an issuer belongs to: asked by resource servers.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::{Data, Query};
use serde::{Deserialize, Serialize};
use tenantry_types::{Slug, TenantId};

use super::{Issuer, TenantName};
use crate::fault::Fault;
use crate::state::Idp;

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
}

#[derive(Serialize)]
struct TenantDocument<'a> {
    id: TenantId,
    slug: &'a Slug,
    name: &'a TenantName,
}

/// `GET /.well-known/tenantry/issuer?issuer=…`: whose issuer a token's `iss` is. A resource server asks the provider
/// that it was configured with, and so never fetches an address that a token names.
pub async fn issuer(idp: Data<Idp>, query: Query<IssuerQuery>) -> Result<HttpResponse, Fault> {
    let issuer = Issuer::find(&idp, &query.issuer).await?;
    let document = IssuerDocument {
        issuer: &issuer.url,
        tenant: TenantDocument { id: issuer.tenant.id, slug: &issuer.tenant.slug, name: &issuer.tenant.name },
        jwks_uri: issuer.endpoint("/oauth2/jwks"),
    };
    Ok(HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={}", idp.config.cache.seconds)))
        .json(document))
}
