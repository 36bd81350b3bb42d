//! What operators rely on: health, logs without secrets, replicas.

use std::process::Stdio;

use serde_json::Value;

use crate::cli::Program;
use crate::support::{Browser, PASSWORD, Reply, TestIdp, authorization, free_port, http};

#[actix_web::test]
async fn health_says_what_is_there_and_what_is_missing() {
    let idp = TestIdp::start().await;
    let get = |path: &'static str| {
        let url = format!("{}{path}", idp.base);
        async move { Reply::of(http().get(url).send().await.unwrap()).await }
    };
    assert_eq!(get("/livez").await.status, 200);
    let ready = get("/readyz").await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.body["checks"]["database"]["status"], "ok");
    assert_eq!(ready.body["checks"]["migrations"]["status"], "ok");
}

#[actix_web::test]
async fn a_sign_in_begun_on_one_replica_goes_on_at_another() {
    let redis = std::env::var("TEST_REDIS_URL").ok();
    let first = TestIdp::start_with(|config| {
        config.redis.url = redis.as_deref().map(Into::into);
        config.cache.seconds = 1;
    })
    .await;
    let port = free_port();
    let second = first.replica(port).await;
    // A proxy sends every request to the other replica than the one before.
    let proxied = Alternating { addresses: [first.config.http.listen.port(), port], turn: 0.into() };
    let mut browser = Browser::new();
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(authorization(&[])).finish();
    let page = proxied.get(&first, &mut browser, &first.url(&format!("/oauth2/authorize?{query}"))).await;
    let page = proxied.get(&first, &mut browser, page.location()).await;
    let mut form = page.markup().hidden_values();
    form.extend([("username".into(), "ada".into()), ("password".into(), PASSWORD.into())]);
    let page = proxied.post(&first, &mut browser, &first.url("/sign-in"), &form).await;
    let page = proxied.get(&first, &mut browser, page.location()).await;
    let code = page.answer()["code"].clone();
    let tokens = first.exchange(&code).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    second.stop(false).await;
}

struct Alternating {
    addresses: [u16; 2],
    turn: std::sync::atomic::AtomicUsize,
}

impl Alternating {
    fn target(&self, idp: &TestIdp, url: &str) -> (String, String) {
        let turn = self.turn.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let host = idp.base.trim_start_matches("http://").to_owned();
        (url.replace(&idp.base, &format!("http://127.0.0.1:{}", self.addresses[turn % 2])), host)
    }

    async fn get(&self, idp: &TestIdp, browser: &mut Browser, url: &str) -> crate::support::Page {
        let (url, host) = self.target(idp, url);
        browser.get_with(&url, &[("host", &host)]).await
    }

    async fn post(
        &self,
        idp: &TestIdp,
        browser: &mut Browser,
        url: &str,
        form: &[(String, String)],
    ) -> crate::support::Page {
        let (url, host) = self.target(idp, url);
        browser.post_with(&url, form, &[("host", &host)]).await
    }
}

#[actix_web::test]
async fn a_whole_day_of_logs_holds_no_secret() {
    let mut program = Program::new().await;
    let port = free_port();
    let base = format!("http://localhost:{port}");
    for (key, value) in [
        ("HTTP__LISTEN", format!("127.0.0.1:{port}")),
        ("HTTP__PUBLIC_URL", base.clone()),
        ("METRICS__LISTEN", format!("127.0.0.1:{}", free_port())),
        ("TELEMETRY__FORMAT", "json".into()),
        ("TELEMETRY__FILTER", "debug,hyper=info".into()),
    ] {
        program.variables.push((format!("TENANTRY_IDP__{key}"), value));
    }
    program.json(&["migrate"]);
    program.json(&["demo"]);
    let demo: Value =
        serde_json::from_str(&std::fs::read_to_string(program.folder.path().join("data/demo.json")).unwrap()).unwrap();
    let log = program.folder.path().join("log");
    let mut server =
        program.command(&["serve"]).stdout(Stdio::null()).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    while http().get(format!("{base}/readyz")).send().await.is_err() {
        tokio::task::yield_now().await;
    }
    let issuer = format!("{base}/t/demo");
    let password = demo["users"][1]["password"].as_str().unwrap();
    let mut secrets = vec![password.to_owned()];

    let mut browser = Browser::new();
    let params = authorization(&[("client_id", "demo-public"), ("redirect_uri", "http://localhost:3000/callback")]);
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&params).finish();
    let mut page = browser.get(&format!("{issuer}/oauth2/authorize?{query}")).await;
    for _ in 0..8 {
        if let Some(location) = page.location.clone() {
            if location.starts_with("http://localhost:3000") {
                break;
            }
            page = browser.get(&location).await;
        } else if page.html.contains("id=\"sign-in\"") {
            let mut form = page.markup().hidden_values();
            form.extend([("username".into(), "user@demo.example".into()), ("password".into(), password.into())]);
            page = browser.post(&format!("{issuer}/sign-in"), &form).await;
        } else {
            let mut form = page.markup().hidden_values();
            form.push(("decision".into(), "allow".into()));
            page = browser.post(&format!("{issuer}/consent"), &form).await;
        }
    }
    let code = page.answer()["code"].clone();
    let exchange = http().post(format!("{issuer}/oauth2/token")).form(&[
        ("grant_type", "authorization_code"),
        ("client_id", "demo-public"),
        ("code", &code),
        ("redirect_uri", "http://localhost:3000/callback"),
        ("code_verifier", crate::support::VERIFIER),
    ]);
    let tokens = Reply::of(exchange.send().await.unwrap()).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let machine = &demo["clients"]["machine"];
    let machine_secret = machine["client_secret"].as_str().unwrap();
    let request = http()
        .post(format!("{issuer}/oauth2/token"))
        .basic_auth("demo-machine", Some(machine_secret))
        .header("x-request-id", "a-request-of-the-test")
        .form(&[("grant_type", "client_credentials")]);
    let machine_tokens = Reply::of(request.send().await.unwrap()).await;
    assert_eq!(machine_tokens.status, 200);

    secrets.extend(browser.cookies.values().cloned());
    secrets.push(code);
    secrets.push(machine_secret.to_owned());
    for name in ["access_token", "refresh_token", "id_token"] {
        secrets.push(tokens.text(name).to_owned());
    }
    secrets.push(machine_tokens.text("access_token").to_owned());
    let pid = server.id().to_string();
    std::process::Command::new("kill").args(["-TERM", &pid]).status().unwrap();
    assert!(server.wait().unwrap().success(), "it stops cleanly");
    let text = std::fs::read_to_string(&log).unwrap();
    assert!(text.contains("a-request-of-the-test") && text.contains("\"tenant\":\"demo\""), "{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "a secret is in the log");
        // Not even the part of a token that makes it work.
        let tail = secret.rsplit('.').next().unwrap();
        assert!(tail.len() < 20 || !text.contains(tail));
    }
}
