//! Tokens: they are for the tenant that they name, wherever a request says something else.

use reqwest::StatusCode;
use serde_json::Value;
use tenantry_api::routes;

use super::Tenant;
use super::operations::operations;
use crate::support::{TestApi, problem};

/// The kinds of tokens that name a tenant which did not sign them, or that it did not sign for this.
async fn forged(api: &TestApi, own: &Tenant, other: &Tenant) -> Vec<String> {
    let (key, theirs) = (api.idp.tenant(own.slug).key, api.idp.user_claims(other.slug, &api.url));
    let with = |name: &str, value: Value| {
        let mut claims = theirs.clone();
        claims[name] = value;
        claims
    };
    let administrator = api.id_of(&other.token).await;
    [
        // Everything of the other tenant but the signature.
        theirs.clone(),
        with("sub", administrator.clone().into()),
        // One's own issuer, and the other's tenant.
        with("iss", api.idp.issuer(own.slug).into()),
        with("tenant_id", own.id.clone().into()),
    ]
    .iter()
    .map(|claims| key.sign_jwt("at+jwt", claims).unwrap())
    .collect()
}

#[actix_web::test]
async fn no_operation_takes_a_token_that_another_tenant_made() {
    let api = TestApi::start().await;
    let (own, other) = (Tenant::furnish(&api, "amber").await, Tenant::furnish(&api, "birch").await);
    let tokens = forged(&api, &own, &other).await;
    for operation in &operations(&api).await {
        let path = operation.path_to(&other.things);
        for token in &tokens {
            let response = operation.request_for_any(&api, token, &path, None).send().await.unwrap();
            let name = operation.name();
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{name}");
            assert!(!response.text().await.unwrap().contains(&other.marker), "{name}");
        }
    }
}

#[actix_web::test]
async fn no_operation_goes_where_another_tenant_is_named() {
    let api = TestApi::start().await;
    let (own, other) = (Tenant::furnish(&api, "amber").await, Tenant::furnish(&api, "birch").await);
    let verified = format!(
        "UPDATE tenant_domains SET verified_domain = domain, verified_at = created_at WHERE domain = '{}'",
        other.domain()
    );
    api.execute(verified.leak()).await;
    let mut done = 0;
    for operation in &operations(&api).await {
        let path = operation.path_to(&own.things);
        for named in [other.slug, &other.id] {
            let path = format!("{path}?tenant={named}");
            let response = operation.request_for_any(&api, &own.token, &path, None).send().await.unwrap();
            let problem = problem(response, StatusCode::FORBIDDEN).await;
            assert!(problem["type"].as_str().unwrap().ends_with("/other-tenant"), "{path}: {problem}");
        }
        let request = operation.request_for_any(&api, &own.token, &path, None).header("Host", other.domain());
        problem(request.send().await.unwrap(), StatusCode::MISDIRECTED_REQUEST).await;
        done += 1;
    }
    let protected = routes::table().iter().filter(|route| route.access != tenantry_api::access::Access::Public).count();
    assert_eq!(done, protected, "every operation that needs a token is described, and was tried");
}
