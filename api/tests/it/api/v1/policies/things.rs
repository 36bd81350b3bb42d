//! Policies about single people, roles, groups and entries of the audit trail: what is listed is what may be seen, what may
//! not be seen is not shown, and nothing else is changed.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_api::access::policy::Columns;
use tenantry_api::routes;

use super::{NOTHING, made, role, tried};
use crate::support::{TestApi, problem, within};

const USERS: &str = "/api/v1/users";
const ROLES: &str = "/api/v1/roles";
const GROUPS: &str = "/api/v1/groups";
const ENTRIES: &str = "/api/v1/audit/entries";

/// Denies the help desk everything about some things.
fn denied(name: &str, resource: &str, condition: (&str, &str)) -> Value {
    json!({"name": name, "target": {"resource": resource, "action": "*"},
        "rules": {"effect": "deny", "conditions": [{"user.role": "helpdesk", condition.0: condition.1}]}})
}

/// What a list shows, by one member.
async fn listed(api: &TestApi, token: &str, path: &str, member: &str) -> Vec<String> {
    let shown = api.done_as(token, Method::GET, path, NOTHING).await;
    let mut shown: Vec<String> =
        shown.as_array().unwrap().iter().filter_map(|one| one[member].as_str().map(str::to_owned)).collect();
    shown.sort();
    shown
}

async fn add(api: &TestApi, token: &str, email: &str, status: &str) -> String {
    let body = json!({"email": email, "password": "securePassword123", "status": "active"});
    let id = api.done_as(token, Method::POST, USERS, &body).await["id"].as_str().unwrap().to_owned();
    if status != "active" {
        api.done_as(token, Method::PATCH, &format!("{USERS}/{id}"), &json!({"status": status})).await;
    }
    id
}

struct HelpDesk {
    api: TestApi,
    admin: String,
    desk: String,
    desk_id: String,
}

impl HelpDesk {
    /// Somebody of the help desk, who may do everything with people, roles and groups but what policies take away.
    async fn start(policies: &[Value]) -> Self {
        let api = TestApi::start().await;
        let admin = api.administrator();
        role(&api, &admin, "helpdesk", &["account.*", "role.*", "group.*", "audit.*"]).await;
        let desk = api.user(&["helpdesk"], "api");
        let desk_id = api.id_of(&desk).await;
        for policy in policies {
            made(&api, &admin, policy).await;
        }
        Self { api, admin, desk, desk_id }
    }

    async fn of(&self, token: &str, method: Method, path: &str, body: Value) -> StatusCode {
        tried(&self.api, token, method, path, &body).await
    }
}

#[actix_web::test]
async fn people_are_listed_shown_and_changed_as_policies_say() {
    let policies = [
        denied("Suspended", "account", ("account.status", "suspended")),
        denied("Vip", "account", ("account.groups", "vip")),
    ];
    let desk = HelpDesk::start(&policies).await;
    let (api, admin) = (&desk.api, &desk.admin);
    let ann = add(api, admin, "ann@acme.example", "active").await;
    let bob = add(api, admin, "bob@acme.example", "suspended").await;
    let vip =
        api.done_as(admin, Method::POST, GROUPS, &json!({"name": "vip"})).await["id"].as_str().unwrap().to_owned();
    let carol = add(api, admin, "carol@acme.example", "active").await;
    api.done_as(admin, Method::PUT, &format!("{GROUPS}/{vip}/members/{carol}"), NOTHING).await;

    let named = |ids: &[&String]| {
        let mut ids: Vec<String> = ids.iter().map(|id| (*id).clone()).collect();
        ids.sort();
        ids
    };
    let search = format!("{USERS}?search=acme.example");
    assert_eq!(listed(api, admin, &search, "id").await, named(&[&ann, &bob, &carol]));
    assert_eq!(listed(api, &desk.desk, &search, "id").await, named(&[&ann]));
    let exported = api.get_as(&format!("{USERS}/export?search=acme.example"), &desk.desk).await.text().await.unwrap();
    assert!(exported.contains(&ann) && !exported.contains(&bob) && !exported.contains(&carol), "{exported}");

    for (id, status) in [(&ann, StatusCode::OK), (&bob, StatusCode::FORBIDDEN), (&carol, StatusCode::FORBIDDEN)] {
        let at = format!("{USERS}/{id}");
        assert_eq!(desk.of(&desk.desk, Method::GET, &at, Value::Null).await, status, "{id}");
        assert_eq!(desk.of(&desk.desk, Method::PATCH, &at, json!({"first_name": "X"})).await, status, "{id}");
    }
    assert_eq!(
        desk.of(&desk.desk, Method::DELETE, &format!("{USERS}/{bob}"), Value::Null).await,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        desk.of(&desk.desk, Method::DELETE, &format!("{USERS}/{ann}"), Value::Null).await,
        StatusCode::NO_CONTENT
    );
    assert_eq!(api.done_as(admin, Method::GET, &format!("{USERS}/{bob}"), NOTHING).await["first_name"], Value::Null);

    // The log tells the refusal, and whom it was about.
    let deny = format!("access_logs WHERE decision = 'deny' AND action = 'delete' AND resource_id = '{bob}'");
    let deny: &'static str = deny.leak();
    within(std::time::Duration::from_secs(20), || async { api.count(deny).await == 1 }).await;

    // Whoever may ask why learns it of what is kept; who may not does not learn it that way.
    let about = json!({"subject": {"id": desk.desk_id}, "resource": "account", "action": "read",
        "attributes": {"account.id": bob, "account.status": "active"}});
    let answer = api.done_as(admin, Method::POST, "/api/v1/access/explain", &about).await;
    assert_eq!((&answer["decision"], &answer["policy"]), (&json!("deny"), &json!("Suspended")), "{answer}");
    let about = json!({"resource": "account", "action": "read", "attributes": {"account.id": carol}});
    let answer = api.done_as(&desk.desk, Method::POST, "/api/v1/access/explain", &about).await;
    assert!(answer.to_string().contains("cannot be said"), "{answer}");
}

#[actix_web::test]
async fn what_the_database_cannot_say_is_asked_of_each() {
    let policies = [denied("Administrators", "account", ("account.roles", "administrator"))];
    let desk = HelpDesk::start(&policies).await;
    let (api, admin) = (&desk.api, &desk.admin);
    let admin_id = api.id_of(admin).await;
    let seen = listed(api, &desk.desk, USERS, "id").await;
    assert_eq!(seen, std::slice::from_ref(&desk.desk_id));
    assert_eq!(listed(api, admin, USERS, "id").await.len(), 2);
    problem(api.get_as(&format!("{USERS}/{admin_id}"), &desk.desk).await, StatusCode::FORBIDDEN).await;
    let exported = api.get_as(&format!("{USERS}/export"), &desk.desk).await.text().await.unwrap();
    assert!(exported.contains(&desk.desk_id) && !exported.contains(&admin_id), "{exported}");
}

#[actix_web::test]
async fn who_may_add_only_some_adds_those() {
    let allowed = json!({"name": "Own people", "target": {"resource": "account", "action": "create"},
        "rules": {"effect": "allow", "conditions": [{"account.email": "ends_with '@acme.example'"}]}});
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    made(&api, &admin, &allowed).await;
    let somebody = api.user(&["member"], "api");
    let body = |email: &str| json!({"email": email, "password": "securePassword123"});
    assert_eq!(tried(&api, &somebody, Method::POST, USERS, &body("x@evil.example")).await, StatusCode::FORBIDDEN);
    assert_eq!(tried(&api, &somebody, Method::POST, USERS, &body("x@acme.example")).await, StatusCode::CREATED);
    // Of nobody else who is sent in one file either.
    let lines = "email,password\ny@evil.example,securePassword123\ny@acme.example,securePassword123\n";
    let request = api.request(Method::POST, &format!("{USERS}/import")).bearer_auth(&somebody);
    let told = request.header("content-type", "text/csv").body(lines).send().await.unwrap().text().await.unwrap();
    let told: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&told[0]["status"], &told[1]["status"]), (&json!("failed"), &json!("created")), "{told:?}");
}

#[actix_web::test]
async fn roles_are_listed_changed_and_given_as_policies_say() {
    let desk = HelpDesk::start(&[denied("Internal", "role", ("role.family", "Internal"))]).await;
    let (api, admin) = (&desk.api, &desk.admin);
    let guest = json!({"name": "Guest", "role_family": "Customer", "permissions": ["account.read"]});
    let guest = api.done_as(admin, Method::POST, ROLES, &guest).await["id"].as_str().unwrap().to_owned();
    let staff = role(api, admin, "Staff", &["account.read"]).await;
    let seen = listed(api, &desk.desk, ROLES, "role_family").await;
    assert!(!seen.is_empty() && seen.iter().all(|family| family != "Internal"), "{seen:?}");
    assert!(listed(api, admin, ROLES, "role_family").await.iter().any(|family| family == "Internal"));
    let person = add(api, admin, "ann@acme.example", "active").await;
    for (id, is_allowed) in [(&guest, true), (&staff, false)] {
        let expected = |yes: StatusCode| if is_allowed { yes } else { StatusCode::NOT_FOUND };
        let at = format!("{ROLES}/{id}");
        assert_eq!(desk.of(&desk.desk, Method::GET, &at, Value::Null).await, expected(StatusCode::OK));
        let patch = json!({"description": "changed"});
        assert_eq!(desk.of(&desk.desk, Method::PATCH, &at, patch).await, expected(StatusCode::OK));
        let (path, body) = (format!("{USERS}/{person}/roles"), json!({ "role_id": id }));
        assert_eq!(desk.of(&desk.desk, Method::POST, &path, body).await, expected(StatusCode::OK));
    }
    let internal = json!({"name": "Sneaky", "role_family": "Internal", "permissions": ["account.read"]});
    assert_eq!(desk.of(&desk.desk, Method::POST, ROLES, internal).await, StatusCode::FORBIDDEN);
    assert_eq!(
        desk.of(&desk.desk, Method::DELETE, &format!("{ROLES}/{staff}"), Value::Null).await,
        StatusCode::NOT_FOUND
    );
}

#[actix_web::test]
async fn groups_and_the_trail_are_shown_as_policies_say() {
    let policies = [
        denied("Board", "group", ("group.name", "starts_with 'Board'")),
        denied("Policies of others", "audit", ("audit.target_kind", "policy")),
    ];
    let desk = HelpDesk::start(&policies).await;
    let (api, admin) = (&desk.api, &desk.admin);
    let mut groups = Vec::new();
    for name in ["Board members", "Front desk"] {
        let made = api.done_as(admin, Method::POST, GROUPS, &json!({ "name": name })).await;
        groups.push(made["id"].as_str().unwrap().to_owned());
    }
    assert_eq!(listed(api, &desk.desk, GROUPS, "name").await, ["Front desk"]);
    let (board, front) = (format!("{GROUPS}/{}", groups[0]), format!("{GROUPS}/{}", groups[1]));
    for (path, status) in [(&board, StatusCode::NOT_FOUND), (&front, StatusCode::OK)] {
        assert_eq!(desk.of(&desk.desk, Method::GET, path, Value::Null).await, status);
        assert_eq!(desk.of(&desk.desk, Method::GET, &format!("{path}/members"), Value::Null).await, status);
        assert_eq!(desk.of(&desk.desk, Method::GET, &format!("{path}/roles"), Value::Null).await, status);
    }
    let member = |path: &str| format!("{path}/members/{}", desk.desk_id);
    assert_eq!(desk.of(&desk.desk, Method::PUT, &member(&board), Value::Null).await, StatusCode::NOT_FOUND);
    assert_eq!(desk.of(&desk.desk, Method::PUT, &member(&front), Value::Null).await, StatusCode::NO_CONTENT);
    // Nobody moves a group to where they may not touch it, or from there.
    let name = json!({"name": "Board of directors"});
    assert_eq!(desk.of(&desk.desk, Method::PATCH, &front, name).await, StatusCode::FORBIDDEN);
    assert_eq!(desk.of(&desk.desk, Method::POST, GROUPS, json!({"name": "Board 2"})).await, StatusCode::FORBIDDEN);

    let told = |token: String| async move {
        let entries = api.done_as(&token, Method::GET, ENTRIES, NOTHING).await;
        let kinds =
            entries.as_array().unwrap().iter().map(|entry| entry["target"]["kind"].as_str().unwrap().to_owned());
        kinds.collect::<Vec<_>>()
    };
    let (all, some) = (told(admin.clone()).await, told(desk.desk.clone()).await);
    assert!(all.contains(&"policy".to_owned()) && !some.contains(&"policy".to_owned()) && !some.is_empty());
    let ids = api.texts("SELECT id AS value FROM audit_entries WHERE target_kind = 'policy'").await;
    let at = format!("{ENTRIES}/{}", ids[0]);
    problem(api.get_as(&at, &desk.desk).await, StatusCode::FORBIDDEN).await;
    let exported = api.get_as("/api/v1/audit/export", &desk.desk).await.text().await.unwrap();
    assert!(!exported.is_empty() && ids.iter().all(|id| !exported.contains(id)), "{exported}");
}

#[actix_web::test]
async fn other_services_find_what_somebody_may_do_something_to() {
    let policies = [
        denied("Suspended", "account", ("account.status", "suspended")),
        denied("Administrators", "account", ("account.roles", "administrator")),
        denied("Internal", "role", ("role.family", "Internal")),
    ];
    let desk = HelpDesk::start(&policies).await;
    let (api, admin) = (&desk.api, &desk.admin);
    add(api, admin, "ann@acme.example", "active").await;
    let bob = add(api, admin, "bob@acme.example", "suspended").await;
    let search = "/access/v1/search/resource";
    let ask = |kind: &str, subject: &str| json!({"subject": {"type": "user", "id": subject}, "action": {"name": "read"}, "resource": {"type": kind}});
    let found = |body: Value| async move {
        let response = api.send_as(admin, Method::POST, search, &body).await;
        assert_eq!(response.status(), StatusCode::OK);
        let answer: Value = response.json().await.unwrap();
        assert_eq!(answer["page"]["next_token"], "");
        let ids = answer["results"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
        let mut ids: Vec<String> = ids.collect();
        ids.sort();
        ids
    };
    for (kind, path) in [("account", USERS), ("role", ROLES), ("group", GROUPS)] {
        assert_eq!(found(ask(kind, &desk.desk_id)).await, listed(api, &desk.desk, path, "id").await, "{kind}");
    }
    assert!(found(ask("account", "0190b2c4-0000-7000-8000-000000000001")).await.is_empty());
    // What is kept counts, whatever is said of it.
    let lied = json!({"subject": {"type": "user", "id": desk.desk_id}, "action": {"name": "read"},
        "resource": {"type": "account", "id": bob, "properties": {"status": "active"}}});
    let response = api.send_as(admin, Method::POST, "/access/v1/evaluation", &lied).await;
    assert_eq!(response.json::<Value>().await.unwrap()["decision"], false);
    for bad in [ask("booking", &desk.desk_id), json!({"page": {"token": 1}})] {
        problem(api.send_as(admin, Method::POST, search, &bad).await, StatusCode::BAD_REQUEST).await;
    }
}

#[actix_web::test]
async fn what_is_found_comes_page_by_page() {
    let desk = HelpDesk::start(&[denied("One", "group", ("group.name", "7"))]).await;
    let (api, admin) = (&desk.api, &desk.admin);
    for number in 0..120 {
        api.done_as(admin, Method::POST, GROUPS, &json!({ "name": number.to_string() })).await;
    }
    let (mut token, mut found, mut pages) = (String::new(), Vec::new(), 0);
    loop {
        let body = json!({"subject": {"type": "user", "id": desk.desk_id}, "action": {"name": "read"},
            "resource": {"type": "group"}, "page": {"token": token}});
        let answer: Value =
            api.send_as(admin, Method::POST, "/access/v1/search/resource", &body).await.json().await.unwrap();
        found.extend(answer["results"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        pages += 1;
        token = answer["page"]["next_token"].as_str().unwrap().to_owned();
        if token.is_empty() {
            break;
        }
    }
    found.dedup();
    assert_eq!((found.len(), pages), (119, 3));
}

#[test]
fn everything_is_kept_where_it_is_said_to_be() {
    let kinds = routes::table().kinds();
    let kept = kinds.iter().filter_map(|(name, kind)| Some((kind, kinds.kept(name)?.0)));
    let mut found = 0;
    for (kind, kept) in kept {
        Columns::new(&kind.schema, kept.columns.iter().copied()).unwrap();
        assert!(kept.columns.iter().any(|(name, _)| name.split('.').next_back() == Some("id")), "{}", kept.table);
        found += 1;
    }
    assert_eq!(found, 5);
}

#[actix_web::test]
async fn what_the_tenant_has_set_is_compared_with() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    let settings = "/api/v1/tenant/settings";
    let limits = |limits: Value| json!({ "limits": limits });
    let both = json!({"auto_approve": "100.00 EUR", "auto": 3});
    api.done_as(&admin, Method::PUT, settings, &limits(both)).await;
    let small = json!({"name": "Small", "target": {"resource": "booking", "action": "confirm"},
        "rules": {"effect": "allow", "conditions": [{"booking.amount": "<= tenant.limits.auto_approve"}]}});
    let path = made(&api, &admin, &small).await;
    let member = api.user(&["member"], "api");
    api.id_of(&member).await;
    let ask = |amount: &str| {
        let body = json!({"resource": "booking", "action": "confirm", "attributes": {"booking.amount": amount}});
        let (api, member) = (&api, &member);
        async move { api.done_as(member, Method::POST, "/api/v1/access/explain", &body).await["decision"].clone() }
    };
    assert_eq!((ask("100.00 EUR").await, ask("100.01 EUR").await), (json!("allow"), json!("deny")));
    let raised = json!({"auto_approve": "500.00 EUR", "auto": 3});
    api.done_as(&admin, Method::PUT, settings, &limits(raised)).await;
    assert_eq!((ask("100.01 EUR").await, ask("5.00 USD").await), (json!("allow"), json!("deny")));

    // What a policy compares with stays what it is; what none does can go.
    for lost in [json!({"auto": 3}), json!({"auto_approve": 500, "auto": 3})] {
        let response = api.send_as(&admin, Method::PUT, settings, &limits(lost)).await;
        let refused = problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(
            (&refused["errors"][0]["pointer"], refused["errors"].as_array().unwrap().len()),
            (&json!("/limits/auto_approve"), 1)
        );
    }
    api.done_as(&admin, Method::PUT, settings, &limits(json!({"auto_approve": "5.00 EUR"}))).await;
    api.done_as(&admin, Method::POST, &format!("{path}/disable"), NOTHING).await;
    api.done_as(&admin, Method::PUT, settings, &json!({})).await;
    assert_eq!(ask("1.00 EUR").await, "deny");
    let response = api.send_as(&admin, Method::POST, &format!("{path}/enable"), NOTHING).await;
    problem(response, StatusCode::UNPROCESSABLE_ENTITY).await;
}

#[actix_web::test]
async fn what_is_known_of_everybody_is_there() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let person = add(&api, &admin, "ann@acme.example", "active").await;
    // Each of these holds; where an attribute had no value, its deny would count all the same.
    let deny = json!({"name": "Known", "target": {"resource": "booking", "action": "read"}, "rules": {"effect": "deny",
        "conditions": [{"user.email": "!= 'ann@acme.example'"}, {"user.email_verified": true}, {"user.status": "!= 'active'"},
            {"tenant.status": "!= 'active'"}, {"tenant.slug": "!= 'demo'"}]}});
    made(&api, &admin, &deny).await;
    let allow =
        json!({"name": "All", "target": {"resource": "booking", "action": "read"}, "rules": {"effect": "allow"}});
    made(&api, &admin, &allow).await;
    let about = json!({"subject": {"id": person}, "resource": "booking", "action": "read"});
    let answer = api.done_as(&admin, Method::POST, "/api/v1/access/explain", &about).await;
    assert_eq!((&answer["decision"], &answer["policy"]), (&json!("allow"), &json!("All")), "{answer}");
}
