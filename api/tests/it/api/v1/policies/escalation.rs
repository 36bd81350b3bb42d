//! What nobody does with a policy.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::{NOTHING, POLICIES, always, made, role, tried};
use crate::support::{TestApi, problem};

const FORBIDDEN: StatusCode = StatusCode::FORBIDDEN;

/// A tenant with somebody who administers policies and bookings, and nothing else.
async fn editor(api: &TestApi, scope: &str) -> (String, String) {
    let administrator = api.administrator();
    api.id_of(&administrator).await;
    role(api, &administrator, "editor", &["policy.*", "booking.*", "group.read"]).await;
    let editor = api.user(&["editor"], scope);
    api.id_of(&editor).await;
    (administrator, editor)
}

#[actix_web::test]
async fn nobody_allows_what_they_do_not_hold() {
    let api = TestApi::start().await;
    let (administrator, editor) = editor(&api, "api").await;
    for (resource, action) in [("role", "read"), ("role", "*"), ("*", "*"), ("*", "read")] {
        let policy = always("more", "allow", resource, action);
        let refused = api.send_as(&editor, Method::POST, POLICIES, &policy).await;
        let problem = problem(refused, FORBIDDEN).await;
        assert!(problem["type"].as_str().unwrap().ends_with("/problems/not-held"), "{problem}");
        let mut off = policy.clone();
        off["is_enabled"] = json!(false);
        assert_eq!(tried(&api, &editor, Method::POST, POLICIES, &off).await, FORBIDDEN, "not to be switched on later");
    }
    // Nor do they forbid it to others. What is held may be allowed and forbidden.
    let deny = always("deny", "deny", "role", "delete");
    assert_eq!(tried(&api, &editor, Method::POST, POLICIES, &deny).await, FORBIDDEN);
    made(&api, &editor, &always("deny", "deny", "booking", "update")).await;
    let own = made(&api, &editor, &always("own", "allow", "booking", "*")).await;
    let widened = json!({"target": {"resource": "role", "action": "read"}});
    assert_eq!(tried(&api, &editor, Method::PATCH, &own, &widened).await, FORBIDDEN);
    let replaced = always("own", "allow", "account", "*");
    assert_eq!(tried(&api, &editor, Method::PUT, &own, &replaced).await, FORBIDDEN);

    // What somebody else made, they do not switch on, go back to or assign.
    let theirs = made(&api, &administrator, &always("theirs", "allow", "role", "read")).await;
    api.done_as(&administrator, Method::POST, &format!("{theirs}/disable"), NOTHING).await;
    assert_eq!(tried(&api, &editor, Method::POST, &format!("{theirs}/enable"), NOTHING).await, FORBIDDEN);
    let narrowed = json!({"target": {"resource": "booking", "action": "read"}});
    api.done_as(&administrator, Method::PATCH, &theirs, &narrowed).await;
    let back = json!({"version": 1});
    assert_eq!(tried(&api, &editor, Method::POST, &format!("{theirs}/rollback"), &back).await, FORBIDDEN);
    let group = api.done_as(&administrator, Method::POST, "/api/v1/groups", &json!({"name": "g"})).await;
    let to = json!({"assignee_type": "group", "assignee_id": group["id"]});
    let wide = made(&api, &administrator, &always("wide", "allow", "role", "update")).await;
    assert_eq!(tried(&api, &editor, Method::POST, &format!("{wide}/assignments"), &to).await, FORBIDDEN);
    let assigned = api.done_as(&administrator, Method::POST, &format!("{wide}/assignments"), &to).await;
    // Without its one assignment it would be for everyone.
    let path = format!("{wide}/assignments/{}", assigned["id"].as_str().unwrap());
    assert_eq!(tried(&api, &editor, Method::DELETE, &path, NOTHING).await, FORBIDDEN);
}

#[actix_web::test]
async fn a_scope_that_is_narrower_than_the_roles_counts() {
    let api = TestApi::start().await;
    let (_, editor) = editor(&api, "policy.* booking.read").await;
    made(&api, &editor, &always("read", "allow", "booking", "read")).await;
    assert_eq!(tried(&api, &editor, Method::POST, POLICIES, &always("all", "allow", "booking", "*")).await, FORBIDDEN);
    let machine = api.machine("policy.* booking.read");
    made(&api, &machine, &always("by a machine", "allow", "booking", "read")).await;
    let more = always("by a machine too", "allow", "booking", "cancel");
    assert_eq!(tried(&api, &machine, Method::POST, POLICIES, &more).await, FORBIDDEN);
}

#[actix_web::test]
async fn what_a_policy_gives_is_not_held() {
    let api = TestApi::start().await;
    let (administrator, editor) = editor(&api, "api").await;
    let mut gift = always("gift", "allow", "role", "read");
    gift["rules"]["conditions"] = json!([{"user.role": "editor"}]);
    made(&api, &administrator, &gift).await;
    api.done_as(&editor, Method::GET, "/api/v1/roles", NOTHING).await;
    let passed_on = always("passed on", "allow", "role", "read");
    assert_eq!(tried(&api, &editor, Method::POST, POLICIES, &passed_on).await, FORBIDDEN);
}

#[actix_web::test]
async fn nobody_frees_themselves_of_a_policy() {
    let api = TestApi::start().await;
    let (administrator, editor) = editor(&api, "api").await;
    let editor_id = api.id_of(&editor).await;
    let mut rule = always("rule", "deny", "group", "*");
    rule["rules"]["conditions"] = json!([{"user.role": "editor"}]);
    let policy = made(&api, &administrator, &rule).await;
    assert_eq!(tried(&api, &editor, Method::GET, "/api/v1/groups", NOTHING).await, FORBIDDEN);
    let narrower = json!({"rules": {"conditions": [{"user.role": "nobody"}]}});
    let group = api.done_as(&administrator, Method::POST, "/api/v1/groups", &json!({"name": "g"})).await;
    let to_group = json!({"assignee_type": "group", "assignee_id": group["id"]});
    let ways = [
        (Method::PATCH, policy.clone(), narrower.clone()),
        (Method::PUT, policy.clone(), always("rule", "deny", "booking", "read")),
        (Method::DELETE, policy.clone(), json!(null)),
        (Method::POST, format!("{policy}/disable"), json!(null)),
        (Method::POST, format!("{policy}/assignments"), to_group.clone()),
    ];
    for (method, path, body) in &ways {
        assert_eq!(tried(&api, &editor, method.clone(), path, body).await, FORBIDDEN, "{method} {path}");
    }
    assert_eq!(tried(&api, &editor, Method::GET, "/api/v1/groups", NOTHING).await, FORBIDDEN);
    // Assigned to them by name it is the same, and to others only as well: they do not free a friend.
    let to_editor = json!({"assignee_type": "user", "assignee_id": editor_id});
    let assigned = api.done_as(&administrator, Method::POST, &format!("{policy}/assignments"), &to_editor).await;
    assert_eq!(tried(&api, &editor, Method::PATCH, &policy, &narrower).await, FORBIDDEN);
    let own = format!("{policy}/assignments/{}", assigned["id"].as_str().unwrap());
    assert_eq!(tried(&api, &editor, Method::DELETE, &own, NOTHING).await, FORBIDDEN);
    api.done_as(&administrator, Method::POST, &format!("{policy}/assignments"), &to_group).await;
    api.done_as(&administrator, Method::DELETE, &own, NOTHING).await;
    for (method, path, body) in &ways[..4] {
        assert_eq!(tried(&api, &editor, method.clone(), path, body).await, FORBIDDEN, "{method} {path}");
    }
    // Whoever holds all of it may.
    api.done_as(&administrator, Method::DELETE, &policy, NOTHING).await;
}

#[actix_web::test]
async fn nobody_locks_themselves_out() {
    let api = TestApi::start().await;
    let (administrator, _) = editor(&api, "api").await;
    for (resource, action) in [("*", "*"), ("policy", "*"), ("policy", "update"), ("*", "delete")] {
        let refused =
            api.send_as(&administrator, Method::POST, POLICIES, &always("end", "deny", resource, action)).await;
        let problem = problem(refused, StatusCode::CONFLICT).await;
        assert!(problem["type"].as_str().unwrap().ends_with("/problems/locks-out"), "{problem}");
    }
    let mut off = always("end", "deny", "*", "*");
    off["is_enabled"] = json!(false);
    let policy = made(&api, &administrator, &off).await;
    let enable = format!("{policy}/enable");
    assert_eq!(tried(&api, &administrator, Method::POST, &enable, NOTHING).await, StatusCode::CONFLICT);
    // For somebody else it is a rule like any other.
    let member = api.user(&["member"], "api");
    let to = json!({"assignee_type": "user", "assignee_id": api.id_of(&member).await});
    let assigned = api.done_as(&administrator, Method::POST, &format!("{policy}/assignments"), &to).await;
    api.done_as(&administrator, Method::POST, &enable, NOTHING).await;
    assert_eq!(tried(&api, &member, Method::GET, "/api/v1/tenant/settings", NOTHING).await, FORBIDDEN);
    let last = format!("{policy}/assignments/{}", assigned["id"].as_str().unwrap());
    assert_eq!(tried(&api, &administrator, Method::DELETE, &last, NOTHING).await, StatusCode::CONFLICT);
}

#[actix_web::test]
async fn changing_policies_needs_its_own_permissions() {
    let api = TestApi::start().await;
    let (administrator, _) = editor(&api, "api").await;
    let policy = made(&api, &administrator, &always("p", "deny", "booking", "read")).await;
    let auditor = api.user(&["auditor"], "api");
    api.done_as(&auditor, Method::GET, &policy, NOTHING).await;
    for (method, path) in [
        (Method::POST, POLICIES.to_owned()),
        (Method::PATCH, policy.clone()),
        (Method::DELETE, policy.clone()),
        (Method::POST, format!("{policy}/disable")),
        (Method::POST, format!("{policy}/assignments")),
    ] {
        assert_eq!(tried(&api, &auditor, method, &path, &json!({})).await, FORBIDDEN, "{path}");
    }
}
