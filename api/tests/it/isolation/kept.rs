//! What a caller keeps from one request to the next: cursors, entity tags, keys of requests. Another tenant's are worth
//! nothing.

use std::collections::BTreeSet;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::Tenant;
use super::ids::ON_PURPOSE;
use super::operations::{Operation, operations};
use crate::support::TestApi;

/// The lists that have no second page here: of batches there is one a second, of decisions as many as were written by now,
/// and tenants are listed for the platform alone. This list may only shrink.
const NO_SECOND_PAGE: &[&str] = &["GET /api/v1/access/logs", "GET /api/v1/audit/batches", "GET /api/v1/tenants"];

struct Two {
    api: TestApi,
    own: Tenant,
    other: Tenant,
    operations: Vec<Operation>,
}

impl Two {
    async fn start() -> Self {
        let api = TestApi::start().await;
        let (own, other) = (Tenant::furnish(&api, "amber").await, Tenant::furnish(&api, "birch").await);
        let operations = operations(&api).await;
        Self { api, own, other, operations }
    }
}

#[actix_web::test]
async fn cursors_of_another_tenant_are_worth_nothing() {
    let Two { api, own, other, operations } = Two::start().await;
    let lists = operations.iter().filter(|operation| operation.in_query.iter().any(|name| name == "cursor"));
    let mut without = BTreeSet::new();
    for list in lists {
        let path = format!("{}?limit=1", list.path_to(&own.things));
        let page: Value = api.get_as(&path, &own.token).await.json().await.unwrap();
        let Some(cursor) = page["page"]["next"].as_str() else {
            without.insert(list.name());
            continue;
        };
        let next = format!("{path}&cursor={cursor}");
        assert_eq!(api.get_as(&next, &own.token).await.status(), StatusCode::OK, "{next}");
        let refused = api.get_as(&next, &other.token).await.status();
        assert!([StatusCode::UNPROCESSABLE_ENTITY, StatusCode::NOT_FOUND].contains(&refused), "{next}: {refused}");
        // In the same list of their own.
        let next = format!("{}?limit=1&cursor={cursor}", list.path_to(&other.things));
        assert_eq!(api.get_as(&next, &other.token).await.status(), StatusCode::UNPROCESSABLE_ENTITY, "{next}");
        // And in every other list of the same tenant.
        let next = format!("/api/v1/permissions?limit=1&cursor={cursor}");
        let status = api.get_as(&next, &own.token).await.status();
        assert_eq!(status == StatusCode::OK, list.path == "/api/v1/permissions", "{}", list.name());
    }
    let listed = NO_SECOND_PAGE.iter().map(|name| (*name).to_owned()).collect::<BTreeSet<_>>();
    assert!(without.is_subset(&listed), "make two of what is listed by {without:?}");
}

#[actix_web::test]
async fn a_search_for_subjects_goes_on_in_the_tenant_where_it_began() {
    let Two { api, own, other, .. } = Two::start().await;
    let search = |person: &str| {
        json!({"subject": {"type": "user"}, "action": {"name": "read"}, "resource": {"type": "role", "id": "x"},
            "page": {"token": person}})
    };
    // What a page goes on after is an id, which can be anybody's: only people of the caller's tenant come after it.
    for person in own.ids().chain([&"00000000-0000-7000-8000-000000000000".to_owned()]) {
        let response = api.send_as(&other.token, Method::POST, "/access/v1/search/subject", &search(person)).await;
        let text = response.text().await.unwrap();
        assert!(!own.ids().any(|id| text.contains(id)), "{text}");
    }
}

#[actix_web::test]
async fn entity_tags_of_another_tenant_are_worth_nothing() {
    let Two { api, own, other, operations } = Two::start().await;
    let (mut reads, mut failed) = (0, 0);
    for operation in &operations {
        let (own_path, other_path) = (operation.path_to(&own.things), operation.path_to(&other.things));
        let Some(tag) = api.get_as(&own_path, &own.token).await.headers().get("etag").cloned() else { continue };
        if operation.method == Method::GET {
            reads += 1;
            for (path, token, expected) in [
                (&own_path, &own.token, StatusCode::NOT_MODIFIED),
                (&other_path, &other.token, StatusCode::OK),
                (&own_path, &other.token, if own_path == other_path { StatusCode::OK } else { StatusCode::NOT_FOUND }),
            ] {
                let request = api.request(Method::GET, path).bearer_auth(token).header("If-None-Match", &tag);
                assert_eq!(request.send().await.unwrap().status(), expected, "{path}");
            }
        } else if operation.names_version {
            let request = operation.request(&api, &other.token, &other_path, None).header("If-Match", &tag);
            let status = request.send().await.unwrap().status();
            // What is for the platform alone is refused before.
            assert!(
                [StatusCode::PRECONDITION_FAILED, StatusCode::FORBIDDEN].contains(&status),
                "{other_path}: {status}"
            );
            failed += usize::from(status == StatusCode::PRECONDITION_FAILED);
            let request = operation.request(&api, &other.token, &own_path, None).header("If-Match", &tag);
            assert!(request.send().await.unwrap().status().is_client_error(), "{own_path}");
        }
    }
    assert!(reads >= 8 && failed >= 6, "{reads} reads, {failed} writes");
}

#[actix_web::test]
async fn the_same_key_of_two_tenants_is_two_keys() {
    let Two { api, own, other, operations } = Two::start().await;
    let mut repeated = 0;
    for operation in operations.iter().filter(|operation| operation.method != Method::GET) {
        let key = operation.name().replace(['/', ' ', '{', '}'], "-");
        let send = async |tenant: &Tenant, things_of: &Tenant| {
            let path = operation.path_to(&things_of.things);
            let request = operation.request_for_any(&api, &tenant.token, &path, None);
            let response = request.header("Idempotency-Key", &key).send().await.unwrap();
            let is_repeat = response.headers().contains_key("idempotent-replayed");
            (response.status(), is_repeat, response.text().await.unwrap())
        };
        let (status, is_repeat, text) = send(&own, &own).await;
        assert!(!is_repeat, "{key}: {text}");
        // The same request with the same key, and the like of one's own.
        let mut of = if ON_PURPOSE.contains(&operation.name().as_str()) { vec![] } else { vec![&own] };
        if !operation.in_path.is_empty() {
            of.push(&other);
        }
        for things_of in of {
            let (_, is_repeat, text) = send(&other, things_of).await;
            assert!(!is_repeat && !text.contains(&own.marker), "{key}: {text}");
        }
        if status.is_success() {
            let (again, is_repeat, _) = send(&own, &own).await;
            repeated += usize::from(is_repeat && again == status);
        }
    }
    assert!(repeated >= 25, "{repeated}");
}
