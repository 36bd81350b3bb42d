//! `GET /api/v1/me`: every kind of token, good and hostile.

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::AUTHORIZATION;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_jose::{Algorithm, SigningKey};

use crate::support::{TestApi, challenge, problem};

pub(super) const ME: &str = "/api/v1/me";

/// An answer to a token that is not good: the status, the problem and the challenge agree.
pub(super) async fn refused(api: &TestApi, token: &str, reason: &str) {
    let response = api.get_as(ME, token).await;
    let challenge = challenge(&response).to_owned();
    assert!(challenge.starts_with("Bearer realm=\"tenantry-api\", error=\"invalid_token\""), "{challenge}");
    let problem = problem(response, StatusCode::UNAUTHORIZED).await;
    assert_eq!(problem["type"], format!("{}/problems/invalid-token", api.url));
    assert_eq!(problem["detail"], reason);
    assert!(challenge.contains(&format!("error_description=\"{reason}\"")), "{challenge}");
}

/// A token with these claims changed; `null` removes one.
pub(super) fn changed(api: &TestApi, changes: &Value) -> String {
    let mut claims = api.idp.user_claims("demo", &api.url);
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    api.idp.sign("demo", &claims)
}

/// A token with this header, signed by nobody.
fn unsigned(api: &TestApi, header: &Value, signature: &str) -> String {
    let claims = api.idp.user_claims("demo", &api.url);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{signature}", part(header), part(&claims))
}

#[actix_web::test]
async fn a_person_is_who_the_token_says() {
    let api = TestApi::start().await;
    let claims = api.idp.user_claims("demo", &api.url);
    let response = api.get_as(ME, &api.idp.sign("demo", &claims)).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["cache-control"], "no-store");
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["status"], "success");
    let me = &body["data"];
    assert_eq!(me["subject"], json!({"kind": "user", "id": claims["sub"]}));
    assert_eq!(me["tenant"], json!({"id": claims["tenant_id"], "slug": "demo", "name": "Tenant demo"}));
    assert_eq!(me["client_id"], "some-client");
    assert_eq!(me["scopes"], json!(["api", "openid"]));
    assert_eq!(me["roles"], json!(["administrator"]));
    assert_eq!((&me["acr"], &me["amr"]), (&json!("1"), &json!(["pwd"])));
    assert!(me["auth_time"].as_str().unwrap().ends_with('Z') && me["expires_at"].as_str().unwrap().ends_with('Z'));
}

#[actix_web::test]
async fn a_client_is_its_own_subject() {
    let api = TestApi::start().await;
    let body: Value = api.get_as(ME, &api.machine("tenant_settings.read")).await.json().await.unwrap();
    assert_eq!(body["data"]["subject"], json!({"kind": "client", "id": "machine"}));
    assert_eq!(body["data"]["roles"], json!([]));
    assert!(body["data"].get("auth_time").is_none());
}

#[actix_web::test]
async fn without_a_token_there_is_a_challenge_and_no_error() {
    let api = TestApi::start().await;
    for header in [None, Some("Basic YTpi"), Some("Digest abc")] {
        let mut request = api.request(Method::GET, ME);
        if let Some(header) = header {
            request = request.header(AUTHORIZATION, header);
        }
        let response = request.send().await.unwrap();
        assert_eq!(challenge(&response), "Bearer realm=\"tenantry-api\"", "{header:?}");
        let problem = problem(response, StatusCode::UNAUTHORIZED).await;
        assert_eq!(problem["type"], format!("{}/problems/unauthorized", api.url));
    }
}

#[actix_web::test]
async fn one_token_in_the_one_place_for_it() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let bearer = format!("Bearer {token}");
    let twice = api.request(Method::GET, ME).header(AUTHORIZATION, &bearer).header(AUTHORIZATION, &bearer);
    let in_query = api.request(Method::GET, &format!("{ME}?access_token={token}"));
    let in_both = api.request(Method::GET, &format!("{ME}?x=1&%61ccess_token=")).bearer_auth(&token);
    let malformed = api.request(Method::GET, ME).header(AUTHORIZATION, "Bearer a, Bearer b");
    let empty = api.request(Method::GET, ME).header(AUTHORIZATION, "Bearer ");
    for request in [twice, in_query, in_both, malformed, empty] {
        let response = request.send().await.unwrap();
        assert!(challenge(&response).contains("error=\"invalid_request\""), "{}", challenge(&response));
        problem(response, StatusCode::BAD_REQUEST).await;
    }
}

#[actix_web::test]
async fn times_are_kept_with_a_small_leeway() {
    let api = TestApi::start().await;
    let now = tenantry_types::Clock::now(&*api.clock).unix_seconds();
    for good in [json!({"exp": now - 29}), json!({"nbf": now + 30}), json!({"iat": now + 30}), json!({"nbf": now - 5})]
    {
        assert_eq!(api.get_as(ME, &changed(&api, &good)).await.status(), StatusCode::OK, "{good}");
    }
    refused(&api, &changed(&api, &json!({"exp": now - 30})), "the token has expired").await;
    refused(&api, &changed(&api, &json!({"exp": null})), "the token has no claim exp").await;
    refused(&api, &changed(&api, &json!({"nbf": now + 31})), "the token is not valid yet").await;
    refused(&api, &changed(&api, &json!({"iat": now + 31})), "the token was issued in the future").await;
    for absurd in [json!(1e300), json!(-1e300), json!("1"), json!(u64::MAX), json!([1])] {
        for claim in ["iat", "nbf", "exp"] {
            let token = changed(&api, &json!({claim: absurd}));
            refused(&api, &token, &format!("the claim {claim} of the token is not valid")).await;
        }
        let token = changed(&api, &json!({"auth_time": absurd}));
        refused(&api, &token, "the claim auth_time of the token is missing or not valid").await;
    }
}

#[actix_web::test]
async fn a_token_that_was_good_ends_with_its_time() {
    let api = TestApi::start().await;
    let token = api.administrator();
    assert_eq!(api.get_as(ME, &token).await.status(), StatusCode::OK);
    let lifetime = u64::try_from(crate::fake_idp::ACCESS_TOKEN_SECONDS).unwrap();
    api.clock.advance(Duration::from_secs(lifetime + 29));
    assert_eq!(api.get_as(ME, &token).await.status(), StatusCode::OK);
    api.clock.advance(Duration::from_secs(1));
    refused(&api, &token, "the token has expired").await;
}

#[actix_web::test]
async fn only_signatures_of_the_issuer_count() {
    let api = TestApi::start().await;
    let tenant = api.idp.tenant("demo");
    let claims = api.idp.user_claims("demo", &api.url);

    let foreign = SigningKey::generate(Algorithm::Es256).unwrap();
    refused(&api, &foreign.sign_jwt("at+jwt", &claims).unwrap(), "the token was signed with an unknown key").await;
    let impostor = foreign.with_kid(tenant.key.kid()).unwrap();
    refused(&api, &impostor.sign_jwt("at+jwt", &claims).unwrap(), "the signature of the token is not valid").await;
    let other_algorithm = SigningKey::generate(Algorithm::EdDsa).unwrap().with_kid(tenant.key.kid()).unwrap();
    let reason = "the algorithm of the token is not accepted";
    refused(&api, &other_algorithm.sign_jwt("at+jwt", &claims).unwrap(), reason).await;

    let none = json!({"alg": "none", "typ": "at+jwt"});
    refused(&api, &unsigned(&api, &none, ""), reason).await;
    for alg in ["None", "NONE", "HS256", "ES384", "", "es256"] {
        refused(&api, &unsigned(&api, &json!({"alg": alg, "typ": "at+jwt"}), "AAAA"), reason).await;
    }
    // Its own key does not vouch for a token.
    let mut with_key = json!({"alg": "ES256", "typ": "at+jwt", "kid": foreign.kid()});
    with_key["jwk"] = serde_json::to_value(foreign.public_jwk()).unwrap();
    with_key["jku"] = json!("http://127.0.0.1:1/jwks");
    refused(&api, &unsigned(&api, &with_key, "AAAA"), "the token was signed with an unknown key").await;
    let critical = json!({"alg": "ES256", "typ": "at+jwt", "kid": tenant.key.kid(), "crit": ["x"], "x": 1});
    refused(&api, &unsigned(&api, &critical, "AAAA"), "the token has critical extensions that are not understood")
        .await;
}

#[actix_web::test]
async fn a_public_key_is_no_secret_to_sign_with() {
    let api = TestApi::start().await;
    let jwk = serde_json::to_string(api.idp.tenant("demo").key.public_jwk()).unwrap();
    let header = json!({"alg": "HS256", "typ": "at+jwt", "kid": api.idp.tenant("demo").key.kid()});
    let unsigned = unsigned(&api, &header, "");
    let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, jwk.as_bytes());
    let tag = aws_lc_rs::hmac::sign(&key, unsigned.trim_end_matches('.').as_bytes());
    let token = format!("{unsigned}{}", URL_SAFE_NO_PAD.encode(tag));
    refused(&api, &token, "the algorithm of the token is not accepted").await;
}

#[actix_web::test]
async fn other_tokens_of_the_issuer_are_no_access_tokens() {
    let api = TestApi::start().await;
    let claims = api.idp.user_claims("demo", &api.url);
    let key = api.idp.tenant("demo").key;
    for typ in ["JWT", "logout+jwt", "secevent+jwt", "dpop+jwt", "", "at+jwt2"] {
        refused(&api, &key.sign_jwt(typ, &claims).unwrap(), "the token is of another type").await;
    }
    assert_eq!(api.get_as(ME, &key.sign_jwt("application/AT+JWT", &claims).unwrap()).await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn a_token_is_for_this_service_or_not_at_all() {
    let api = TestApi::start().await;
    for good in [json!([api.url]), json!(["https://other.example", api.url])] {
        assert_eq!(api.get_as(ME, &changed(&api, &json!({"aud": good}))).await.status(), StatusCode::OK);
    }
    let uppercase = api.url.to_uppercase();
    for other in
        [json!("https://other.example"), json!([]), json!(format!("{}/", api.url)), json!(uppercase), json!("")]
    {
        refused(&api, &changed(&api, &json!({"aud": other})), "the token is for another audience").await;
    }
    refused(&api, &changed(&api, &json!({"aud": null})), "the token has no claim aud").await;
    refused(&api, &changed(&api, &json!({"aud": [api.url, 1]})), "the claim aud of the token is not valid").await;
}

#[actix_web::test]
async fn a_tenant_signs_for_itself_only() {
    let api = TestApi::start().await;
    let other = api.idp.add_tenant("other");
    // Its own token is good,
    let own = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
    assert_eq!(api.get_as(ME, &own).await.status(), StatusCode::OK);
    // but neither one for another tenant,
    let reason = "the token does not belong to the tenant of its issuer";
    refused(&api, &changed(&api, &json!({"tenant_id": other.id})), reason).await;
    // nor one in another's name.
    let stolen = api.idp.user_claims("demo", &api.url);
    refused(&api, &api.idp.sign("other", &stolen), "the token was signed with an unknown key").await;
    let impostor = other.key.with_kid(api.idp.tenant("demo").key.kid()).unwrap();
    refused(&api, &impostor.sign_jwt("at+jwt", &stolen).unwrap(), "the signature of the token is not valid").await;
}

#[actix_web::test]
async fn a_token_that_is_bound_to_a_key_is_no_bearer_token() {
    let api = TestApi::start().await;
    for cnf in [
        json!({"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"}),
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({}),
        json!("nonsense"),
        json!(false),
    ] {
        let token = changed(&api, &json!({"cnf": cnf}));
        refused(&api, &token, "the access token is bound to a key and is no bearer token").await;
    }
}

#[actix_web::test]
async fn claims_have_the_form_that_they_should() {
    let api = TestApi::start().await;
    for (name, values) in [
        ("sub", vec![json!(null), json!(""), json!("not-a-uuid")]),
        ("client_id", vec![json!(null), json!(""), json!(1), json!("c".repeat(255))]),
        ("jti", vec![json!(null), json!("")]),
        ("tenant_id", vec![json!(null), json!("demo"), json!(1)]),
        ("scope", vec![json!(1), json!(" "), json!("a  b"), json!("a\"b"), json!(["api"])]),
        ("roles", vec![json!("administrator"), json!([1]), json!(vec!["r"; 65]), json!({"a": "b"})]),
        ("amr", vec![json!("pwd"), json!([[]])]),
        ("acr", vec![json!(1)]),
        ("iat", vec![json!(null)]),
    ] {
        for value in values {
            let token = changed(&api, &json!({name: value}));
            refused(&api, &token, &format!("the claim {name} of the token is missing or not valid")).await;
        }
    }
    let no_scope = changed(&api, &json!({"scope": null, "roles": null}));
    let body: Value = api.get_as(ME, &no_scope).await.json().await.unwrap();
    assert_eq!((&body["data"]["scopes"], &body["data"]["roles"]), (&json!([]), &json!([])));
}

#[actix_web::test]
async fn what_is_no_token_is_refused_quickly() {
    let api = TestApi::start().await;
    for (token, reason) in [
        ("a", "the token is not a JWS in compact serialization"),
        ("a.b", "the token is not a JWS in compact serialization"),
        ("a.b.c.d", "the token is not a JWS in compact serialization"),
        ("a.b.c", "the header of the token is not base64url"),
        ("e30.e30.AA", "the header parameter alg is not valid"),
        ("bm9uc2Vuc2U.e30.AA", "the header of the token is not a JSON object"),
        ("eyJhbGciOiJFUzI1NiIsImFsZyI6Im5vbmUifQ.e30.AA", "the header of the token has duplicate members"),
        ("eyJhbGciOiJFUzI1NiJ9.W10.AA", "the payload of the token is not a JSON object"),
    ] {
        refused(&api, token, reason).await;
    }
    refused(&api, &"a".repeat(17 * 1024), "the token is too large").await;
    let good = api.administrator();
    refused(&api, &format!("{good}=="), "the signature of the token is not base64url").await;
    let (start, signature) = good.rsplit_once('.').unwrap();
    // 63 bytes of 64.
    let cut = format!("{start}.{}", &signature[..84]);
    refused(&api, &cut, "the signature of the token is not valid").await;
    refused(&api, &format!("{start}."), "the signature of the token is not valid").await;
    assert_eq!(api.idp.state().key_fetches.load(Ordering::SeqCst), 1);
}
