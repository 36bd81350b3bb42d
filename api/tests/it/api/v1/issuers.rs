//! The issuers of tokens and their keys: which are asked for, when, and how often.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_jose::{Algorithm, SigningKey};

use super::me::{ME, changed, refused};
use crate::support::{TestApi, client, problem};

#[actix_web::test]
async fn a_login_domain_is_an_issuer_of_its_tenant() {
    let api = TestApi::start().await;
    let token = changed(&api, &json!({"iss": crate::fake_idp::LOGIN_DOMAIN}));
    let body: Value = api.get_as(ME, &token).await.json().await.unwrap();
    assert_eq!(body["data"]["tenant"]["slug"], "demo");
    // Its keys were asked for where the provider itself is.
    assert_eq!(api.idp.state().key_fetches.load(Ordering::SeqCst), 1);
    let other = api.idp.add_tenant("other");
    let claims = json!({"iss": crate::fake_idp::LOGIN_DOMAIN});
    refused(&api, &other.key.sign_jwt("at+jwt", &claims).unwrap(), "the token was signed with an unknown key").await;
}

#[actix_web::test]
async fn issuers_of_nobody_are_not_asked_for() {
    let api = TestApi::start().await;
    let unknown = "the issuer of the token is not known";
    for elsewhere in [
        "http://169.254.169.254/latest".to_owned(),
        "http://127.0.0.1:1/t/demo".to_owned(),
        "https://evil.example/t/demo".to_owned(),
        "file:///etc/passwd".to_owned(),
        format!("{}/t/../t/demo", api.idp.url()),
        format!("{}/t/demo/", api.idp.url()),
        format!("{}/t/DEMO", api.idp.url()),
        format!("{}@evil.example/t/demo", api.idp.url()),
        String::new(),
    ] {
        refused(&api, &changed(&api, &json!({"iss": elsewhere})), unknown).await;
    }
    assert_eq!(api.idp.state().issuer_lookups.load(Ordering::SeqCst), 0);
    refused(&api, &changed(&api, &json!({"iss": null})), "the claim iss of the token is missing or not valid").await;
    refused(&api, &changed(&api, &json!({"iss": 7})), "the claim iss of the token is missing or not valid").await;
    // One that could be is asked for once.
    let missing = api.idp.issuer("missing");
    for _ in 0..5 {
        refused(&api, &changed(&api, &json!({"iss": missing})), unknown).await;
    }
    assert_eq!(api.idp.state().issuer_lookups.load(Ordering::SeqCst), 1);
    // It is asked for again when it may have been made meanwhile.
    api.idp.add_tenant("missing");
    api.clock.advance(Duration::from_secs(61));
    let token = api.idp.sign("missing", &api.idp.user_claims("missing", &api.url));
    assert_eq!(api.get_as(ME, &token).await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn strangers_cannot_make_this_service_flood_the_provider() {
    let api = TestApi::start().await;
    let mut answers = std::collections::HashMap::new();
    for number in 0..80 {
        let token = changed(&api, &json!({"iss": api.idp.issuer(&format!("tenant-{number}"))}));
        let response = api.get_as(ME, &token).await;
        if response.status() == StatusCode::SERVICE_UNAVAILABLE {
            assert_eq!(response.headers()["retry-after"], "1");
        }
        *answers.entry(response.status()).or_insert(0) += 1;
    }
    assert_eq!(answers[&StatusCode::UNAUTHORIZED], 50);
    assert_eq!(answers[&StatusCode::SERVICE_UNAVAILABLE], 30);
    assert_eq!(api.idp.state().issuer_lookups.load(Ordering::SeqCst), 50);
}

#[actix_web::test]
async fn strangers_do_not_hold_up_the_tenants_that_are_kept_here() {
    let api = TestApi::start().await;
    let token = api.user(&["member"], "api");
    api.id_of(&token).await;
    // One that has just been started knows no issuer yet.
    let replica = api.replica(api.config.clone()).await;
    let get = |token: &str| client().get(format!("{replica}{ME}")).bearer_auth(token).send();
    for number in 0..60 {
        let stranger = changed(&api, &json!({"iss": api.idp.issuer(&format!("stranger-{number}"))}));
        get(&stranger).await.unwrap();
    }
    let stranger = changed(&api, &json!({"iss": api.idp.issuer("one-more")}));
    assert_eq!(get(&stranger).await.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(get(&token).await.unwrap().status(), StatusCode::OK);
}

#[actix_web::test]
async fn keys_are_fetched_once_and_again_when_they_are_rotated() {
    let api = TestApi::start().await;
    let fetches = || api.idp.state().key_fetches.load(Ordering::SeqCst);
    for _ in 0..3 {
        assert_eq!(api.get_as(ME, &api.administrator()).await.status(), StatusCode::OK);
    }
    assert_eq!(fetches(), 1);
    api.idp.rotate("demo");
    assert_eq!(api.get_as(ME, &api.administrator()).await.status(), StatusCode::OK);
    assert_eq!(fetches(), 2);
    // Unknown keys do not cause more than the few fetches that a rotation needs.
    let claims = api.idp.user_claims("demo", &api.url);
    for _ in 0..20 {
        let foreign = SigningKey::generate(Algorithm::Es256).unwrap().sign_jwt("at+jwt", &claims).unwrap();
        refused(&api, &foreign, "the token was signed with an unknown key").await;
    }
    assert_eq!(fetches(), 4);
}

#[actix_web::test]
async fn the_provider_is_asked_in_the_trace_of_the_caller() {
    let api = TestApi::start().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let request = api.request(Method::GET, ME).bearer_auth(api.administrator());
    let response = request.header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01")).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let traces = api.idp.state().traces.lock().unwrap().clone();
    let [carried] = traces.as_slice() else { panic!("{traces:?}") };
    assert!(carried.starts_with(&format!("00-{trace}-")), "{carried}");
    assert!(!carried.contains("00f067aa0ba902b7"), "the parent is this service's own span");
}

#[actix_web::test]
async fn many_first_tokens_at_once_cost_one_fetch() {
    let api = TestApi::start().await;
    let tokens: Vec<String> = (0..16).map(|_| api.administrator()).collect();
    let answers = futures_util::future::join_all(tokens.iter().map(|token| api.get_as(ME, token))).await;
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::OK));
    assert_eq!(api.idp.state().key_fetches.load(Ordering::SeqCst), 1);
}

#[actix_web::test]
async fn known_keys_stay_good_while_the_provider_is_away() {
    let api = TestApi::start().await;
    assert_eq!(api.get_as(ME, &api.administrator()).await.status(), StatusCode::OK);
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    api.clock.advance(Duration::from_secs(24 * 60 * 60));
    for _ in 0..5 {
        assert_eq!(api.get_as(ME, &api.administrator()).await.status(), StatusCode::OK);
    }
    // Also when nothing answers at all.
    api.idp.stop().await;
    api.clock.advance(Duration::from_secs(24 * 60 * 60));
    for _ in 0..5 {
        assert_eq!(api.get_as(ME, &api.administrator()).await.status(), StatusCode::OK);
    }
}

#[actix_web::test]
async fn without_any_keys_the_answer_is_later() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    let response = api.get_as(ME, &token).await;
    assert_eq!(response.headers()["retry-after"], "1");
    assert!(response.headers().get("www-authenticate").is_none(), "another token would not help");
    let problem = problem(response, StatusCode::SERVICE_UNAVAILABLE).await;
    assert!(problem.get("detail").is_none(), "{problem}");
    api.idp.state().is_down.store(false, Ordering::SeqCst);
    assert_eq!(api.get_as(ME, &token).await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn a_tenant_that_is_gone_is_refused_after_a_while() {
    let api = TestApi::start().await;
    let mut claims = api.idp.user_claims("demo", &api.url);
    let key = api.idp.tenant("demo").key;
    let mut fresh_token = |number: u32| {
        claims["jti"] = json!(number.to_string());
        key.sign_jwt("at+jwt", &claims).unwrap()
    };
    assert_eq!(api.get_as(ME, &fresh_token(0)).await.status(), StatusCode::OK);
    api.idp.remove_tenant("demo");
    api.clock.advance(Duration::from_secs(301));
    // The first request still has the old keys, and causes the provider to be asked in the background.
    let refusal = 'asking: {
        for number in 1..1_000 {
            let token = fresh_token(number);
            if api.get_as(ME, &token).await.status() == StatusCode::UNAUTHORIZED {
                break 'asking token;
            }
        }
        panic!("the tenant is still there");
    };
    refused(&api, &refusal, "the issuer of the token is not known").await;
}
