//! Those who run the platform reach into other tenants where that is what an operation is for, and nowhere else; what they
//! do is told where they do it, and what they look at where they are.

use std::collections::BTreeSet;
use std::time::Duration;

use reqwest::{Method, StatusCode};

use super::Tenant;
use super::ids::attack;
use super::operations::{Operation, operations};
use crate::support::{TestApi, within};

/// What administrators of the platform may do to another tenant's. This list may only shrink.
const EXPLICIT: &[&str] = &[
    "DELETE /api/v1/tenants/{id}/domains/{domain}",
    "GET /api/v1/tenants/{id}",
    "GET /api/v1/tenants/{id}/config",
    "GET /api/v1/tenants/{id}/domains",
    "GET /api/v1/tenants/{id}/domains/{domain}",
    "GET /api/v1/tenants/{id}/modules",
    "GET /api/v1/tenants/{id}/modules/{name}",
    "PATCH /api/v1/tenants/{id}",
    "PATCH /api/v1/tenants/{id}/config",
    "POST /api/v1/tenants/{id}/activate",
    "POST /api/v1/tenants/{id}/deactivate",
    "POST /api/v1/tenants/{id}/domains",
    "POST /api/v1/tenants/{id}/domains/{domain}/primary",
    "POST /api/v1/tenants/{id}/domains/{domain}/verify",
    "POST /api/v1/tenants/{id}/suspend",
    "PUT /api/v1/tenants/{id}/config",
    "PUT /api/v1/tenants/{id}/domains",
    "PUT /api/v1/tenants/{id}/modules/{name}",
];

fn names_a_tenant(operation: &Operation) -> bool {
    operation.path.starts_with("/api/v1/tenants/{id}")
}

#[actix_web::test]
async fn elsewhere_they_are_strangers() {
    let api = TestApi::start().await;
    let (platform, victim) = (Tenant::furnish(&api, "platform").await, Tenant::furnish(&api, "amber").await);
    let operations = operations(&api).await;
    let before = victim.picture(&api, &operations).await;
    let others = operations.iter().filter(|operation| !operation.path.starts_with("/api/v1/tenants"));
    let done = attack(&api, &platform, &victim, others).await;
    assert!(done > 300, "{done}");
    assert_eq!(victim.picture(&api, &operations).await, before);
}

#[actix_web::test]
async fn what_they_may_do_is_listed_and_told() {
    let api = TestApi::start().await;
    let tenant = Tenant::furnish(&api, "amber").await;
    let platform = api.idp.tenant("platform").id;
    let token = api.platform();
    let administrator = api.id_of(&token).await;
    let mut possible = BTreeSet::new();
    for operation in operations(&api).await.iter().filter(|operation| names_a_tenant(operation)) {
        let entries = || async {
            let query = format!("audit_entries WHERE tenant_id = '{}' AND actor_tenant_id = '{platform}'", tenant.id);
            api.count(query.leak()).await
        };
        let before = entries().await;
        let path = operation.path_to(&tenant.things);
        let response = operation.request_for_any(&api, &token, &path, None).send().await.unwrap();
        let status = response.status();
        if [StatusCode::NOT_FOUND, StatusCode::FORBIDDEN].contains(&status) {
            continue;
        }
        possible.insert(operation.name());
        if operation.method != Method::GET && status.is_success() {
            assert!(entries().await > before, "{path} left nothing in the trail of the tenant");
        }
        let logged = format!(
            "access_logs WHERE tenant_id = '{platform}' AND subject_id = '{administrator}' AND resource_id = '{}' \
             AND request_id = '{}'",
            tenant.id,
            response.headers()["x-request-id"].to_str().unwrap()
        );
        let logged: &'static str = logged.leak();
        within(Duration::from_secs(10), || async { api.count(logged).await > 0 }).await;
    }
    assert_eq!(possible, EXPLICIT.iter().map(|name| (*name).to_owned()).collect());
}
