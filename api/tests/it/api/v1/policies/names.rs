//! What comes with the name of a role or a group: policies ask for it, so nobody gives, takes, makes or changes one for more
//! than they hold.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::Clock as _;

use super::{NOTHING, POLICIES, always, made, role, tried};
use crate::support::{TestApi, challenge, problem};

const ROLES: &str = "/api/v1/roles";
const GROUPS: &str = "/api/v1/groups";

/// A tenant with an administrator and somebody who manages roles and groups and holds nothing else.
struct Tenant {
    api: TestApi,
    admin: String,
    manager: String,
    manager_id: String,
}

impl Tenant {
    async fn start() -> Self {
        let api = TestApi::start().await;
        let admin = api.administrator();
        api.id_of(&admin).await;
        role(&api, &admin, "manager", &["role.*", "group.*"]).await;
        let manager = api.user(&["manager"], "api");
        let manager_id = api.id_of(&manager).await;
        Self { api, admin, manager, manager_id }
    }

    async fn policy(&self, name: &str, effect: &str, target: (&str, &str), condition: (&str, &str)) -> String {
        let mut policy = always(name, effect, target.0, target.1);
        policy["rules"]["conditions"] = json!([{ condition.0: condition.1 }]);
        made(&self.api, &self.admin, &policy).await
    }

    async fn group(&self, token: &str, body: &Value) -> String {
        self.api.done_as(token, Method::POST, GROUPS, body).await["id"].as_str().unwrap().to_owned()
    }

    async fn assigned_to_group(&self, policy: &str, group: &str) {
        let to = json!({"assignee_type": "group", "assignee_id": group});
        self.api.done_as(&self.admin, Method::POST, &format!("{policy}/assignments"), &to).await;
    }

    /// The manager is refused, because they do not hold what it is about.
    async fn refused(&self, method: Method, path: &str, body: Value) {
        let response = self.api.send_as(&self.manager, method.clone(), path, &body).await;
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{method} {path} {body}");
        // RFC 6750 §3.1.
        assert!(challenge(&response).contains("error=\"insufficient_scope\""), "{method} {path}");
        let problem = problem(response, StatusCode::FORBIDDEN).await;
        assert_eq!(problem["type"], format!("{}/problems/not-held", self.api.url), "{method} {path}");
    }

    async fn may(&self, method: Method, path: &str, body: Value) -> Value {
        self.api.done_as(&self.manager, method, path, &body).await
    }
}

#[actix_web::test]
async fn nobody_gains_by_a_name_what_they_do_not_hold() {
    let tenant = Tenant::start().await;
    let (api, admin) = (&tenant.api, &tenant.admin);
    let own = format!("/api/v1/users/{}/roles", tenant.manager_id);
    let other = format!("/api/v1/users/{}/roles", api.id_of(&api.user(&["member"], "api")).await);

    // By a role that allows nothing itself: given, inherited and made.
    let premium = role(api, admin, "PremiumCustomer", &[]).await;
    tenant.policy("premium", "allow", ("tenant_settings", "update"), ("user.role", "PremiumCustomer")).await;
    tenant.policy("ghosts", "allow", ("audit", "read"), ("user.role", "Ghost")).await;
    tenant.policy("unless careless", "deny", ("account", "read"), ("user.role", "!= 'Careful'")).await;
    tenant.policy("of teams", "allow", ("account", "delete"), ("user.teams", "Stars")).await;
    for path in [&own, &other] {
        tenant.refused(Method::POST, path, json!({ "role_id": premium })).await;
    }
    for body in [
        json!({"name": "Heir", "role_family": "Internal", "inherits": [premium]}),
        json!({"name": "Ghost", "role_family": "Internal"}),
        json!({"name": "Careful", "role_family": "Internal"}),
    ] {
        tenant.refused(Method::POST, ROLES, body).await;
    }
    let plain = role(api, admin, "Plain", &[]).await;
    tenant.may(Method::POST, &own, json!({ "role_id": plain })).await;
    tenant.refused(Method::PATCH, &format!("{ROLES}/{plain}"), json!({"inherits": [premium]})).await;
    // A role is no group, whatever it is called.
    let stars = tenant.may(Method::POST, ROLES, json!({"name": "Stars", "role_family": "Internal"})).await;
    assert_eq!(stars["name"], "Stars");

    // By a group that a policy is assigned to, or whose name one asks for, or that has such a role.
    let vip = tenant.group(admin, &json!({"name": "vip"})).await;
    let assigned = made(api, admin, &always("for vip", "allow", "permission", "create")).await;
    tenant.assigned_to_group(&assigned, &vip).await;
    let part = tenant.group(admin, &json!({"name": "part of vip", "parent_id": vip})).await;
    let mine = tenant.group(&tenant.manager, &json!({"name": "mine"})).await;
    for group in [&vip, &part] {
        tenant.refused(Method::PUT, &format!("{GROUPS}/{group}/members/{}", tenant.manager_id), json!(null)).await;
    }
    tenant.refused(Method::POST, GROUPS, json!({"name": "Stars"})).await;
    tenant.refused(Method::POST, GROUPS, json!({"name": "new", "parent_id": part})).await;
    tenant.refused(Method::PATCH, &format!("{GROUPS}/{mine}"), json!({"name": "Stars"})).await;
    tenant.refused(Method::PATCH, &format!("{GROUPS}/{mine}"), json!({"parent_id": vip})).await;
    tenant.refused(Method::PUT, &format!("{GROUPS}/{mine}/roles/{premium}"), json!(null)).await;
    tenant.may(Method::PUT, &format!("{GROUPS}/{mine}/members/{}", tenant.manager_id), json!(null)).await;
    let rights = api.done_as(&tenant.manager, Method::GET, "/api/v1/me", NOTHING).await;
    assert_eq!(rights["roles"], json!(["Plain", "manager"]));
    assert_eq!(tried(api, &tenant.manager, Method::GET, "/api/v1/audit/entries", NOTHING).await, StatusCode::FORBIDDEN);

    // Whoever holds what the policy gives, gives it; and one that is switched off gives nothing.
    api.done_as(admin, Method::POST, &other, &json!({ "role_id": premium })).await;
    let found = api.done_as(admin, Method::GET, &format!("{POLICIES}?name=premium"), NOTHING).await;
    let disable = format!("{POLICIES}/{}/disable", found[0]["id"].as_str().unwrap());
    api.done_as(admin, Method::POST, &disable, NOTHING).await;
    tenant.may(Method::POST, &own, json!({ "role_id": premium })).await;
}

#[actix_web::test]
async fn nobody_gets_rid_of_a_name_that_keeps_them_from_something() {
    let tenant = Tenant::start().await;
    let (api, admin) = (&tenant.api, &tenant.admin);
    let own = format!("/api/v1/users/{}/roles", tenant.manager_id);
    let agent = role(api, admin, "Agent", &[]).await;
    let senior = role(api, admin, "Senior", &[]).await;
    let one_senior = format!("{ROLES}/{senior}");
    api.done_as(admin, Method::PATCH, &one_senior, &json!({"inherits": [agent]})).await;
    tenant.policy("agents", "deny", ("tenant_settings", "*"), ("user.role", "Agent")).await;
    for role in [&agent, &senior] {
        api.done_as(admin, Method::POST, &own, &json!({ "role_id": role })).await;
    }
    let watched = tenant.group(admin, &json!({"name": "watched"})).await;
    let part = tenant.group(admin, &json!({"name": "part", "parent_id": watched})).await;
    let deny = made(api, admin, &always("for the watched", "deny", "account", "read")).await;
    tenant.assigned_to_group(&deny, &watched).await;
    let member = format!("{GROUPS}/{part}/members/{}", tenant.manager_id);
    api.done_as(admin, Method::PUT, &member, NOTHING).await;

    let soon = (api.clock.now() + Duration::from_secs(1)).to_string();
    for role in [&agent, &senior] {
        tenant.refused(Method::DELETE, &format!("{own}/{role}"), json!(null)).await;
        tenant.refused(Method::POST, &own, json!({ "role_id": role, "expires_at": soon })).await;
    }
    tenant.refused(Method::PATCH, &one_senior, json!({"inherits": []})).await;
    tenant.refused(Method::DELETE, &member, json!(null)).await;
    tenant.refused(Method::DELETE, &format!("{GROUPS}/{part}"), json!(null)).await;
    tenant.refused(Method::PATCH, &format!("{GROUPS}/{part}"), json!({"parent_id": null})).await;
    tenant.refused(Method::PATCH, &format!("{GROUPS}/{watched}"), json!({"name": "others"})).await;
    // To be forbidden something is nothing that one gains.
    let other = api.id_of(&api.user(&["member"], "api")).await;
    tenant.may(Method::POST, &format!("/api/v1/users/{other}/roles"), json!({ "role_id": agent })).await;
    tenant.may(Method::PUT, &format!("{GROUPS}/{part}/members/{other}"), json!(null)).await;
    // Whoever holds it frees whom they like.
    api.done_as(admin, Method::DELETE, &member, NOTHING).await;
    api.done_as(admin, Method::DELETE, &format!("{own}/{senior}"), NOTHING).await;
}

#[actix_web::test]
async fn who_has_a_role_has_those_that_it_inherits_for_policies_too() {
    let tenant = Tenant::start().await;
    let (api, admin) = (&tenant.api, &tenant.admin);
    let agent = role(api, admin, "Agent", &["tenant_settings.read"]).await;
    let body = json!({"name": "Senior", "role_family": "Internal", "inherits": [agent]});
    let senior = api.done_as(admin, Method::POST, ROLES, &body).await["id"].as_str().unwrap().to_owned();
    let own = format!("/api/v1/users/{}/roles", tenant.manager_id);
    api.done_as(admin, Method::POST, &own, &json!({ "role_id": senior })).await;
    let settings = || tried(api, &tenant.manager, Method::GET, "/api/v1/tenant/settings", NOTHING);
    assert_eq!(settings().await, StatusCode::OK);
    let me = api.done_as(&tenant.manager, Method::GET, "/api/v1/me", NOTHING).await;
    assert_eq!(me["roles"], json!(["Agent", "Senior", "manager"]));
    let asked = tenant.policy("agents", "deny", ("tenant_settings", "read"), ("user.role", "Agent")).await;
    assert_eq!(settings().await, StatusCode::FORBIDDEN);
    api.done_as(admin, Method::DELETE, &asked, NOTHING).await;
    let assigned = made(api, admin, &always("for agents", "allow", "account", "read")).await;
    let to = json!({"assignee_type": "role", "assignee_id": agent});
    api.done_as(admin, Method::POST, &format!("{assigned}/assignments"), &to).await;
    assert_eq!(tried(api, &tenant.manager, Method::GET, "/api/v1/users", NOTHING).await, StatusCode::OK);
}

#[actix_web::test]
async fn no_two_names_look_the_same() {
    let tenant = Tenant::start().await;
    let (api, admin) = (&tenant.api, &tenant.admin);
    let role = |name: &str| json!({"name": name, "role_family": "Internal"});
    let group = |name: &str| json!({ "name": name });
    let policy = |name: &str| always(name, "deny", "booking", "read");
    for (path, body) in [(GROUPS, group("Night shift")), (POLICIES, policy("Night shift"))] {
        api.done_as(admin, Method::POST, path, &body).await;
    }
    let day = tenant.group(admin, &group("Day shift")).await;
    let other = made(api, admin, &policy("Day shift")).await;
    let patch = |path: &str, name: &str| {
        let (path, body) = (path.to_owned(), json!({ "name": name }));
        async move { (path.clone(), api.send_as(admin, Method::PATCH, &path, &body).await) }
    };
    // Letters of another script, of another width, and capitals.
    for (path, body) in [
        (ROLES, role("\u{430}dministrator")),
        (ROLES, role("Administrator")),
        (ROLES, role("\u{ff41}dministrator")),
        (GROUPS, group("Night sh\u{456}ft")),
        (POLICIES, policy("N\u{456}ght shift")),
    ] {
        let problem = problem(api.send_as(admin, Method::POST, path, &body).await, StatusCode::CONFLICT).await;
        let error = &problem["errors"][0];
        assert_eq!((&error["pointer"], &error["code"]), (&json!("/name"), &json!("alike")), "{body}");
    }
    for path in [format!("{GROUPS}/{day}"), other.clone()] {
        let (path, answer) = patch(&path, "NIGHT SHIFT").await;
        assert_eq!(problem(answer, StatusCode::CONFLICT).await["errors"][0]["code"], "alike", "{path}");
        // One can be written otherwise itself.
        assert_eq!(patch(&path, "DAY SHIFT").await.1.status(), StatusCode::OK, "{path}");
    }
    // What cannot be seen.
    for hidden in ["x\u{200b}", "\u{202e}x", "x\u{2066}y", "x\u{ad}y", "x\u{3164}", "x\u{e000}", "e\u{301}", "x\u{a0}y"]
    {
        for (path, body) in [(ROLES, role(hidden)), (GROUPS, group(hidden)), (POLICIES, policy(hidden))] {
            let response = api.send_as(admin, Method::POST, path, &body).await;
            let problem = problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
            assert_eq!(problem["errors"][0]["pointer"], "/name", "{path} {hidden:?}");
        }
        let (_, answer) = patch(&other, hidden).await;
        assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY, "{hidden:?}");
    }
}

#[actix_web::test]
async fn what_may_not_be_seen_is_not_there() {
    let tenant = Tenant::start().await;
    let (api, admin) = (&tenant.api, &tenant.admin);
    let keeper = role(api, admin, "keeper", &["role.*", "group.*", "policy.*"]).await;
    let own = format!("/api/v1/users/{}/roles", tenant.manager_id);
    api.done_as(admin, Method::POST, &own, &json!({ "role_id": keeper })).await;
    let body = json!({"name": "Secret", "role_family": "Internal"});
    let secret_role = role(api, admin, "Secret", &[]).await;
    let secret_group = tenant.group(admin, &json!({"name": "Secret"})).await;
    let secret_policy = made(api, admin, &always("Secret", "deny", "booking", "read")).await;
    let secret_policy = secret_policy.rsplit('/').next().unwrap().to_owned();
    for kind in ["role", "group", "policy"] {
        let mut deny = always(&format!("no secret {kind}"), "deny", kind, "*");
        let name = format!("{kind}.name");
        deny["rules"]["conditions"] = json!([{"user.role": "keeper", name: "Secret"}]);
        made(api, admin, &deny).await;
    }
    let nothing = "0190b2c4-0000-7000-8000-00000000000f";
    let tell = |method: Method, path: String, body: Value| {
        let (api, token) = (&tenant.api, tenant.manager.clone());
        async move {
            // Of a version that nobody has seen: that is for those to be told who see it.
            let request = api.request(method.clone(), &path).bearer_auth(&token).header("If-Match", "\"x\"");
            let response = request.json(&body).send().await.unwrap();
            let challenge = response.headers().get("www-authenticate").cloned();
            let mut problem = problem(response, StatusCode::NOT_FOUND).await;
            problem.as_object_mut().unwrap().remove("instance");
            (problem, challenge)
        }
    };
    let to = json!({"assignee_type": "user", "assignee_id": tenant.manager_id});
    for (method, base, secret, rest, body) in [
        (Method::GET, ROLES, &secret_role, "", Value::Null),
        (Method::PATCH, ROLES, &secret_role, "", json!({"description": "x"})),
        (Method::DELETE, ROLES, &secret_role, "", Value::Null),
        (Method::GET, GROUPS, &secret_group, "", Value::Null),
        (Method::GET, GROUPS, &secret_group, "/members", Value::Null),
        (Method::GET, GROUPS, &secret_group, "/roles", Value::Null),
        (Method::PATCH, GROUPS, &secret_group, "", json!({"description": "x"})),
        (Method::DELETE, GROUPS, &secret_group, "", Value::Null),
        (Method::GET, POLICIES, &secret_policy, "", Value::Null),
        (Method::GET, POLICIES, &secret_policy, "/versions", Value::Null),
        (Method::GET, POLICIES, &secret_policy, "/assignments", Value::Null),
        (Method::PATCH, POLICIES, &secret_policy, "", json!({"priority": 1})),
        (Method::DELETE, POLICIES, &secret_policy, "", Value::Null),
        (Method::POST, POLICIES, &secret_policy, "/disable", Value::Null),
        (Method::POST, POLICIES, &secret_policy, "/assignments", to.clone()),
    ] {
        let hidden = tell(method.clone(), format!("{base}/{secret}{rest}"), body.clone()).await;
        let absent = tell(method.clone(), format!("{base}/{nothing}{rest}"), body).await;
        assert_eq!(hidden, absent, "{method} {base}{rest}");
    }
    for group in [&secret_group, &nothing.to_owned()] {
        tell(Method::PUT, format!("{GROUPS}/{group}/members/{}", tenant.manager_id), json!(null)).await;
    }
    let given = json!({ "role_id": secret_role });
    assert_eq!(tried(api, &tenant.manager, Method::POST, &own, &given).await, StatusCode::NOT_FOUND);
    // What is seen and may not be changed is refused as before.
    let read_only = always("seen", "deny", "role", "update");
    made(api, admin, &{
        let mut policy = read_only;
        policy["rules"]["conditions"] = json!([{"user.role": "keeper"}]);
        policy
    })
    .await;
    let plain = role(api, admin, "Plain", &[]).await;
    let path = format!("{ROLES}/{plain}");
    let patch = json!({"description": "x"});
    assert_eq!(tried(api, &tenant.manager, Method::PATCH, &path, &patch).await, StatusCode::FORBIDDEN);
    problem(api.send_as(&tenant.manager, Method::POST, ROLES, &body).await, StatusCode::FORBIDDEN).await;
}

#[actix_web::test]
async fn nobody_takes_over_somebody_to_whom_a_policy_gives_more() {
    let tenant = Tenant::start().await;
    let (api, admin) = (&tenant.api, &tenant.admin);
    let desk = role(api, admin, "helpdesk", &["account.*"]).await;
    let own = format!("/api/v1/users/{}/roles", tenant.manager_id);
    api.done_as(admin, Method::POST, &own, &json!({ "role_id": desk })).await;
    let treasurer = role(api, admin, "Treasurer", &[]).await;
    tenant.policy("by role", "allow", ("tenant_settings", "update"), ("user.role", "Treasurer")).await;
    let mut people = Vec::new();
    for name in ["ann", "bob", "carol"] {
        let body =
            json!({"email": format!("{name}@acme.example"), "password": "securePassword123", "status": "active"});
        let id = api.done_as(admin, Method::POST, "/api/v1/users", &body).await["id"].as_str().unwrap().to_owned();
        people.push(id);
    }
    let to_ann = json!({ "role_id": treasurer });
    api.done_as(admin, Method::POST, &format!("/api/v1/users/{}/roles", people[0]), &to_ann).await;
    tenant.policy("by id", "allow", ("audit", "read"), ("user.id", &people[1])).await;
    let password = json!({"password": "anotherPassword123"});
    for (id, status) in [(&people[0], 403), (&people[1], 403), (&people[2], 200)] {
        let path = format!("/api/v1/users/{id}");
        let answer = api.send_as(&tenant.manager, Method::PATCH, &path, &password).await;
        assert_eq!(answer.status().as_u16(), status, "{id}");
    }
}
