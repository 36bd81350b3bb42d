//! `/sign-in`.

use futures_util::future::join_all;
use tenantry_testing::RoundRobin;

use crate::support::{Browser, PASSWORD, TestIdp, authorization};

#[actix_web::test]
async fn the_answer_is_the_same_for_an_unknown_user_and_a_wrong_password() {
    let idp = TestIdp::start().await;
    let mut answers = Vec::new();
    for username in ["ada", "nobody"] {
        let mut browser = Browser::new();
        let page = browser.authorize(&idp, &authorization(&[])).await;
        let page = browser.submit_sign_in(&idp, &page, username, "wrong").await;
        assert_eq!(page.status, 401);
        assert!(!browser.cookies.keys().any(|name| name.contains("session")));
        let form = page.markup();
        // What differs from request to request, and what was typed.
        let html = page
            .html
            .replace(form.value("csrf").unwrap(), "")
            .replace(form.value("interaction").unwrap(), "")
            .replace(&format!("value=\"{username}\""), "");
        answers.push(html);
    }
    assert_eq!(answers[0], answers[1]);
}

#[actix_web::test]
async fn the_e_mail_address_works_as_a_name_and_case_does_not_matter() {
    let idp = TestIdp::start().await;
    for username in ["Ada", "ADA@acme.example", " ada "] {
        let mut browser = Browser::new();
        let page = browser.authorize(&idp, &authorization(&[])).await;
        let page = browser.submit_sign_in(&idp, &page, username, PASSWORD).await;
        assert_eq!(page.status, 303, "{username}");
    }
}

#[actix_web::test]
async fn guessing_is_slowed_down_and_the_owner_is_not_locked_out() {
    let idp = TestIdp::start().await;
    let mut owner = Browser::new();
    owner.sign_in(&idp, &authorization(&[])).await;
    idp.advance(1);
    let mut attacker = Browser::new();
    let page = attacker.authorize(&idp, &authorization(&[])).await;
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(attacker.submit_sign_in(&idp, &page, "ada", "wrong").await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 429, 429]);
    let right = attacker.submit_sign_in(&idp, &page, "ada", PASSWORD).await;
    assert_eq!(right.status, 429, "the right password does not open a throttled account");
    assert!(right.headers.contains_key("retry-after"));

    let page = owner.authorize(&idp, &authorization(&[("prompt", "login")])).await;
    assert_eq!(owner.submit_sign_in(&idp, &page, "ada", PASSWORD).await.status, 303, "a known device is let in");

    idp.advance(2);
    let page = attacker.authorize(&idp, &authorization(&[])).await;
    assert_eq!(attacker.submit_sign_in(&idp, &page, "ada", PASSWORD).await.status, 303, "the wait is over");
}

#[actix_web::test]
async fn guesses_at_once_are_counted_as_if_they_came_one_after_the_other() {
    let idp = TestIdp::start_with(|config| config.passwords.argon2_memory_kib = 8_192).await;
    let mut attacker = Browser::new();
    let page = attacker.authorize(&idp, &authorization(&[])).await;
    let answers = join_all((0..40).map(|_| {
        let (mut attacker, idp, page) = (attacker.clone(), &idp, &page);
        async move { attacker.submit_sign_in(idp, page, "ada", "wrong").await.status.as_u16() }
    }))
    .await;
    // Six are free or the first that costs; four more can be under way when the last free one is counted.
    let tried = answers.iter().filter(|status| **status == 401).count();
    assert!((6..=10).contains(&tried), "{answers:?}");
    assert!(answers.iter().all(|status| matches!(status, 401 | 429)), "{answers:?}");
}

#[actix_web::test]
async fn failures_at_one_replica_count_at_all_where_there_is_redis() {
    let Ok(redis) = std::env::var("TEST_REDIS_URL") else {
        eprintln!("skipped: TEST_REDIS_URL is not set");
        return;
    };
    let proxy = RoundRobin::start();
    let idp = TestIdp::start_with(|config| {
        config.http.public_url = proxy.url().parse().unwrap();
        config.redis.url = Some(redis.as_str().into());
    })
    .await;
    proxy.send_to([idp.config.http.listen, idp.replica(|_| {}).await]);
    let mut attacker = Browser::new();
    let page = attacker.authorize(&idp, &authorization(&[])).await;
    let before = proxy.requests();
    let mut statuses = Vec::new();
    for _ in 0..8 {
        statuses.push(attacker.submit_sign_in(&idp, &page, "ada", "wrong").await.status.as_u16());
    }
    assert_eq!(statuses, [401, 401, 401, 401, 401, 401, 429, 429]);
    for (before, after) in before.iter().zip(proxy.requests()) {
        assert_eq!(after - before, 4, "each replica was asked");
    }
}

#[actix_web::test]
async fn without_its_redis_nobody_is_let_in() {
    let idp = TestIdp::start_with(|config| config.redis.url = Some("redis://127.0.0.1:1".into())).await;
    let mut browser = Browser::new();
    let page = browser.authorize(&idp, &authorization(&[])).await;
    let answer = browser.submit_sign_in(&idp, &page, "ada", PASSWORD).await;
    assert_eq!(answer.status, 503, "an open throttle would be worse than none");
    assert!(!browser.cookies.keys().any(|name| name.contains("session")));
}

#[actix_web::test]
async fn a_password_hashed_with_weaker_parameters_is_hashed_again_at_sign_in() {
    let proxy = RoundRobin::start();
    let idp = TestIdp::start_with(|config| config.http.public_url = proxy.url().parse().unwrap()).await;
    let stored = async || {
        let scope = idp.scope();
        let found = idp.db.read(move |conn| tenantry_idp::users::store::find_for_sign_in(conn, scope, "ada")).await;
        found.unwrap().unwrap().2.unwrap()
    };
    let weak = stored().await;
    assert!(weak.contains("m=64,t=1"), "{weak}");
    proxy.send_to([idp.replica(|config| config.passwords.argon2_passes = 2).await]);
    let mut browser = Browser::new();
    let page = browser.authorize(&idp, &authorization(&[])).await;
    assert_eq!(browser.submit_sign_in(&idp, &page, "ada", "wrong").await.status, 401);
    assert_eq!(stored().await, weak, "a wrong password changes nothing");
    assert_eq!(browser.submit_sign_in(&idp, &page, "ada", PASSWORD).await.status, 303);
    let strong = stored().await;
    assert!(strong.contains("m=64,t=2"), "{strong}");
    let mut again = Browser::new();
    assert!(again.sign_in(&idp, &authorization(&[])).await.contains_key("code"));
    assert_eq!(stored().await, strong, "once is enough");
}

#[actix_web::test]
async fn the_session_cookie_is_new_after_every_sign_in() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    // Session fixation: a cookie that was there before is worth nothing, and is replaced.
    browser.cookies.insert("tenantry-session-acme".into(), "A".repeat(43));
    browser.sign_in(&idp, &authorization(&[])).await;
    let first = browser.cookies["tenantry-session-acme"].clone();
    assert_ne!(first, "A".repeat(43));
    idp.advance(1);
    let page = browser.authorize(&idp, &authorization(&[("prompt", "login")])).await;
    browser.submit_sign_in(&idp, &page, "ada", PASSWORD).await;
    let second = browser.cookies["tenantry-session-acme"].clone();
    assert_ne!(first, second);
    let mut old = browser.clone();
    old.cookies.insert("tenantry-session-acme".into(), first);
    assert!(old.authorize(&idp, &authorization(&[])).await.html.contains("id=\"sign-in\""), "the old one has ended");
}

#[actix_web::test]
async fn sessions_end_after_a_while() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    browser.sign_in(&idp, &authorization(&[])).await;
    for _ in 0..3 {
        idp.advance(7 * 3_600);
        assert!(browser.authorize(&idp, &authorization(&[])).await.location.is_some(), "use keeps it alive");
    }
    idp.advance(8 * 3_600);
    assert!(browser.authorize(&idp, &authorization(&[])).await.html.contains("id=\"sign-in\""));
}

#[actix_web::test]
async fn a_form_of_another_browser_or_site_signs_nobody_in() {
    let idp = TestIdp::start().await;
    let mut attacker = Browser::new();
    let page = attacker.authorize(&idp, &authorization(&[])).await;
    let mut form = page.markup().hidden_values();
    form.extend([("username".into(), "ada".into()), ("password".into(), PASSWORD.into())]);
    // The attacker's form, sent by the victim's browser.
    for cookies in [Browser::new(), {
        let mut other = Browser::new();
        other.authorize(&idp, &authorization(&[])).await;
        other
    }] {
        let mut victim = cookies;
        assert_eq!(victim.post(&idp.url("/sign-in"), &form).await.status, 403);
        assert!(!victim.cookies.keys().any(|name| name.contains("session")));
    }
    for header in [
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
        ("origin", "https://evil.example"),
        ("origin", "null"),
    ] {
        let page = attacker.post_with(&idp.url("/sign-in"), &form, &[header]).await;
        assert_eq!(page.status, 403, "{header:?}");
    }
    let twice = [&form[..], &[("username".into(), "bob".into())]].concat();
    assert_eq!(attacker.post(&idp.url("/sign-in"), &twice).await.status, 400, "which of the two?");
    let origin = idp.base.clone();
    assert_eq!(attacker.post_with(&idp.url("/sign-in"), &form, &[("origin", &origin)]).await.status, 303);
}

#[actix_web::test]
async fn consent_cannot_be_given_by_another_site_or_for_another_session() {
    let idp = TestIdp::start().await;
    let mut ada = Browser::new();
    ada.sign_in(&idp, &authorization(&[])).await;
    let page = ada.authorize(&idp, &authorization(&[("client_id", "web")])).await;
    let mut form = page.markup().hidden_values();
    form.push(("decision".into(), "allow".into()));
    let cross = ada.post_with(&idp.url("/consent"), &form, &[("sec-fetch-site", "cross-site")]).await;
    assert_eq!(cross.status, 403);
    let mut other = Browser::new();
    other.sign_in(&idp, &authorization(&[])).await;
    assert_eq!(other.post(&idp.url("/consent"), &form).await.status, 403);
    let mut stranger = Browser::new();
    assert_eq!(stranger.post(&idp.url("/consent"), &form).await.status, 403);
}

#[actix_web::test]
async fn an_old_or_forged_interaction_is_refused_with_a_page() {
    let idp = TestIdp::start().await;
    let mut browser = Browser::new();
    let page = browser.authorize(&idp, &authorization(&[])).await;
    idp.advance(3_601);
    assert_eq!(browser.submit_sign_in(&idp, &page, "ada", PASSWORD).await.status, 400);
    for bad in ["", "x", "x.y", "eyJ.AAAA"] {
        assert_eq!(browser.get(&format!("{}?interaction={bad}", idp.url("/sign-in"))).await.status, 400);
    }
}

#[actix_web::test]
async fn an_account_that_may_not_sign_in_answers_like_a_wrong_password() {
    let idp = TestIdp::start().await;
    let hash = {
        let scope = idp.scope();
        idp.db.read(move |conn| tenantry_idp::users::store::find_for_sign_in(conn, scope, "ada")).await.unwrap()
    };
    assert!(hash.is_some());
    let user = tenantry_idp::users::NewUser {
        id: tenantry_types::Id::new(&tenantry_types::SystemClock, &tenantry_types::SystemRandom),
        username: "bob".parse().unwrap(),
        email: "bob@acme.example".parse().unwrap(),
        email_verified: false,
        phone: None,
        given_name: None,
        family_name: None,
        display_name: None,
        status: tenantry_idp::users::UserStatus::Suspended,
        roles: tenantry_idp::users::Roles::default(),
    };
    let (scope, clock, hash) = (idp.scope(), idp.clock.clone(), hash.unwrap().2.unwrap());
    idp.db
        .write(move |conn| {
            tenantry_idp::users::store::insert(conn, scope, &*clock, &user)?;
            let now = tenantry_types::Clock::now(&*clock);
            tenantry_idp::credentials::store::set_password(conn, scope, user.id, &hash, now)?;
            Ok::<_, tenantry_idp::users::UserError>(())
        })
        .await
        .unwrap();
    let mut browser = Browser::new();
    let page = browser.authorize(&idp, &authorization(&[])).await;
    assert_eq!(browser.submit_sign_in(&idp, &page, "bob", PASSWORD).await.status, 401);
}
