//! `/oauth2/end_session`.

use crate::support::{Browser, TestIdp, authorization};

async fn signed_in(idp: &TestIdp) -> (Browser, String) {
    let mut browser = Browser::new();
    let code = browser.sign_in(idp, &authorization(&[])).await["code"].clone();
    let id_token = idp.exchange(&code).await.text("id_token").to_owned();
    (browser, id_token)
}

async fn is_signed_in(browser: &mut Browser, idp: &TestIdp) -> bool {
    browser.authorize(idp, &authorization(&[])).await.location.is_some()
}

#[actix_web::test]
async fn a_client_signs_its_user_out_and_gets_the_browser_back() {
    let idp = TestIdp::start().await;
    let (mut browser, id_token) = signed_in(&idp).await;
    let url = format!(
        "{}?id_token_hint={id_token}&post_logout_redirect_uri=https%3A%2F%2Fapp.example.com%2Fbye&state=s%26t",
        idp.url("/oauth2/end_session")
    );
    let page = browser.get(&url).await;
    assert_eq!(page.location(), "https://app.example.com/bye?state=s%26t");
    assert!(!is_signed_in(&mut browser, &idp).await);
}

#[actix_web::test]
async fn without_a_hint_the_user_is_asked() {
    let idp = TestIdp::start().await;
    let (mut browser, _) = signed_in(&idp).await;
    let page = browser.get(&idp.url("/oauth2/end_session")).await;
    assert_eq!(page.status, 200);
    assert!(is_signed_in(&mut browser, &idp).await, "another site cannot sign people out");
    let form = page.markup().hidden_values();
    let page = browser.post(&idp.url("/oauth2/end_session"), &form).await;
    assert_eq!(page.status, 200);
    assert!(!is_signed_in(&mut browser, &idp).await);
}

#[actix_web::test]
async fn a_hint_of_another_session_asks_first() {
    let idp = TestIdp::start().await;
    let (mut browser, _) = signed_in(&idp).await;
    let (_, other) = signed_in(&idp).await;
    let page = browser.get(&format!("{}?id_token_hint={other}", idp.url("/oauth2/end_session"))).await;
    assert!(page.html.contains("id=\"sign-out\""));
    assert!(is_signed_in(&mut browser, &idp).await);
}

#[actix_web::test]
async fn nobody_is_sent_to_an_address_that_is_not_registered() {
    let idp = TestIdp::start().await;
    let (mut browser, id_token) = signed_in(&idp).await;
    for uri in ["https://evil.example", "https://app.example.com/bye/", "javascript:alert(1)", "//evil.example"] {
        let page = browser
            .get(&format!(
                "{}?id_token_hint={id_token}&post_logout_redirect_uri={}",
                idp.url("/oauth2/end_session"),
                url::form_urlencoded::byte_serialize(uri.as_bytes()).collect::<String>()
            ))
            .await;
        assert_eq!(page.status, 400, "{uri}");
        assert!(page.location.is_none() && !page.html.contains("evil"));
    }
    assert!(is_signed_in(&mut browser, &idp).await);
}
