//! The HTTP of the token endpoint.

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use tenantry_web::problems::Body;

use super::{TokenError, authorization_code, client_credentials, refresh};
use crate::clients::{self, GrantType};
use crate::params::Params;
use crate::state::Idp;
use crate::tenants::Issuer;

/// `POST {issuer}/oauth2/token`.
pub async fn token(
    issuer: Issuer,
    idp: Data<Idp>,
    request: HttpRequest,
    Body(body): Body,
) -> Result<HttpResponse, TokenError> {
    if !is_form(&request) {
        return Err(TokenError::InvalidRequest("the body must be application/x-www-form-urlencoded".to_owned()));
    }
    // Parameters in the query are no part of the request (RFC 6749 §3.2), and secrets there would be logged.
    if !request.query_string().is_empty() {
        return Err(TokenError::InvalidRequest("parameters must be in the body".to_owned()));
    }
    let params = Params::parse(&body)?;
    let client = clients::authenticate(&idp, &issuer, request.headers(), &params).await?;
    let grant_type = params
        .get("grant_type")
        .ok_or_else(|| TokenError::InvalidRequest("grant_type is missing".to_owned()))?
        .parse::<GrantType>()
        .map_err(|_| TokenError::UnsupportedGrantType)?;
    if !client.may_use(grant_type) {
        return Err(TokenError::UnauthorizedClient);
    }
    match grant_type {
        GrantType::AuthorizationCode => authorization_code::exchange(&idp, &issuer, &client, params).await,
        GrantType::RefreshToken => refresh::exchange(&idp, &issuer, &client, params).await,
        GrantType::ClientCredentials => client_credentials::exchange(&idp, &issuer, &client, &params).await,
    }
}

fn is_form(request: &HttpRequest) -> bool {
    request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|media_type| media_type.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
}
