//! `/console/roles` and `/console/groups`.

use reqwest::Method;
use serde_json::{Value, json};

use super::Desk;

#[actix_web::test]
async fn a_role_is_made_of_a_tree_and_changed() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    for action in ["create", "cancel", "read"] {
        let body = json!({"name": format!("booking.{action}"), "resource": "booking", "action": action});
        desk.ask(Method::POST, "/api/v1/permissions", body).await;
    }
    desk.click(".nav a[href='/console/roles']").await;
    desk.read("tbody", "administrator").await;
    desk.keep("roles").await;
    desk.click("#new-role").await;
    desk.fill(".dialog input[name=name]", "PremiumCustomer").await;
    desk.choose(".dialog select", "Customers").await;
    desk.fill(".dialog .tree input[type=search]", "booking.").await;
    desk.click(".tree input[value='booking.create']").await;
    desk.click(".tree input[value='booking.read']").await;
    desk.keep("role-new").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("#page-title", "PremiumCustomer").await;
    let id = desk.path().await.rsplit('/').next().unwrap().to_owned();
    let path = format!("/api/v1/roles/{id}");
    let made = desk.ask(Method::GET, &path, Value::Null).await;
    assert_eq!(made["permissions"], json!(["booking.create", "booking.read"]));

    // The box of the whole resource has the others in it.
    desk.click(".tree input[value='booking.*']").await;
    let implied =
        "const b = document.querySelector('.tree input[value=\"booking.cancel\"]'); return [b.checked, b.disabled]";
    assert_eq!(desk.script(implied, vec![]).await, json!([true, true]));
    desk.click(".tree input[value='booking.*']").await;
    desk.click(".tree input[value='booking.cancel']").await;
    desk.keep("role").await;
    desk.click("#app button[type=submit]").await;
    desk.read("#status", "Saved").await;
    let changed = desk.ask(Method::GET, &path, Value::Null).await;
    assert_eq!(changed["permissions"], json!(["booking.cancel", "booking.create", "booking.read"]));

    desk.click(".tabs a[href$='/holders']").await;
    desk.read(".list", "Nobody has this role").await;
    desk.click("#delete-role").await;
    desk.click("#confirm-yes").await;
    desk.read("#page-title", "Roles").await;
    desk.leave().await;
}

#[actix_web::test]
async fn a_group_has_members_roles_and_parts() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    let body = json!({"email": "grace@acme.example", "first_name": "Grace", "last_name": "Hopper"});
    desk.ask(Method::POST, "/api/v1/users", body).await;
    desk.open("/console/groups").await;
    desk.click("#new-group").await;
    desk.fill(".dialog input[name=name]", "Front desk").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("#page-title", "Front desk").await;
    desk.click("#add-member").await;
    desk.fill(".dialog input[type=search]", "grace").await;
    desk.read(".dialog .check-list", "grace@acme.example").await;
    desk.miss(".dialog .check-row:nth-child(2)").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("tbody", "grace@acme.example").await;
    desk.keep("group").await;
    desk.click(".tabs a[href$='/roles']").await;
    desk.click("#give-role").await;
    desk.choose(".dialog select", "auditor").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("tbody", "auditor").await;
    desk.click(".tabs a[href$='/parts']").await;
    desk.click("#new-part").await;
    desk.fill(".dialog input[name=name]", "Night shift").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("#page-title", "Night shift").await;
    desk.leave().await;
}
