//! What policies can speak of, what is wrong with one, what one would change, and why something is decided.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::Clock as _;

use super::{NOTHING, POLICIES, always, made, premium, role, tried};
use crate::support::{TestApi, problem, within};

const EXPLAIN: &str = "/api/v1/access/explain";

fn in_hours(api: &TestApi, hours: u64) -> String {
    (api.clock.now() + Duration::from_secs(hours * 3_600)).to_string()
}

#[actix_web::test]
async fn the_example_of_the_plan_is_decided_and_explained() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    role(&api, &token, "PremiumCustomer", &[]).await;
    made(&api, &token, &premium()).await;
    let premium = api.user(&["PremiumCustomer"], "api");
    let (premium_id, plain) = (api.id_of(&premium).await, api.user(&["member"], "api"));
    api.id_of(&plain).await;
    let ask = |token: String, hours: u64| {
        let body = json!({"resource": "booking", "action": "cancel",
            "attributes": {"booking.scheduled_time": in_hours(&api, hours)}});
        let api = &api;
        async move { api.done_as(&token, Method::POST, EXPLAIN, &body).await }
    };
    for (hours, decision) in [(25, "allow"), (24, "deny"), (23, "deny")] {
        let answer = ask(premium.clone(), hours).await;
        assert_eq!(answer["decision"], decision, "{hours}: {answer}");
        assert_eq!(ask(plain.clone(), hours).await["decision"], "deny");
    }
    let answer = ask(premium.clone(), 25).await;
    assert_eq!((&answer["reason"], &answer["policy"]), (&json!("policy"), &json!("PremiumCustomerBookingPolicy")));
    assert_eq!((&answer["scope_allows"], &answer["roles_that_allow"]), (&json!(true), &json!([])));
    let words = answer["in_words"].as_str().unwrap();
    assert!(
        words.starts_with("May booking.cancel: ") && words.contains("booking.scheduled_time > now() + 24h"),
        "{words}"
    );
    let answer = ask(premium, 23).await;
    assert_eq!((&answer["reason"], &answer["policies"]), (&json!("nothing"), &json!([])));
    let reader = api.user(&["PremiumCustomer", "auditor"], "api");
    let answer = ask(reader, 23).await;
    let policy = &answer["policies"][0];
    assert_eq!((&policy["applies"], &policy["is_assigned"]), (&json!(false), &json!(true)));
    assert!(policy["in_words"].as_str().unwrap().contains("it does not hold that booking.scheduled_time"), "{policy}");
    let truths: Vec<&str> =
        policy["alternatives"][0].as_array().unwrap().iter().map(|step| step["truth"].as_str().unwrap()).collect();
    assert_eq!(truths.iter().filter(|truth| **truth == "false").count(), 1, "{truths:?}");

    // Of others only whoever may; by the query as well; of what is not said nothing is known.
    let about = json!({"subject": {"id": premium_id}, "resource": "booking", "action": "cancel"});
    problem(api.send_as(&plain, Method::POST, EXPLAIN, &about).await, StatusCode::FORBIDDEN).await;
    let answer = api.done_as(&token, Method::POST, EXPLAIN, &about).await;
    assert_eq!((&answer["decision"], answer.get("scope_allows")), (&json!("deny"), None));
    assert!(answer.to_string().contains("unknown"), "{answer}");
    let path = format!("{EXPLAIN}?resource=booking&action=cancel&subject={premium_id}&attributes=");
    let attributes = format!("{{\"booking.scheduled_time\":\"{}\"}}", in_hours(&api, 30));
    let request = api.request(Method::GET, &format!("{path}{attributes}")).bearer_auth(&token);
    assert_eq!(request.send().await.unwrap().json::<Value>().await.unwrap()["data"]["decision"], "allow");
    let imagined =
        json!({"subject": {"facts": {"user.role": ["administrator"]}}, "resource": "booking", "action": "cancel"});
    let answer = api.done_as(&token, Method::POST, EXPLAIN, &imagined).await;
    assert_eq!((&answer["decision"], &answer["roles_that_allow"]), (&json!("allow"), &json!(["administrator"])));
}

#[actix_web::test]
async fn what_policies_say_is_told_to_those_who_may_see_them() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let traps = role(&api, &token, "Suspect", &[]).await;
    role(&api, &token, "Reader", &["policy.read"]).await;
    let with = |name: &str, effect: &str, condition: Value| {
        let mut policy = always(name, effect, "booking", "cancel");
        policy["rules"]["conditions"] = json!([condition]);
        policy
    };
    let to_suspects = made(&api, &token, &with("Fraud watch", "deny", json!({"booking.guests": "> 3"}))).await;
    let to = json!({"assignee_type": "role", "assignee_id": traps});
    api.done_as(&token, Method::POST, &format!("{to_suspects}/assignments"), &to).await;
    made(&api, &token, &with("Partners", "allow", json!({"user.email": "ends_with '@partner.example'"}))).await;
    made(&api, &token, &with("Never from there", "deny", json!({"env.ip": "in 10.0.0.0/8"}))).await;
    made(&api, &token, &with("Not at night", "deny", json!({"user.role": ["member", "Reader"]}))).await;
    let mut hidden = always("Hidden", "deny", "policy", "read");
    hidden["rules"]["conditions"] = json!([{"user.role": "Reader", "policy.name": "Never from there"}]);
    made(&api, &token, &hidden).await;
    let about = json!({"resource": "booking", "action": "cancel"});
    let names = |answer: &Value| {
        let mut names: Vec<String> =
            answer["policies"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    // Whoever sees no policies learns which one decided about them, and of no other.
    let plain = api.user(&["member"], "api");
    let answer = api.done_as(&plain, Method::POST, EXPLAIN, &about).await;
    assert_eq!((&answer["policy"], &answer["policies"]), (&json!("Not at night"), &json!([])), "{answer}");
    for secret in ["Fraud", "partner.example", "10.0.0.0", "booking.guests"] {
        assert!(!answer.to_string().contains(secret), "{secret}: {answer}");
    }
    assert_eq!(answer.get("omitted"), None);
    // Who sees some is told of those, where they are for them.
    let reader = api.user(&["Reader"], "api");
    let answer = api.done_as(&reader, Method::POST, EXPLAIN, &about).await;
    assert_eq!(names(&answer), ["Not at night", "Partners"], "{answer}");
    // A token that is for less is told less.
    let narrow = api.user(&["administrator"], "booking.cancel");
    let answer = api.done_as(&narrow, Method::POST, EXPLAIN, &about).await;
    assert_eq!(answer["policies"], json!([]), "{answer}");
    let answer = api.done_as(&token, Method::POST, EXPLAIN, &about).await;
    assert_eq!(names(&answer), ["Fraud watch", "Never from there", "Not at night", "Partners"], "{answer}");
}

#[actix_web::test]
async fn a_question_that_is_none_is_told_where() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    for (body, pointer) in [
        (json!({"resource": "bookings", "action": "cancel"}), "/resource"),
        (json!({"resource": "booking", "action": "cancell"}), "/action"),
        (json!({"resource": "booking"}), "/action"),
        (json!({"resource": "booking", "action": "cancel", "subject": {}}), "/subject"),
        (json!({"resource": "booking", "action": "cancel", "attributes": {"booking.x": 1}}), "/attributes/booking.x"),
        (json!({"resource": "booking", "action": "cancel", "attributes": {"user.id": "x"}}), "/attributes/user.id"),
        (
            json!({"resource": "booking", "action": "cancel", "attributes": {"booking.guests": "x"}}),
            "/attributes/booking.guests",
        ),
    ] {
        let refused =
            problem(api.send_as(&token, Method::POST, EXPLAIN, &body).await, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let path = format!("{EXPLAIN}?subject=x&attributes=1&colour=red");
    let refused = problem(api.get_as(&path, &token).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(refused["errors"].as_array().unwrap().len(), 5);
    let nobody =
        json!({"subject": {"id": "0190b2c4-0000-7000-8000-000000000001"}, "resource": "booking", "action": "cancel"});
    problem(api.send_as(&token, Method::POST, EXPLAIN, &nobody).await, StatusCode::NOT_FOUND).await;
}

#[actix_web::test]
async fn a_token_that_is_too_narrow_is_said_to_be() {
    let api = TestApi::start().await;
    let narrow = api.user(&["administrator"], "role.read");
    let answer = api.done_as(&narrow, Method::POST, EXPLAIN, &json!({"resource": "booking", "action": "cancel"})).await;
    assert_eq!((&answer["decision"], &answer["reason"]), (&json!("deny"), &json!("scope")));
    let answer = api.done_as(&narrow, Method::POST, EXPLAIN, &json!({"resource": "role", "action": "read"})).await;
    assert_eq!((&answer["decision"], &answer["reason"]), (&json!("allow"), &json!("role")));
    let machine = api.machine("booking.read");
    let answer = api.done_as(&machine, Method::POST, EXPLAIN, &json!({"resource": "booking", "action": "read"})).await;
    assert_eq!((&answer["decision"], &answer["roles_that_allow"]), (&json!("allow"), &json!([])));
}

#[actix_web::test]
async fn the_time_on_the_wall_is_asked_for_by_its_name() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let mut hours = always("Office hours", "allow", "booking", "read");
    let condition = "between 09:00 and 18:00 Asia/Kolkata";
    hours["rules"]["conditions"] = json!([{"env.local_time": condition, "env.device.trusted": false}]);
    let path = made(&api, &token, &hours).await;
    let shown = api.done_as(&token, Method::GET, &path, NOTHING).await;
    assert_eq!(shown["rules"]["conditions"][0]["env.local_time"], condition, "as it was written");
    let member = json!({"id": api.id_of(&api.user(&["member"], "api")).await});
    for (name, time, decision) in [
        ("env.time", "2026-01-31T03:30:00Z", "allow"),
        ("env.local_time", "2026-01-31T03:29:59Z", "deny"),
        ("env.local_time", "2026-01-31T12:29:59Z", "allow"),
        ("env.time", "2026-01-31T12:30:00Z", "deny"),
    ] {
        let about = json!({"subject": member, "resource": "booking", "action": "read", "attributes": {name: time}});
        let answer = api.done_as(&token, Method::POST, EXPLAIN, &about).await;
        assert_eq!(answer["decision"], decision, "{time}: {answer}");
    }
}

#[actix_web::test]
async fn policies_know_what_is_built_in_and_what_the_tenant_adds() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let own = json!({"name": "invoice.send"});
    api.done_as(&token, Method::POST, "/api/v1/permissions", &own).await;
    let known = api.done_as(&token, Method::GET, &format!("{POLICIES}/attributes"), NOTHING).await;
    let resources = known["resources"].as_array().unwrap();
    let find = |name: &str| resources.iter().find(|one| one["resource"] == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(find("invoice")["actions"], json!(["send"]));
    assert!(find("booking")["actions"].as_array().unwrap().contains(&json!("cancel")));
    let time = json!({"name": "booking.scheduled_time", "type": "time", "meaning": "when it begins"});
    assert!(find("booking")["attributes"].as_array().unwrap().contains(&time));
    assert!(find("policy")["actions"].as_array().unwrap().contains(&json!("assign")));
    assert!(known["common"].as_array().unwrap().iter().any(|one| one["name"] == "user.role"));
    made(&api, &token, &always("invoices", "deny", "invoice", "send")).await;
    let typo = always("typo", "deny", "invoice", "sent");
    assert_eq!(tried(&api, &token, Method::POST, POLICIES, &typo).await, StatusCode::UNPROCESSABLE_ENTITY);
}

#[actix_web::test]
async fn a_policy_is_checked_and_analysed_without_being_saved() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let path = format!("{POLICIES}/check");
    let check = |body: Value| {
        let (api, token, path) = (&api, &token, &path);
        async move { api.done_as(token, Method::POST, path, &body).await }
    };
    let wrong = check(always("x", "allow", "bookin", "read")).await;
    assert_eq!((&wrong["is_valid"], &wrong["errors"][0]["pointer"]), (&json!(false), &json!("/target/resource")));
    let mut never = always("x", "allow", "booking", "read");
    never["rules"]["conditions"] = json!([{"booking.guests": "between 5 and 2"}]);
    let found = check(never).await;
    assert_eq!((&found["is_valid"], &found["findings"][0]["code"]), (&json!(true), &json!("never_true")));
    assert_eq!(found["findings"][0]["pointer"], "/rules/conditions/0");
    assert_eq!(api.count("policies").await, 0);

    made(&api, &token, &always("nobody reads", "deny", "booking", "*")).await;
    let shadowed = made(&api, &token, &always("all read", "allow", "booking", "read")).await;
    let found = api.done_as(&token, Method::GET, &format!("{shadowed}/analysis"), NOTHING).await;
    assert_eq!(
        (&found["findings"][0]["code"], &found["findings"][0]["other"]),
        (&json!("shadowed"), &json!("nobody reads"))
    );
    // A deny that is only for some does not shadow what is for everyone.
    let policies = api.done_as(&token, Method::GET, &format!("{POLICIES}?name=nobody"), NOTHING).await;
    let group = api.done_as(&token, Method::POST, "/api/v1/groups", &json!({"name": "g"})).await;
    let to = json!({"assignee_type": "group", "assignee_id": group["id"]});
    let path = format!("{POLICIES}/{}/assignments", policies[0]["id"].as_str().unwrap());
    api.done_as(&token, Method::POST, &path, &to).await;
    let found = api.done_as(&token, Method::GET, &format!("{shadowed}/analysis"), NOTHING).await;
    assert_eq!(found["findings"], json!([]));
}

#[actix_web::test]
async fn what_a_policy_would_change_is_told_before_it_does() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let id = api.id_of(&token).await;
    made(&api, &token, &premium()).await;
    let path = format!("{POLICIES}/simulate");
    let booking = |subject: Value, hours: u64| {
        json!({"subject": subject, "resource": "booking", "action": "cancel",
            "attributes": {"booking.scheduled_time": in_hours(&api, hours)}})
    };
    let mut shorter = premium();
    shorter["rules"]["conditions"][0]["booking.scheduled_time"] = json!("> now() + 12h");
    let premium_customer = json!({"facts": {"user.role": ["PremiumCustomer"]}});
    let requests = json!([
        booking(premium_customer.clone(), 25),
        booking(premium_customer.clone(), 13),
        booking(json!({"id": id}), 13),
    ]);
    let told = api.done_as(&token, Method::POST, &path, &json!({"policy": shorter, "requests": requests})).await;
    assert_eq!((&told["requests"]["decided"], &told["requests"]["differing"]), (&json!(3), &json!(1)));
    let change = json!({"request": "1", "resource": "booking", "action": "cancel", "decision": "allow",
        "because": "PremiumCustomerBookingPolicy"});
    assert_eq!(told["requests"]["changed"], json!([change]));
    let without = json!({"without": "PremiumCustomerBookingPolicy", "requests": requests});
    let told = api.done_as(&token, Method::POST, &path, &without).await;
    assert_eq!(told["requests"]["changed"][0]["decision"], "deny");

    // Over what was really decided: whoever reads settings would not any more.
    api.get_as("/api/v1/tenant/settings", &token).await;
    let deny = json!({"policy": always("closed", "deny", "tenant_settings", "read"), "recorded": 500});
    within(Duration::from_secs(10), || async {
        let told = api.done_as(&token, Method::POST, &path, &deny).await;
        told["recorded"]["changed"][0]["because"] == "closed" && told["recorded"]["unreadable"] == 0
    })
    .await;
    for (body, pointer) in [
        (json!({}), "/policy"),
        (json!({"without": "nothing"}), "/without"),
        (json!({"policy": always("x", "allow", "bookin", "read")}), "/policy/target/resource"),
        (
            json!({"without": "PremiumCustomerBookingPolicy", "requests": [{"resource": "booking"}]}),
            "/requests/0/action",
        ),
        (
            json!({"without": "PremiumCustomerBookingPolicy", "requests": [{"resource": "bookin", "action": "x"}]}),
            "/requests/0/resource",
        ),
    ] {
        let refused =
            problem(api.send_as(&token, Method::POST, &path, &body).await, StatusCode::UNPROCESSABLE_ENTITY).await;
        assert_eq!(refused["errors"][0]["pointer"], pointer, "{refused}");
    }
    let auditor = api.user(&["auditor"], "api");
    assert_eq!(tried(&api, &auditor, Method::POST, &path, &deny).await, StatusCode::FORBIDDEN);
    assert_eq!(api.count("policies").await, 1);
}

#[actix_web::test]
async fn a_simulation_decides_like_the_guard_and_is_no_way_around_it() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    let path = format!("{POLICIES}/simulate");
    // Somebody who is switched off may do nothing, whatever is allowed, and a narrow token is for little.
    let off = api.id_of(&api.user(&["member"], "api")).await;
    let on = api.id_of(&api.user(&["member"], "api")).await;
    api.accounts.add(api.idp.tenant("demo").id, off.parse().unwrap(), "off@acme.example");
    let suspended = json!({"status": "suspended"});
    api.done_as(&token, Method::PATCH, &format!("/api/v1/users/{off}"), &suspended).await;
    let about = |subject: Value| json!({"subject": subject, "resource": "booking", "action": "read"});
    let requests = json!([about(json!({"id": off})), about(json!({"id": on}))]);
    let allow = always("open", "allow", "booking", "read");
    let told = api.done_as(&token, Method::POST, &path, &json!({"policy": allow, "requests": requests})).await;
    assert_eq!(told["requests"]["changed"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["requests"]["changed"][0]["request"], "1", "{told}");
    let narrow = api.user(&["administrator"], "access.explain policy.read access_log.read tenant_settings.read");
    let own = json!([{"resource": "booking", "action": "read"}, {"resource": "tenant_settings", "action": "read"}]);
    let deny = json!({"policy": always("closed", "deny", "*", "*"), "requests": own});
    let told = api.done_as(&narrow, Method::POST, &path, &deny).await;
    assert_eq!(told["requests"]["changed"].as_array().unwrap().len(), 1, "{told}");
    assert_eq!(told["requests"]["changed"][0]["request"], "1", "{told}");
    // What was refused for its scope stays refused, whatever a policy says.
    let booking = api.user(&["administrator"], "openid");
    api.get_as("/api/v1/tenant/settings", &booking).await;
    let refused = || async { api.count("access_logs WHERE reason = 'the token has no scope for it'").await == 1 };
    within(Duration::from_secs(10), refused).await;
    let everything = json!({"policy": always("everything", "allow", "tenant_settings", "read"), "recorded": 500});
    let told = api.done_as(&token, Method::POST, &path, &everything).await;
    assert_eq!(told["recorded"]["changed"], json!([]), "{told}");

    // Neither the log of decisions nor a policy is read this way by whoever may not read it.
    role(&api, &token, "Analyst", &["access.explain"]).await;
    made(&api, &token, &always("Secret", "deny", "booking", "read")).await;
    let analyst = api.user(&["Analyst"], "api");
    let recorded = api.send_as(&analyst, Method::POST, &path, &everything).await;
    problem(recorded, StatusCode::FORBIDDEN).await;
    let guess = api.send_as(&analyst, Method::POST, &path, &json!({"without": "Secret"})).await;
    let refused = problem(guess, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(refused["errors"][0]["code"], "unknown_policy");
    let administrator = json!({"facts": {"user.role": ["administrator"]}});
    let renamed = json!({"policy": always("Other", "allow", "role", "read"), "requests": [about(administrator)]});
    let told = api.done_as(&analyst, Method::POST, &path, &renamed).await;
    assert!(!told.to_string().contains("Secret"), "{told}");
}

#[actix_web::test]
async fn without_a_database_nobody_is_told_what_others_may() {
    let api = TestApi::start().await;
    let token = api.administrator();
    api.id_of(&token).await;
    api.done_as(&token, Method::POST, EXPLAIN, &json!({"resource": "booking", "action": "read"})).await;
    api.execute("DROP TABLE group_members").await;
    let other =
        json!({"subject": {"id": "0190b2c4-0000-7000-8000-000000000001"}, "resource": "booking", "action": "read"});
    let response = api.send_as(&token, Method::POST, EXPLAIN, &other).await;
    assert_eq!(problem(response, StatusCode::INTERNAL_SERVER_ERROR).await.get("detail"), None);
}
