//! `/api/v1/audit` and `/api/v1/access/logs`.

use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_api::access::log::{DecisionLog, DecisionRecord, LoggedDecision, NamedPolicy, SubjectKind};
use tenantry_api::audit::chain::{BatchClaims, Sealer, statement};
use tenantry_api::audit::merkle::{Digest, root_of_proof};
use tenantry_jose::{KeySet, Keyring};
use tenantry_types::{Clock, SystemRandom, TenantId};

use crate::support::{TestApi, problem};

const ENTRIES: &str = "/api/v1/audit/entries";
const SETTINGS: &str = "/api/v1/tenant/settings";
const CHANGES: &str = "action=tenant_settings.update";

/// Changes the settings of the caller's tenant; each is another change, at another time.
async fn change(api: &TestApi, token: &str, name: &str) -> String {
    api.clock.advance(Duration::from_secs(1));
    let request = api.request(Method::PUT, SETTINGS).bearer_auth(token).header("If-Match", "*");
    let response = request.json(&json!({ "branding": { "display_name": name } })).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    response.headers()["x-request-id"].to_str().unwrap().to_owned()
}

async fn seal(api: &TestApi) -> usize {
    let keyring = Keyring::load(&api.config.keyring.path).unwrap();
    let clock = Arc::clone(&api.clock) as Arc<dyn Clock>;
    Sealer::new(api.database.open().await, keyring, clock).seal_all().await.unwrap()
}

async fn get(api: &TestApi, token: &str, path: &str) -> Value {
    let response = api.get_as(path, token).await;
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    response.json().await.unwrap()
}

/// The names that the entries of a page were given.
fn names(page: &Value) -> Vec<&str> {
    let entries = page["data"].as_array().unwrap().iter();
    entries.map(|entry| entry["changes"]["/branding/display_name"]["after"].as_str().unwrap()).collect()
}

/// A token of an administrator of another tenant.
fn administrator_of(api: &TestApi, slug: &str) -> String {
    api.idp.add_tenant(slug);
    api.idp.sign(slug, &api.idp.user_claims(slug, &api.url))
}

#[actix_web::test]
async fn the_trail_is_searched_page_by_page() {
    let api = TestApi::start().await;
    let claims = api.idp.user_claims("demo", &api.url);
    let (token, other) = (api.idp.sign("demo", &claims), administrator_of(&api, "other"));
    let mut requests = Vec::new();
    for name in ["a", "b", "c", "d", "e"] {
        requests.push(change(&api, &token, name).await);
    }
    change(&api, &other, "x").await;

    let first = get(&api, &token, &format!("{ENTRIES}?{CHANGES}&limit=2")).await;
    assert_eq!(names(&first), ["e", "d"]);
    assert_eq!(first["page"]["limit"], 2);
    let next = first["page"]["next"].as_str().unwrap();
    let second = get(&api, &token, &format!("{ENTRIES}?{CHANGES}&limit=2&cursor={next}")).await;
    assert_eq!(names(&second), ["c", "b"]);
    let next = second["page"]["next"].as_str().unwrap();
    let last = get(&api, &token, &format!("{ENTRIES}?{CHANGES}&limit=2&cursor={next}")).await;
    assert_eq!((names(&last), last["page"].get("next")), (vec!["a"], None));
    // A cursor is good for its own list.
    problem(api.get_as(&format!("{ENTRIES}?{CHANGES}&cursor={next}"), &other).await, StatusCode::UNPROCESSABLE_ENTITY)
        .await;

    let entry = &first["data"][0];
    assert_eq!(entry["actor"], json!({"kind": "user", "id": claims["sub"], "client_id": "some-client"}));
    assert_eq!(entry["target"], json!({"kind": "tenant_settings", "id": claims["tenant_id"]}));
    assert_eq!((&entry["address"], &entry["request_id"]), (&json!("127.0.0.1"), &json!(requests[4])));
    assert!(entry.get("sealed").is_none());
    let (c, d) =
        (second["data"][0]["occurred_at"].as_str().unwrap(), first["data"][1]["occurred_at"].as_str().unwrap());
    for (query, found) in [
        (format!("actor={}", claims["sub"].as_str().unwrap()), &["e", "d", "c", "b", "a"][..]),
        ("actor=nobody".to_owned(), &[]),
        ("action=nothing.at_all".to_owned(), &[]),
        (format!("request_id={}", requests[1]), &["b"]),
        (
            format!("target_kind=tenant_settings&target_id={}&from={c}", claims["tenant_id"].as_str().unwrap()),
            &["e", "d", "c"],
        ),
        (format!("from={c}&to={d}"), &["c"]),
        ("target_id=nothing".to_owned(), &[]),
    ] {
        let query = if query.contains("action=") { query } else { format!("{CHANGES}&{query}") };
        assert_eq!(names(&get(&api, &token, &format!("{ENTRIES}?{query}")).await), found, "{query}");
    }
    assert_eq!(names(&get(&api, &other, &format!("{ENTRIES}?{CHANGES}")).await), ["x"]);
}

#[actix_web::test]
async fn a_query_that_is_none_is_refused_with_everything_wrong_in_it() {
    let api = TestApi::start().await;
    let token = api.administrator();
    for (path, pointers) in [
        (format!("{ENTRIES}?from=yesterday&colour=red&limit=0"), &["from", "limit", "colour"][..]),
        (format!("{ENTRIES}?from=2026-01-01T00:00:00Z&to=2026-01-01T00:00:00Z"), &["to"]),
        ("/api/v1/audit/export?format=xml&limit=5".to_owned(), &["format", "limit"]),
        ("/api/v1/audit/batches?cursor=x".to_owned(), &["cursor"]),
        ("/api/v1/access/logs?decision=maybe&to=x".to_owned(), &["decision", "to"]),
    ] {
        let refused = problem(api.get_as(&path, &token).await, StatusCode::UNPROCESSABLE_ENTITY).await;
        let found: Vec<&str> =
            refused["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{path}");
    }
}

#[actix_web::test]
async fn an_entry_comes_with_the_proof_that_it_is_sealed() {
    let api = TestApi::start().await;
    let (token, other) = (api.administrator(), administrator_of(&api, "other"));
    for name in ["a", "b", "c", "d", "e"] {
        change(&api, &token, name).await;
    }
    let list = get(&api, &token, &format!("{ENTRIES}?{CHANGES}")).await;
    let path = format!("{ENTRIES}/{}", list["data"][2]["id"].as_str().unwrap());
    assert!(get(&api, &token, &path).await["data"].get("proof").is_none(), "it waits");
    assert!(seal(&api).await >= 5);

    let entry = get(&api, &token, &path).await["data"].clone();
    assert_eq!(entry["changes"]["/branding/display_name"]["after"], "c");
    let proof = &entry["proof"];
    let keys = get(&api, &token, "/api/v1/audit/keys").await["data"].clone();
    let header: BatchClaims = statement(proof["header"].as_str().unwrap(), &KeySet::from_jwks(&keys).unwrap()).unwrap();
    let path_up: Vec<Digest> = serde_json::from_value(proof["path"].clone()).unwrap();
    let leaf: Digest = serde_json::from_value(proof["leaf"].clone()).unwrap();
    let index = proof["index"].as_u64().unwrap();
    let size = u64::try_from(header.size).unwrap();
    assert_eq!(root_of_proof(leaf, index, size, &path_up), Some(header.root));
    assert_eq!(root_of_proof(Digest::of(b"x"), index, size, &path_up).filter(|root| *root == header.root), None);
    assert_eq!(entry["sealed"], json!({"batch": 0, "position": header.first + i64::try_from(index).unwrap()}));

    let batches = get(&api, &token, "/api/v1/audit/batches?limit=1").await;
    assert_eq!(batches["data"][0]["header"], proof["header"]);
    assert_eq!((&batches["data"][0]["number"], &batches["data"][0]["pruned"]), (&json!(0), &json!(false)));
    change(&api, &token, "f").await;
    assert_eq!(seal(&api).await, 1);
    let newest = get(&api, &token, "/api/v1/audit/batches?limit=1").await;
    assert_eq!(newest["data"][0]["previous"], batches["data"][0]["hash"]);
    let next = newest["page"]["next"].as_str().unwrap();
    let second = get(&api, &token, &format!("/api/v1/audit/batches?limit=1&cursor={next}")).await;
    assert_eq!(second["data"], batches["data"]);
    // Another tenant has none of it.
    assert_eq!(get(&api, &other, "/api/v1/audit/batches").await["data"], json!([]));
    problem(api.get_as(&path, &other).await, StatusCode::NOT_FOUND).await;
    problem(api.get_as(&format!("{ENTRIES}/nonsense"), &token).await, StatusCode::NOT_FOUND).await;
}

#[actix_web::test]
async fn all_of_it_can_be_taken_away() {
    const MANY: usize = 501;
    let api = TestApi::start().await;
    let token = api.administrator();
    change(&api, &token, "=HYPERLINK(\"x\")").await;
    for number in 1..MANY {
        change(&api, &token, &format!("name, {number}")).await;
    }
    let export = format!("/api/v1/audit/export?{CHANGES}");
    let response = api.get_as(&export, &token).await;
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    assert_eq!(response.headers()["content-disposition"], "attachment; filename=\"audit.ndjson\"");
    let text = response.text().await.unwrap();
    let entries: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(entries.len(), MANY, "more than are read at once, each once");
    assert_eq!(names(&json!({ "data": entries }))[..2], ["name, 500", "name, 499"]);

    for request in [
        api.request(Method::GET, &format!("{export}&format=csv")),
        api.request(Method::GET, &export).header("Accept", "text/csv"),
    ] {
        let response = request.bearer_auth(&token).send().await.unwrap();
        assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/csv"));
        let text = response.text().await.unwrap();
        assert_eq!(text.lines().count(), MANY + 1);
        assert!(text.starts_with("id,occurred_at,actor_kind,"), "{text}");
        assert!(text.lines().all(|line| !line.contains(",=") && !line.contains(",\"=")));
    }
    // Reading is not taking away.
    let reader = api.machine("audit.read");
    assert_eq!(api.get_as(ENTRIES, &reader).await.status(), StatusCode::OK);
    problem(api.get_as(&export, &reader).await, StatusCode::FORBIDDEN).await;
}

#[actix_web::test]
async fn without_a_database_the_trail_says_nothing_of_it() {
    let api = TestApi::start().await;
    let token = api.administrator();
    // So that who is calling is known without the database.
    get(&api, &token, ENTRIES).await;
    api.database.open().await.revert_migrations(&tenantry_api::startup::MIGRATIONS).await.unwrap();
    for path in [ENTRIES, "/api/v1/audit/export", "/api/v1/access/logs"] {
        let answer = problem(api.get_as(path, &token).await, StatusCode::INTERNAL_SERVER_ERROR).await;
        assert!(answer.get("detail").is_none(), "{answer}");
    }
}

#[actix_web::test]
async fn decisions_are_searched_page_by_page() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let clock = Arc::clone(&api.clock) as Arc<dyn Clock>;
    let log = DecisionLog::start(api.database.open().await, clock, Arc::new(SystemRandom), &mut Registry::default());
    let policy = "0190b2c4-0000-7000-8000-000000000001";
    let of = |tenant_id: TenantId, number: i64| DecisionRecord {
        tenant_id,
        subject_kind: SubjectKind::User,
        subject_id: format!("user {}", number % 2),
        client_id: "some-client".to_owned(),
        resource: "test_booking".into(),
        resource_id: Some(number.to_string()),
        action: if number < 3 { "read" } else { "cancel" }.into(),
        decision: if number == 4 { LoggedDecision::Allow } else { LoggedDecision::Deny },
        reason: "no policy allows it".into(),
        policy: (number == 4).then(|| NamedPolicy { id: policy.to_owned(), name: "P".to_owned(), version: Some(2) }),
        context: json!({"number": number}).into(),
        request_id: None,
        address: None,
    };
    let demo = api.idp.tenant("demo").id;
    let other = api.idp.add_tenant("other").id;
    for number in 0..5 {
        api.clock.advance(Duration::from_secs(1));
        log.record(of(demo, number)).await;
    }
    log.record(of(other, 9)).await;
    log.flush().await;

    let found = async |query: &str| {
        let page = get(&api, &token, &format!("/api/v1/access/logs?resource=test_booking&{query}")).await;
        let next = page["page"]["next"].as_str().map(str::to_owned);
        let rows = page["data"].as_array().unwrap().iter();
        (rows.map(|row| row["context"]["number"].as_i64().unwrap()).collect::<Vec<_>>(), next)
    };
    let (rows, next) = found("limit=3").await;
    assert_eq!(rows, [4, 3, 2]);
    assert_eq!(found(&format!("limit=3&cursor={}", next.unwrap())).await, (vec![1, 0], None));
    for (query, expected) in [
        ("subject=user%201", &[3, 1][..]),
        ("action=cancel", &[4, 3]),
        ("resource_id=2", &[2]),
        ("decision=allow", &[4]),
        (&format!("policy={policy}"), &[4]),
        ("from=2000-01-01T00:00:00Z&to=2000-01-02T00:00:00Z", &[]),
    ] {
        assert_eq!(found(query).await.0, expected, "{query}");
    }
    let page = get(&api, &token, "/api/v1/access/logs?resource=test_booking&decision=allow").await;
    let row = &page["data"][0];
    assert_eq!(row["policy"], json!({"id": policy, "name": "P", "version": 2}));
    assert_eq!(row["subject"], json!({"kind": "user", "id": "user 0"}));
}
