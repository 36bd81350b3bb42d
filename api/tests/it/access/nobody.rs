//! Questions about somebody who is not there.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::{EVALUATION, EVALUATIONS, NOBODY};
use crate::support::{TestApi, problem, within};

const SOON: Duration = Duration::from_secs(20);

#[actix_web::test]
async fn nobody_is_looked_for_again_and_again() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    let claims = api.idp.user_claims("demo", &api.url);
    let id = claims["sub"].as_str().unwrap();
    let explain = |id: &str| format!("/api/v1/access/explain?subject={id}&resource=role&action=read");
    let (action, resource) = (json!({"name": "read"}), json!({"type": "role", "id": NOBODY}));
    let one = json!({"subject": {"type": "user", "id": id}, "action": action, "resource": resource});
    let several = json!({"subject": one["subject"], "action": action, "evaluations": [{"resource": resource}]});
    let explained = async || api.get_as(&explain(id), &admin).await.status();
    let decided = async |path: &str, body: &Value| {
        let answer = api.send_as(&admin, Method::POST, path, body).await;
        let is_good = answer.status() == StatusCode::OK;
        if is_good { answer.json::<Value>().await.unwrap() } else { Value::Null }
    };
    let unknown = |answer: &Value| answer["context"]["reason"] == "unknown_subject";
    problem(api.get_as(&explain(id), &admin).await, StatusCode::NOT_FOUND).await;

    // From here on nobody can be looked for. What is remembered counts while changes by others are seen, which on a busy
    // machine is not always.
    api.execute("ALTER TABLE users RENAME TO users_away").await;
    within(SOON, async || explained().await == StatusCode::NOT_FOUND).await;
    within(SOON, async || unknown(&decided(EVALUATION, &one).await)).await;
    within(SOON, async || unknown(&decided(EVALUATIONS, &several).await["evaluations"][0])).await;
    problem(api.get_as(&explain(NOBODY), &admin).await, StatusCode::INTERNAL_SERVER_ERROR).await;
    api.execute("ALTER TABLE users_away RENAME TO users").await;

    // Once they have come they are there at once.
    api.id_of(&api.idp.sign("demo", &claims)).await;
    assert_eq!(explained().await, StatusCode::OK);
    assert_eq!(decided(EVALUATION, &one).await["decision"], true);
    assert_eq!(decided(EVALUATIONS, &several).await["evaluations"][0]["decision"], true);
    // And gone again, as well.
    api.accounts.add(api.idp.tenant("demo").id, id.parse().unwrap(), "gone@acme.example");
    api.send_as(&admin, Method::DELETE, &format!("/api/v1/users/{id}"), &Value::Null).await;
    problem(api.get_as(&explain(id), &admin).await, StatusCode::NOT_FOUND).await;
}
