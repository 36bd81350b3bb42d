//! Relying parties that nobody here wrote: the `openidconnect` crate and npm's `openid-client`.

use std::process::Command;

use openidconnect::core::{CoreAuthenticationFlow, CoreClient, CoreProviderMetadata, CoreUserInfoClaims};
use openidconnect::{
    AuthorizationCode, ClientId, ClientSecret, CsrfToken, HttpRequest, HttpResponse, IssuerUrl, Nonce,
    OAuth2TokenResponse as _, PkceCodeChallenge, RedirectUrl, Scope, TokenResponse as _,
};
use serde_json::{Value, json};
use url::Url;

use crate::support::{Browser, PASSWORD, REDIRECT_URI, SECRET, TestIdp, http};

/// The crate brings no HTTP client of its own here.
async fn send(request: HttpRequest) -> Result<HttpResponse, reqwest::Error> {
    let (parts, body) = request.into_parts();
    let response = http().request(parts.method, parts.uri.to_string()).headers(parts.headers).body(body).send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let mut answer = HttpResponse::new(response.bytes().await?.to_vec());
    *answer.status_mut() = status;
    *answer.headers_mut() = headers;
    Ok(answer)
}

#[actix_web::test]
async fn the_openidconnect_crate_signs_in_verifies_and_refreshes() {
    let idp = TestIdp::start().await;
    let issuer = IssuerUrl::new(idp.issuer.clone()).unwrap();
    let metadata = CoreProviderMetadata::discover_async(issuer, &send).await.unwrap();
    let client = CoreClient::from_provider_metadata(
        metadata,
        ClientId::new("web".into()),
        Some(ClientSecret::new(SECRET.into())),
    )
    .set_redirect_uri(RedirectUrl::new(REDIRECT_URI.into()).unwrap());
    let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
    let (url, state, nonce) = client
        .authorize_url(CoreAuthenticationFlow::AuthorizationCode, CsrfToken::new_random, Nonce::new_random)
        .add_scope(Scope::new("email".into()))
        .add_scope(Scope::new("offline_access".into()))
        .set_pkce_challenge(challenge)
        .url();
    let params: Vec<(String, String)> = Url::parse(url.as_str()).unwrap().query_pairs().into_owned().collect();
    let answer = Browser::new().sign_in(&idp, &params).await;
    assert_eq!(&answer["state"], state.secret());

    let tokens = client
        .exchange_code(AuthorizationCode::new(answer["code"].clone()))
        .unwrap()
        .set_pkce_verifier(verifier)
        .request_async(&send)
        .await
        .unwrap();
    let id_token = tokens.id_token().unwrap();
    // The test's clock stands still and the machine's goes on: both are within the token's life.
    let claims = id_token.claims(&client.id_token_verifier(), &nonce).unwrap();
    assert_eq!(claims.subject().as_str(), idp.user.as_str());
    let wrong = Nonce::new("another".into());
    assert!(id_token.claims(&client.id_token_verifier(), &wrong).is_err());

    let userinfo: CoreUserInfoClaims = client
        .user_info(tokens.access_token().clone(), Some(claims.subject().clone()))
        .unwrap()
        .request_async(&send)
        .await
        .unwrap();
    assert_eq!(userinfo.email().unwrap().as_str(), "ada@acme.example");
    let refreshed =
        client.exchange_refresh_token(tokens.refresh_token().unwrap()).unwrap().request_async(&send).await.unwrap();
    assert_ne!(refreshed.refresh_token().unwrap().secret(), tokens.refresh_token().unwrap().secret());
}

#[actix_web::test]
async fn the_openid_client_of_npm_signs_in_refreshes_and_gets_a_machine_token() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/relying-party");
    if std::env::var_os("TENANTRY_TEST_FAST").is_some() {
        return;
    }
    let idp = TestIdp::start().await;
    let input = json!({
        "issuer": idp.issuer,
        "client_id": "web",
        "client_secret": SECRET,
        "auth_method": "client_secret_basic",
        "redirect_uri": REDIRECT_URI,
        "scope": "openid profile email offline_access",
        "username": "ada",
        "password": PASSWORD,
        "machine": {
            "client_id": "machine",
            "client_secret": SECRET,
            "auth_method": "client_secret_post",
            "scope": "tenant_settings.read",
        },
    });
    let run = move || {
        Command::new("node").arg("flow.mjs").current_dir(folder).env("RELYING_PARTY", input.to_string()).output()
    };
    let output = tokio::task::spawn_blocking(run).await.unwrap().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let result: Value = serde_json::from_str(&said).unwrap();
    assert!(result["code"].is_object() && result["machine"].is_object(), "{said}");
}
