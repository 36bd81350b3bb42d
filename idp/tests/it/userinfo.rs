//! `/oauth2/userinfo`.

use crate::support::{Browser, Reply, SECRET, TestIdp, authorization, http, other_tenant};

async fn get(idp: &TestIdp, token: &str) -> Reply {
    Reply::of(http().get(idp.url("/oauth2/userinfo")).bearer_auth(token).send().await.unwrap()).await
}

#[actix_web::test]
async fn says_what_the_scopes_allow() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    for (scope, there, absent) in [
        ("openid", "sub", "email"),
        ("openid email", "email", "name"),
        ("openid profile", "name", "email"),
        ("openid roles", "roles", "name"),
    ] {
        let code = browser.sign_in(&idp, &authorization(&[("scope", scope)])).await["code"].clone();
        let token = idp.exchange(&code).await.text("access_token").to_owned();
        let claims = get(&idp, &token).await;
        assert_eq!(claims.body["sub"], idp.user.as_str());
        assert!(claims.body.get(there).is_some(), "{scope}: {}", claims.body);
        assert!(claims.body.get(absent).is_none(), "{scope}: {}", claims.body);
    }
}

#[actix_web::test]
async fn refuses_with_the_reason_of_rfc_6750() {
    let idp = TestIdp::start().await;
    let challenge = |reply: &Reply| reply.headers["www-authenticate"].to_str().unwrap().to_owned();
    let missing = Reply::of(http().get(idp.url("/oauth2/userinfo")).send().await.unwrap()).await;
    assert_eq!((missing.status, challenge(&missing).as_str()), (401, "Bearer"));
    let bad = get(&idp, "junk").await;
    assert_eq!(bad.status, 401);
    assert!(challenge(&bad).contains("invalid_token"));
    let twice = http().get(idp.url("/oauth2/userinfo")).header("authorization", "Bearer a").bearer_auth("b");
    let twice = Reply::of(twice.send().await.unwrap()).await;
    assert_eq!((twice.status, challenge(&twice).as_str()), (400, "Bearer error=\"invalid_request\""));
    let machine =
        idp.token(&[("grant_type", "client_credentials"), ("client_id", "machine"), ("client_secret", SECRET)]).await;
    assert_eq!(get(&idp, machine.text("access_token")).await.status, 401, "it has no user");
    let id_token = idp.tokens().await["id_token"].as_str().unwrap().to_owned();
    assert_eq!(get(&idp, &id_token).await.status, 401, "an ID token is no access token");
}

#[actix_web::test]
async fn a_token_expires_and_is_of_one_tenant() {
    let idp = TestIdp::start().await;
    other_tenant(&idp, "other").await;
    let token = idp.tokens().await["access_token"].as_str().unwrap().to_owned();
    let elsewhere = http().get(format!("{}/t/other/oauth2/userinfo", idp.base)).bearer_auth(&token);
    assert_eq!(elsewhere.send().await.unwrap().status(), 401);
    assert_eq!(get(&idp, &token).await.status, 200);
    idp.advance(900 + 31);
    assert_eq!(get(&idp, &token).await.status, 401);
}
