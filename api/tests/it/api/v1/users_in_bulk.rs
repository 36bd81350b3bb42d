//! `/api/v1/users/import` and `/export`: many people at once.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApi, problem, within};

const USERS: &str = "/api/v1/users";

/// The lines of the report, the last of which sums up.
async fn import(api: &TestApi, query: &str, media_type: &'static str, body: &str) -> Vec<Value> {
    let request = api.request(Method::POST, &format!("{USERS}/import{query}")).bearer_auth(api.administrator());
    let response = request.header("Content-Type", media_type).body(body.to_owned()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/x-ndjson");
    response.text().await.unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn statuses(report: &[Value]) -> Vec<&str> {
    report.iter().filter_map(|line| line["status"].as_str()).collect()
}

#[actix_web::test]
async fn a_table_is_imported_with_a_report_for_each_line() {
    let api = TestApi::start().await;
    let table = "email,first_name,last_name,phone,metadata\r\n\
        ada@acme.example,Ada,\"Lovelace, Countess\",+12025550123,\"{\"\"level\"\": 3}\"\r\n\
        nonsense,X,,,\r\n\
        ada@acme.example,Again,,,\r\n\
        grace@acme.example,Grace,\"Hop\nper\",,\r\n\
        \r\n\
        too,few\r\n\
        last@acme.example,\"Last\",,,";
    let checked = import(&api, "?dry_run=true", "text/csv", table).await;
    assert_eq!(statuses(&checked), ["valid", "failed", "valid", "failed", "failed", "valid"]);
    assert_eq!(api.count("users WHERE email IS NOT NULL").await, 0);
    let report = import(&api, "", "text/csv; charset=utf-8", table).await;
    assert_eq!(statuses(&report)[..2], ["created", "failed"]);
    assert_eq!((&report[1]["line"], &report[1]["errors"][0]["pointer"]), (&json!(2), &json!("/email")));
    assert_eq!(report[3]["errors"][0]["pointer"], "/last_name", "a control character is no part of a name");
    let summary = &report.last().unwrap()["summary"];
    assert_eq!((&summary["lines"], &summary["failed"]), (&json!(6), &json!(4)), "{report:?}");
    let one = format!("{USERS}?search=ada%40");
    let ada = api.done_as(&api.administrator(), Method::GET, &one, &Value::Null).await[0].clone();
    assert_eq!((&ada["last_name"], &ada["metadata"]), (&json!("Lovelace, Countess"), &json!({"level": 3})));
}

#[actix_web::test]
async fn whoever_is_there_already_stays_or_changes_as_is_asked_for() {
    let api = TestApi::start().await;
    let line = |name: &str| {
        format!("{}\n", json!({"email": "ada@acme.example", "first_name": name, "password": "longEnough1"}))
    };
    let media_type = "application/x-ndjson";
    assert_eq!(statuses(&import(&api, "", media_type, &line("Ada")).await), ["created"]);
    let name = "SELECT given_name AS value FROM users WHERE email = 'ada@acme.example'";
    for (query, status, expected) in [
        ("", "failed", "Ada"),
        ("?on_conflict=skip", "skipped", "Ada"),
        ("?on_conflict=update&dry_run=true", "valid", "Ada"),
        ("?on_conflict=update", "updated", "Adele"),
    ] {
        let report = import(&api, query, media_type, &line("Adele")).await;
        assert_eq!(statuses(&report), [status], "{query}: {report:?}");
        assert_eq!(api.texts(name).await, [expected]);
    }
    let report = import(&api, "", media_type, "nonsense\n[]\n{\"email\":1}\n").await;
    assert_eq!(statuses(&report), ["failed"; 3]);
    api.accounts.is_down.store(true, Ordering::SeqCst);
    let report = import(&api, "", media_type, "{\"email\":\"b@acme.example\"}").await;
    assert_eq!(report[0]["errors"][0]["code"], "unavailable");
}

#[actix_web::test]
async fn what_cannot_be_read_ends_the_import_and_says_why() {
    let api = TestApi::start().await;
    let long = format!("{{\"email\":\"a@acme.example\"}}\n{}", "x".repeat(70_000));
    let report = import(&api, "", "application/x-ndjson", &long).await;
    assert_eq!(statuses(&report), ["created", "failed"]);
    assert_eq!(report[1]["errors"][0]["code"], "broken");
    let report = import(&api, "", "text/csv", "email,is_admin\na@b.example,true\n").await;
    assert_eq!((statuses(&report), &report[0]["errors"][0]["code"]), (vec!["failed"], &json!("unknown")));
    assert_eq!(import(&api, "", "text/csv", "").await.len(), 1);
    let admin = api.administrator();
    let other = api.request(Method::POST, &format!("{USERS}/import")).bearer_auth(&admin).json(&json!({}));
    problem(other.send().await.unwrap(), StatusCode::UNSUPPORTED_MEDIA_TYPE).await;
    let query = api.request(Method::POST, &format!("{USERS}/import?dry_run=maybe")).bearer_auth(&admin);
    let query = query.header("Content-Type", "text/csv").send().await.unwrap();
    problem(query, StatusCode::UNPROCESSABLE_ENTITY).await;
    // To change people needs the right to.
    let helper = api.machine("account.create");
    let update = api.request(Method::POST, &format!("{USERS}/import?on_conflict=update")).bearer_auth(&helper);
    problem(update.header("Content-Type", "text/csv").send().await.unwrap(), StatusCode::FORBIDDEN).await;
}

#[actix_web::test]
async fn everybody_is_exported_and_no_field_is_a_formula() {
    let api = TestApi::start().await;
    let line =
        |number: u8| json!({"email": format!("u{number}@acme.example"), "first_name": "=1+1"}).to_string() + "\n";
    let lines = (0..12).map(line).collect::<Vec<String>>().concat();
    import(&api, "", "application/x-ndjson", &lines).await;
    let admin = api.administrator();
    let table = api.get_as(&format!("{USERS}/export?format=csv&search=acme"), &admin).await;
    assert!(table.headers()["content-disposition"].to_str().unwrap().contains("users.csv"));
    let table = table.text().await.unwrap();
    assert!(table.starts_with("id,email,email_verified,username,first_name,"), "{table}");
    assert_eq!(table.matches(",'=1+1,").count(), 12);
    let json_lines = api.get_as(&format!("{USERS}/export"), &admin).await.text().await.unwrap();
    let users: Vec<Value> = json_lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(users.iter().filter(|user| user["first_name"] == "=1+1").count(), 12);
    // What was exported can be imported: it is there already.
    let again = import(&api, "?on_conflict=skip", "text/csv", &table).await;
    assert_eq!(again.last().unwrap()["summary"]["skipped"], 12);
    problem(api.get_as(&format!("{USERS}/export?format=pdf"), &admin).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    problem(api.get_as(&format!("{USERS}/export"), &api.user(&["member"], "api")).await, StatusCode::FORBIDDEN).await;
}

#[actix_web::test]
async fn one_import_of_a_tenant_comes_after_the_other() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let send = |query: &str| {
        let request = api.request(Method::POST, &format!("{USERS}/import{query}")).bearer_auth(&admin);
        request.header("Content-Type", "application/x-ndjson").body("{\"email\":\"a@acme.example\"}\n").send()
    };
    api.accounts.is_slow.send_replace(true);
    let first = async { send("").await.unwrap().text().await.unwrap() };
    let others = async {
        within(Duration::from_secs(20), async || api.count("import_leases").await == 1).await;
        let told = problem(send("").await.unwrap(), StatusCode::CONFLICT).await;
        assert_eq!(told["type"], format!("{}/problems/import-under-way", api.url));
        let checked = send("?dry_run=true").await.unwrap();
        assert_eq!(checked.status(), StatusCode::OK, "what changes nothing waits for nobody");
        api.accounts.is_slow.send_replace(false);
    };
    let (first, ()) = tokio::join!(first, others);
    assert!(first.contains("\"created\":1"), "{first}");
    assert_eq!(api.count("import_leases").await, 0, "it ends before its answer does");
    assert_eq!(send("?on_conflict=skip").await.unwrap().text().await.unwrap().lines().count(), 2);
    // One whose process ended.
    api.execute("INSERT INTO import_leases (tenant_id, owner, leased_until) SELECT id, id, '2001-01-01 00:00:00.000000' FROM tenants WHERE slug = 'demo'").await;
    assert_eq!(send("?on_conflict=skip").await.unwrap().status(), StatusCode::OK);
}

#[actix_web::test]
async fn an_import_says_of_an_address_no_more_than_that_it_is_taken() {
    let api = TestApi::start().await;
    let line = "{\"email\":\"a@acme.example\"}\n";
    import(&api, "", "application/x-ndjson", line).await;
    let helper = api.machine("account.create account.update");
    for (query, status) in [
        ("?dry_run=true&on_conflict=skip", "skipped"),
        ("?on_conflict=skip", "skipped"),
        ("?dry_run=true&on_conflict=update", "valid"),
    ] {
        let request = api.request(Method::POST, &format!("{USERS}/import{query}")).bearer_auth(&helper);
        let response = request.header("Content-Type", "application/x-ndjson").body(line).send().await.unwrap();
        let text = response.text().await.unwrap();
        let told: Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
        assert_eq!((&told["status"], told.get("id")), (&json!(status), None), "{query}");
    }
    let told = import(&api, "?on_conflict=skip", "application/x-ndjson", line).await;
    assert!(told[0]["id"].is_string(), "whoever may see them sees them");
}
