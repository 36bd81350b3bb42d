//! `/.well-known/…` and `/oauth2/jwks`.

use serde_json::Value;

use crate::support::{Browser, Reply, TestIdp, http, other_tenant};

async fn get(url: &str) -> Reply {
    Reply::of(http().get(url).send().await.unwrap()).await
}

#[actix_web::test]
async fn both_metadata_documents_say_what_works() {
    let idp = TestIdp::start().await;
    let document = get(&idp.url("/.well-known/openid-configuration")).await;
    assert_eq!(document.status, 200);
    assert_eq!(document.text("issuer"), idp.issuer);
    assert_eq!(document.body["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document.body["response_types_supported"], serde_json::json!(["code"]));
    assert_eq!(document.body["authorization_response_iss_parameter_supported"], true);
    for endpoint in
        ["authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri", "end_session_endpoint"]
    {
        let url = document.text(endpoint);
        assert!(url.starts_with(&idp.issuer), "{endpoint}");
        assert_ne!(get(url).await.status, 404, "{endpoint} answers");
    }
    // RFC 8414 §3.1: the well-known part before the path of the issuer; and, as many clients do it, after.
    let before = get(&format!("{}/.well-known/oauth-authorization-server/t/acme", idp.base)).await;
    let after = get(&idp.url("/.well-known/oauth-authorization-server")).await;
    assert_eq!(before.body, document.body);
    assert_eq!(after.body, document.body);
}

#[actix_web::test]
async fn the_key_set_is_public_and_cacheable_and_holds_no_private_key() {
    let idp = TestIdp::start().await;
    let keys = get(&idp.url("/oauth2/jwks")).await;
    assert_eq!(keys.status, 200);
    assert!(keys.headers["cache-control"].to_str().unwrap().contains("max-age=300"));
    let keys = keys.body["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 1);
    assert_eq!(keys[0]["alg"], "ES256");
    assert_eq!(keys[0]["use"], "sig");
    assert!(keys[0].get("d").is_none());
}

#[actix_web::test]
async fn every_tenant_has_keys_of_its_own() {
    let idp = TestIdp::start().await;
    other_tenant(&idp, "other").await;
    let ours = get(&idp.url("/oauth2/jwks")).await.body;
    let theirs = get(&format!("{}/t/other/oauth2/jwks", idp.base)).await.body;
    assert_ne!(ours["keys"][0]["kid"], theirs["keys"][0]["kid"]);
}

#[actix_web::test]
async fn resource_servers_can_ask_whose_an_issuer_is() {
    let idp = TestIdp::start().await;
    let ask = |issuer: String| {
        let base = idp.base.clone();
        async move {
            let url = format!("{base}/.well-known/tenantry/issuer");
            let url = url::Url::parse_with_params(&url, &[("issuer", issuer)]).unwrap();
            Reply::of(http().get(url).send().await.unwrap()).await
        }
    };
    let known = ask(idp.issuer.clone()).await;
    assert_eq!(known.body["tenant"]["id"], Value::String(idp.tenant.id.to_string()));
    assert_eq!(known.body["jwks_uri"], format!("{}/oauth2/jwks", idp.issuer));
    let origins = serde_json::json!(["http://127.0.0.1", "http://localhost:8081", "https://app.example.com"]);
    assert_eq!(known.body["allowed_origins"], origins, "the console is a client as well");
    for unknown in [
        format!("{}/t/nobody", idp.base),
        format!("{}/t/acme/", idp.base),
        format!("{}/t/../t/acme", idp.base),
        format!("{}.evil.example/t/acme", idp.base),
        "https://evil.example".to_owned(),
        "javascript:alert(1)".to_owned(),
        String::new(),
    ] {
        let reply = ask(unknown.clone()).await;
        assert_eq!(reply.status, 404, "{unknown}");
    }
}

#[actix_web::test]
async fn public_documents_can_be_read_by_scripts_of_any_origin() {
    let idp = TestIdp::start().await;
    let request = http().get(idp.url("/oauth2/jwks")).header("origin", "https://anywhere.example");
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
}

#[actix_web::test]
async fn an_unknown_tenant_is_not_found() {
    let idp = TestIdp::start().await;
    let page = Browser::new().get(&format!("{}/t/nobody/oauth2/authorize?client_id=app", idp.base)).await;
    assert_eq!(page.status, 404);
    assert_eq!(page.markup().faults(), Vec::<String>::new(), "a person gets a page");
    assert!(page.html.contains("nobody to sign in with at this address"), "{}", page.html);
    for path in
        ["/t/nobody/.well-known/openid-configuration", "/.well-known/openid-configuration", "/t/Acme/oauth2/jwks"]
    {
        assert_eq!(get(&format!("{}{path}", idp.base)).await.status, 404, "{path}");
    }
}
