//! `/console/tenants`.

use reqwest::Method;
use serde_json::{Value, json};

use super::Desk;

#[actix_web::test]
async fn ones_own_tenant_is_renamed_set_up_and_gets_a_domain() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    desk.click(".nav a[href='/console/tenants']").await;
    desk.read("#page-title", "Tenant demo").await;
    let path = format!("/api/v1/tenants/{}", desk.api.idp.tenant("demo").id);
    desk.keep("tenant").await;
    desk.click(".tabs a[href$='/settings']").await;
    desk.fill("input[name='branding.display_name']", "Demo Health").await;
    desk.fill("input[name='branding.primary_color']", "green").await;
    desk.fill("input[name='security.session_idle_minutes']", "3").await;
    desk.click("#app button[type=submit]").await;
    desk.read(".field-error", "#").await;
    desk.fill("input[name='branding.primary_color']", "#1a6b54").await;
    desk.fill("input[name='security.session_idle_minutes']", "30").await;
    desk.click("#app button[type=submit]").await;
    desk.read("#status", "Saved").await;
    let config = desk.ask(Method::GET, &format!("{path}/config"), Value::Null).await;
    assert_eq!(
        (config["branding"]["display_name"].as_str(), &config["security"]["session_idle_minutes"]),
        (Some("Demo Health"), &json!(30))
    );
    desk.keep("tenant-settings").await;

    desk.click(".tabs a[href$='/domains']").await;
    desk.click("#new-domain").await;
    desk.fill(".dialog input[name=domain]", "auth.demo.example").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read(".dialog", "_tenantry-challenge.auth.demo.example").await;
    desk.keep("tenant-domain").await;
    desk.click("#check-domain").await;
    desk.read(".dialog .alert", "not known to be the tenant").await;
    desk.click(".dialog-close").await;
    desk.read("tbody", "Not verified").await;
    desk.click("tbody tr .cell-actions button:last-child").await;
    desk.click("#confirm-yes").await;
    desk.read(".list", "There is no domain yet").await;

    desk.click(".tabs a[href$='/modules']").await;
    desk.click("[data-module=bookings] input[name=waiting_list]").await;
    desk.click("[data-module=bookings] button[type=submit]").await;
    desk.read("#status", "saved").await;
    desk.keep("tenant-modules").await;
    let modules = desk.ask(Method::GET, &format!("{path}/modules"), Value::Null).await;
    assert_eq!(modules[0]["config"]["waiting_list"], json!(true));
    desk.leave().await;
}
