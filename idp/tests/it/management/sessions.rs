//! `/admin/v1/tenants/{tenant_id}/sessions`.

use futures_util::future::join_all;
use serde_json::{Value, json};
use tenantry_types::Clock as _;

use super::{Managed, new_id, pointers, problem};
use crate::support::{Browser, PASSWORD, authorization, claims};

/// What somebody has after they signed in.
struct SignedIn {
    browser: Browser,
    sid: String,
    refresh_token: String,
}

/// Signs in with another browser.
async fn sign_in(managed: &Managed, username: &str, scope: &str) -> SignedIn {
    let idp = &managed.idp;
    let mut browser = Browser::new();
    let page = browser.authorize(idp, &authorization(&[("scope", scope)])).await;
    let page = browser.submit_sign_in(idp, &page, username, PASSWORD).await;
    let page = browser.follow_ours(idp, page).await;
    let tokens = idp.exchange(&page.answer()["code"]).await;
    let sid = claims(tokens.text("access_token"))["sid"].as_str().unwrap().to_owned();
    SignedIn { browser, sid, refresh_token: tokens.text("refresh_token").to_owned() }
}

impl SignedIn {
    async fn is_asked_to_sign_in(&mut self, managed: &Managed) -> bool {
        let page = self.browser.authorize(&managed.idp, &authorization(&[])).await;
        page.html.contains("id=\"sign-in\"")
    }
}

fn ids(body: &Value) -> Vec<&str> {
    body["data"].as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap()).collect()
}

#[actix_web::test]
async fn sessions_are_listed_the_newest_first_page_by_page() {
    let managed = Managed::start().await;
    managed.new_user("grace", json!({"password": PASSWORD})).await;
    let mut expected = Vec::new();
    for name in ["ada", "grace", "ada"] {
        managed.idp.clock.advance(std::time::Duration::from_secs(1));
        expected.insert(0, sign_in(&managed, name, "openid").await.sid);
    }
    let listed = managed.get(&managed.acme("/sessions")).await;
    assert_eq!(ids(&listed.body), expected);
    let newest = &listed.body["data"][0];
    assert_eq!(newest["user_id"], json!(managed.idp.user));
    assert_eq!((&newest["acr"], &newest["amr"]), (&json!("urn:tenantry:acr:password"), &json!(["pwd"])));
    assert_eq!(newest["address"], "127.0.0.1");
    assert_eq!(newest["authenticated_at"], json!(managed.idp.clock.now()));
    assert!(newest.get("secret_hash").is_none() && newest["expires_at"].is_string());

    let first = managed.get(&managed.acme("/sessions?limit=2")).await;
    let next = first.body["page"]["next"].as_str().unwrap();
    let second = managed.get(&managed.acme(&format!("/sessions?limit=2&cursor={next}"))).await;
    assert_eq!([ids(&first.body), ids(&second.body)].concat(), expected);
    let hers = managed.get(&managed.acme(&format!("/sessions?user_id={}", managed.idp.user))).await;
    assert_eq!(ids(&hers.body), [&expected[0], &expected[2]]);
    let one = managed.get(&managed.acme(&format!("/sessions/{}", expected[0]))).await;
    assert_eq!(&one.body["data"], newest);

    let other = managed.new_tenant("other").await;
    assert_eq!(managed.get(&format!("{other}/sessions")).await.body["data"], json!([]));
    let elsewhere = managed.get(&format!("{other}/sessions?limit=2&cursor={next}")).await;
    assert_eq!(pointers(&elsewhere), ["cursor"], "a cursor is good for its own list");
    let elsewhere = managed.get(&format!("{other}/sessions/{}", expected[0])).await;
    assert_eq!(problem(&elsewhere), (404, "session-not-found"));
    let wrong = managed.get(&managed.acme("/sessions?user_id=x&state=y")).await;
    assert_eq!(pointers(&wrong), ["user_id", "state"]);
    assert_eq!(problem(&managed.get(&format!("/tenants/{}/sessions", new_id())).await), (404, "tenant-not-found"));
}

#[actix_web::test]
async fn only_sessions_that_last_are_shown() {
    let managed = Managed::start_with(|config| {
        config.sessions.idle_seconds = 100;
        config.sessions.absolute_seconds = 150;
    })
    .await;
    let seconds = std::time::Duration::from_secs;
    let mut used = sign_in(&managed, "ada", "openid").await;
    let unused = sign_in(&managed, "ada", "openid").await;
    managed.idp.clock.advance(seconds(60));
    assert!(!used.is_asked_to_sign_in(&managed).await);
    managed.idp.clock.advance(seconds(60));
    let listed = managed.get(&managed.acme("/sessions")).await;
    assert_eq!(ids(&listed.body), [&used.sid], "the other was not used for too long");
    let idle = managed.get(&managed.acme(&format!("/sessions/{}", unused.sid))).await;
    assert_eq!(problem(&idle), (404, "session-not-found"));
    assert!(!used.is_asked_to_sign_in(&managed).await);
    managed.idp.clock.advance(seconds(40));
    // The token of the management API has not ended meanwhile, and this session has, used or not.
    let listed = managed.get(&managed.acme("/sessions")).await;
    assert_eq!(listed.body["data"], json!([]));
}

#[actix_web::test]
async fn one_session_is_ended_and_the_others_go_on() {
    let managed = Managed::start().await;
    let mut ended = sign_in(&managed, "ada", "openid").await;
    let mut other = sign_in(&managed, "ada", "openid").await;
    let offline = {
        let page = ended.browser.authorize(&managed.idp, &authorization(&[("scope", "openid offline_access")])).await;
        let tokens = managed.idp.exchange(&page.answer()["code"]).await;
        assert_eq!(claims(tokens.text("access_token"))["sid"], ended.sid);
        tokens.text("refresh_token").to_owned()
    };
    let unused = ended.browser.authorize(&managed.idp, &authorization(&[])).await.answer()["code"].clone();
    let path = managed.acme(&format!("/sessions/{}", ended.sid));
    // Together: it is ended once.
    let replies = join_all((0..3).map(|_| managed.delete(&path))).await;
    assert!(replies.iter().all(|reply| reply.status == 204));
    assert_eq!(problem(&managed.get(&path).await), (404, "session-not-found"));
    assert!(ended.is_asked_to_sign_in(&managed).await);
    assert_eq!(managed.idp.refresh(&ended.refresh_token).await.error(), (400, "invalid_grant"));
    assert_eq!(managed.idp.exchange(&unused).await.error(), (400, "invalid_grant"));
    assert_eq!(managed.idp.refresh(&offline).await.status, 200, "it is for when nobody is signed in");

    assert!(!other.is_asked_to_sign_in(&managed).await);
    assert_eq!(managed.idp.refresh(&other.refresh_token).await.status, 200);
    let events = managed.events(managed.idp.tenant.id).await;
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].0.as_str(), &events[0].1["sid"]), ("session-revoked", &json!(ended.sid)));
    let nowhere = format!("/tenants/{}/sessions/{}", new_id(), ended.sid);
    assert_eq!(problem(&managed.delete(&nowhere).await), (404, "tenant-not-found"));
}

#[actix_web::test]
async fn another_tenant_ends_nothing() {
    let managed = Managed::start().await;
    let mut ada = sign_in(&managed, "ada", "openid").await;
    let other = managed.new_tenant("other").await;
    assert_eq!(managed.delete(&format!("{other}/sessions/{}", ada.sid)).await.status, 204);
    let hers = managed.delete(&format!("{other}/users/{}/sessions", managed.idp.user)).await;
    assert_eq!(problem(&hers), (404, "user-not-found"));
    assert!(!ada.is_asked_to_sign_in(&managed).await);
    assert_eq!(managed.idp.refresh(&ada.refresh_token).await.status, 200);
    assert_eq!(managed.kinds().await, Vec::<String>::new());
}

#[actix_web::test]
async fn all_sessions_of_somebody_are_ended_and_they_sign_in_again() {
    let managed = Managed::start().await;
    managed.new_user("grace", json!({"password": PASSWORD})).await;
    let mut hers = [sign_in(&managed, "ada", "openid").await, sign_in(&managed, "ada", "openid offline_access").await];
    let mut graces = sign_in(&managed, "grace", "openid").await;
    let path = managed.acme(&format!("/users/{}/sessions", managed.idp.user));
    assert_eq!(managed.delete(&path).await.status, 204);
    for session in &mut hers {
        assert_eq!(managed.idp.refresh(&session.refresh_token).await.error(), (400, "invalid_grant"));
        assert!(session.is_asked_to_sign_in(&managed).await);
    }
    assert!(!graces.is_asked_to_sign_in(&managed).await);
    sign_in(&managed, "ada", "openid").await;
    let events = managed.events(managed.idp.tenant.id).await;
    let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["user-created", "credential-change", "session-revoked"]);
    assert!(events[2].1.get("sid").is_none());
    let nobody = managed.acme(&format!("/users/{}/sessions", new_id()));
    assert_eq!(problem(&managed.delete(&nobody).await), (404, "user-not-found"));
}
