//! What operators rely on: health, logs without secrets.

use serde_json::Value;

use crate::cli::Program;
use crate::support::{Browser, Reply, TestIdp, authorization, http};

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
    for check in ["database", "migrations", "keys"] {
        assert_eq!(ready.body["checks"][check]["status"], "ok", "{}", ready.body);
    }
}

#[actix_web::test]
async fn a_whole_day_of_logs_holds_no_secret() {
    let (mut program, base) = Program::serving_the_demo().await;
    program.variables.push(("TENANTRY_IDP__TELEMETRY__FORMAT".into(), "json".into()));
    program.variables.push(("TENANTRY_IDP__TELEMETRY__FILTER".into(), "debug,hyper=info".into()));
    let demo: Value =
        serde_json::from_str(&std::fs::read_to_string(program.folder.path().join("data/demo.json")).unwrap()).unwrap();
    let server = program.serve();
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
    let (status, text) = server.stop();
    assert!(status.success(), "it stops cleanly");
    assert!(text.contains("a-request-of-the-test") && text.contains("\"tenant\":\"demo\""), "{text}");
    for secret in secrets {
        assert!(!text.contains(&secret), "a secret is in the log");
        // Not even the part of a token that makes it work.
        let tail = secret.rsplit('.').next().unwrap();
        assert!(tail.len() < 20 || !text.contains(tail));
    }
}
