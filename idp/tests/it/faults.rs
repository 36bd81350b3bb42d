//! When something on this side does not work.

use futures_util::future::join_all;
use tenantry_idp::startup::MIGRATIONS;

use crate::support::{Browser, REDIRECT_URI, Reply, SECRET, TestIdp, authorization, http};

const MACHINE: &[(&str, &str)] =
    &[("grant_type", "client_credentials"), ("client_id", "machine"), ("client_secret", SECRET)];

#[actix_web::test]
async fn without_a_database_the_answers_say_nothing_of_it() {
    // What is known already goes on being known, so that the failure comes at every step.
    let warm = TestIdp::start_with(|config| config.cache.seconds = 60).await;
    let token = warm.tokens().await["access_token"].as_str().unwrap().to_owned();
    let cold = TestIdp::start().await;
    for idp in [&warm, &cold] {
        idp.db.revert_migrations(&MIGRATIONS).await.unwrap();
    }
    let userinfo = http().get(warm.url("/oauth2/userinfo")).bearer_auth(&token);
    let mut replies = vec![
        Reply::of(userinfo.send().await.unwrap()).await,
        warm.exchange("a code that is not there").await,
        // A client that nobody has asked for.
        warm.token(MACHINE).await,
        cold.token(MACHINE).await,
        Reply::of(http().get(cold.url("/oauth2/jwks")).send().await.unwrap()).await,
    ];
    for (reply, error) in replies[1..3].iter().zip(["server_error"; 2]) {
        assert_eq!(reply.error().1, error);
    }
    let page = Browser::new().authorize(&warm, &authorization(&[("client_id", "web")])).await;
    assert_eq!(page.status, 500);
    assert_eq!(page.markup().faults(), Vec::<String>::new(), "a person gets a page");
    assert!(page.markup().by_id("request-id").is_some());
    replies.push(Reply { status: 500, headers: page.headers, body: page.html.into() });
    for reply in replies {
        assert_eq!(reply.status, 500, "{}", reply.body);
        let text = reply.body.to_string().to_lowercase();
        for word in ["table", "sql", "clients", "users", "column"] {
            assert!(!text.contains(word), "{word} in {text}");
        }
    }
    // The client and its address are known: it is told, and its user is not left on our page.
    let mut browser = Browser::new();
    browser.cookies.insert("tenantry-session-acme".into(), "A".repeat(43));
    let page = browser.authorize(&warm, &authorization(&[])).await;
    assert!(page.location().starts_with(REDIRECT_URI));
    assert_eq!(page.answer()["error"], "server_error");
    assert_eq!(page.answer()["state"], "the state");
}

#[actix_web::test]
async fn with_another_key_file_nothing_is_signed() {
    let idp = TestIdp::start().await;
    assert_eq!(idp.token(MACHINE).await.status, 200);
    let folder = tempfile::tempdir().unwrap();
    let other = idp.replica(|config| config.keys.key_encryption_file = folder.path().join("other.json")).await;
    let authority = idp.base.strip_prefix("http://").unwrap().to_owned();
    let at_other = |path: &str| format!("http://{other}{path}");
    let send = || async {
        let request = http().post(at_other("/t/acme/oauth2/token")).header("host", &authority).form(MACHINE);
        Reply::of(request.send().await.unwrap()).await
    };
    for reply in join_all((0..8).map(|_| send())).await {
        assert_eq!(reply.error(), (500, "server_error"));
    }
    let ready = http().get(at_other("/readyz")).header("host", &authority).send().await.unwrap();
    let ready = Reply::of(ready).await;
    assert_eq!(ready.status, 503);
    assert_eq!(ready.body["checks"]["keys"]["status"], "failed", "{}", ready.body);
}

#[actix_web::test]
async fn when_too_many_sign_in_at_once_some_are_told_to_come_back() {
    let idp = TestIdp::start_with(|config| {
        config.passwords.argon2_memory_kib = 19_456;
        config.passwords.threads = 1;
        config.passwords.queue = 1;
    })
    .await;
    let mut browser = Browser::new();
    let page = browser.authorize(&idp, &authorization(&[])).await;
    let answers = join_all((0..16).map(|number| {
        let (mut browser, idp, page) = (browser.clone(), &idp, &page);
        async move { browser.submit_sign_in(idp, page, &format!("nobody-{number}"), "wrong").await }
    }))
    .await;
    let busy: Vec<_> = answers.iter().filter(|answer| answer.status == 503).collect();
    assert!(!busy.is_empty() && busy.len() < 16, "{} of 16", busy.len());
    assert!(busy.iter().all(|answer| answer.headers.contains_key("retry-after")));
    assert!(answers.iter().all(|answer| matches!(answer.status.as_u16(), 401 | 503)));
}
