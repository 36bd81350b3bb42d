//! `/api/v1/users`: people are added, shown, changed and removed, whatever fails in between.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::header::HeaderValue;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::{SystemRandom, UserId};

use crate::support::{TestApi, client, problem, within};

const USERS: &str = "/api/v1/users";

fn john() -> Value {
    json!({
        "email": "John.Doe@Acme.example", "password": "securePassword123", "first_name": "John", "last_name": "Doe",
        "phone": "+12025550123", "metadata": {"department": "sales"},
    })
}

fn path(user: &Value) -> String {
    format!("{USERS}/{}", user["id"].as_str().unwrap())
}

/// The codes of what is wrong, with where.
fn wrong(problem: &Value) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    problem["errors"].as_array().unwrap().iter().map(|e| (text(&e["pointer"]), text(&e["code"]))).collect()
}

#[actix_web::test]
async fn somebody_is_added_shown_changed_and_removed() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let response = api.send_as(&admin, Method::POST, USERS, &john()).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let (location, etag) = (response.headers()["location"].clone(), response.headers()["etag"].clone());
    let user = response.json::<Value>().await.unwrap()["data"].clone();
    let at = path(&user);
    assert_eq!(location.to_str().unwrap(), at);
    for (member, value) in
        [("email", "John.Doe@acme.example"), ("first_name", "John"), ("last_name", "Doe"), ("status", "pending")]
    {
        assert_eq!(user[member], value, "{user}");
    }
    assert_eq!((&user["metadata"], &user["roles"]), (&json!({"department": "sales"}), &json!([])));
    assert!(!user.to_string().contains("securePassword"));
    let tenant = api.idp.tenant("demo").id;
    assert_eq!(api.accounts.get(tenant, user["id"].as_str().unwrap())["given_name"], "John");
    assert_eq!(
        api.texts("SELECT action AS value FROM audit_entries WHERE target_kind = 'account' ORDER BY action").await,
        ["account.create", "account.first_seen"]
    );
    assert!(!api.texts("SELECT changes AS value FROM audit_entries").await.concat().contains("securePassword"));
    assert_eq!(api.count("account_doubts").await, 0);

    // Shown, with what they were given.
    let roles = api.done_as(&admin, Method::GET, "/api/v1/roles", &Value::Null).await;
    let member = roles.as_array().unwrap().iter().find(|role| role["name"] == "member").unwrap();
    api.done_as(&admin, Method::POST, &format!("{at}/roles"), &json!({"role_id": member["id"]})).await;
    let shown = api.done_as(&admin, Method::GET, &at, &Value::Null).await;
    assert_eq!(shown["roles"], json!([{"id": member["id"], "name": "member", "role_family": "Customer"}]));
    // What is shown is another than before, and that is seen by its tag.
    let if_not =
        |etag: &HeaderValue| api.request(Method::GET, &at).bearer_auth(&admin).header("If-None-Match", etag).send();
    let again = if_not(&etag).await.unwrap();
    assert_eq!(again.status(), StatusCode::OK);
    let etag = again.headers()["etag"].clone();
    assert_eq!(if_not(&etag).await.unwrap().status(), StatusCode::NOT_MODIFIED);

    // Changed: there and here.
    let change =
        json!({"first_name": "Johnny", "phone": null, "status": "active", "avatar_url": "https://a.example/j.png"});
    let request = api.request(Method::PATCH, &at).bearer_auth(&admin).header("If-Match", &etag).json(&change);
    let response = request.send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let changed = response.json::<Value>().await.unwrap()["data"].clone();
    assert_eq!(
        (&changed["first_name"], &changed["phone"], &changed["status"]),
        (&json!("Johnny"), &Value::Null, &json!("active"))
    );
    assert_eq!(changed["avatar_url"], "https://a.example/j.png");
    assert_eq!(api.accounts.get(tenant, user["id"].as_str().unwrap())["status"], "active");
    let stale = api.request(Method::PATCH, &at).bearer_auth(&admin).header("If-Match", &etag).json(&change);
    problem(stale.send().await.unwrap(), StatusCode::PRECONDITION_FAILED).await;
    let blind = api.request(Method::PATCH, &at).bearer_auth(&admin).json(&change).send().await.unwrap();
    problem(blind, StatusCode::PRECONDITION_REQUIRED).await;

    assert_eq!(api.send_as(&admin, Method::DELETE, &at, &Value::Null).await.status(), StatusCode::NO_CONTENT);
    assert_eq!(api.accounts.get(tenant, user["id"].as_str().unwrap()), Value::Null);
    for method in [Method::GET, Method::DELETE] {
        let gone = problem(api.send_as(&admin, method, &at, &Value::Null).await, StatusCode::NOT_FOUND).await;
        assert_eq!(gone["type"], format!("{}/problems/user-not-found", api.url));
    }
    assert_eq!(api.count("user_roles").await, 1, "only the administrator's is left");
}

#[actix_web::test]
async fn somebody_who_was_removed_is_not_learned_again_from_an_old_token() {
    let api = TestApi::start().await;
    let (admin, other) = (api.administrator(), api.user(&["member"], "api"));
    let id = api.id_of(&other).await;
    let at = format!("{USERS}/{id}");
    assert_eq!(api.send_as(&admin, Method::DELETE, &at, &Value::Null).await.status(), StatusCode::NO_CONTENT);
    problem(api.get_as("/api/v1/me", &other).await, StatusCode::UNAUTHORIZED).await;
    assert_eq!(api.count("users").await, 1);
}

#[actix_web::test]
async fn everything_wrong_with_somebody_is_told_at_once() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let body = json!({
        "email": "nonsense", "password": "", "first_name": " x", "last_name": 1, "phone": "0123", "status": "banned",
        "avatar_url": "http://a.example", "metadata": [], "is_admin": true,
    });
    let told = problem(api.send_as(&admin, Method::POST, USERS, &body).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let pointers: Vec<String> = wrong(&told).into_iter().map(|(pointer, _)| pointer).collect();
    for pointer in
        ["email", "password", "first_name", "last_name", "phone", "status", "avatar_url", "metadata", "is_admin"]
    {
        assert!(pointers.contains(&format!("/{pointer}")), "{pointer}: {pointers:?}");
    }
    let told =
        problem(api.send_as(&admin, Method::POST, USERS, &json!({})).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(wrong(&told), [("/email".to_owned(), "required".to_owned())]);
    // What only the provider finds wrong is told in the caller's words.
    let mut short = john();
    short["password"] = "short".into();
    let told = problem(api.send_as(&admin, Method::POST, USERS, &short).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(wrong(&told), [("/password".to_owned(), "too_short".to_owned())]);
    assert_eq!((api.count("users").await, api.count("account_doubts").await), (1, 0));
    let big = json!({"metadata": {"x": "y".repeat(17_000)}});
    let user = api.done_as(&admin, Method::POST, USERS, &john()).await;
    let told =
        problem(api.send_as(&admin, Method::PATCH, &path(&user), &big).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(wrong(&told), [("/metadata".to_owned(), "too_large".to_owned())]);
    let null = json!({"email": null});
    problem(api.send_as(&admin, Method::PATCH, &path(&user), &null).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    for query in ["?status=king", "?role=x", "?limit=0", "?colour=red", "?email=x"] {
        problem(api.get_as(&format!("{USERS}{query}"), &admin).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
}

#[actix_web::test]
async fn an_address_is_one_persons() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.done_as(&admin, Method::POST, USERS, &john()).await;
    let taken = problem(api.send_as(&admin, Method::POST, USERS, &john()).await, StatusCode::CONFLICT).await;
    assert_eq!(wrong(&taken), [("/email".to_owned(), "taken".to_owned())]);
    // Taken by somebody whom only the provider knows.
    let id = UserId::new(&*api.clock, &SystemRandom);
    api.accounts.add(api.idp.tenant("demo").id, id, "ada@acme.example");
    let mut ada = john();
    ada["email"] = "ada@acme.example".into();
    let taken = problem(api.send_as(&admin, Method::POST, USERS, &ada).await, StatusCode::CONFLICT).await;
    assert_eq!(wrong(&taken), [("/email".to_owned(), "taken".to_owned())]);
    // Many who want it at once: one gets it.
    ada["email"] = "grace@acme.example".into();
    let all = futures_util::future::join_all((0..6).map(|_| api.send_as(&admin, Method::POST, USERS, &ada))).await;
    let made = all.iter().filter(|answer| answer.status() == StatusCode::CREATED).count();
    assert_eq!(made, 1);
    assert!(all.iter().all(|answer| [StatusCode::CREATED, StatusCode::CONFLICT].contains(&answer.status())));
    assert_eq!(api.count("users WHERE email_normalized = 'grace@acme.example'").await, 1);
}

#[actix_web::test]
async fn while_the_provider_is_away_nobody_is_changed() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let user = api.done_as(&admin, Method::POST, USERS, &john()).await;
    api.accounts.is_down.store(true, Ordering::SeqCst);
    let mut other = john();
    other["email"] = "other@acme.example".into();
    for (method, path, body) in [
        (Method::POST, USERS.to_owned(), other.clone()),
        (Method::PATCH, path(&user), json!({"first_name": "X"})),
        (Method::DELETE, path(&user), Value::Null),
    ] {
        let response = api.send_as(&admin, method, &path, &body).await;
        assert!(response.headers().contains_key("retry-after"));
        problem(response, StatusCode::SERVICE_UNAVAILABLE).await;
    }
    let shown = api.done_as(&admin, Method::GET, &path(&user), &Value::Null).await;
    assert_eq!(shown["first_name"], "John");
    // What is known here only can be changed.
    let local = json!({"metadata": {"level": 3}});
    assert_eq!(api.done_as(&admin, Method::PATCH, &path(&user), &local).await["metadata"], json!({"level": 3}));
    api.accounts.is_down.store(false, Ordering::SeqCst);
    assert_eq!(api.send_as(&admin, Method::POST, USERS, &other).await.status(), StatusCode::CREATED);
}

#[actix_web::test]
async fn a_repeat_goes_on_where_the_first_broke_off() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let post = |body: &Value| {
        let request = api.request(Method::POST, USERS).bearer_auth(&admin).header("Idempotency-Key", "one");
        request.json(body).send()
    };
    api.accounts.loses_answers.store(true, Ordering::SeqCst);
    problem(post(&john()).await.unwrap(), StatusCode::SERVICE_UNAVAILABLE).await;
    api.accounts.loses_answers.store(false, Ordering::SeqCst);
    let first: Value = post(&john()).await.unwrap().json().await.unwrap();
    let second = post(&john()).await.unwrap();
    assert_eq!(
        (second.status(), &second.headers()["idempotent-replayed"]),
        (StatusCode::CREATED, &"true".parse().unwrap())
    );
    assert_eq!(second.json::<Value>().await.unwrap(), first);
    assert_eq!(api.count("users WHERE email_normalized = 'john.doe@acme.example'").await, 1);
    let mut other = john();
    other["first_name"] = "Jane".into();
    problem(post(&other).await.unwrap(), StatusCode::UNPROCESSABLE_ENTITY).await;
}

#[actix_web::test]
async fn what_became_of_a_change_without_an_answer_is_found_out() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let user = api.done_as(&admin, Method::POST, USERS, &john()).await;
    let mut other = john();
    other["email"] = "other@acme.example".into();
    api.accounts.loses_answers.store(true, Ordering::SeqCst);
    for (method, path, body) in
        [(Method::POST, USERS.to_owned(), other), (Method::PATCH, path(&user), json!({"first_name": "Jane"}))]
    {
        problem(api.send_as(&admin, method, &path, &body).await, StatusCode::SERVICE_UNAVAILABLE).await;
    }
    assert_eq!(api.count("account_doubts").await, 2);
    api.accounts.loses_answers.store(false, Ordering::SeqCst);
    within(Duration::from_secs(20), async || {
        api.clock.advance(Duration::from_secs(30));
        api.count("account_doubts").await == 0
    })
    .await;
    let names =
        "SELECT CONCAT(email_normalized, ' ', given_name) AS value FROM users WHERE email IS NOT NULL ORDER BY email";
    assert_eq!(api.texts(names).await, ["john.doe@acme.example Jane", "other@acme.example John"]);
}

#[actix_web::test]
async fn nobody_changes_somebody_who_holds_more() {
    let api = TestApi::start().await;
    let (admin, _) = (api.administrator(), api.administrator());
    let boss = api.id_of(&admin).await;
    api.done_as(&admin, Method::POST, "/api/v1/roles", &json!({
        "name": "helpdesk", "role_family": "Internal", "permissions": ["account.read", "account.update", "account.delete"]})).await;
    let helper = api.user(&["helpdesk"], "api");
    let at = format!("{USERS}/{boss}");
    for (method, body) in [(Method::PATCH, json!({"password": "anotherPassword1"})), (Method::DELETE, Value::Null)] {
        let told = problem(api.send_as(&helper, method, &at, &body).await, StatusCode::FORBIDDEN).await;
        assert_eq!(told["type"], format!("{}/problems/holds-more", api.url));
    }
    let user = api.done_as(&admin, Method::POST, USERS, &john()).await;
    api.done_as(&helper, Method::PATCH, &path(&user), &json!({"status": "suspended"})).await;
    // A token for less than the roles is for less here as well.
    let narrow = {
        let mut claims = api.idp.user_claims("demo", &api.url);
        claims["scope"] = "account.update".into();
        claims["sub"] = boss.clone().into();
        api.idp.sign("demo", &claims)
    };
    let other = api.administrator();
    let other = format!("{USERS}/{}", api.id_of(&other).await);
    problem(api.send_as(&narrow, Method::PATCH, &other, &json!({"status": "inactive"})).await, StatusCode::FORBIDDEN)
        .await;
}

#[actix_web::test]
async fn the_last_administrator_stays() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let id = api.id_of(&admin).await;
    api.accounts.add(api.idp.tenant("demo").id, id.parse().unwrap(), "boss@acme.example");
    let at = format!("{USERS}/{id}");
    for (method, body) in [(Method::PATCH, json!({"status": "inactive"})), (Method::DELETE, Value::Null)] {
        let told = problem(api.send_as(&admin, method, &at, &body).await, StatusCode::CONFLICT).await;
        assert_eq!(told["type"], format!("{}/problems/last-administrator", api.url));
    }
    // Somebody else, who is switched off, is none.
    let second = api.administrator();
    let second_id = api.id_of(&second).await;
    api.accounts.add(api.idp.tenant("demo").id, second_id.parse().unwrap(), "second@acme.example");
    api.done_as(&admin, Method::PATCH, &format!("{USERS}/{second_id}"), &json!({"status": "suspended"})).await;
    problem(api.send_as(&admin, Method::DELETE, &at, &Value::Null).await, StatusCode::CONFLICT).await;
    problem(api.get_as("/api/v1/me", &second).await, StatusCode::UNAUTHORIZED).await;
    api.done_as(&admin, Method::PATCH, &format!("{USERS}/{second_id}"), &json!({"status": "active"})).await;
    assert_eq!(api.send_as(&admin, Method::DELETE, &at, &Value::Null).await.status(), StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn people_change_their_own_profile_and_nothing_else() {
    let api = TestApi::start().await;
    let token = api.user(&["member"], "api");
    let id = api.id_of(&token).await;
    api.accounts.add(api.idp.tenant("demo").id, id.parse().unwrap(), "me@acme.example");
    let me = format!("{USERS}/me");
    assert_eq!(api.done_as(&token, Method::GET, &me, &Value::Null).await["id"], id);
    let changed =
        api.done_as(&token, Method::PATCH, &me, &json!({"display_name": "Me", "phone": "+12025550199"})).await;
    assert_eq!((&changed["display_name"], &changed["email"]), (&json!("Me"), &json!("me@acme.example")));
    for member in ["email", "status", "password", "metadata", "username"] {
        let body = json!({ member: "active" });
        problem(api.send_as(&token, Method::PATCH, &me, &body).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    let mut claims = api.idp.user_claims("demo", &api.url);
    claims["sub"] = id.clone().into();
    claims["scope"] = "openid".into();
    let narrow = api.idp.sign("demo", &claims);
    problem(api.send_as(&narrow, Method::PATCH, &me, &json!({})).await, StatusCode::FORBIDDEN).await;
    // Others are for those who may see them.
    problem(api.get_as(&format!("{USERS}/{id}"), &token).await, StatusCode::FORBIDDEN).await;
    let machine = api.machine("account.read");
    problem(api.get_as(&me, &machine).await, StatusCode::NOT_FOUND).await;
}

#[actix_web::test]
async fn somebody_of_another_tenant_is_let_in_and_dismissed() {
    let api = TestApi::start().await;
    let (admin, home) = (api.administrator(), api.idp.add_tenant("home"));
    let id = UserId::new(&*api.clock, &SystemRandom);
    api.accounts.add(home.id, id, "guest@home.example");
    let at = format!("{USERS}/{id}/membership");
    let guest = api.done_as(&admin, Method::PUT, &at, &Value::Null).await;
    assert_eq!((&guest["home_tenant_id"], &guest["status"]), (&json!(home.id), &json!("active")));
    let changed = api.send_as(&admin, Method::PATCH, &path(&guest), &json!({"first_name": "X"})).await;
    let told = problem(changed, StatusCode::CONFLICT).await;
    assert_eq!(told["type"], format!("{}/problems/managed-elsewhere", api.url));
    assert_eq!(api.send_as(&admin, Method::DELETE, &at, &Value::Null).await.status(), StatusCode::NO_CONTENT);
    assert_ne!(api.accounts.get(home.id, id.as_str()), Value::Null, "at home they stay");
    problem(api.get_as(&path(&guest), &admin).await, StatusCode::NOT_FOUND).await;
    let nobody = UserId::new(&*api.clock, &SystemRandom);
    let missing = api.send_as(&admin, Method::PUT, &format!("{USERS}/{nobody}/membership"), &Value::Null).await;
    problem(missing, StatusCode::NOT_FOUND).await;
}

#[actix_web::test]
async fn people_are_found_page_by_page() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    for (number, name) in ["Zoë", "100%", "a_b", "Ärger", "plain"].iter().enumerate() {
        let body = json!({"email": format!("u{number}@acme.example"), "first_name": name, "status": "active"});
        api.done_as(&admin, Method::POST, USERS, &body).await;
    }
    let found = async |query: &str| -> Vec<String> {
        let list = api.done_as(&admin, Method::GET, &format!("{USERS}{query}"), &Value::Null).await;
        list.as_array().unwrap().iter().map(|user| user["first_name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(found("").await.len(), 6);
    assert_eq!(found("?search=PLAIN").await, ["plain"]);
    assert_eq!(found("?search=%25").await, ["100%"]);
    assert_eq!(found("?search=a_b").await, ["a_b"]);
    assert_eq!(found("?search=U3%40").await, ["Ärger"]);
    assert_eq!(found("?email=U0@ACME.example").await, ["Zoë"]);
    assert_eq!(found("?status=pending").await, [""; 0]);
    let roles = api.done_as(&admin, Method::GET, "/api/v1/roles", &Value::Null).await;
    let administrator = roles.as_array().unwrap().iter().find(|role| role["name"] == "administrator").unwrap();
    assert_eq!(found(&format!("?role={}", administrator["id"].as_str().unwrap())).await, [""]);
    let mut seen = 0;
    let mut next = format!("{USERS}?limit=2");
    for _ in 0..3 {
        let page: Value = api.get_as(&next, &admin).await.json().await.unwrap();
        seen += page["data"].as_array().unwrap().len();
        next = format!("{USERS}?limit=2&cursor={}", page["page"]["next"].as_str().unwrap_or_default());
    }
    assert_eq!(seen, 6);
    // Another tenant sees nobody of them, and changes nobody.
    let other = api.idp.add_tenant("other");
    let stranger = other.key.sign_jwt("at+jwt", &api.idp.user_claims("other", &api.url)).unwrap();
    let list = api.done_as(&stranger, Method::GET, USERS, &Value::Null).await;
    assert_eq!(list.as_array().unwrap().len(), 1);
    let first = api.done_as(&admin, Method::GET, &format!("{USERS}?search=plain"), &Value::Null).await[0].clone();
    for method in [Method::GET, Method::DELETE] {
        problem(api.send_as(&stranger, method, &path(&first), &Value::Null).await, StatusCode::NOT_FOUND).await;
    }
}

#[actix_web::test]
async fn roles_reach_the_provider_also_when_it_was_away() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let user = api.done_as(&admin, Method::POST, USERS, &john()).await;
    let id = user["id"].as_str().unwrap();
    let roles = api.done_as(&admin, Method::GET, "/api/v1/roles", &Value::Null).await;
    let member = roles.as_array().unwrap().iter().find(|role| role["name"] == "member").unwrap()["id"].clone();
    api.accounts.is_down.store(true, Ordering::SeqCst);
    api.done_as(&admin, Method::POST, &format!("{}/roles", path(&user)), &json!({ "role_id": member })).await;
    within(Duration::from_secs(20), async || api.count("outbox WHERE attempts > 0").await > 0).await;
    assert_eq!(api.accounts.roles_of(id), None);
    api.accounts.is_down.store(false, Ordering::SeqCst);
    within(Duration::from_secs(20), async || {
        api.clock.advance(Duration::from_secs(10));
        api.accounts.roles_of(id) == Some((1, vec!["member".to_owned()]))
    })
    .await;
    let role = member.as_str().unwrap();
    api.send_as(&admin, Method::DELETE, &format!("{}/roles/{role}", path(&user)), &Value::Null).await;
    within(Duration::from_secs(20), async || {
        api.clock.advance(Duration::from_secs(10));
        api.accounts.roles_of(id) == Some((2, Vec::new()))
    })
    .await;
    let due = "outbox WHERE kind = 'account.roles_changed' AND delivered_at IS NULL";
    within(Duration::from_secs(20), async || api.count(due).await == 0).await;
}

#[actix_web::test]
async fn who_comes_first_is_asked_for_in_the_background() {
    let api = TestApi::start().await;
    let claims = api.idp.user_claims("demo", &api.url);
    let id = claims["sub"].as_str().unwrap();
    api.accounts.add(api.idp.tenant("demo").id, id.parse().unwrap(), "ada@acme.example");
    let token = api.idp.sign("demo", &claims);
    assert_eq!(api.get_as("/api/v1/me", &token).await.status(), StatusCode::OK);
    within(Duration::from_secs(20), async || api.count("users WHERE email = 'ada@acme.example'").await == 1).await;
}

#[actix_web::test]
async fn somebody_switched_off_here_is_refused_by_another_replica() {
    let api = TestApi::start().await;
    let replica = api.replica(api.config.clone()).await;
    let (admin, other) = (api.administrator(), api.user(&["member"], "api"));
    let id = api.id_of(&other).await;
    api.accounts.add(api.idp.tenant("demo").id, id.parse().unwrap(), "other@acme.example");
    let status =
        async || client().get(format!("{replica}/api/v1/me")).bearer_auth(&other).send().await.unwrap().status();
    assert_eq!(status().await, StatusCode::OK);
    api.done_as(&admin, Method::PATCH, &format!("{USERS}/{id}"), &json!({"status": "banned"})).await;
    within(Duration::from_secs(20), async || status().await == StatusCode::UNAUTHORIZED).await;
}

#[actix_web::test]
async fn without_a_database_people_are_not_told_why() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    assert_eq!(api.get_as(USERS, &admin).await.status(), StatusCode::OK);
    api.execute("DROP TABLE account_doubts").await;
    let told =
        problem(api.send_as(&admin, Method::POST, USERS, &john()).await, StatusCode::INTERNAL_SERVER_ERROR).await;
    assert!(told.get("detail").is_none());
}
