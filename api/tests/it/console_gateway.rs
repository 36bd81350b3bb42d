//! `/console/api` and the pages that ask it: what scripts of the console may do, and what an attacker would try there.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tenantry_testing::markup::Markup;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::browser::{Browser, location, page};
use crate::support::{TestApi, problem};

/// A browser in which somebody has opened a page of the console.
struct Signed {
    browser: Browser,
    csrf: String,
    url: String,
}

fn meta(page: &Markup, name: &str) -> String {
    let found = page.all("meta").find(|meta| meta.attribute("name") == Some(name));
    found.unwrap().attribute("content").unwrap().to_owned()
}

impl Signed {
    async fn at(api: &TestApi) -> Self {
        let browser = Browser::new();
        browser.sign_in(api).await;
        let shell = page(browser.get(&format!("{}/console/sessions", api.url)).await, StatusCode::OK).await;
        Self { browser, csrf: meta(&shell, "console-csrf"), url: api.url.clone() }
    }

    async fn with(api: &TestApi, roles: &[&str]) -> Self {
        *api.idp.state().roles.lock().unwrap() = roles.iter().map(|role| (*role).to_owned()).collect();
        Self::at(api).await
    }

    async fn send(&self, method: Method, path: &str, more: &[(&str, &str)], body: Option<&Value>) -> Response {
        let mut headers = vec![("X-CSRF-Token", self.csrf.as_str()), ("Sec-Fetch-Site", "same-origin")];
        headers.extend(more);
        self.browser.ask(method, &format!("{}/console/api{path}", self.url), &headers, body).await
    }

    async fn get(&self, path: &str) -> Response {
        self.send(Method::GET, path, &[], None).await
    }
}

async fn data(response: Response, status: StatusCode) -> Value {
    let (found, text) = (response.status(), response.text().await.unwrap());
    assert_eq!(found, status, "{text}");
    serde_json::from_str::<Value>(&text).unwrap()["data"].clone()
}

fn kind(problem: &Value) -> &str {
    problem["type"].as_str().unwrap().rsplit('/').next().unwrap()
}

#[actix_web::test]
async fn a_script_does_what_the_person_may() {
    let api = TestApi::start().await;
    let ada = Signed::at(&api).await;
    let answer = ada.get("/v1/me").await;
    assert_eq!(answer.headers()["cache-control"], "no-store");
    assert!(answer.headers().contains_key("x-request-id"));
    let me = data(answer, StatusCode::OK).await;
    assert_eq!(me["client_id"], "tenantry-console");
    assert_eq!(me["roles"], json!(["administrator"]));

    let group = json!({"name": "Front desk"});
    let key = [("Idempotency-Key", "once"), ("Origin", api.url.as_str())];
    let made = ada.send(Method::POST, "/v1/groups", &key, Some(&group)).await;
    let tag = made.headers()["etag"].to_str().unwrap().to_owned();
    let first = data(made, StatusCode::CREATED).await;
    let again = data(ada.send(Method::POST, "/v1/groups", &key, Some(&group)).await, StatusCode::CREATED).await;
    assert_eq!(first["id"], again["id"], "a repeat is known by the person and the path of the API");
    let one = format!("/v1/groups/{}", first["id"].as_str().unwrap());
    let change = json!({"description": "Those who receive guests"});
    data(ada.send(Method::PATCH, &one, &[("If-Match", &tag)], Some(&change)).await, StatusCode::OK).await;
    problem(ada.send(Method::PATCH, &one, &[("If-Match", &tag)], Some(&change)).await, StatusCode::PRECONDITION_FAILED)
        .await;
    let listed = data(ada.get("/v1/groups?name=Front%20desk").await, StatusCode::OK).await;
    assert_eq!(listed[0]["description"], "Those who receive guests");
    // The audit trail names the person, as for any other request of theirs.
    let by = api.texts("SELECT actor_id AS value FROM audit_entries WHERE action = 'group.create'").await;
    assert_eq!(by, [me["subject"]["id"].as_str().unwrap()]);
    let question =
        json!({"subject": {"type": "user", "id": me["subject"]["id"]}, "resource": {"type": "role", "id": "x"}});
    let actions = ada.send(Method::POST, "/access/v1/search/action", &[], Some(&question)).await;
    assert_eq!(actions.status(), StatusCode::OK);
}

#[actix_web::test]
async fn who_is_not_signed_in_is_told_so() {
    let api = TestApi::start().await;
    let (nobody, ada) = (Browser::new(), Signed::at(&api).await);
    let url = format!("{}/console/api/v1/me", api.url);
    for cookie in [None, Some("x"), Some(&*"A".repeat(43))] {
        if let Some(value) = cookie {
            nobody.set_cookie("tenantry-console", value);
        }
        let answer = nobody.ask(Method::GET, &url, &[("X-CSRF-Token", &ada.csrf)], None).await;
        assert!(answer.headers().contains_key("www-authenticate"), "RFC 9110 §15.5.2");
        assert_eq!(kind(&problem(answer, StatusCode::UNAUTHORIZED).await), "session-ended");
        assert_eq!(nobody.cookie("tenantry-console"), None, "a cookie that is good for nothing is taken away");
    }
    // Somebody else's token in the header makes up for nothing.
    let token = api.administrator();
    let headers = [("Authorization", &*format!("Bearer {token}")), ("X-CSRF-Token", &*ada.csrf)];
    problem(nobody.ask(Method::GET, &url, &headers, None).await, StatusCode::UNAUTHORIZED).await;
}

#[actix_web::test]
async fn only_a_page_of_the_session_may_ask() {
    let api = TestApi::start().await;
    let (ada, eve) = (Signed::at(&api).await, Signed::at(&api).await);
    assert_ne!(ada.csrf, eve.csrf);
    let csrf = ada.csrf.as_str();
    let good = [("X-CSRF-Token", csrf)];
    let url = format!("{}/console/api/v1/groups", api.url);
    let body = json!({"name": "Forged"});
    let (short, long) = (&csrf[1..], format!("{csrf}x"));
    let forged: [Vec<(&str, &str)>; 12] = [
        vec![],
        vec![("X-CSRF-Token", "")],
        vec![("X-CSRF-Token", short)],
        vec![("X-CSRF-Token", &long)],
        vec![("X-CSRF-Token", &eve.csrf)],
        vec![("X-CSRF-Token", csrf), ("X-CSRF-Token", csrf)],
        // Fetch Metadata: another site, another host of the site, or the person's own address bar.
        [&good[..], &[("Sec-Fetch-Site", "cross-site")]].concat(),
        [&good[..], &[("Sec-Fetch-Site", "same-site")]].concat(),
        [&good[..], &[("Sec-Fetch-Site", "none")]].concat(),
        [&good[..], &[("Origin", "https://evil.example")]].concat(),
        [&good[..], &[("Origin", "null")]].concat(),
        [&good[..], &[("Origin", &api.url), ("Origin", "https://evil.example")]].concat(),
    ];
    for headers in &forged {
        for method in [Method::POST, Method::GET, Method::DELETE] {
            let sent = (method == Method::POST).then_some(&body);
            let answer = ada.browser.ask(method.clone(), &url, headers, sent).await;
            assert_eq!(kind(&problem(answer, StatusCode::FORBIDDEN).await), "not-of-this-page", "{method} {headers:?}");
        }
    }
    assert_eq!(api.count("user_groups").await, 0);
    // What a form of another site can send at all: no header, and a body that looks like JSON.
    let posted = ada.browser.post(&url, &[("{\"name\":\"Forged", "\"}")]).await;
    problem(posted, StatusCode::FORBIDDEN).await;
    // No preflight is answered, and no origin may read an answer, not even one that the tenant has registered.
    api.idp.set_origins("demo", &["https://app.example"]);
    for origin in ["https://evil.example", "https://app.example"] {
        let preflight = [
            ("Origin", origin),
            ("Access-Control-Request-Method", "POST"),
            ("Access-Control-Request-Headers", "x-csrf-token"),
        ];
        let answer = ada.browser.ask(Method::OPTIONS, &url, &preflight, None).await;
        assert!(!answer.status().is_success());
        assert!(!answer.headers().keys().any(|name| name.as_str().starts_with("access-control")));
    }
    let answer = ada.get("/v1/me").await;
    assert!(!answer.headers().keys().any(|name| name.as_str().starts_with("access-control")));
}

#[actix_web::test]
async fn nothing_of_the_browser_reaches_the_api() {
    let api = TestApi::start().await;
    let ada = Signed::with(&api, &["member"]).await;
    let stronger = format!("Bearer {}", api.administrator());
    let smuggled = [
        ("Authorization", stronger.as_str()),
        ("Proxy-Authorization", &stronger),
        ("DPoP", "x.y.z"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("X-Method-Override", "DELETE"),
        ("X-Forwarded-Prefix", "/console/api"),
        ("X-Original-URL", "/api/v1/users"),
        ("X-Rewrite-URL", "/api/v1/users"),
    ];
    let me = data(ada.send(Method::GET, "/v1/me", &smuggled, None).await, StatusCode::OK).await;
    assert_eq!(me["roles"], json!(["member"]), "the token is the one of the session");
    problem(ada.send(Method::GET, "/v1/users", &smuggled, None).await, StatusCode::FORBIDDEN).await;
    // A token in the query is refused as everywhere (RFC 9700 §4.3.2).
    let token = api.administrator();
    problem(ada.get(&format!("/v1/me?access_token={token}")).await, StatusCode::BAD_REQUEST).await;
    // And nothing is made a cookie of on the way back.
    assert!(!ada.get("/v1/me").await.headers().contains_key("set-cookie"));
}

#[actix_web::test]
async fn paths_lead_into_the_api_and_nowhere_else() {
    let api = TestApi::start().await;
    let ada = Signed::at(&api).await;
    let cookie = format!("tenantry-console={}", ada.browser.cookie("tenantry-console").unwrap());
    for path in [
        "/console/api",
        "/console/api/",
        "/console/api/v1/../../../console",
        "/console/api/../api/v1/me",
        "/console/api/v1/%2e%2e/%2e%2e/docs",
        "/console/api/v1%2f..%2fme",
        "/console/api/v1/users/%2e%2e%2fme",
        "/console/api/v1//me",
        "/console/api//v1/me",
        "/console/api/v1/me/",
        "/console/api/console/api/v1/me",
        "/console/api/v1/%252e%252e/me",
        "/console/api/v2/me",
        "/console/api/livez",
        "/console/api/metrics",
        "/console/api/console/sign-out",
        "/console/%61pi/v1/me",
        "/Console/api/v1/me",
        "/console/api;x/v1/me",
    ] {
        // As it stands: a client that follows the rules would shorten some of them by itself.
        let host = api.url.strip_prefix("http://").unwrap();
        let mut stream = tokio::net::TcpStream::connect(api.handle.address()).await.unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nX-CSRF-Token: {}\r\nConnection: close\r\n\r\n",
            ada.csrf
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 404 "), "{path}: {}", &answer[..answer.len().min(200)]);
        assert!(!answer.contains("\"subject\""), "{path}");
    }
}

#[actix_web::test]
async fn somebody_with_few_rights_has_few_rights() {
    let api = TestApi::start().await;
    let member = Signed::with(&api, &["member"]).await;
    let shell = member.browser.get(&format!("{}/console/users", api.url)).await;
    let shell = page(shell, StatusCode::OK).await;
    assert_eq!(meta(&shell, "console-permissions"), "tenant_settings.read");
    for (method, path, body) in [
        (Method::GET, "/v1/users", None),
        (Method::POST, "/v1/users", Some(json!({"email": "a@b.example"}))),
        (Method::GET, "/v1/audit/entries", None),
        (Method::POST, "/v1/roles", Some(json!({"name": "Mine", "role_family": "Internal", "permissions": ["*"]}))),
        (Method::GET, "/v1/tenants", None),
    ] {
        let answer = member.send(method, path, &[], body.as_ref()).await;
        let challenge = answer.headers()["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.contains("insufficient_scope"), "{challenge}");
        let refused = problem(answer, StatusCode::FORBIDDEN).await;
        assert_eq!(kind(&refused), "forbidden", "{path}");
        assert!(refused["detail"].as_str().unwrap().starts_with("your roles do not allow "));
    }
    let everything = Signed::with(&api, &["administrator"]).await;
    let shell = everything.browser.get(&format!("{}/console/users", api.url)).await;
    let permissions = meta(&page(shell, StatusCode::OK).await, "console-permissions");
    for permission in ["account.create", "policy.update", "audit.read"] {
        assert!(permissions.split(' ').any(|held| held == permission), "{permission} in {permissions}");
    }
}

#[actix_web::test]
async fn tokens_are_renewed_on_the_way() {
    let api = TestApi::start().await;
    let ada = Signed::at(&api).await;
    api.clock.advance(Duration::from_secs(600));
    let answers = futures_util::future::join_all((0..6).map(|_| ada.get("/v1/me"))).await;
    for answer in answers {
        data(answer, StatusCode::OK).await;
    }
    assert_eq!(api.idp.state().refreshes.load(Ordering::SeqCst), 1, "however many ask");

    // While the provider is away a good token is used, and a stale one is nobody's end.
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    data(ada.get("/v1/me").await, StatusCode::OK).await;
    api.clock.advance(Duration::from_secs(600));
    let unavailable = ada.get("/v1/me").await;
    assert!(unavailable.headers().contains_key("retry-after"));
    problem(unavailable, StatusCode::SERVICE_UNAVAILABLE).await;
    api.idp.state().is_down.store(false, Ordering::SeqCst);
    data(ada.get("/v1/me").await, StatusCode::OK).await;

    // What the provider ends is over, here as well.
    api.idp.state().forget_refresh_tokens();
    api.clock.advance(Duration::from_secs(600));
    assert_eq!(kind(&problem(ada.get("/v1/me").await, StatusCode::UNAUTHORIZED).await), "session-ended");
    assert_eq!(ada.browser.cookie("tenantry-console"), None);
}

#[actix_web::test]
async fn somebody_who_was_switched_off_is_signed_out() {
    let api = TestApi::start().await;
    let (ada, bob) = (Signed::at(&api).await, Signed::at(&api).await);
    let me = data(bob.get("/v1/me").await, StatusCode::OK).await;
    let id = me["subject"]["id"].as_str().unwrap();
    api.accounts.add(api.idp.tenant("demo").id, id.parse().unwrap(), "bob@demo.example");
    let one = format!("/v1/users/{id}");
    data(ada.send(Method::PATCH, &one, &[("If-Match", "*")], Some(&json!({"status": "banned"}))).await, StatusCode::OK)
        .await;
    assert_eq!(kind(&problem(bob.get("/v1/me").await, StatusCode::UNAUTHORIZED).await), "session-ended");
    assert_eq!(bob.browser.cookie("tenantry-console"), None);
    assert_eq!(api.count("console_sessions").await, 1);
}

#[actix_web::test]
async fn a_database_that_is_away_is_said_to_be() {
    let api = TestApi::start().await;
    let ada = Signed::at(&api).await;
    api.execute("ALTER TABLE console_sessions RENAME TO hidden").await;
    let answer = problem(ada.get("/v1/me").await, StatusCode::INTERNAL_SERVER_ERROR).await;
    assert!(answer.get("detail").is_none());
}

#[actix_web::test]
async fn a_deep_link_waits_for_the_sign_in() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    let deep = "/console/users?search=a%20b&status=active";
    let landing = page(browser.get(&format!("{}{deep}", api.url)).await, StatusCode::OK).await;
    assert_eq!(landing.value("return_to"), Some(deep));
    let begin = |return_to: &str| {
        let query = url::form_urlencoded::Serializer::new(String::new()).append_pair("return_to", return_to).finish();
        format!("{}/console/sign-in?tenant=demo&{query}", api.url)
    };
    for (asked, lands) in [
        (deep, deep),
        ("/console/policies/1/versions", "/console/policies/1/versions"),
        ("https://evil.example/console/users", "/console"),
        ("//evil.example/console/users", "/console"),
        ("/\\evil.example", "/console"),
        ("/console/users/../../docs", "/console"),
        ("/console/sign-out", "/console"),
        ("javascript:alert(1)", "/console"),
    ] {
        let to_provider = browser.get(&begin(asked)).await;
        let back = browser.get(&location(&to_provider)).await;
        assert_eq!(location(&browser.get(&location(&back)).await), lands, "{asked}");
    }
    // What was typed wrong is asked again without losing the place.
    let wrong = begin(deep).replace("tenant=demo", "tenant=missing");
    let again = page(Browser::new().get(&wrong).await, StatusCode::NOT_FOUND).await;
    assert_eq!(again.value("return_to"), Some(deep));
}

#[actix_web::test]
async fn pages_of_scripts_run_only_ours() {
    let api = TestApi::start().await;
    let ada = Signed::at(&api).await;
    let response = ada.browser.get(&format!("{}/console/users", api.url)).await;
    let policy = response.headers()["content-security-policy"].to_str().unwrap().to_owned();
    for directive in
        ["script-src 'self'", "connect-src 'self'", "require-trusted-types-for 'script'", "trusted-types 'none'"]
    {
        assert!(policy.contains(directive), "{policy}");
    }
    let shell = page(response, StatusCode::OK).await;
    for script in shell.all("script").filter_map(|script| script.attribute("src")) {
        let module = api.get(script).await;
        assert!(module.headers()["cache-control"].to_str().unwrap().contains("immutable"));
        assert_eq!(module.headers()["content-type"], "text/javascript; charset=utf-8");
    }
    for missing in ["/console/nonsense", "/console/nonsense/more", "/console/users2"] {
        let answer = ada.browser.get(&format!("{}{missing}", api.url)).await;
        page(answer, StatusCode::NOT_FOUND).await;
    }
    problem(api.get("/console/assets/00000000/app.js").await, StatusCode::NOT_FOUND).await;
}
