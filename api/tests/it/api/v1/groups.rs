//! `/api/v1/groups`.

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApi, problem};

const GROUPS: &str = "/api/v1/groups";
const NOTHING: &Value = &Value::Null;

async fn group(api: &TestApi, token: &str, body: &Value) -> String {
    api.done_as(token, Method::POST, GROUPS, body).await["id"].as_str().unwrap().to_owned()
}

async fn role(api: &TestApi, token: &str, name: &str, permissions: &[&str]) -> String {
    let body = json!({"name": name, "role_family": "Internal", "permissions": permissions});
    api.done_as(token, Method::POST, "/api/v1/roles", &body).await["id"].as_str().unwrap().to_owned()
}

#[actix_web::test]
async fn members_have_what_the_group_has() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&member).await);
    let desk = group(&api, &admin, &json!({"name": "Front desk", "description": "Receives guests"})).await;
    problem(api.send_as(&admin, Method::POST, GROUPS, &json!({"name": "Front desk"})).await, StatusCode::CONFLICT)
        .await;
    let reader = role(&api, &admin, "Reader", &["role.read"]).await;
    let (in_group, with_role) = (format!("{GROUPS}/{desk}/members/{user}"), format!("{GROUPS}/{desk}/roles/{reader}"));
    let may = || async { api.get_as("/api/v1/roles", &member).await.status() == StatusCode::OK };
    api.done_as(&admin, Method::PUT, &in_group, NOTHING).await;
    assert!(!may().await);
    for _ in 0..2 {
        api.done_as(&admin, Method::PUT, &with_role, NOTHING).await;
        assert!(may().await);
    }
    let members = api.done_as(&admin, Method::GET, &format!("{GROUPS}/{desk}/members"), NOTHING).await;
    assert_eq!((members.as_array().unwrap().len(), &members[0]["user_id"]), (1, &json!(user)));
    let roles = api.done_as(&admin, Method::GET, &format!("{GROUPS}/{desk}/roles"), NOTHING).await;
    assert_eq!(roles, json!([{"role_id": reader, "name": "Reader"}]));
    api.done_as(&admin, Method::DELETE, &in_group, NOTHING).await;
    assert!(!may().await);
    api.done_as(&admin, Method::PUT, &in_group, NOTHING).await;
    api.done_as(&admin, Method::DELETE, &with_role, NOTHING).await;
    assert!(!may().await);
    api.done_as(&admin, Method::PUT, &with_role, NOTHING).await;
    api.done_as(&admin, Method::DELETE, &format!("{GROUPS}/{desk}"), NOTHING).await;
    assert!(!may().await);
    for gone in [format!("{GROUPS}/{desk}"), format!("{GROUPS}/{desk}/members"), format!("{GROUPS}/{desk}/roles")] {
        problem(api.get_as(&gone, &admin).await, StatusCode::NOT_FOUND).await;
    }
    for (method, path) in [(Method::PUT, &in_group), (Method::DELETE, &in_group), (Method::PUT, &with_role)] {
        problem(api.send_as(&admin, method, path, NOTHING).await, StatusCode::NOT_FOUND).await;
    }
}

#[actix_web::test]
async fn groups_are_parts_of_groups_in_no_circle() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&member).await);
    let whole = group(&api, &admin, &json!({"name": "Whole"})).await;
    let part = group(&api, &admin, &json!({"name": "Part", "parent_id": whole})).await;
    let least = group(&api, &admin, &json!({"name": "Least", "parent_id": part})).await;
    let reader = role(&api, &admin, "Reader", &["role.read"]).await;
    api.done_as(&admin, Method::PUT, &format!("{GROUPS}/{whole}/roles/{reader}"), NOTHING).await;
    api.done_as(&admin, Method::PUT, &format!("{GROUPS}/{least}/members/{user}"), NOTHING).await;
    assert_eq!(api.get_as("/api/v1/roles", &member).await.status(), StatusCode::OK);
    for parent in [&whole, &part, &least] {
        let body = json!({ "parent_id": parent });
        let circle = api.send_as(&admin, Method::PATCH, &format!("{GROUPS}/{whole}"), &body).await;
        assert_eq!(problem(circle, StatusCode::UNPROCESSABLE_ENTITY).await["errors"][0]["code"], "circle");
    }
    let nowhere = json!({"name": "Lost", "parent_id": "0190b2c4-0000-7000-8000-000000000001"});
    let response = api.send_as(&admin, Method::POST, GROUPS, &nowhere).await;
    assert_eq!(problem(response, StatusCode::UNPROCESSABLE_ENTITY).await["errors"][0]["pointer"], "/parent_id");
    problem(api.send_as(&admin, Method::DELETE, &format!("{GROUPS}/{part}"), NOTHING).await, StatusCode::CONFLICT)
        .await;
    // Two moves at once that would make a circle together: one is refused.
    let (x, y) = (group(&api, &admin, &json!({"name": "X"})).await, group(&api, &admin, &json!({"name": "Y"})).await);
    let (to_y, to_x) = (json!({ "parent_id": y }), json!({ "parent_id": x }));
    let (path_x, path_y) = (format!("{GROUPS}/{x}"), format!("{GROUPS}/{y}"));
    let answers = join_all([
        api.send_as(&admin, Method::PATCH, &path_x, &to_y),
        api.send_as(&admin, Method::PATCH, &path_y, &to_x),
    ]);
    let mut statuses: Vec<u16> = answers.await.iter().map(|answer| answer.status().as_u16()).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 422]);
    // Whoever leaves the whole leaves what it gives.
    let one = format!("{GROUPS}/{part}");
    let stale = api.request(Method::PATCH, &one).bearer_auth(&admin).header("If-Match", "\"x\"").json(&json!({}));
    problem(stale.send().await.unwrap(), StatusCode::PRECONDITION_FAILED).await;
    api.done_as(&admin, Method::PATCH, &one, &json!({"parent_id": null})).await;
    assert_eq!(api.get_as("/api/v1/roles", &member).await.status(), StatusCode::FORBIDDEN);
    let listed = api.done_as(&admin, Method::GET, &format!("{GROUPS}?parent_id={part}"), NOTHING).await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["name"]), (1, &json!("Least")));
}

#[actix_web::test]
async fn nobody_gives_by_a_group_what_they_do_not_hold() {
    let api = TestApi::start().await;
    let (admin, token) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&token).await);
    let manager = role(&api, &admin, "Manager", &["group.*", "role.*"]).await;
    let path = format!("/api/v1/users/{user}/roles");
    api.done_as(&admin, Method::POST, &path, &json!({ "role_id": manager })).await;
    let found = api.done_as(&admin, Method::GET, "/api/v1/roles?name=administrator", NOTHING).await;
    let administrator = found[0]["id"].as_str().unwrap();
    let strong = group(&api, &admin, &json!({"name": "Strong"})).await;
    api.done_as(&admin, Method::PUT, &format!("{GROUPS}/{strong}/roles/{administrator}"), NOTHING).await;
    let part = group(&api, &admin, &json!({"name": "Part", "parent_id": strong})).await;
    let own = group(&api, &token, &json!({"name": "Own"})).await;
    let refused = |method: Method, path: String, body: Value| {
        let (api, token) = (&api, &token);
        async move {
            let response = api.send_as(token, method, &path, &body).await;
            let refused = problem(response, StatusCode::FORBIDDEN).await;
            assert_eq!(refused["type"], format!("{}/problems/not-held", api.url), "{path}");
        }
    };
    // Into the group or a part of it, the role into their own group, their own group into the strong one, and the strong
    // one taken apart.
    refused(Method::PUT, format!("{GROUPS}/{strong}/members/{user}"), Value::Null).await;
    refused(Method::PUT, format!("{GROUPS}/{part}/members/{user}"), Value::Null).await;
    refused(Method::PUT, format!("{GROUPS}/{own}/roles/{administrator}"), Value::Null).await;
    refused(Method::PATCH, format!("{GROUPS}/{own}"), json!({ "parent_id": strong })).await;
    refused(Method::PATCH, format!("{GROUPS}/{own}"), json!({ "parent_id": part })).await;
    refused(Method::POST, GROUPS.to_owned(), json!({"name": "New", "parent_id": strong})).await;
    refused(Method::PATCH, format!("{GROUPS}/{part}"), json!({ "parent_id": null })).await;
    refused(Method::DELETE, format!("{GROUPS}/{part}"), Value::Null).await;
    refused(Method::DELETE, format!("{GROUPS}/{strong}/roles/{administrator}"), Value::Null).await;
    // Their own they fill as they like.
    api.done_as(&token, Method::PUT, &format!("{GROUPS}/{own}/members/{user}"), NOTHING).await;
    api.done_as(&token, Method::PUT, &format!("{GROUPS}/{own}/roles/{manager}"), NOTHING).await;
}

#[actix_web::test]
async fn who_may_not_assign_a_role_does_not_do_so_by_a_group() {
    let api = TestApi::start().await;
    let (admin, token) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&token).await);
    let boss = role(&api, &admin, "Boss", &["*"]).await;
    api.done_as(&admin, Method::POST, &format!("/api/v1/users/{user}/roles"), &json!({ "role_id": boss })).await;
    let (secret, plain) = (role(&api, &admin, "Secret", &[]).await, role(&api, &admin, "Plain", &[]).await);
    let deny = json!({"name": "not theirs", "target": {"resource": "role", "action": "assign"},
        "rules": {"effect": "deny", "conditions": [{"user.role": "Boss", "role.name": "Secret"}]}});
    api.done_as(&admin, Method::POST, "/api/v1/policies", &deny).await;
    let with_it = group(&api, &admin, &json!({"name": "With it"})).await;
    let part = group(&api, &admin, &json!({"name": "Part", "parent_id": with_it})).await;
    let own = group(&api, &admin, &json!({"name": "Own"})).await;
    let member = api.id_of(&api.user(&["member"], "api")).await;
    api.done_as(&admin, Method::PUT, &format!("{GROUPS}/{with_it}/roles/{secret}"), NOTHING).await;
    api.done_as(&admin, Method::PUT, &format!("{GROUPS}/{part}/members/{member}"), NOTHING).await;
    for (method, path, body) in [
        (Method::PUT, format!("{GROUPS}/{own}/roles/{secret}"), Value::Null),
        (Method::DELETE, format!("{GROUPS}/{with_it}/roles/{secret}"), Value::Null),
        (Method::PUT, format!("{GROUPS}/{with_it}/members/{user}"), Value::Null),
        (Method::PUT, format!("{GROUPS}/{part}/members/{user}"), Value::Null),
        (Method::DELETE, format!("{GROUPS}/{part}/members/{member}"), Value::Null),
        (Method::PATCH, format!("{GROUPS}/{own}"), json!({ "parent_id": part })),
        (Method::PATCH, format!("{GROUPS}/{part}"), json!({ "parent_id": null })),
        (Method::POST, GROUPS.to_owned(), json!({"name": "New", "parent_id": with_it})),
        (Method::DELETE, format!("{GROUPS}/{part}"), Value::Null),
        (Method::POST, format!("/api/v1/users/{user}/roles"), json!({ "role_id": secret })),
    ] {
        let refused = api.send_as(&token, method.clone(), &path, &body).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN, "{method} {path}");
        assert!(problem(refused, StatusCode::FORBIDDEN).await["detail"].as_str().unwrap().contains("role.assign"));
    }
    api.done_as(&token, Method::PUT, &format!("{GROUPS}/{own}/roles/{plain}"), NOTHING).await;
    api.done_as(&token, Method::PUT, &format!("{GROUPS}/{own}/members/{user}"), NOTHING).await;
    // Nor does a token that is for groups alone give what needs more.
    let narrow = api.user(&["administrator"], "group.*");
    api.id_of(&narrow).await;
    let path = format!("{GROUPS}/{own}/members/{member}");
    problem(api.send_as(&narrow, Method::PUT, &path, NOTHING).await, StatusCode::FORBIDDEN).await;
}

#[actix_web::test]
async fn what_changes_nothing_leaves_no_trace() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&member).await);
    let desk = group(&api, &admin, &json!({"name": "Front desk"})).await;
    let reader = role(&api, &admin, "Reader", &["role.read"]).await;
    let traces = || async { (api.count("audit_entries").await, api.count("outbox").await, api.count("signals").await) };
    for path in [format!("{GROUPS}/{desk}/members/{user}"), format!("{GROUPS}/{desk}/roles/{reader}")] {
        api.done_as(&admin, Method::PUT, &path, NOTHING).await;
        let before = traces().await;
        api.done_as(&admin, Method::PUT, &path, NOTHING).await;
        assert_eq!(traces().await, before, "{path}");
    }
}

#[actix_web::test]
async fn roles_of_somebody_and_of_a_group_come_in_pages() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let user = api.id_of(&api.user(&["member"], "api")).await;
    let desk = group(&api, &admin, &json!({"name": "Front desk"})).await;
    for name in ["A", "B", "C"] {
        let id = role(&api, &admin, name, &[]).await;
        api.done_as(&admin, Method::PUT, &format!("{GROUPS}/{desk}/roles/{id}"), NOTHING).await;
        api.done_as(&admin, Method::POST, &format!("/api/v1/users/{user}/roles"), &json!({ "role_id": id })).await;
    }
    for (path, expected) in [
        (format!("{GROUPS}/{desk}/roles"), vec!["A", "B", "C"]),
        (format!("/api/v1/users/{user}/roles"), vec!["A", "B", "C", "member"]),
    ] {
        let (mut names, mut next) = (Vec::new(), format!("{path}?limit=2"));
        loop {
            let page: Value = api.get_as(&next, &admin).await.json().await.unwrap();
            assert_eq!(page["page"]["limit"], 2);
            names.extend(page["data"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap().to_owned()));
            let Some(cursor) = page["page"]["next"].as_str() else { break };
            next = format!("{path}?limit=2&cursor={cursor}");
        }
        assert_eq!(names, expected, "{path}");
        let wrong = api.get_as(&format!("{path}?limit=0"), &admin).await;
        problem(wrong, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
}

#[actix_web::test]
async fn a_version_that_is_named_counts_wherever_it_is_sent() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    let desk = format!("{GROUPS}/{}", group(&api, &admin, &json!({"name": "Front desk"})).await);
    let plain = format!("/api/v1/roles/{}", role(&api, &admin, "Plain", &[]).await);
    let policy = json!({"name": "p", "target": {"resource": "booking", "action": "read"}, "rules": {"effect": "deny"}});
    let policy = api.done_as(&admin, Method::POST, "/api/v1/policies", &policy).await;
    let policy = format!("/api/v1/policies/{}", policy["id"].as_str().unwrap());
    let permission = api.done_as(&admin, Method::POST, "/api/v1/permissions", &json!({"name": "invoice.send"})).await;
    let permission = format!("/api/v1/permissions/{}", permission["id"].as_str().unwrap());
    let (disable, enable) = (format!("{policy}/disable"), format!("{policy}/enable"));
    for (method, path) in
        [(Method::POST, &disable), (Method::POST, &enable), (Method::DELETE, &desk), (Method::DELETE, &plain)]
    {
        for (tag, status) in [("\"x\"", StatusCode::PRECONDITION_FAILED), ("x", StatusCode::BAD_REQUEST)] {
            let request = api.request(method.clone(), path).bearer_auth(&admin).header("If-Match", tag);
            problem(request.send().await.unwrap(), status).await;
        }
    }
    // What can be read again has a tag, and who has it gets no more.
    for path in [&permission, &format!("{policy}/versions/1"), &desk, &plain, &policy] {
        let tag = api.get_as(path, &admin).await.headers()["etag"].clone();
        let again = api.request(Method::GET, path).bearer_auth(&admin).header("If-None-Match", &tag).send();
        assert_eq!(again.await.unwrap().status(), StatusCode::NOT_MODIFIED, "{path}");
        if *path == desk || *path == plain {
            let gone = api.request(Method::DELETE, path).bearer_auth(&admin).header("If-Match", &tag).send();
            assert_eq!(gone.await.unwrap().status(), StatusCode::NO_CONTENT, "{path}");
        }
    }
    // Without it, whatever is there is meant.
    for path in [&disable, &enable] {
        let answer = api.request(Method::POST, path).bearer_auth(&admin).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK, "{path}");
    }
}
