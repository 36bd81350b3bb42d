//! `GET /api/v1/openapi.json`.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::support::TestApi;

/// Every `$ref` leads somewhere.
fn check_references(document: &Value, value: &Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::String(reference)) = members.get("$ref") {
                let pointer = reference.strip_prefix('#').unwrap();
                assert!(document.pointer(pointer).is_some(), "{reference}");
            }
            members.values().for_each(|member| check_references(document, member));
        }
        Value::Array(items) => items.iter().for_each(|item| check_references(document, item)),
        _ => {}
    }
}

#[actix_web::test]
async fn the_document_is_whole() {
    let api = TestApi::start().await;
    let response = api.get("/api/v1/openapi.json").await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    let document: Value = response.json().await.unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1."));
    assert_eq!(document["servers"][0]["url"], api.url);
    check_references(&document, &document);

    let put = &document["paths"]["/api/v1/tenant/settings"]["put"];
    assert_eq!(put["security"][0]["access_token"][0], "tenant_settings.update");
    for status in ["200", "400", "401", "403", "412", "413", "415", "422", "428", "503"] {
        assert!(put["responses"].get(status).is_some(), "{status}");
    }
    let schema = "/content/application~1problem+json/schema/$ref";
    assert_eq!(put["responses"]["422"].pointer(schema).unwrap(), "#/components/schemas/Problem");
    assert_eq!(document["paths"]["/api/v1/openapi.json"]["get"]["security"], json!([]));
}

#[actix_web::test]
async fn tokens_are_sent_plainly_or_with_a_proof_of_possession() {
    let api = TestApi::start().await;
    let document: Value = api.get("/api/v1/openapi.json").await.json().await.unwrap();
    let schemes = &document["components"]["securitySchemes"];
    assert_eq!(
        (&schemes["access_token"]["type"], &schemes["access_token"]["scheme"]),
        (&json!("http"), &json!("bearer"))
    );
    let dpop = &schemes["dpop_access_token"];
    assert_eq!((&dpop["type"], &dpop["scheme"]), (&json!("http"), &json!("DPoP")));
    let mut protected = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let either = operation["security"].as_array().unwrap();
            if either.is_empty() {
                continue;
            }
            let scopes = &either[0]["access_token"];
            assert!(scopes.is_array(), "{method} {path}");
            assert_eq!(
                *either,
                [json!({"access_token": scopes}), json!({"dpop_access_token": scopes})],
                "{method} {path}"
            );
            protected += 1;
        }
    }
    assert!(protected > 60, "{protected}");
}

#[actix_web::test]
async fn every_operation_is_described_with_an_example() {
    let api = TestApi::start().await;
    let document: Value = api.get("/api/v1/openapi.json").await.json().await.unwrap();
    let (mut ids, mut without) = (std::collections::BTreeSet::new(), Vec::new());
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            assert!(!operation["summary"].as_str().unwrap_or_default().is_empty(), "{method} {path}");
            assert!(ids.insert(operation["operationId"].as_str().unwrap()), "{method} {path}");
            assert!(!operation["tags"].as_array().unwrap().is_empty(), "{method} {path}");
            // The description has no example of itself, and what a PUT answers is what a GET does.
            if path.ends_with("openapi.json") {
                continue;
            }
            let responses = &operation["responses"];
            let described = [&operation["requestBody"], &responses["200"], &responses["201"]];
            let mut bodies =
                described.into_iter().filter_map(|body| body["content"].as_object()).flat_map(|all| all.values());
            if bodies.next().is_some_and(|body| body.get("example").is_none()) {
                without.push(format!("{method} {path}"));
            }
        }
    }
    assert_eq!(without, Vec::<String>::new());
}
