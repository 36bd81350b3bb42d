//! Discovery (OpenID Connect Discovery §4, RFC 8414): exactly what works, and nothing else.

use actix_web::HttpResponse;
use actix_web::http::header;
use actix_web::web::Data;
use openidconnect::core::{
    CoreAuthDisplay, CoreClaimName, CoreClaimType, CoreClientAuthMethod, CoreGrantType, CoreJsonWebKey,
    CoreJweContentEncryptionAlgorithm, CoreJweKeyManagementAlgorithm, CoreJwsSigningAlgorithm, CoreResponseMode,
    CoreResponseType, CoreSubjectIdentifierType,
};
use openidconnect::{
    AdditionalProviderMetadata, AuthUrl, IssuerUrl, JsonWebKeySetUrl, ProviderMetadata, ResponseTypes, Scope, TokenUrl,
    UserInfoUrl,
};
use serde::{Deserialize, Serialize};
use tenantry_types::text_enum;

use crate::fault::Fault;
use crate::oauth::authorize::Prompt;
use crate::oauth::claims;
use crate::sessions::ACR_PASSWORD;
use crate::state::Idp;
use crate::tenants::Issuer;

text_enum! {
    /// PKCE methods (RFC 8414 §2): `plain` is not one of them.
    enum ChallengeMethod {
        /// SHA-256.
        S256 = "S256",
    }
}

/// Members that openidconnect's type does not have.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct FurtherMetadata {
    code_challenge_methods_supported: Vec<ChallengeMethod>,
    authorization_response_iss_parameter_supported: bool,
    end_session_endpoint: String,
    prompt_values_supported: Vec<Prompt>,
    token_endpoint_auth_signing_alg_values_supported: Vec<String>,
}

impl AdditionalProviderMetadata for FurtherMetadata {}

type Metadata = ProviderMetadata<
    FurtherMetadata,
    CoreAuthDisplay,
    CoreClientAuthMethod,
    CoreClaimName,
    CoreClaimType,
    CoreGrantType,
    CoreJweContentEncryptionAlgorithm,
    CoreJweKeyManagementAlgorithm,
    CoreJsonWebKey,
    CoreResponseMode,
    CoreResponseType,
    CoreSubjectIdentifierType,
>;

fn metadata(issuer: &Issuer) -> Result<Metadata, Fault> {
    let wrong = |_| Fault::Protocol("the issuer is no URL");
    let scopes =
        ["openid"].into_iter().chain(claims::BY_SCOPE.iter().map(|(scope, _)| *scope)).chain(["offline_access", "api"]);
    let in_id_token =
        ["iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "at_hash", "sid", "tenant_id"];
    let said = in_id_token.into_iter().chain(claims::BY_SCOPE.iter().flat_map(|(_, names)| names.iter().copied()));
    let further = FurtherMetadata {
        code_challenge_methods_supported: vec![ChallengeMethod::S256],
        authorization_response_iss_parameter_supported: true,
        end_session_endpoint: issuer.endpoint("/oauth2/end_session"),
        prompt_values_supported: Prompt::ALL.to_vec(),
        token_endpoint_auth_signing_alg_values_supported: tenantry_jose::Algorithm::ALL
            .iter()
            .map(|algorithm| algorithm.as_str().to_owned())
            .collect(),
    };
    Ok(Metadata::new(
        IssuerUrl::new(issuer.url.to_string()).map_err(wrong)?,
        AuthUrl::new(issuer.endpoint("/oauth2/authorize")).map_err(wrong)?,
        JsonWebKeySetUrl::new(issuer.endpoint("/oauth2/jwks")).map_err(wrong)?,
        vec![ResponseTypes::new(vec![CoreResponseType::Code])],
        vec![CoreSubjectIdentifierType::Public],
        vec![CoreJwsSigningAlgorithm::EcdsaP256Sha256],
        further,
    )
    .set_token_endpoint(Some(TokenUrl::new(issuer.endpoint("/oauth2/token")).map_err(wrong)?))
    .set_userinfo_endpoint(Some(UserInfoUrl::new(issuer.endpoint("/oauth2/userinfo")).map_err(wrong)?))
    .set_scopes_supported(Some(scopes.map(|scope| Scope::new(scope.to_owned())).collect()))
    .set_response_modes_supported(Some(vec![CoreResponseMode::Query]))
    .set_grant_types_supported(Some(vec![
        CoreGrantType::AuthorizationCode,
        CoreGrantType::RefreshToken,
        CoreGrantType::ClientCredentials,
    ]))
    .set_acr_values_supported(Some(vec![openidconnect::AuthenticationContextClass::new(ACR_PASSWORD.to_owned())]))
    .set_token_endpoint_auth_methods_supported(Some(vec![
        CoreClientAuthMethod::None,
        CoreClientAuthMethod::ClientSecretBasic,
        CoreClientAuthMethod::ClientSecretPost,
        CoreClientAuthMethod::PrivateKeyJwt,
    ]))
    .set_claim_types_supported(Some(vec![CoreClaimType::Normal]))
    .set_claims_supported(Some(said.map(|name| CoreClaimName::new(name.to_owned())).collect()))
    .set_claims_parameter_supported(Some(false))
    .set_request_parameter_supported(Some(false))
    .set_request_uri_parameter_supported(Some(false)))
}

fn respond(idp: &Idp, metadata: &Metadata) -> HttpResponse {
    let max_age = idp.config.keys.jwks_max_age_seconds;
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, format!("public, max-age={max_age}"))).json(metadata)
}

/// `GET {issuer}/.well-known/openid-configuration`.
pub async fn openid_configuration(issuer: Issuer, idp: Data<Idp>) -> Result<HttpResponse, Fault> {
    Ok(respond(&idp, &metadata(&issuer)?))
}

/// `GET {host}/.well-known/oauth-authorization-server{path of the issuer}` (RFC 8414 §3), and the same below the issuer.
/// It is the same document: RFC 8414 takes its registry from OpenID Connect.
pub async fn authorization_server_metadata(issuer: Issuer, idp: Data<Idp>) -> Result<HttpResponse, Fault> {
    Ok(respond(&idp, &metadata(&issuer)?))
}
