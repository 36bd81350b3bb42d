//! `/access/v1` and `/.well-known/authzen-configuration`: AuthZEN Authorization API 1.0.

mod first_sight;
mod nobody;
mod real_columns;
mod renewed;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::Clock as _;

use crate::support::{TestApi, problem, within};

const EVALUATION: &str = "/access/v1/evaluation";
const EVALUATIONS: &str = "/access/v1/evaluations";
const NOBODY: &str = "0190b2c4-0000-7000-8000-000000000001";

/// A tenant with the policy of the plan and somebody whom it is for.
struct Asked {
    api: TestApi,
    /// A client that may ask.
    machine: String,
    administrator: String,
    premium: String,
    member: String,
}

impl Asked {
    async fn start() -> Self {
        let api = TestApi::start().await;
        let token = api.administrator();
        let administrator = api.id_of(&token).await;
        let role = json!({"name": "PremiumCustomer", "role_family": "Customer"});
        api.done_as(&token, Method::POST, "/api/v1/roles", &role).await;
        let policy = json!({
            "name": "PremiumCustomerBookingPolicy", "target": {"resource": "booking", "action": "cancel"},
            "rules": {"effect": "allow", "conditions": [
                {"user.role": "PremiumCustomer", "booking.scheduled_time": "> now() + 24h"}]}});
        api.done_as(&token, Method::POST, "/api/v1/policies", &policy).await;
        let premium = api.id_of(&api.user(&["PremiumCustomer"], "api")).await;
        let member = api.id_of(&api.user(&["member"], "api")).await;
        let machine = api.machine("access.evaluate");
        Self { api, machine, administrator, premium, member }
    }

    fn question(&self, user: &str, hours: u64) -> Value {
        let time = (self.api.clock.now() + Duration::from_secs(hours * 3_600)).to_string();
        json!({
            "subject": {"type": "user", "id": user}, "action": {"name": "cancel"},
            "resource": {"type": "booking", "id": "B-1", "properties": {"scheduled_time": time, "colour": "red"}},
            "context": {"time": "1985-10-26T01:22-07:00", "local_time": "1985-10-26T01:22-07:00", "weather": "fine"},
        })
    }

    async fn ask(&self, path: &str, body: &Value) -> Value {
        let response = self.api.send_as(&self.machine, Method::POST, path, body).await;
        assert_eq!(response.status(), StatusCode::OK);
        response.json().await.unwrap()
    }
}

#[actix_web::test]
async fn the_addresses_are_told() {
    let api = TestApi::start().await;
    let response = api.get("/.well-known/authzen-configuration").await;
    assert_eq!(response.headers()["content-type"], "application/json");
    let metadata: Value = response.json().await.unwrap();
    assert_eq!(metadata["policy_decision_point"], api.url.as_str());
    for (_, endpoint) in metadata.as_object().unwrap().iter().filter(|(name, _)| name.ends_with("_endpoint")) {
        let path = endpoint.as_str().unwrap().strip_prefix(&api.url).unwrap();
        let response = api.request(Method::POST, path).json(&json!({})).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{path}");
    }
    for search in ["subject", "action", "resource"] {
        assert!(metadata.get(format!("search_{search}_endpoint")).is_some(), "{search}");
    }
}

#[actix_web::test]
async fn another_service_asks_and_is_answered() {
    let asked = Asked::start().await;
    for (user, hours, decision) in [
        (&asked.premium, 25, true),
        (&asked.premium, 24, false),
        (&asked.premium, 23, false),
        (&asked.member, 25, false),
        (&asked.administrator, 1, true),
        (&NOBODY.to_owned(), 25, false),
        (&"alice".to_owned(), 25, false),
    ] {
        let answer = asked.ask(EVALUATION, &asked.question(user, hours)).await;
        assert_eq!(answer["decision"], decision, "{user} {hours}: {answer}");
        assert!(answer["context"]["reason_admin"]["en"].as_str().unwrap().ends_with('.'), "{answer}");
    }
    let answer = asked.ask(EVALUATION, &asked.question(&asked.premium, 25)).await;
    assert_eq!(answer["context"]["policy"], "PremiumCustomerBookingPolicy");

    // Kinds and actions that nobody has heard of are no mistake: the answer is no, also for an administrator.
    let mut other = asked.question(&asked.administrator, 25);
    other["resource"]["type"] = json!("spaceship");
    assert_eq!(asked.ask(EVALUATION, &other).await["decision"], false);
    let mut other = asked.question(&asked.administrator, 25);
    other["action"]["name"] = json!("launch");
    assert_eq!(asked.ask(EVALUATION, &other).await["decision"], false);

    // What is known of people is not for others to say.
    let mut forged = asked.question(&asked.member, 25);
    forged["subject"]["properties"] = json!({"role": ["PremiumCustomer"]});
    assert_eq!(asked.ask(EVALUATION, &forged).await["decision"], false);
}

#[actix_web::test]
async fn somebody_who_is_switched_off_may_do_nothing() {
    let asked = Asked::start().await;
    asked.api.execute("UPDATE users SET status = 'suspended'").await;
    // What is remembered is looked at again after a minute at the latest.
    let replica = asked.api.replica(asked.api.config.clone()).await;
    let request = crate::support::client().post(format!("{replica}{EVALUATION}")).bearer_auth(&asked.machine);
    let answer = request.json(&asked.question(&asked.administrator, 25)).send().await.unwrap();
    let answer: Value = answer.json().await.unwrap();
    assert_eq!((&answer["decision"], &answer["context"]["reason"]), (&json!(false), &json!("inactive")));
}

#[actix_web::test]
async fn a_question_that_is_none_is_refused() {
    let asked = Asked::start().await;
    let good = asked.question(&asked.premium, 25);
    let without = |path: &str| {
        let mut body = good.clone();
        *body.pointer_mut(path).unwrap() = Value::Null;
        body
    };
    let mut wrong_type = good.clone();
    wrong_type["resource"]["properties"]["scheduled_time"] = json!("soon");
    for body in [
        json!([]),
        without("/subject"),
        without("/subject/id"),
        without("/subject/type"),
        without("/action"),
        without("/resource/id"),
        json!({"subject": "alice"}),
        wrong_type,
    ] {
        let response = asked.api.send_as(&asked.machine, Method::POST, EVALUATION, &body).await;
        problem(response, StatusCode::BAD_REQUEST).await;
    }
    let raw = asked.api.request(Method::POST, EVALUATION).bearer_auth(&asked.machine);
    let raw = raw.header("Content-Type", "application/json").body("{").send().await.unwrap();
    problem(raw, StatusCode::BAD_REQUEST).await;
    for token in [asked.api.machine("policy.read"), asked.api.user(&["member"], "api")] {
        let response = asked.api.send_as(&token, Method::POST, EVALUATION, &good).await;
        problem(response, StatusCode::FORBIDDEN).await;
    }
}

#[actix_web::test]
async fn several_questions_are_one_request() {
    let asked = Asked::start().await;
    let mut all = asked.question(&asked.premium, 25);
    all["evaluations"] = json!([
        {},
        {"action": {"name": "read"}},
        {"resource": {"type": "booking"}},
        {"subject": {"type": "user", "id": asked.administrator}, "action": {"name": "read"}},
    ]);
    let decisions = |answer: &Value| {
        let answers = answer["evaluations"].as_array().unwrap().iter();
        answers.map(|one| one["decision"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    let answer = asked.ask(EVALUATIONS, &all).await;
    assert_eq!(decisions(&answer), [true, false, false, true]);
    assert_eq!(answer["evaluations"][2]["context"]["error"]["status"], 400);
    all["options"] = json!({"evaluations_semantic": "deny_on_first_deny"});
    assert_eq!(decisions(&asked.ask(EVALUATIONS, &all).await), [true, false]);
    all["options"] = json!({"evaluations_semantic": "permit_on_first_permit"});
    assert_eq!(decisions(&asked.ask(EVALUATIONS, &all).await), [true]);
    all["options"] = json!({"evaluations_semantic": "as_you_like"});
    let refused = asked.api.send_as(&asked.machine, Method::POST, EVALUATIONS, &all).await;
    problem(refused, StatusCode::BAD_REQUEST).await;
    all["evaluations"] = Value::Array(vec![json!({}); 101]);
    let refused = asked.api.send_as(&asked.machine, Method::POST, EVALUATIONS, &all).await;
    problem(refused, StatusCode::BAD_REQUEST).await;
    // Without any it is one question.
    let one = asked.ask(EVALUATIONS, &asked.question(&asked.premium, 25)).await;
    assert_eq!(one["decision"], true);
}

#[actix_web::test]
async fn people_and_actions_are_searched_for() {
    let asked = Asked::start().await;
    let mut who = asked.question(&asked.premium, 25);
    who["subject"] = json!({"type": "user"});
    let found = asked.ask("/access/v1/search/subject", &who).await;
    let mut ids: Vec<&str> =
        found["results"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    ids.sort_unstable();
    let mut expected = [asked.premium.as_str(), asked.administrator.as_str()];
    expected.sort_unstable();
    assert_eq!((ids.as_slice(), &found["page"]["next_token"]), (&expected[..], &json!("")));
    who["page"] = json!({"token": "nonsense"});
    let refused = asked.api.send_as(&asked.machine, Method::POST, "/access/v1/search/subject", &who).await;
    problem(refused, StatusCode::BAD_REQUEST).await;
    let mut robots = who.clone();
    robots["subject"]["type"] = json!("robot");
    robots["page"] = json!({});
    assert_eq!(asked.ask("/access/v1/search/subject", &robots).await["results"], json!([]));

    let mut what = asked.question(&asked.premium, 25);
    what.as_object_mut().unwrap().remove("action");
    let found = asked.ask("/access/v1/search/action", &what).await;
    assert_eq!(found["results"], json!([{"name": "cancel"}]));
    what["subject"]["id"] = json!(asked.administrator);
    let found = asked.ask("/access/v1/search/action", &what).await;
    assert_eq!(found["results"].as_array().unwrap().len(), 6);
}

#[actix_web::test]
async fn answers_are_logged() {
    let asked = Asked::start().await;
    asked.ask(EVALUATION, &asked.question(&asked.premium, 25)).await;
    let logged =
        || async { asked.api.count("access_logs WHERE resource = 'booking' AND decision = 'allow'").await == 1 };
    within(Duration::from_secs(10), logged).await;
    let row = asked
        .api
        .texts("SELECT CONCAT(subject_id, ' ', action, ' ', resource_id, ' ', policy_name) AS value FROM access_logs WHERE resource = 'booking'")
        .await;
    assert_eq!(row, [format!("{} cancel B-1 PremiumCustomerBookingPolicy", asked.premium)]);
    let context =
        asked.api.texts("SELECT context AS value FROM access_logs WHERE resource = 'booking'").await.swap_remove(0);
    let context: Value = serde_json::from_str(&context).unwrap();
    assert_eq!((&context["user.role"], &context["booking.id"]), (&json!(["PremiumCustomer"]), &json!("B-1")));
}

#[actix_web::test]
async fn no_tenant_asks_about_anothers_people() {
    let asked = Asked::start().await;
    asked.api.idp.add_tenant("other");
    let other = asked.api.idp.sign("other", &asked.api.idp.client_claims("other", &asked.api.url, "access.evaluate"));
    let question = asked.question(&asked.administrator, 25);
    let answer = asked.api.send_as(&other, Method::POST, EVALUATION, &question).await;
    assert_eq!(answer.json::<Value>().await.unwrap()["context"]["reason"], "unknown_subject");
}
