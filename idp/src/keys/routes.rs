//! The key set endpoint.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;

use crate::fault::Fault;
use crate::state::Idp;
use crate::tenants::PublishedIssuer;

/// `GET {issuer}/oauth2/jwks`: the public keys (RFC 7517 §5), cacheable for as long as a new key waits before it signs.
pub async fn jwks(PublishedIssuer(issuer): PublishedIssuer, idp: Data<Idp>) -> Result<HttpResponse, Fault> {
    let keys = idp.keys.of(issuer.scope()).await?;
    let max_age = idp.config.keys.jwks_max_age_seconds;
    Ok(HttpResponse::Ok()
        .content_type("application/jwk-set+json")
        .insert_header((header::CACHE_CONTROL, format!("public, max-age={max_age}, must-revalidate")))
        .body(keys.jwks().to_owned()))
}
