//! The userinfo endpoint (OpenID Connect Core §5.3).

use actix_web::http::header;
use actix_web::web::Data;
use actix_web::{HttpRequest, HttpResponse};
use openidconnect::UserInfoClaims;
use openidconnect::core::CoreGenderClaim;

use crate::fault::Fault;
use crate::memberships::person;
use crate::oauth::bearer::{self, BearerError};
use crate::oauth::claims::{self, OwnClaims};
use crate::state::Idp;
use crate::tenants::Issuer;

/// `GET` and `POST {issuer}/oauth2/userinfo`: what the token's scopes allow to be said of its user.
pub async fn userinfo(issuer: Issuer, idp: Data<Idp>, request: HttpRequest) -> Result<HttpResponse, BearerError> {
    let token = bearer::user_token(&idp, &issuer, &request, "openid").await?;
    let (scope, id) = (issuer.scope(), token.user);
    let user = idp.db.read(move |conn| person::find_signed_in(conn, scope, id)).await.map_err(Fault::from)?;
    let user = user.ok_or(BearerError::Invalid)?;
    let own = OwnClaims { tenant_id: Some(issuer.tenant.id), sid: None, roles: claims::roles(&user, &token.scope) };
    let claims = UserInfoClaims::<OwnClaims, CoreGenderClaim>::new(claims::standard(&user, &token.scope), own);
    Ok(HttpResponse::Ok().insert_header((header::CACHE_CONTROL, "no-store")).json(claims))
}
