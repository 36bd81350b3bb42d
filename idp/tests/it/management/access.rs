//! Who is let in, and what the description says of it.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::Value;
use tenantry_idp::management::{self, Access};
use tenantry_types::TenantId;

use super::{ALL, Managed, ask_token, new_id, problem};
use crate::support::{Reply, claims, http};

/// The routes that anybody may call. This list may only shrink.
const PUBLIC: &[&str] = &["GET /admin/v1/openapi.json"];

/// The path of a route with a value for each name in it.
fn filled(path: &str, tenant: TenantId) -> String {
    let path =
        path.replace("{tenant_id}", tenant.as_str()).replace("{user_id}", &new_id()).replace("{session_id}", &new_id());
    path.replace("{domain}", "login.acme.example").replace("{client_id}", "app")
}

#[actix_web::test]
async fn every_route_asks_for_its_scope_of_a_client_of_a_platform_tenant() {
    let managed = Managed::start().await;
    let idp = &managed.idp;
    let other_audience = ask_token(idp, "platform", "api", "tenant_settings.read").await;
    let no_platform = ask_token(idp, "acme", "machine", "tenant_settings.read").await;
    let person = idp.tokens().await["access_token"].as_str().unwrap().to_owned();
    let bad = [other_audience.text("access_token"), no_platform.text("access_token"), &person, "a.b.c", "nonsense"];
    for route in management::routes().iter() {
        let path = filled(route.path, idp.tenant.id);
        let url = format!("{}{path}", idp.base);
        let name = format!("{} {}", route.method, route.path);
        let send = |token: Option<String>| {
            let method: Method = route.method.as_str().parse().unwrap();
            // A body that would be refused: nobody looks at it before they know who is calling.
            let mut request = http().request(method, &url).body("not JSON");
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            async move { Reply::of(request.send().await.unwrap()).await }
        };
        let Access::Scope(scope) = route.access else {
            assert!(PUBLIC.contains(&name.as_str()), "{name}");
            assert_eq!(send(None).await.status, 200, "{name}");
            continue;
        };
        let anonymous = send(None).await;
        assert_eq!(
            (anonymous.status, &anonymous.headers["www-authenticate"]),
            (401, &"Bearer".parse().unwrap()),
            "{name}"
        );
        for token in bad {
            let reply = send(Some(token.to_owned())).await;
            assert_eq!(reply.status, 401, "{name}: {}", reply.body);
            assert!(reply.headers["www-authenticate"].to_str().unwrap().contains("invalid_token"), "{name}");
        }
        let others: Vec<_> = ALL.split(' ').filter(|other| *other != scope).collect();
        let less = ask_token(idp, "platform", "api", &others.join(" ")).await;
        let reply = send(Some(less.text("access_token").to_owned())).await;
        assert_eq!(problem(&reply), (403, "forbidden"), "{name}");
        let challenge = reply.headers["www-authenticate"].to_str().unwrap().to_owned();
        assert!(challenge.contains("insufficient_scope") && challenge.contains(scope), "{name}: {challenge}");
        let only = ask_token(idp, "platform", "api", scope).await;
        let reply = send(Some(only.text("access_token").to_owned())).await;
        assert!(!matches!(reply.status, 401 | 403), "{name}: {}", reply.body);
    }
}

#[actix_web::test]
async fn a_token_is_for_the_management_api_or_for_the_resource_server() {
    let managed = Managed::start().await;
    let idp = &managed.idp;
    assert_eq!(claims(&managed.token)["aud"], format!("{}/admin/v1", idp.base));
    let mixed = ask_token(idp, "platform", "api", "admin.read tenant_settings.read").await;
    assert_eq!(mixed.error(), (400, "invalid_scope"));
    // All that is registered is a mixture too.
    let form = [("grant_type", "client_credentials"), ("client_id", "api"), ("client_secret", crate::support::SECRET)];
    let url = format!("{}/t/platform/oauth2/token", idp.base);
    let all = Reply::of(http().post(url).form(&form).send().await.unwrap()).await;
    assert_eq!(all.error(), (400, "invalid_scope"));
    assert_eq!(ask_token(idp, "acme", "machine", "admin.read").await.error(), (400, "invalid_scope"));
}

#[actix_web::test]
async fn what_is_taken_from_a_client_is_its_no_more_at_once() {
    let managed = Managed::start().await;
    assert_eq!(managed.get("/tenants").await.status, 200);
    let narrowed = "UPDATE clients SET scope = 'admin.users' WHERE client_id = 'api'";
    let gone = "UPDATE clients SET is_active = FALSE WHERE client_id = 'api'";
    for (change, status) in [(narrowed, 403), (gone, 401)] {
        managed.execute(change).await;
        assert_eq!(managed.get("/tenants").await.status, status, "{change}");
    }
}

#[actix_web::test]
async fn without_a_database_it_says_nothing_of_it() {
    // What is known already goes on being known, so that the caller is.
    let managed = Managed::start_with(|config| config.cache.seconds = 60).await;
    assert_eq!(managed.get("/tenants").await.status, 200);
    managed.idp.db.revert_migrations(&tenantry_idp::startup::MIGRATIONS).await.unwrap();
    for reply in [managed.get("/tenants").await, managed.delete(&managed.acme(&format!("/users/{}", new_id()))).await] {
        assert_eq!(problem(&reply), (500, "internal"));
        assert!(!reply.body.to_string().contains("table"), "{}", reply.body);
    }
}

#[actix_web::test]
async fn it_is_at_the_providers_own_address_only() {
    let managed = Managed::start().await;
    managed.put(&managed.acme("/domains/login.acme.example"), serde_json::json!({})).await;
    let request = http().get(format!("{}/admin/v1/tenants", managed.idp.base)).header("host", "login.acme.example");
    let reply = Reply::of(request.bearer_auth(&managed.token).send().await.unwrap()).await;
    assert_eq!(problem(&reply), (421, "misdirected-request"));
    let reply = managed.send(Method::POST, "/tenants", None).await;
    assert_eq!((reply.status, &reply.headers["allow"]), (405, &"GET, HEAD".parse().unwrap()));
}

#[actix_web::test]
async fn every_route_is_described_and_nothing_else() {
    let managed = Managed::start().await;
    let document = managed.get("/openapi.json").await.body;
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(operation["summary"].is_string(), "{method} {path}");
            for (status, answer) in operation["responses"].as_object().unwrap() {
                let has_content = answer["content"].is_object();
                assert!(has_content || status == "204", "{method} {path} {status}");
            }
            described.insert(format!("{} {path}", method.to_uppercase()));
        }
    }
    let registered: BTreeSet<_> =
        management::routes().iter().map(|route| format!("{} {}", route.method, route.path)).collect();
    assert_eq!(described, registered);
    let scopes = &document["paths"]["/admin/v1/tenants"]["get"]["security"];
    assert_eq!(scopes, &serde_json::json!([{"access_token": ["admin.read"]}]));
    assert_eq!(Value::Array(vec![]), document["paths"]["/admin/v1/openapi.json"]["get"]["security"]);
}
