//! What an attacker tries that belongs to no one endpoint.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::support::{Browser, REDIRECT_URI, Reply, TestIdp, VERIFIER, authorization, http, other_tenant};

#[actix_web::test]
async fn nobody_is_redirected_to_an_address_that_is_not_registered() {
    let idp = TestIdp::start().await;
    for uri in [
        "https://evil.example/callback",
        "https://app.example.com/callback#fragment",
        "https://app.example.com/callback#",
        "https://user@app.example.com/callback",
        "https://app.example.com@evil.example/callback",
        "https://app.example.com/Callback",
        "https://APP.example.com/callback",
        "HTTPS://app.example.com/callback",
        "https://app.example.com./callback",
        "https://app.example.com/callback/",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/callback%2f",
        "https://app.example.com/./callback",
        "https://app.example.com:443/callback",
        "https://app.example.com:8443/callback",
        "http://app.example.com/callback",
        "//app.example.com/callback",
        "/callback",
        "javascript:alert(1)//https://app.example.com/callback",
        "data:text/html,hello",
        "http://127.0.0.1:80@evil.example/callback",
        "http://127.0.0.1:/callback",
        "http://localhost/callback",
        "http://127.0.0.1:70000/callback",
        "",
    ] {
        let page = Browser::new().authorize(&idp, &authorization(&[("redirect_uri", uri)])).await;
        assert_eq!(page.status, 400, "{uri}");
        assert!(page.location.is_none(), "{uri}");
        assert!(!page.html.contains("evil.example") && !page.html.contains("javascript:"), "{uri}");
    }
    let native = authorization(&[("redirect_uri", "http://127.0.0.1:49152/callback")]);
    let answer = Browser::new().sign_in(&idp, &native).await;
    assert!(answer.contains_key("code"), "any port of a loopback address (RFC 8252 §7.3)");
}

#[actix_web::test]
async fn an_unknown_client_gets_a_page_that_reflects_nothing() {
    let idp = TestIdp::start().await;
    let page = Browser::new()
        .authorize(
            &idp,
            &authorization(&[("client_id", "<script>alert(1)</script>"), ("state", "<script>alert(2)</script>")]),
        )
        .await;
    assert_eq!(page.status, 400);
    assert!(page.location.is_none());
    assert!(!page.html.contains("alert("));
}

#[actix_web::test]
async fn a_parameter_that_comes_twice_is_refused_before_anything_else() {
    let idp = TestIdp::start().await;
    for twice in ["client_id", "redirect_uri", "state", "code_challenge", "scope", "unknown"] {
        let mut params = authorization(&[]);
        params.push((twice.into(), "x".into()));
        params.push((twice.into(), "x".into()));
        let page = Browser::new().authorize(&idp, &params).await;
        assert_eq!(page.status, 400, "{twice}");
        assert!(page.location.is_none(), "{twice}");
    }
    // A second code_verifier must not switch PKCE off.
    let code = idp.code().await;
    let params = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", code.as_str()),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(idp.token(&params).await.error(), (400, "invalid_request"));
}

#[actix_web::test]
async fn pkce_cannot_be_left_out_or_weakened() {
    let idp = TestIdp::start().await;
    for change in [("code_challenge", ""), ("code_challenge_method", "plain"), ("code_challenge_method", "")] {
        let answer = Browser::new().authorize(&idp, &authorization(&[change])).await.answer();
        assert_eq!(answer["error"], "invalid_request", "{change:?}");
    }
    for verifier in ["", "short", &"a".repeat(42), &"a".repeat(129), &format!("{}!", "a".repeat(43)), &"b".repeat(43)] {
        let code = idp.code().await;
        let reply = idp
            .token(&[
                ("grant_type", "authorization_code"),
                ("client_id", "app"),
                ("code", &code),
                ("redirect_uri", REDIRECT_URI),
                ("code_verifier", verifier),
            ])
            .await;
        assert_eq!(reply.status, 400, "{verifier}");
    }
}

#[actix_web::test]
async fn a_code_of_one_tenant_is_nothing_at_another() {
    let idp = TestIdp::start().await;
    other_tenant(&idp, "other").await;
    let code = idp.code().await;
    let request = http().post(format!("{}/t/other/oauth2/token", idp.base)).form(&[
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ]);
    assert_eq!(Reply::of(request.send().await.unwrap()).await.error(), (400, "invalid_grant"));
    let refresh = idp.exchange(&code).await.text("refresh_token").to_owned();
    let request = http().post(format!("{}/t/other/oauth2/token", idp.base)).form(&[
        ("grant_type", "refresh_token"),
        ("client_id", "app"),
        ("refresh_token", &refresh),
    ]);
    assert_eq!(Reply::of(request.send().await.unwrap()).await.error(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn a_session_of_one_tenant_is_nothing_at_another() {
    let idp = TestIdp::start().await;
    other_tenant(&idp, "other").await;
    let mut browser = Browser::new();
    browser.sign_in(&idp, &authorization(&[])).await;
    let session = browser.cookies["tenantry-session-acme"].clone();
    browser.cookies.insert("tenantry-session-other".into(), session);
    let query: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(authorization(&[])).finish();
    let page = browser.get(&format!("{}/t/other/oauth2/authorize?{query}", idp.base)).await;
    assert!(page.location().contains("/t/other/sign-in"), "{:?}", page.location);
}

#[actix_web::test]
async fn a_poisoned_host_header_is_answered_by_nobody() {
    let idp = TestIdp::start().await;
    for host in ["evil.example", "localhost", "localhost:1", "localhost@evil.example"] {
        let response =
            http().get(idp.url("/.well-known/openid-configuration")).header("host", host).send().await.unwrap();
        let (status, text) = (response.status().as_u16(), response.text().await.unwrap());
        assert!(matches!(status, 400 | 404 | 421), "{host}: {status}");
        assert!(!text.contains("evil.example/t/"), "{host}");
    }
    let forwarded = http()
        .get(idp.url("/.well-known/openid-configuration"))
        .header("x-forwarded-host", "evil.example")
        .header("forwarded", "host=evil.example");
    let document: serde_json::Value = forwarded.send().await.unwrap().json().await.unwrap();
    assert_eq!(document["issuer"], idp.issuer);
}

#[actix_web::test]
async fn nothing_that_is_sent_becomes_a_header_of_the_answer() {
    let idp = TestIdp::start().await;
    let evil = "x\r\nSet-Cookie: evil=1";
    let page = Browser::new().authorize(&idp, &authorization(&[("state", evil), ("prompt", "none")])).await;
    assert!(page.headers.get("set-cookie").is_none());
    assert_eq!(page.answer()["state"], evil);
    // A line break in a header that a client library would refuse to send.
    let mut stream = TcpStream::connect(idp.base.trim_start_matches("http://")).await.unwrap();
    let request = format!(
        "GET /t/acme/oauth2/jwks HTTP/1.1\r\nHost: {}\r\nX-Request-Id: a\rSet-Cookie: evil=1\r\nConnection: close\r\n\r\n",
        idp.base.trim_start_matches("http://")
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(!answer.to_lowercase().contains("evil"), "{answer}");
}

#[actix_web::test]
async fn what_is_too_large_or_malformed_is_refused() {
    let idp = TestIdp::start().await;
    let long = "x".repeat(5_000);
    let page = Browser::new().authorize(&idp, &authorization(&[("extra", &long)])).await;
    assert_eq!(page.status, 400, "the request is too long");
    let body = format!("grant_type={}", "x".repeat(400 * 1024));
    let request =
        http().post(idp.url("/oauth2/token")).header("content-type", "application/x-www-form-urlencoded").body(body);
    assert_eq!(request.send().await.unwrap().status(), 413);
    for header in [("authorization", "Basic !!!"), ("authorization", "Basic"), ("authorization", "Digest x")] {
        let request = http()
            .post(idp.url("/oauth2/token"))
            .header(header.0, header.1)
            .form(&[("grant_type", "client_credentials")]);
        assert_eq!(Reply::of(request.send().await.unwrap()).await.error(), (401, "invalid_client"), "{header:?}");
    }
    let mut many = authorization(&[]);
    many.extend((0..70).map(|i| (format!("p{i}"), "1".to_owned())));
    assert_eq!(Browser::new().authorize(&idp, &many).await.status, 400);
}

#[actix_web::test]
async fn whether_a_user_exists_cannot_be_told_from_the_time() {
    // Real parameters, so that the hash is what takes the time.
    let idp = TestIdp::start_with(|config| {
        config.passwords.argon2_memory_kib = 19_456;
        config.passwords.argon2_passes = 2;
        config.passwords.threads = 1;
    })
    .await;
    let mut fastest = Vec::new();
    for username in ["ada", "nobody"] {
        let mut times = Vec::new();
        for turn in 0..5 {
            let mut browser = Browser::new();
            let page = browser.authorize(&idp, &authorization(&[])).await;
            let started = Instant::now();
            assert_eq!(browser.submit_sign_in(&idp, &page, username, &format!("wrong {turn}")).await.status, 401);
            times.push(started.elapsed());
        }
        times.sort();
        fastest.push(times[0]);
    }
    // Without the decoy an unknown name costs no hash and is many times faster. Noise only ever adds, so the fastest of
    // each is compared.
    let (shorter, longer) = (fastest.iter().min().unwrap(), fastest.iter().max().unwrap());
    assert!(*longer < *shorter * 2 + Duration::from_millis(5), "{fastest:?}");
}

#[actix_web::test]
async fn every_answer_has_the_headers_that_browsers_need() {
    let idp = TestIdp::start().await;
    let page = Browser::new().authorize(&idp, &authorization(&[])).await;
    let json = http().get(idp.url("/oauth2/jwks")).send().await.unwrap();
    for headers in [&page.headers, json.headers()] {
        for name in ["content-security-policy", "x-content-type-options", "referrer-policy", "x-request-id"] {
            assert!(headers.contains_key(name), "{name}");
        }
    }
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    for rule in ["default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(rule), "{policy}");
    }
    assert!(!policy.contains("unsafe"));
}
