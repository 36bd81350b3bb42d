//! `/api/v1/roles` and `/api/v1/users/{id}/roles`.

use std::time::{Duration, Instant};

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::Clock as _;

use crate::support::{TestApi, a_second_after, problem};

const ROLES: &str = "/api/v1/roles";
const NOTHING: &Value = &Value::Null;

/// Makes a role and gives its id.
async fn role(api: &TestApi, token: &str, name: &str, permissions: &[&str], inherits: &[&str]) -> String {
    let body = json!({"name": name, "role_family": "Internal", "permissions": permissions, "inherits": inherits});
    api.done_as(token, Method::POST, ROLES, &body).await["id"].as_str().unwrap().to_owned()
}

/// The id of a role that every tenant has.
async fn system_role(api: &TestApi, token: &str, name: &str) -> String {
    let found = api.done_as(token, Method::GET, &format!("{ROLES}?name={name}"), NOTHING).await;
    found[0]["id"].as_str().unwrap().to_owned()
}

async fn give(api: &TestApi, token: &str, user: &str, role: &str) -> StatusCode {
    let path = format!("/api/v1/users/{user}/roles");
    api.send_as(token, Method::POST, &path, &json!({ "role_id": role })).await.status()
}

async fn roles_of(api: &TestApi, token: &str) -> Value {
    api.done_as(token, Method::GET, "/api/v1/me", NOTHING).await["roles"].clone()
}

#[actix_web::test]
async fn a_role_is_made_shown_changed_and_removed() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let body = json!({"name": "PremiumCustomer", "role_family": "Customer", "description": "With privileges",
        "permissions": ["tenant_settings.read", "role.*"]});
    let response = api.send_as(&token, Method::POST, ROLES, &body).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    let (location, tag) = (response.headers()["location"].clone(), response.headers()["etag"].clone());
    let made = response.json::<Value>().await.unwrap()["data"].clone();
    for (name, value) in body.as_object().unwrap() {
        if name != "permissions" {
            assert_eq!(&made[name], value);
        }
    }
    let one = location.to_str().unwrap();
    let shown = api.get_as(one, &token).await;
    assert_eq!(shown.headers()["etag"], tag);
    assert_eq!(shown.json::<Value>().await.unwrap()["data"], made);
    let known = api.request(Method::GET, one).bearer_auth(&token).header("If-None-Match", &tag).send().await.unwrap();
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    problem(api.send_as(&token, Method::POST, ROLES, &body).await, StatusCode::CONFLICT).await;

    let patch = |tag: &str| {
        let request = api.request(Method::PATCH, one).bearer_auth(&token).header("If-Match", tag);
        request.json(&json!({"description": null, "permissions": ["role.read"]})).send()
    };
    let changed = patch(tag.to_str().unwrap()).await.unwrap();
    assert_eq!(changed.status(), StatusCode::OK);
    let changed = changed.json::<Value>().await.unwrap()["data"].clone();
    assert_eq!((&changed["permissions"], changed.get("description")), (&json!(["role.read"]), None));
    problem(patch(tag.to_str().unwrap()).await.unwrap(), StatusCode::PRECONDITION_FAILED).await;
    let without = api.request(Method::PATCH, one).bearer_auth(&token).json(&json!({})).send().await.unwrap();
    problem(without, StatusCode::PRECONDITION_REQUIRED).await;

    api.done_as(&token, Method::DELETE, one, NOTHING).await;
    problem(api.get_as(one, &token).await, StatusCode::NOT_FOUND).await;
    problem(patch("*").await.unwrap(), StatusCode::NOT_FOUND).await;
    let entries =
        api.texts("SELECT action AS value FROM audit_entries WHERE target_kind = 'role' ORDER BY action").await;
    assert_eq!(entries, ["role.create", "role.delete", "role.update"]);
    assert_eq!(api.count("outbox WHERE kind = 'role.changed'").await, 3);
}

#[actix_web::test]
async fn everything_wrong_with_a_role_is_told_at_once() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let body = json!({"name": " x", "role_family": "Family", "permissions": ["role.read", "Role.read", 5], "inherits": ["x"], "colour": 1});
    let problem_of = |body: Value| {
        let (api, token) = (&api, &token);
        async move {
            let response = api.send_as(token, Method::POST, ROLES, &body).await;
            let problem = problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
            let mut pointers: Vec<String> = problem["errors"]
                .as_array()
                .unwrap()
                .iter()
                .map(|e| e["pointer"].as_str().unwrap().to_owned())
                .collect();
            pointers.sort();
            pointers
        }
    };
    assert_eq!(
        problem_of(body).await,
        ["/colour", "/inherits/0", "/name", "/permissions/1", "/permissions/2", "/role_family"]
    );
    let unknown = json!({"name": "x", "role_family": "Internal", "permissions": ["role.read", "role.reed", "rolle.*"],
        "inherits": ["0190b2c4-0000-7000-8000-000000000001"]});
    assert_eq!(problem_of(unknown).await, ["/inherits/0", "/permissions/1", "/permissions/2"]);
    let one = role(&api, &token, "x", &[], &[]).await;
    let renamed = api.send_as(&token, Method::PATCH, &format!("{ROLES}/{one}"), &json!({"name": "y"})).await;
    assert_eq!(problem(renamed, StatusCode::UNPROCESSABLE_ENTITY).await["errors"][0]["code"], "fixed");
}

#[actix_web::test]
async fn a_role_is_given_and_taken() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let user = api.id_of(&member).await;
    api.id_of(&admin).await;
    assert_eq!(api.get_as(ROLES, &member).await.status(), StatusCode::FORBIDDEN);
    let reader = role(&api, &admin, "Reader", &["role.read"], &[]).await;
    let path = format!("/api/v1/users/{user}/roles");
    let said = api.done_as(&admin, Method::POST, &path, &json!({ "role_id": reader })).await;
    assert_eq!(said, json!({"message": "Role assigned successfully"}));
    // At once, in this process.
    assert_eq!(api.get_as(ROLES, &member).await.status(), StatusCode::OK);
    assert_eq!(roles_of(&api, &member).await, json!(["Reader", "member"]));
    let listed = api.done_as(&admin, Method::GET, &path, NOTHING).await;
    assert_eq!(
        (&listed[0]["name"], &listed[0]["role_family"], &listed[1]["name"]),
        (&json!("Reader"), &json!("Internal"), &json!("member"))
    );
    // Giving it again is nothing new.
    let entries = api.count("audit_entries").await;
    api.done_as(&admin, Method::POST, &path, &json!({ "role_id": reader })).await;
    assert_eq!(api.count("audit_entries").await, entries);
    api.done_as(&admin, Method::DELETE, &format!("{path}/{reader}"), NOTHING).await;
    assert_eq!(api.get_as(ROLES, &member).await.status(), StatusCode::FORBIDDEN);
    problem(api.send_as(&admin, Method::DELETE, &format!("{path}/{reader}"), NOTHING).await, StatusCode::NOT_FOUND)
        .await;
    let nobody = "/api/v1/users/0190b2c4-0000-7000-8000-000000000001/roles";
    problem(api.get_as(nobody, &admin).await, StatusCode::NOT_FOUND).await;
    problem(api.send_as(&admin, Method::POST, nobody, &json!({ "role_id": reader })).await, StatusCode::NOT_FOUND)
        .await;
    // From now on their roles are those that are given here, whatever their tokens say.
    api.done_as(&admin, Method::DELETE, &format!("{path}/{}", system_role(&api, &admin, "member").await), NOTHING)
        .await;
    assert_eq!(roles_of(&api, &member).await, json!([]));
    assert_eq!(api.count("outbox WHERE kind = 'account.roles_changed'").await, 3);
}

#[actix_web::test]
async fn a_role_that_is_given_for_a_time_ends_with_it() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let user = api.id_of(&member).await;
    api.id_of(&admin).await;
    let reader = role(&api, &admin, "Reader", &["role.read"], &[]).await;
    let path = format!("/api/v1/users/{user}/roles");
    let until = (api.clock.now() + Duration::from_secs(60)).to_string();
    let past = api
        .send_as(&admin, Method::POST, &path, &json!({"role_id": reader, "expires_at": "2020-01-01T00:00:00Z"}))
        .await;
    assert_eq!(problem(past, StatusCode::UNPROCESSABLE_ENTITY).await["errors"][0]["pointer"], "/expires_at");
    api.done_as(&admin, Method::POST, &path, &json!({"role_id": reader, "expires_at": until})).await;
    assert_eq!(api.get_as(ROLES, &member).await.status(), StatusCode::OK);
    api.clock.advance(Duration::from_secs(59));
    assert_eq!(api.get_as(ROLES, &member).await.status(), StatusCode::OK);
    api.clock.advance(Duration::from_secs(1));
    assert_eq!(api.get_as(ROLES, &member).await.status(), StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn roles_inherit_in_no_circle() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let user = api.id_of(&member).await;
    api.id_of(&admin).await;
    let a = role(&api, &admin, "A", &["role.read"], &[]).await;
    let b = role(&api, &admin, "B", &[], &[&a]).await;
    let c = role(&api, &admin, "C", &[], &[&b]).await;
    assert_eq!(give(&api, &admin, &user, &c).await, StatusCode::OK);
    assert_eq!(api.get_as(ROLES, &member).await.status(), StatusCode::OK);
    for heir in [&a, &b, &c] {
        let body = json!({ "inherits": [heir] });
        let circle = api.send_as(&admin, Method::PATCH, &format!("{ROLES}/{a}"), &body).await;
        assert_eq!(problem(circle, StatusCode::UNPROCESSABLE_ENTITY).await["errors"][0]["code"], "circle");
    }
    // Two at once that would make a circle together: one is refused.
    let (x, y) = (role(&api, &admin, "X", &[], &[]).await, role(&api, &admin, "Y", &[], &[]).await);
    let (to_y, to_x) = (json!({ "inherits": [y] }), json!({ "inherits": [x] }));
    let (path_x, path_y) = (format!("{ROLES}/{x}"), format!("{ROLES}/{y}"));
    let answers = join_all([
        api.send_as(&admin, Method::PATCH, &path_x, &to_y),
        api.send_as(&admin, Method::PATCH, &path_y, &to_x),
    ]);
    let mut statuses: Vec<u16> = answers.await.iter().map(|answer| answer.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
    // What the middle loses, the heir loses.
    api.done_as(&admin, Method::PATCH, &format!("{ROLES}/{b}"), &json!({"inherits": []})).await;
    assert_eq!(api.get_as(ROLES, &member).await.status(), StatusCode::FORBIDDEN);
}

#[actix_web::test]
async fn nobody_gives_what_they_do_not_hold() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    let manager = role(&api, &admin, "Manager", &["role.*", "group.*", "tenant_settings.read"], &[]).await;
    let stronger = role(&api, &admin, "Stronger", &["tenant_settings.update"], &[]).await;
    let heir = role(&api, &admin, "Heir", &[], &[&stronger]).await;
    let administrator = system_role(&api, &admin, "administrator").await;
    let token = api.user(&["member"], "api");
    let user = api.id_of(&token).await;
    assert_eq!(give(&api, &admin, &user, &manager).await, StatusCode::OK);
    // What they hold, they give.
    let weaker = role(&api, &token, "Weaker", &["role.read"], &[]).await;
    assert_eq!(give(&api, &token, &user, &weaker).await, StatusCode::OK);
    // A role of more than they hold, by name, by pattern, by everything and by inheritance.
    for permissions in [json!(["tenant_settings.update"]), json!(["tenant_settings.*"]), json!(["*"])] {
        let body = json!({"name": "Mine", "role_family": "Internal", "permissions": permissions});
        let refused = problem(api.send_as(&token, Method::POST, ROLES, &body).await, StatusCode::FORBIDDEN).await;
        assert_eq!(refused["type"], format!("{}/problems/not-held", api.url), "{permissions}");
        let patch = json!({ "permissions": permissions });
        problem(api.send_as(&token, Method::PATCH, &format!("{ROLES}/{weaker}"), &patch).await, StatusCode::FORBIDDEN)
            .await;
    }
    for parent in [&stronger, &heir, &administrator] {
        let body = json!({"name": "Mine", "role_family": "Internal", "inherits": [parent]});
        problem(api.send_as(&token, Method::POST, ROLES, &body).await, StatusCode::FORBIDDEN).await;
        // Nor do they give such a role to themselves or another.
        assert_eq!(give(&api, &token, &user, parent).await, StatusCode::FORBIDDEN);
    }
    // Nor take it from somebody, or take it apart.
    let boss = api.id_of(&admin).await;
    let path = format!("/api/v1/users/{boss}/roles/{administrator}");
    problem(api.send_as(&token, Method::DELETE, &path, NOTHING).await, StatusCode::FORBIDDEN).await;
    let apart = json!({"permissions": []});
    problem(api.send_as(&token, Method::PATCH, &format!("{ROLES}/{stronger}"), &apart).await, StatusCode::FORBIDDEN)
        .await;
    // An administrator whose token is for less holds less.
    let narrow = api.user(&["administrator"], "role.* role.assign tenant_settings.read");
    api.id_of(&narrow).await;
    assert_eq!(give(&api, &narrow, &user, &stronger).await, StatusCode::FORBIDDEN);
    let broad = json!({"name": "Broad", "role_family": "Internal", "permissions": ["tenant_settings.update"]});
    problem(api.send_as(&narrow, Method::POST, ROLES, &broad).await, StatusCode::FORBIDDEN).await;
    // And a client holds what its scopes name.
    let machine = api.machine("role.assign role.create role.read");
    assert_eq!(give(&api, &machine, &user, &stronger).await, StatusCode::FORBIDDEN);
    assert_eq!(give(&api, &machine, &user, &weaker).await, StatusCode::OK);
}

#[actix_web::test]
async fn what_is_held_for_a_time_is_not_given_for_longer() {
    let api = TestApi::start().await;
    let (admin, token) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&token).await);
    let friend = api.id_of(&api.user(&["member"], "api")).await;
    let administrator = system_role(&api, &admin, "administrator").await;
    let (own, of_friend) = (format!("/api/v1/users/{user}/roles"), format!("/api/v1/users/{friend}/roles"));
    let at = |seconds: u64| (api.clock.now() + Duration::from_secs(seconds)).to_string();
    let (sooner, end, later) = (at(60), at(120), at(121));
    let until = |time: &str| json!({"role_id": administrator, "expires_at": time});
    let for_good = json!({ "role_id": administrator });
    api.done_as(&admin, Method::POST, &own, &until(&end)).await;

    // Neither to themselves nor to a friend, for good or for longer; as long as they have it themselves.
    for (path, body) in
        [(&own, &for_good), (&own, &until(&later)), (&of_friend, &for_good), (&of_friend, &until(&later))]
    {
        let refused = api.send_as(&token, Method::POST, path, body).await;
        let problem = problem(refused, StatusCode::UNPROCESSABLE_ENTITY).await;
        let error = &problem["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!("/expires_at"), &json!("later")), "{body}");
        assert!(error["detail"].as_str().unwrap().contains(&end), "{error} {end}");
    }
    api.done_as(&token, Method::POST, &of_friend, &until(&end)).await;
    api.done_as(&token, Method::POST, &of_friend, &until(&sooner)).await;

    // Nor by a group, a role or a policy, all of which stay.
    let group = api.done_as(&admin, Method::POST, "/api/v1/groups", &json!({"name": "g"})).await;
    let group = format!("/api/v1/groups/{}", group["id"].as_str().unwrap());
    let strong = api.done_as(&admin, Method::POST, "/api/v1/groups", &json!({"name": "strong"})).await;
    let strong = strong["id"].as_str().unwrap();
    api.done_as(&admin, Method::PUT, &format!("/api/v1/groups/{strong}/roles/{administrator}"), NOTHING).await;
    let target = json!({"resource": "booking", "action": "read"});
    let policy = json!({"name": "p", "target": target, "rules": {"effect": "allow"}});
    for (method, path, body) in [
        (Method::PUT, format!("{group}/roles/{administrator}"), Value::Null),
        (Method::PUT, format!("/api/v1/groups/{strong}/members/{user}"), Value::Null),
        (Method::PATCH, group.clone(), json!({ "parent_id": strong })),
        (Method::POST, "/api/v1/groups".to_owned(), json!({"name": "part", "parent_id": strong})),
        (Method::POST, ROLES.to_owned(), json!({"name": "R", "role_family": "Internal", "permissions": ["role.read"]})),
        (Method::POST, ROLES.to_owned(), json!({"name": "R", "role_family": "Internal", "inherits": [administrator]})),
        (Method::POST, "/api/v1/policies".to_owned(), policy.clone()),
    ] {
        let refused = api.send_as(&token, method.clone(), &path, &body).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{method} {path} {body}");
        let problem = problem(refused, StatusCode::FORBIDDEN).await;
        assert_eq!(problem["type"], format!("{}/problems/not-held", api.url));
        assert!(problem["detail"].as_str().unwrap().contains(&end), "{problem}");
    }
    // Nor by being somebody who has it longer.
    let account = |email: &str| json!({"email": email, "password": "securePassword123", "status": "active"});
    let password = json!({"password": "anotherPassword123"});
    for (email, status) in [("permanent@acme.example", 403), ("plain@acme.example", 200)] {
        let made = api.done_as(&admin, Method::POST, "/api/v1/users", &account(email)).await;
        let path = format!("/api/v1/users/{}", made["id"].as_str().unwrap());
        if status == 403 {
            api.done_as(&admin, Method::POST, &format!("{path}/roles"), &for_good).await;
        }
        assert_eq!(api.send_as(&token, Method::PATCH, &path, &password).await.status().as_u16(), status, "{email}");
    }
    // While they have it they take, remove and switch off as everybody does who has it.
    let made = api.done_as(&admin, Method::POST, "/api/v1/policies", &policy).await;
    let made = format!("/api/v1/policies/{}", made["id"].as_str().unwrap());
    api.done_as(&token, Method::POST, &format!("{made}/disable"), NOTHING).await;
    problem(api.send_as(&token, Method::POST, &format!("{made}/enable"), NOTHING).await, StatusCode::FORBIDDEN).await;
    api.done_as(&token, Method::DELETE, &format!("{of_friend}/{administrator}"), NOTHING).await;
    api.clock.advance(Duration::from_secs(120));
    assert_eq!(api.get_as(ROLES, &token).await.status(), StatusCode::FORBIDDEN);
    // Two roles of which one is for good count together; of two that end the later one does.
    let reader = role(&api, &admin, "Reader", &["role.*"], &[]).await;
    let other = role(&api, &admin, "Other", &["role.*"], &[]).await;
    let body = |role: &str, seconds: u64| json!({"role_id": role, "expires_at": at(seconds)});
    for (role, seconds) in [(&reader, 60), (&other, 600)] {
        api.done_as(&admin, Method::POST, &own, &body(role, seconds)).await;
    }
    api.done_as(&token, Method::POST, &own, &body(&reader, 600)).await;
    api.done_as(&admin, Method::POST, &own, &json!({ "role_id": other })).await;
    api.done_as(&token, Method::POST, &own, &json!({ "role_id": reader })).await;
}

#[actix_web::test]
async fn what_was_lost_a_moment_ago_is_not_given() {
    let api = TestApi::start().await;
    let (admin, token) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&token).await);
    let manager = role(&api, &admin, "Manager", &["role.*"], &[]).await;
    assert_eq!(give(&api, &admin, &user, &manager).await, StatusCode::OK);
    assert_eq!(api.get_as(ROLES, &token).await.status(), StatusCode::OK);
    // Behind the back of what this process remembers.
    api.execute("DELETE FROM user_roles WHERE assigned_by IS NOT NULL").await;
    let body = json!({"name": "Late", "role_family": "Internal", "permissions": ["role.read"]});
    problem(api.send_as(&token, Method::POST, ROLES, &body).await, StatusCode::FORBIDDEN).await;
}

#[actix_web::test]
async fn somebody_who_may_do_everything_is_always_left() {
    let api = TestApi::start().await;
    let (admin, other) = (api.administrator(), api.administrator());
    let (first, second) = (api.id_of(&admin).await, api.id_of(&other).await);
    let administrator = system_role(&api, &admin, "administrator").await;
    let path = |user: &str| format!("/api/v1/users/{user}/roles/{administrator}");
    // Both at once: one is left.
    let (one, two) = (path(&second), path(&first));
    let answers = join_all([
        api.send_as(&admin, Method::DELETE, &one, NOTHING),
        api.send_as(&other, Method::DELETE, &two, NOTHING),
    ]);
    let statuses: Vec<u16> = answers.await.iter().map(|answer| answer.status().as_u16()).collect();
    // Whoever lost it sees the role no more.
    assert!(statuses.contains(&204) && statuses.iter().any(|status| [403, 404, 409].contains(status)), "{statuses:?}");
    assert_eq!(api.count("user_roles").await, 1);
    let (token, user) = if statuses[0] == 204 { (&admin, &first) } else { (&other, &second) };
    let last = problem(api.send_as(token, Method::DELETE, &path(user), NOTHING).await, StatusCode::CONFLICT).await;
    assert_eq!(last["type"], format!("{}/problems/last-administrator", api.url));
    // For a time is not for good.
    let until = (api.clock.now() + Duration::from_secs(60)).to_string();
    let body = json!({"role_id": administrator, "expires_at": until});
    let response = api.send_as(token, Method::POST, &format!("/api/v1/users/{user}/roles"), &body).await;
    problem(response, StatusCode::CONFLICT).await;
}

#[actix_web::test]
async fn system_roles_stay_as_they_are() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let path = format!("{ROLES}/{}", system_role(&api, &token, "member").await);
    let changed = api.send_as(&token, Method::PATCH, &path, &json!({"permissions": ["*"]})).await;
    assert_eq!(problem(changed, StatusCode::CONFLICT).await["type"], format!("{}/problems/system-role", api.url));
    problem(api.send_as(&token, Method::DELETE, &path, NOTHING).await, StatusCode::CONFLICT).await;
}

#[actix_web::test]
async fn a_role_in_use_stays() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let user = api.id_of(&token).await;
    let (a, b) = (role(&api, &token, "A", &[], &[]).await, role(&api, &token, "B", &[], &[]).await);
    role(&api, &token, "Heir", &[], &[&a]).await;
    assert_eq!(give(&api, &token, &user, &b).await, StatusCode::OK);
    for used in [a, b] {
        problem(api.send_as(&token, Method::DELETE, &format!("{ROLES}/{used}"), NOTHING).await, StatusCode::CONFLICT)
            .await;
    }
}

#[actix_web::test]
async fn roles_of_another_tenant_are_not_there() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let user = api.id_of(&admin).await;
    let own = role(&api, &admin, "Own", &["role.read"], &[]).await;
    api.idp.add_tenant("other");
    let other = api.idp.sign("other", &api.idp.user_claims("other", &api.url));
    let other_user = api.id_of(&other).await;
    problem(api.get_as(&format!("{ROLES}/{own}"), &other).await, StatusCode::NOT_FOUND).await;
    problem(api.send_as(&other, Method::PATCH, &format!("{ROLES}/{own}"), &json!({})).await, StatusCode::NOT_FOUND)
        .await;
    problem(api.send_as(&other, Method::DELETE, &format!("{ROLES}/{own}"), NOTHING).await, StatusCode::NOT_FOUND).await;
    assert_eq!(give(&api, &other, &other_user, &own).await, StatusCode::NOT_FOUND);
    assert_eq!(give(&api, &other, &user, &own).await, StatusCode::NOT_FOUND);
    let body = json!({"name": "Heir", "role_family": "Internal", "inherits": [own]});
    problem(api.send_as(&other, Method::POST, ROLES, &body).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let names = api.done_as(&other, Method::GET, ROLES, NOTHING).await;
    assert!(!names.to_string().contains("Own"));
}

#[actix_web::test]
async fn another_replica_knows_soon() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&member).await);
    let replica = api.replica(api.config.clone()).await;
    let http = crate::support::client();
    let at_replica =
        || async { http.get(format!("{replica}{ROLES}")).bearer_auth(&member).send().await.unwrap().status() };
    assert_eq!(at_replica().await, StatusCode::FORBIDDEN);
    let reader = role(&api, &admin, "Reader", &["role.read"], &[]).await;
    assert_eq!(give(&api, &admin, &user, &reader).await, StatusCode::OK);
    a_second_after(Instant::now(), || async { at_replica().await == StatusCode::OK }).await;
    // What a role of theirs loses, they lose.
    api.done_as(&admin, Method::PATCH, &format!("{ROLES}/{reader}"), &json!({"permissions": []})).await;
    a_second_after(Instant::now(), || async { at_replica().await == StatusCode::FORBIDDEN }).await;
}
