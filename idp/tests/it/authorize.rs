//! `/oauth2/authorize` and `/consent`.

use tenantry_jose::peek;

use crate::support::{Browser, PASSWORD, REDIRECT_URI, TestIdp, authorization};

#[actix_web::test]
async fn a_stranger_signs_in_and_comes_back_with_a_code() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    let page = browser.authorize(&idp, &authorization(&[])).await;
    assert_eq!(page.status, 200);
    assert!(page.html.contains("The app"), "the page names the application");
    assert!(page.headers["content-security-policy"].to_str().unwrap().contains("frame-ancestors 'none'"));
    assert_eq!(page.markup().faults(), Vec::<String>::new());
    let page = browser.submit_sign_in(&idp, &page, "ada", PASSWORD).await;
    let page = browser.follow_ours(&idp, page).await;
    assert!(page.location().starts_with(REDIRECT_URI));
    let answer = page.answer();
    assert_eq!(answer["state"], "the state");
    assert_eq!(answer["iss"], idp.issuer, "RFC 9207");
    assert!(answer["code"].len() >= 43);
}

#[actix_web::test]
async fn whoever_is_signed_in_is_not_asked_again() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    browser.sign_in(&idp, &authorization(&[])).await;
    let page = browser.authorize(&idp, &authorization(&[])).await;
    assert!(page.answer().contains_key("code"));
}

#[actix_web::test]
async fn a_client_of_others_needs_consent_once() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    browser.sign_in(&idp, &authorization(&[])).await;
    let request = authorization(&[("client_id", "web")]);
    let page = browser.authorize(&idp, &request).await;
    assert!(page.html.contains("id=\"allow\"") && page.html.contains("The web"));
    let denied = browser.submit_consent(&idp, &page, "deny").await;
    assert_eq!(denied.answer()["error"], "access_denied");
    assert_eq!(denied.answer()["iss"], idp.issuer);
    let page = browser.authorize(&idp, &request).await;
    let allowed = browser.submit_consent(&idp, &page, "allow").await;
    assert!(browser.follow_ours(&idp, allowed).await.answer().contains_key("code"));
    assert!(browser.authorize(&idp, &request).await.answer().contains_key("code"), "it is remembered");
    let more = authorization(&[("client_id", "web"), ("scope", "openid roles")]);
    assert!(browser.authorize(&idp, &more).await.html.contains("id=\"allow\""), "more is asked for again");
    idp.advance(1);
    let again = authorization(&[("client_id", "web"), ("prompt", "consent")]);
    assert!(browser.authorize(&idp, &again).await.html.contains("id=\"allow\""));
}

#[actix_web::test]
async fn prompt_none_never_shows_a_page() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    let silent = |client| authorization(&[("prompt", "none"), ("client_id", client)]);
    assert_eq!(browser.authorize(&idp, &silent("app")).await.answer()["error"], "login_required");
    browser.sign_in(&idp, &authorization(&[])).await;
    assert!(browser.authorize(&idp, &silent("app")).await.answer().contains_key("code"));
    assert_eq!(browser.authorize(&idp, &silent("web")).await.answer()["error"], "consent_required");
}

#[actix_web::test]
async fn prompt_login_and_max_age_ask_for_the_password_again() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    browser.sign_in(&idp, &authorization(&[])).await;
    idp.advance(100);
    for change in [("prompt", "login"), ("max_age", "99"), ("prompt", "select_account")] {
        let request = authorization(&[change]);
        let page = browser.authorize(&idp, &request).await;
        assert!(page.html.contains("id=\"sign-in\""), "{change:?}");
        let page = browser.submit_sign_in(&idp, &page, "ada", PASSWORD).await;
        assert!(browser.follow_ours(&idp, page).await.answer().contains_key("code"), "and only once");
        idp.advance(100);
    }
    assert!(browser.authorize(&idp, &authorization(&[("max_age", "101")])).await.answer().contains_key("code"));
}

#[actix_web::test]
async fn auth_time_is_when_the_user_signed_in() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    let first = browser.sign_in(&idp, &authorization(&[])).await["code"].clone();
    let first = idp.exchange(&first).await;
    idp.advance(50);
    let second = browser.sign_in(&idp, &authorization(&[])).await["code"].clone();
    let second = idp.exchange(&second).await;
    let time = |reply: &crate::support::Reply| peek(reply.text("id_token")).unwrap().claims["auth_time"].clone();
    assert_eq!(time(&first), time(&second));
}

#[actix_web::test]
async fn an_id_token_hint_of_somebody_else_asks_for_a_sign_in() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    let tokens = idp.tokens().await;
    let hint = tokens["id_token"].as_str().unwrap();
    browser.sign_in(&idp, &authorization(&[])).await;
    let page = browser.authorize(&idp, &authorization(&[("id_token_hint", hint), ("prompt", "none")])).await;
    assert!(page.answer().contains_key("code"), "the same user");
}

#[actix_web::test]
async fn errors_go_to_the_client_with_its_state() {
    let idp = TestIdp::start().await;
    for (change, error) in [
        (("response_type", "token"), "unsupported_response_type"),
        (("response_type", ""), "invalid_request"),
        (("response_mode", "form_post"), "invalid_request"),
        (("scope", "openid admin"), "invalid_scope"),
        (("scope", "openid  email"), "invalid_scope"),
        (("code_challenge", ""), "invalid_request"),
        (("code_challenge_method", "plain"), "invalid_request"),
        (("code_challenge_method", ""), "invalid_request"),
        (("code_challenge_method", "S512"), "invalid_request"),
        (("code_challenge", "short"), "invalid_request"),
        (("prompt", "none login"), "invalid_request"),
        (("prompt", "dance"), "invalid_request"),
        (("max_age", "-1"), "invalid_request"),
        (("request", "x.y.z"), "request_not_supported"),
        (("request_uri", "https://evil.example"), "request_uri_not_supported"),
    ] {
        let page = Browser::new().authorize(&idp, &authorization(&[change])).await;
        assert!(page.location().starts_with(REDIRECT_URI), "{change:?}");
        let answer = page.answer();
        assert_eq!(answer["error"], error, "{change:?}");
        assert_eq!(answer["state"], "the state");
        assert_eq!(answer["iss"], idp.issuer);
        assert!(!answer.contains_key("code"));
    }
}

#[actix_web::test]
async fn a_request_can_come_in_a_form() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    let page = browser.post(&idp.url("/oauth2/authorize"), &authorization(&[])).await;
    let page = browser.follow_ours(&idp, page).await;
    assert!(page.html.contains("id=\"sign-in\""));
}

#[actix_web::test]
async fn without_offline_access_the_grant_ends_with_the_session() {
    let idp = TestIdp::start().await;
    for (scope, lives) in [("openid", false), ("openid offline_access", true)] {
        let mut browser = Browser::new();
        let code = browser.sign_in(&idp, &authorization(&[("scope", scope)])).await["code"].clone();
        let tokens = idp.exchange(&code).await;
        let url = format!("{}?id_token_hint={}", idp.url("/oauth2/end_session"), tokens.text("id_token"));
        assert_eq!(browser.get(&url).await.status, 200);
        assert_eq!(idp.refresh(tokens.text("refresh_token")).await.status == 200, lives, "{scope}");
    }
}
