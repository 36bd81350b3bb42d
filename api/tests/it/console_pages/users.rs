//! `/console/users`.

use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::Key;

use super::Desk;

/// What would run if a name were more than a name.
const HOSTILE: &str = "<img src=x onerror=\"document.title='owned'\">";

#[actix_web::test]
async fn somebody_is_found_added_changed_and_removed() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    for (email, first) in [("grace@acme.example", "Grace"), ("hostile@acme.example", HOSTILE)] {
        let body = json!({"email": email, "first_name": first, "last_name": "Hopper", "status": "active"});
        desk.ask(Method::POST, "/api/v1/users", body).await;
    }
    desk.ask(Method::POST, "/api/v1/groups", json!({"name": "Front desk"})).await;

    desk.click(".nav a[href='/console/users']").await;
    desk.read("tbody", "Grace Hopper").await;
    desk.read("tbody", HOSTILE).await;
    assert_eq!(desk.script("return document.images.length", vec![]).await, json!(1), "the mark of the bar");
    desk.keep("users").await;
    desk.fill("input[type=search]", "grace").await;
    desk.miss("tbody tr:nth-child(2)").await;
    assert_eq!(desk.script("return location.search", vec![]).await, json!("?search=grace"));

    // What is wrong stands at its field, and the field has the focus.
    desk.click("#new-user").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read(".dialog .field-error", "needed").await;
    desk.fill(".dialog input[name=email]", "grace@acme.example").await;
    desk.fill(".dialog input[name=phone]", "nonsense").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read(".dialog .field-error", "E.164").await;
    assert_eq!(desk.script("return document.activeElement.name", vec![]).await, json!("phone"));
    desk.keep("user-new").await;
    desk.fill(".dialog input[name=phone]", "+12025550123").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read(".dialog .field-error", "somebody else has this").await;
    desk.fill(".dialog input[name=email]", "joan@acme.example").await;
    desk.fill(".dialog input[name=first_name]", "Joan").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("#page-title", "Joan").await;
    assert_eq!(desk.script("return document.activeElement.id", vec![]).await, json!("page-title"), "is read aloud");
    let joan = desk.path().await.rsplit('/').next().unwrap().to_owned();

    desk.fill("input[name=last_name]", "Clarke").await;
    desk.click("#tab-profile button[type=submit]").await;
    desk.read("#page-title", "Joan Clarke").await;
    desk.read("#status", "Saved").await;
    desk.keep("user").await;

    // Somebody is faster: both versions can be had.
    let path = format!("/api/v1/users/{joan}");
    desk.ask(Method::PATCH, &path, json!({"display_name": "J. C."})).await;
    desk.fill("input[name=phone]", "+12025550124").await;
    desk.click("#tab-profile button[type=submit]").await;
    desk.read(".dialog", "Somebody changed this meanwhile").await;
    desk.keep("user-conflict").await;
    desk.click("#keep-mine").await;
    desk.read("#page-title", "J. C.").await;
    let now = desk.ask(Method::GET, &path, Value::Null).await;
    assert_eq!((now["phone"].as_str(), now["display_name"].as_str()), (Some("+12025550124"), Some("J. C.")));

    desk.click("#change-status").await;
    desk.choose(".dialog select", "On hold").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("h1 .badge", "On hold").await;

    desk.click(".tabs a[href$='/roles']").await;
    desk.click("#give-role").await;
    desk.choose(".dialog select", "auditor").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("tbody", "auditor").await;
    desk.keep("user-roles").await;
    desk.click("tbody .cell-actions button").await;
    desk.click("#confirm-yes").await;
    desk.read(".list", "No role of their own").await;

    desk.click(".tabs a[href$='/groups']").await;
    desk.click("#add-to-group").await;
    desk.choose(".dialog select", "Front desk").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("tbody", "Front desk").await;

    desk.click(".tabs a[href$='/access']").await;
    desk.fill("input[name=permission]", "account.read").await;
    desk.click("#tab-access button[type=submit]").await;
    desk.read("#explanation", "Denied").await;
    desk.keep("user-access").await;

    desk.click("#delete-user").await;
    desk.click("#confirm-yes").await;
    desk.read("#page-title", "Users").await;
    desk.read("#status", "is gone").await;
    desk.leave().await;
}

#[actix_web::test]
async fn by_keyboard_alone() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    desk.open("/console/users").await;
    desk.read("tbody", "administrator").await;
    desk.tab_to("#new-user").await;
    desk.press(Key::Enter).await;
    desk.see(".dialog").await;
    desk.press("keys@acme.example").await;
    desk.press(Key::Tab + "Alice").await;
    desk.press(Key::Enter).await;
    desk.read("#page-title", "Alice").await;
    desk.tab_to("#delete-user").await;
    desk.press(Key::Enter).await;
    desk.see("#confirm-yes").await;
    // What cannot be undone does not happen by pressing Enter once more.
    desk.press(Key::Enter).await;
    desk.miss(".dialog").await;
    assert_eq!(desk.script("return document.activeElement.id", vec![]).await, json!("delete-user"));
    desk.press(Key::Enter).await;
    desk.see("#confirm-yes").await;
    desk.press(Key::Escape).await;
    desk.miss(".dialog").await;
    desk.leave().await;
}

#[actix_web::test]
async fn a_file_is_checked_and_imported() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("people.csv");
    std::fs::write(&file, "email,first_name\na@acme.example,A\nnonsense,B\nc@acme.example,C\n").unwrap();
    desk.open("/console/users/import").await;
    desk.see("#import-file").await.send_keys(file.to_str().unwrap()).await.unwrap();
    desk.click("#app button[type=submit]").await;
    desk.read("#import-progress", "3 lines: 0 created, 0 updated, 0 skipped, 2 valid, 1 failed").await;
    desk.click("input[name=dry_run]").await;
    desk.click("#app button[type=submit]").await;
    desk.read("#import-progress", "3 lines: 2 created").await;
    desk.read("tr[data-line='2']", "/email").await;
    desk.keep("users-import").await;
    desk.leave().await;
}

#[actix_web::test]
async fn somebody_with_few_rights_sees_little() {
    let Some(desk) = Desk::of(&["member"]).await else { return };
    let sections = "return [...document.querySelectorAll('.nav a')].map(a => a.textContent)";
    assert_eq!(desk.script(sections, vec![]).await, json!(["Overview", "Sessions", "API reference"]));
    desk.open("/console/users").await;
    desk.read(".alert", "You may not do this; needed: account.read").await;
    desk.keep("users-refused").await;
    desk.leave().await;
}
