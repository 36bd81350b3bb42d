//! Issuers at a domain of their own (`tenant_domains`): the same endpoints at the root of a host.

use diesel::connection::SimpleConnection as _;
use serde_json::Value;
use tenantry_db::DbError;
use tenantry_types::{Id, SystemClock, SystemRandom};

use crate::support::{
    Browser, PASSWORD, Page, REDIRECT_URI, Reply, SECRET, TestIdp, VERIFIER, authorization, claims, http,
};

const DOMAIN: &str = "login.acme.example";
const ISSUER: &str = "https://login.acme.example";

async fn add_domain(idp: &TestIdp, domain: &str, verified_at: &str) {
    let id: Id<()> = Id::new(&SystemClock, &SystemRandom);
    let statement = format!(
        "INSERT INTO tenant_domains (id, tenant_id, domain, is_primary, verified_at, created_at)
         VALUES ('{id}', '{}', '{domain}', TRUE, {verified_at}, '2026-01-01 00:00:00')",
        idp.tenant.id
    );
    idp.db.write(move |conn| Ok::<_, DbError>(conn.batch_execute(&statement)?)).await.unwrap();
}

async fn start() -> TestIdp {
    let idp = TestIdp::start().await;
    add_domain(&idp, DOMAIN, "'2026-01-01 00:00:00'").await;
    add_domain(&idp, "unverified.acme.example", "NULL").await;
    idp
}

/// The address of this machine for one of a login domain, as DNS and a proxy that ends TLS would give it.
fn here(idp: &TestIdp, path_or_url: &str) -> String {
    let path = path_or_url.strip_prefix(ISSUER).unwrap_or(path_or_url);
    format!("http://{}{path}", idp.config.http.listen)
}

async fn get(idp: &TestIdp, host: &str, path: &str) -> Reply {
    Reply::of(http().get(here(idp, path)).header("host", host).send().await.unwrap()).await
}

async fn post(idp: &TestIdp, path: &str, form: &[(&str, &str)]) -> Reply {
    Reply::of(http().post(here(idp, path)).header("host", DOMAIN).form(form).send().await.unwrap()).await
}

#[actix_web::test]
async fn a_verified_domain_is_an_issuer_of_its_tenant() {
    let idp = start().await;
    let document = get(&idp, DOMAIN, "/.well-known/openid-configuration").await;
    assert_eq!(document.text("issuer"), ISSUER);
    for (name, value) in document.body.as_object().unwrap() {
        if name.ends_with("_endpoint") || name == "jwks_uri" {
            assert!(value.as_str().unwrap().starts_with(&format!("{ISSUER}/")), "{name}: {value}");
        }
    }
    assert_eq!(get(&idp, DOMAIN, "/.well-known/oauth-authorization-server").await.body, document.body);
    let keys = get(&idp, DOMAIN, "/oauth2/jwks").await.body;
    let by_path = Reply::of(http().get(idp.url("/oauth2/jwks")).send().await.unwrap()).await.body;
    assert_eq!(keys, by_path, "the keys are the tenant's, whichever way it is reached");

    let whose =
        url::Url::parse_with_params(&format!("{}/.well-known/tenantry/issuer", idp.base), &[("issuer", ISSUER)]);
    let whose = Reply::of(http().get(whose.unwrap()).send().await.unwrap()).await;
    assert_eq!(whose.body["tenant"]["id"], Value::String(idp.tenant.id.to_string()));
    assert_eq!(whose.body["jwks_uri"], format!("{ISSUER}/oauth2/jwks"));
}

#[actix_web::test]
async fn people_sign_in_there_with_cookies_of_that_host_only() {
    let idp = start().await;
    let mut browser = Browser::new();
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(authorization(&[])).finish();
    let host = [("host", DOMAIN)];
    let follow = async |browser: &mut Browser, mut page: Page| {
        while page.location.as_deref().is_some_and(|location| location.starts_with(ISSUER)) {
            page = browser.get_with(&here(&idp, page.location()), &host).await;
        }
        page
    };
    let page = browser.get_with(&here(&idp, &format!("/oauth2/authorize?{query}")), &host).await;
    let page = follow(&mut browser, page).await;
    let mut form = page.markup().hidden_values();
    form.extend([("username".into(), "ada".into()), ("password".into(), PASSWORD.into())]);
    let from_there = [("host", DOMAIN), ("origin", ISSUER)];
    let page = browser.post_with(&here(&idp, "/sign-in"), &form, &from_there).await;
    let cookie = page.headers.get_all("set-cookie").iter().find_map(|cookie| {
        let cookie = cookie.to_str().unwrap();
        cookie.contains("session").then(|| cookie.to_owned())
    });
    let cookie = cookie.expect("a session");
    assert!(cookie.starts_with("__Host-") && cookie.contains("Secure") && cookie.contains("HttpOnly"), "{cookie}");
    let answer = follow(&mut browser, page).await.answer();
    assert_eq!(answer["iss"], ISSUER, "RFC 9207");

    let exchange = [
        ("grant_type", "authorization_code"),
        ("client_id", "app"),
        ("code", &answer["code"]),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    let tokens = post(&idp, "/oauth2/token", &exchange).await;
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    for name in ["access_token", "id_token"] {
        assert_eq!(claims(tokens.text(name))["iss"], ISSUER, "{name}");
    }
    let userinfo = |url: String| http().get(url).bearer_auth(tokens.text("access_token"));
    let there = userinfo(here(&idp, "/oauth2/userinfo")).header("host", DOMAIN).send().await.unwrap();
    assert_eq!(there.status(), 200);
    let elsewhere = userinfo(idp.url("/oauth2/userinfo")).send().await.unwrap();
    assert_eq!(elsewhere.status(), 401, "each issuer takes what it issued");
}

#[actix_web::test]
async fn a_host_that_is_nobodys_is_answered_by_nobody() {
    let idp = start().await;
    for (host, path) in [
        ("unverified.acme.example", "/.well-known/openid-configuration"),
        ("evil.example", "/oauth2/jwks"),
        // A login domain has one tenant, which no path changes.
        (DOMAIN, "/t/acme/.well-known/openid-configuration"),
    ] {
        assert_eq!(get(&idp, host, path).await.status, 421, "{host}{path}");
    }
    let machine = [("grant_type", "client_credentials"), ("client_id", "machine"), ("client_secret", SECRET)];
    assert_eq!(claims(post(&idp, "/oauth2/token", &machine).await.text("access_token"))["iss"], ISSUER);
}
