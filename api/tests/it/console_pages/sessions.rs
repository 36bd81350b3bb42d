//! `/console/sessions`, and the sessions of a person.

use reqwest::Method;
use serde_json::json;
use tenantry_types::{SessionId, SystemClock, SystemRandom};

use super::Desk;

const CHROME: &str =
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

#[actix_web::test]
async fn sessions_are_seen_and_ended() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    let me = desk.see("#subject").await.text().await.unwrap();
    let sign_in = |user: &str, agent: &str| {
        let id = SessionId::new(&SystemClock, &SystemRandom).to_string();
        desk.api.idp.add_session("demo", user, &id, &json!({ "user_agent": agent }));
    };
    sign_in(&me, CHROME);
    let body = json!({"email": "grace@acme.example", "first_name": "Grace", "last_name": "Hopper", "status": "active"});
    let grace = desk.ask(Method::POST, "/api/v1/users", body).await["id"].as_str().unwrap().to_owned();
    sign_in(&grace, "<img src=x onerror=alert(1)>");
    sign_in(&grace, CHROME);

    desk.click(".nav a[href='/console/sessions']").await;
    desk.read("tbody", "Chrome on Linux").await;
    desk.read("tbody", "192.0.2.17").await;
    desk.miss("tbody tr:nth-child(2)").await;
    desk.click(".tabs a[href$='/all']").await;
    desk.read("tbody", "Grace Hopper").await;
    desk.read("tbody", "<img src=x").await;
    desk.keep("sessions").await;
    desk.click("#of-person").await;
    desk.fill(".dialog input[type=search]", "grace").await;
    desk.read(".dialog .check-list", "grace@acme.example").await;
    desk.miss(".dialog .check-row:nth-child(2)").await;
    desk.click(".dialog button[type=submit]").await;
    desk.miss("tbody tr:nth-child(3)").await;
    assert_eq!(desk.script("return location.search", vec![]).await, json!(format!("?user={grace}")));

    desk.click("tbody tr .cell-actions button").await;
    desk.click("#confirm-yes").await;
    desk.miss("tbody tr:nth-child(2)").await;
    desk.click("tbody a[href$='/sessions']").await;
    desk.read("#page-title", "Grace Hopper").await;
    desk.click("#end-sessions").await;
    desk.click("#confirm-yes").await;
    desk.read(".list", "Nobody is signed in").await;
    desk.open("/console/sessions").await;
    desk.read("tbody", "Chrome on Linux").await;
    desk.leave().await;
}
