//! Somebody who can undo what policies forbid is always left.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::{SystemRandom, UserId};

use super::{NOTHING, POLICIES, always, made, role, tried};
use crate::support::{TestApi, problem};

const CONFLICT: StatusCode = StatusCode::CONFLICT;

fn deny(name: &str, resource: &str, condition: Value) -> Value {
    let mut policy = always(name, "deny", resource, "*");
    policy["rules"]["conditions"] = Value::Array(vec![condition]);
    policy
}

async fn locks_out(api: &TestApi, token: &str, method: Method, path: &str, body: &Value) {
    let response = api.send_as(token, method, path, body).await;
    assert_eq!(response.status(), CONFLICT, "{body}");
    let kind = problem(response, CONFLICT).await["type"].as_str().unwrap().to_owned();
    assert!(kind.ends_with("/problems/locks-out") || kind.ends_with("/problems/last-administrator"), "{kind} {body}");
}

#[actix_web::test]
async fn no_editor_shuts_the_administrators_out() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    role(&api, &admin, "editor", &["policy.*"]).await;
    let editor = api.user(&["editor"], "api");
    let me = api.id_of(&editor).await;
    let but_me = json!({"user.id": format!("!= '{me}'")});
    for resource in ["*", "role", "account", "booking"] {
        let response = api.send_as(&editor, Method::POST, POLICIES, &deny("mine", resource, but_me.clone())).await;
        let problem = problem(response, StatusCode::FORBIDDEN).await;
        assert!(problem["type"].as_str().unwrap().ends_with("/problems/not-held"), "{problem}");
    }
    // What they hold they may forbid, but not to everybody who could undo it.
    locks_out(&api, &editor, Method::POST, POLICIES, &deny("mine", "policy", but_me)).await;
    let machine = api.machine("policy.*");
    let but_it = json!({"client.id": "!= 'another'"});
    locks_out(&api, &machine, Method::POST, POLICIES, &deny("by a machine", "policy", but_it)).await;
    assert_eq!(tried(&api, &admin, Method::GET, POLICIES, NOTHING).await, StatusCode::OK);
}

#[actix_web::test]
async fn what_could_come_to_forbid_everybody_is_refused() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let me = api.id_of(&admin).await;
    for condition in [
        json!({"env.time": "> 2100-01-01"}),
        json!({"env.time": "between 00:00 and 00:01 UTC"}),
        json!({"env.ip": "in 10.0.0.0/8"}),
        json!({"env.acr": "!= 'mfa'"}),
        json!({"client.id": "!= 'console'"}),
        json!({"policy.created_at": "< now() - 1h"}),
        json!({"policy.name": "itself"}),
        json!({"user.role": "!= 'keeper'"}),
        json!({"user.id": format!("!= '{}'", "0190b2c4-0000-7000-8000-000000000001")}),
    ] {
        locks_out(&api, &admin, Method::POST, POLICIES, &deny("itself", "policy", condition)).await;
    }
    // With an exception for an administrator all of it is fine.
    for (at, condition) in [
        json!({"env.ip": "in 10.0.0.0/8", "user.role": "!= 'administrator'"}),
        json!({"env.time": "> 2100-01-01", "user.id": format!("!= '{me}'")}),
        json!({"policy.name": "another"}),
    ]
    .into_iter()
    .enumerate()
    {
        made(&api, &admin, &deny(&format!("fine {at}"), "policy", condition)).await;
    }
    assert_eq!(api.count("policies").await, 3);
}

#[actix_web::test]
async fn every_way_to_make_a_deny_count_is_looked_at() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let me = api.id_of(&admin).await;
    let from_elsewhere = json!({"env.ip": "in 10.0.0.0/8"});
    let fine = json!({"user.id": "nobody"});
    let policy = made(&api, &admin, &deny("p", "*", fine.clone())).await;
    // Changed, replaced, gone back to, switched on.
    let patch = json!({"rules": {"conditions": [from_elsewhere]}});
    locks_out(&api, &admin, Method::PATCH, &policy, &patch).await;
    locks_out(&api, &admin, Method::PUT, &policy, &deny("p", "*", from_elsewhere.clone())).await;
    let mut off = deny("off", "*", from_elsewhere.clone());
    off["is_enabled"] = json!(false);
    let off = made(&api, &admin, &off).await;
    locks_out(&api, &admin, Method::POST, &format!("{off}/enable"), NOTHING).await;
    api.done_as(&admin, Method::PATCH, &off, &json!({"rules": {"conditions": [fine]}})).await;
    api.done_as(&admin, Method::POST, &format!("{off}/enable"), NOTHING).await;
    locks_out(&api, &admin, Method::POST, &format!("{off}/rollback"), &json!({"version": 1})).await;
    // Assigned to the administrator besides somebody else, or to everyone by taking back the last assignment.
    let member = api.id_of(&api.user(&["member"], "api")).await;
    let assignments = format!("{off}/assignments");
    let to = |id: &str| json!({"assignee_type": "user", "assignee_id": id});
    api.done_as(&admin, Method::POST, &assignments, &to(&member)).await;
    api.done_as(&admin, Method::PATCH, &off, &patch).await;
    locks_out(&api, &admin, Method::POST, &assignments, &to(&me)).await;
    assert_eq!(tried(&api, &admin, Method::GET, POLICIES, NOTHING).await, StatusCode::OK);
}

#[actix_web::test]
async fn the_last_administrator_comes_under_no_deny_by_a_role_or_a_group() {
    let api = TestApi::start().await;
    let (admin, other) = (api.administrator(), api.administrator());
    let (me, them) = (api.id_of(&admin).await, api.id_of(&other).await);
    let frozen = role(&api, &admin, "frozen", &[]).await;
    let keeper = role(&api, &admin, "keeper", &[]).await;
    made(&api, &admin, &deny("no frozen one", "*", json!({"user.role": "frozen"}))).await;
    let group = api.done_as(&admin, Method::POST, "/api/v1/groups", &json!({"name": "ice"})).await;
    let group = format!("/api/v1/groups/{}", group["id"].as_str().unwrap());
    let roles = |user: &str| format!("/api/v1/users/{user}/roles");
    // One of two may freeze; nobody freezes the last, by themselves or by a group.
    api.done_as(&admin, Method::POST, &roles(&them), &json!({ "role_id": frozen })).await;
    assert_eq!(tried(&api, &other, Method::GET, POLICIES, NOTHING).await, StatusCode::FORBIDDEN);
    locks_out(&api, &admin, Method::POST, &roles(&me), &json!({ "role_id": frozen })).await;
    api.done_as(&admin, Method::PUT, &format!("{group}/members/{me}"), NOTHING).await;
    locks_out(&api, &admin, Method::PUT, &format!("{group}/roles/{frozen}"), NOTHING).await;
    api.done_as(&admin, Method::DELETE, &format!("{group}/members/{me}"), NOTHING).await;
    api.done_as(&admin, Method::PUT, &format!("{group}/roles/{frozen}"), NOTHING).await;
    locks_out(&api, &admin, Method::PUT, &format!("{group}/members/{me}"), NOTHING).await;
    // The exception for the one who keeps the policies stays while it is needed.
    api.done_as(&admin, Method::POST, &roles(&me), &json!({ "role_id": keeper })).await;
    made(&api, &admin, &deny("keepers only", "policy", json!({"user.role": "!= 'keeper'"}))).await;
    locks_out(&api, &admin, Method::DELETE, &format!("{}/{keeper}", roles(&me)), NOTHING).await;
    assert_eq!(tried(&api, &admin, Method::GET, POLICIES, NOTHING).await, StatusCode::OK);
}

#[actix_web::test]
async fn the_last_whom_no_policy_keeps_from_mending_is_not_switched_off() {
    let api = TestApi::start().await;
    let (admin, other) = (api.administrator(), api.administrator());
    let (me, them) = (api.id_of(&admin).await, api.id_of(&other).await);
    for (id, email) in [(&me, "me@acme.example"), (&them, "them@acme.example")] {
        api.accounts.add(api.idp.tenant("demo").id, id.parse().unwrap(), email);
        // From here on the address is known.
        api.done_as(&admin, Method::PATCH, &format!("/api/v1/users/{id}"), &json!({"first_name": "Ada"})).await;
    }
    let but = |ids: &[&str]| json!({"user.id": format!("not(in ['{}'])", ids.join("', '"))});
    let policy = made(&api, &admin, &deny("mine alone", "policy", but(&[&me]))).await;
    let at = format!("/api/v1/users/{me}");
    let suspended = json!({"status": "suspended"});
    for token in [&other, &admin] {
        locks_out(&api, token, Method::PATCH, &at, &suspended).await;
        locks_out(&api, token, Method::DELETE, &at, NOTHING).await;
    }
    let lines = "{\"email\":\"me@acme.example\",\"status\":\"pending\"}\n";
    let import = api.request(Method::POST, "/api/v1/users/import?on_conflict=update").bearer_auth(&other);
    let report = import.header("Content-Type", "application/x-ndjson").body(lines).send().await.unwrap();
    let report = report.text().await.unwrap();
    let line: Value = serde_json::from_str(report.lines().next().unwrap()).unwrap();
    assert_eq!((&line["status"], &line["errors"][0]["code"]), (&json!("failed"), &json!("conflict")), "{report}");
    assert_eq!(tried(&api, &admin, Method::GET, &policy, NOTHING).await, StatusCode::OK);
    // What does not switch them off, and whoever is not needed for it, is changed as before.
    api.done_as(&other, Method::PATCH, &at, &json!({"first_name": "Grace"})).await;
    let others = format!("/api/v1/users/{them}");
    api.done_as(&admin, Method::PATCH, &others, &suspended).await;
    api.done_as(&admin, Method::PATCH, &others, &json!({"status": "active"})).await;

    // A guest is one who can as well, and then is the last.
    let (home, guest) = (api.idp.add_tenant("home"), UserId::new(&*api.clock, &SystemRandom));
    api.accounts.add(home.id, guest, "guest@home.example");
    let membership = format!("/api/v1/users/{guest}/membership");
    api.done_as(&admin, Method::PUT, &membership, NOTHING).await;
    let roles = api.done_as(&admin, Method::GET, "/api/v1/roles", NOTHING).await;
    let administrator = roles.as_array().unwrap().iter().find(|role| role["name"] == "administrator").unwrap();
    let given = json!({"role_id": administrator["id"]});
    api.done_as(&admin, Method::POST, &format!("/api/v1/users/{guest}/roles"), &given).await;
    let patch = json!({"rules": {"conditions": [but(&[&me, guest.as_str()])]}});
    api.done_as(&admin, Method::PATCH, &policy, &patch).await;
    let token = api.administrator();
    api.id_of(&token).await;
    api.done_as(&token, Method::PATCH, &at, &suspended).await;
    locks_out(&api, &token, Method::DELETE, &membership, NOTHING).await;
    locks_out(&api, &token, Method::DELETE, &format!("/api/v1/users/{guest}"), NOTHING).await;
}
