//! `/api/v1/users`: nobody takes somebody over, or takes away the last who could help.

use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::{SystemRandom, UserId};

use crate::support::{TestApi, problem, within};

const USERS: &str = "/api/v1/users";

/// A token of somebody who is an administrator, with these claims instead.
fn token_of(api: &TestApi, id: &str, changed: &[(&str, Value)]) -> String {
    let mut claims = api.idp.user_claims("demo", &api.url);
    claims["sub"] = id.into();
    for (name, value) in changed {
        claims[*name] = value.clone();
    }
    api.idp.sign("demo", &claims)
}

/// Somebody who calls with this token, also at the provider.
async fn known(api: &TestApi, token: &str, email: &str) -> String {
    let id = api.id_of(token).await;
    api.accounts.add(api.idp.tenant("demo").id, id.parse().unwrap(), email);
    id
}

#[actix_web::test]
async fn nobody_takes_over_the_account_of_whom_they_act_for() {
    let api = TestApi::start().await;
    let (admin, _second) = (api.administrator(), api.id_of(&api.administrator()).await);
    let id = known(&api, &admin, "boss@acme.example").await;
    let helper = api.id_of(&api.user(&["member"], "api")).await;
    let at = format!("{USERS}/{id}");
    let acting = token_of(&api, &id, &[("act", json!({ "sub": helper }))]);
    let narrow = token_of(&api, &id, &[("scope", json!("account.update account.delete profile.update"))]);
    for token in [&acting, &narrow] {
        for body in [
            json!({"password": "of the one who acts"}),
            json!({"email": "mine@elsewhere.example"}),
            json!({"username": "mine"}),
            json!({"status": "suspended"}),
            json!({"status": "active"}),
        ] {
            let told = problem(api.send_as(token, Method::PATCH, &at, &body).await, StatusCode::FORBIDDEN).await;
            assert_eq!(told["type"], format!("{}/problems/holds-more", api.url), "{body}");
        }
        problem(api.send_as(token, Method::DELETE, &at, &Value::Null).await, StatusCode::FORBIDDEN).await;
        // What they were let in for, they do.
        api.done_as(token, Method::PATCH, &at, &json!({"first_name": "Joe"})).await;
    }
    let account = api.accounts.get(api.idp.tenant("demo").id, &id);
    assert_eq!((&account["email"], &account["given_name"]), (&json!("boss@acme.example"), &json!("Joe")));
    assert_eq!(account.get("password"), None);
    // Themselves they are.
    api.done_as(&admin, Method::PATCH, &at, &json!({"email": "chief@acme.example", "password": "aNewPassword123"}))
        .await;
}

#[actix_web::test]
async fn of_two_who_change_the_same_version_one_does() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let user = api.done_as(&admin, Method::POST, USERS, &json!({"email": "john@acme.example"})).await;
    let at = format!("{USERS}/{}", user["id"].as_str().unwrap());
    let tag = api.get_as(&at, &admin).await.headers()["etag"].clone();
    let patch = |body: Value| {
        let request = api.request(Method::PATCH, &at).bearer_auth(&admin).header("If-Match", &tag);
        request.json(&body).send()
    };
    // While the provider takes its time with the first, nobody else changes them, whoever asks for what.
    api.accounts.is_slow.send_replace(true);
    let first = patch(json!({"first_name": "One", "metadata": {"by": "one"}}));
    let others = async {
        within(Duration::from_secs(20), async || api.count("account_doubts").await == 1).await;
        for body in [json!({"first_name": "Two"}), json!({"metadata": {"by": "two"}})] {
            let response = patch(body).await.unwrap();
            assert!(response.headers().contains_key("retry-after"));
            problem(response, StatusCode::SERVICE_UNAVAILABLE).await;
        }
        let removed = api.send_as(&admin, Method::DELETE, &at, &Value::Null).await;
        problem(removed, StatusCode::SERVICE_UNAVAILABLE).await;
        api.accounts.is_slow.send_replace(false);
    };
    let (first, ()) = tokio::join!(first, others);
    assert_eq!(first.unwrap().status(), StatusCode::OK);
    for body in [json!({"first_name": "Two"}), json!({"metadata": {"by": "two"}})] {
        problem(patch(body).await.unwrap(), StatusCode::PRECONDITION_FAILED).await;
    }
    let now = api.done_as(&admin, Method::GET, &at, &Value::Null).await;
    assert_eq!((&now["first_name"], &now["metadata"]), (&json!("One"), &json!({"by": "one"})));

    // Released together: each of them wins or is told.
    let tag = api.get_as(&at, &admin).await.headers()["etag"].clone();
    let rename = |number: usize| {
        let request = api.request(Method::PATCH, &at).bearer_auth(&admin).header("If-Match", &tag);
        request.json(&json!({"first_name": format!("Name {number}")})).send()
    };
    let all = futures_util::future::join_all((0..6).map(rename)).await;
    let statuses: Vec<StatusCode> = all.into_iter().map(|answer| answer.unwrap().status()).collect();
    assert_eq!(statuses.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{statuses:?}");
    assert_eq!(api.count("account_doubts").await, 0);
}

#[actix_web::test]
async fn two_administrators_do_not_remove_each_other() {
    let api = TestApi::start().await;
    let (one, two) = (api.administrator(), api.administrator());
    let ids = [known(&api, &one, "one@acme.example").await, known(&api, &two, "two@acme.example").await];
    let [first, second] = ids.map(|id| format!("{USERS}/{id}"));
    let roles = api.done_as(&one, Method::GET, "/api/v1/roles", &Value::Null).await;
    let role = roles.as_array().unwrap().iter().find(|role| role["name"] == "administrator").unwrap()["id"].clone();
    api.accounts.is_slow.send_replace(true);
    let suspended = json!({"status": "suspended"});
    let of_second = api.send_as(&one, Method::PATCH, &second, &suspended);
    let of_first = async {
        within(Duration::from_secs(20), async || api.count("account_doubts").await == 1).await;
        for (method, body) in [(Method::PATCH, &suspended), (Method::DELETE, &Value::Null)] {
            let told = problem(api.send_as(&two, method, &first, body).await, StatusCode::CONFLICT).await;
            assert_eq!(told["type"], format!("{}/problems/last-administrator", api.url));
        }
        // Nor by their role.
        let role = format!("{first}/roles/{}", role.as_str().unwrap());
        problem(api.send_as(&two, Method::DELETE, &role, &Value::Null).await, StatusCode::CONFLICT).await;
        api.accounts.is_slow.send_replace(false);
    };
    let (of_second, ()) = tokio::join!(of_second, of_first);
    assert_eq!(of_second.status(), StatusCode::OK);
    assert_eq!(api.get_as("/api/v1/me", &one).await.status(), StatusCode::OK);
}

#[actix_web::test]
async fn who_somebody_of_another_tenant_is_comes_with_them() {
    let api = TestApi::start().await;
    let (admin, home) = (api.administrator(), api.idp.add_tenant("home"));
    let claims = api.idp.user_claims("demo", &api.url);
    let id = claims["sub"].as_str().unwrap();
    api.accounts.add(home.id, id.parse().unwrap(), "guest@home.example");
    let at = format!("{USERS}/{id}");
    for guest in [
        api.done_as(&admin, Method::PUT, &format!("{at}/membership"), &Value::Null).await,
        api.done_as(&admin, Method::GET, &at, &Value::Null).await,
    ] {
        for withheld in ["email", "username", "first_name", "phone"] {
            assert_eq!(guest[withheld], Value::Null, "{withheld}");
        }
    }
    let everything = "SELECT changes AS value FROM audit_entries";
    assert!(!api.texts(everything).await.concat().contains("guest@"));
    // They sign in here.
    assert_eq!(api.get_as("/api/v1/me", &api.idp.sign("demo", &claims)).await.status(), StatusCode::OK);
    within(Duration::from_secs(20), async || api.count("users WHERE email = 'guest@home.example'").await == 1).await;
}

#[actix_web::test]
async fn a_guest_is_not_the_administrator_who_is_left() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let (id, home) = (known(&api, &admin, "boss@acme.example").await, api.idp.add_tenant("home"));
    let guest = UserId::new(&*api.clock, &SystemRandom);
    api.accounts.add(home.id, guest, "guest@home.example");
    api.done_as(&admin, Method::PUT, &format!("{USERS}/{guest}/membership"), &Value::Null).await;
    let roles = api.done_as(&admin, Method::GET, "/api/v1/roles", &Value::Null).await;
    let administrator = roles.as_array().unwrap().iter().find(|role| role["name"] == "administrator").unwrap();
    let role = json!({"role_id": administrator["id"]});
    api.done_as(&admin, Method::POST, &format!("{USERS}/{guest}/roles"), &role).await;
    let refused = api.send_as(&admin, Method::DELETE, &format!("{USERS}/{id}"), &Value::Null).await;
    problem(refused, StatusCode::CONFLICT).await;
    let at = format!("{USERS}/{guest}");
    assert_eq!(api.send_as(&admin, Method::DELETE, &at, &Value::Null).await.status(), StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn who_was_changed_meanwhile_is_not_removed() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let user = api.done_as(&admin, Method::POST, USERS, &json!({"email": "john@acme.example"})).await;
    let at = format!("{USERS}/{}", user["id"].as_str().unwrap());
    let tag = api.get_as(&at, &admin).await.headers()["etag"].clone();
    let remove =
        |tag: &HeaderValue| api.request(Method::DELETE, &at).bearer_auth(&admin).header("If-Match", tag).send();
    api.done_as(&admin, Method::PATCH, &at, &json!({"first_name": "Joe"})).await;
    problem(remove(&tag).await.unwrap(), StatusCode::PRECONDITION_FAILED).await;
    problem(remove(&"nonsense".parse().unwrap()).await.unwrap(), StatusCode::BAD_REQUEST).await;
    let tag = api.get_as(&at, &admin).await.headers()["etag"].clone();
    assert_eq!(remove(&tag).await.unwrap().status(), StatusCode::NO_CONTENT);
}
