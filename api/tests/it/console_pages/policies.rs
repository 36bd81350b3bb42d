//! `/console/policies`.

use reqwest::Method;
use serde_json::{Value, json};
use thirtyfour::Key;

use super::{Desk, PATIENCE};
use crate::support::within;

const HOSTILE: &str = "<img src=x onerror=\"document.title='owned'\">";

impl Desk {
    /// Puts a policy into the editor, in place of what is there, as if it were pasted.
    async fn write(&self, text: &str) {
        self.see(".code-field").await;
        let paste = "const field = document.querySelector('.code-field'); field.focus(); field.select(); \
                     document.execCommand('insertText', false, arguments[0]);";
        self.script(paste, vec![json!(text)]).await;
    }

    async fn focus(&self) -> Value {
        self.script("return document.activeElement.className || document.activeElement.id", vec![]).await
    }

    /// Waits until the log says that something was decided.
    pub(super) async fn decided(&self, resource: &str, action: &str) {
        let path = format!("/api/v1/access/logs?resource={resource}&action={action}");
        within(PATIENCE, || async {
            let found = self.ask(Method::GET, &path, Value::Null).await;
            found.as_array().is_some_and(|found| !found.is_empty())
        })
        .await;
    }
}

fn policy(resource: &str, action: &str, conditions: &Value) -> String {
    let policy = json!({
        "name": "NightShift", "target": {"resource": resource, "action": action},
        "rules": {"effect": "deny", "conditions": conditions},
    });
    // One member a line, so that the lines are known.
    serde_json::to_string_pretty(&policy).unwrap()
}

#[actix_web::test]
async fn a_mistake_is_shown_where_it_is_and_a_version_is_taken_back() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    let hostile = json!({"name": HOSTILE, "description": "</script><script>document.title='owned'</script>",
        "target": {"resource": "role", "action": "read"}, "rules": {"effect": "allow"}});
    desk.ask(Method::POST, "/api/v1/policies", hostile).await;
    desk.ask(Method::POST, "/api/v1/users", json!({"email": "grace@acme.example", "first_name": "Grace"})).await;

    desk.click(".nav a[href='/console/policies']").await;
    desk.read("tbody", HOSTILE).await;
    desk.read("tbody", "Everyone").await;
    assert_eq!(desk.script("return document.images.length", vec![]).await, json!(1), "the mark of the bar");
    desk.keep("policies").await;
    desk.click("#new-policy").await;
    desk.read(".dialog", "Office hours").await;
    desk.keep("policy-examples").await;
    desk.click("[data-example='empty']").await;
    desk.read(".code-picture", "NewPolicy").await;

    // What is no JSON, and what is no policy, is said at its line, and the list leads there.
    desk.write("{\n  \"name\": \"NightShift\"\n  \"priority\": 1\n}").await;
    desk.read(".finding[data-line='2']", "A comma or } is missing here").await;
    desk.write(&policy("acount", "delete", &json!([{"env.ip": "in 203.0.113.0/24"}]))).await;
    desk.read(".finding[data-code='unknown_resource']", "did you mean account?").await;
    desk.read(".code-line-bad .code-note", "did you mean account?").await;
    let line = "return [document.querySelector('.finding').dataset.line, document.querySelector('.code-line-bad').dataset.line]";
    let lines = desk.script(line, vec![]).await;
    assert_eq!(lines[0], lines[1]);
    let said = "return document.querySelector('.code-line-bad').textContent.includes('acount')";
    assert_eq!(desk.script(said, vec![]).await, json!(true));
    desk.keep("policy-mistake").await;
    desk.script("document.activeElement.blur()", vec![]).await;
    desk.click(".finding-jump").await;
    let caret = "const f = document.activeElement; return f.value.slice(f.selectionStart, f.selectionStart + 8)";
    assert_eq!(desk.script(caret, vec![]).await, json!("\"acount\""));
    desk.click("#create-policy").await;
    desk.read(".finding", "did you mean account?").await;

    let first = policy("account", "delete", &json!([{"env.ip": "in 203.0.113.0/24"}]));
    desk.write(&first).await;
    desk.read(".check-state", "It can be saved").await;
    desk.click("#create-policy").await;
    desk.read("#page-title", "NightShift").await;
    desk.read("#status", "The policy NightShift is there").await;
    let path = desk.path().await;
    let id = path.rsplit('/').next().unwrap().to_owned();
    let kept = format!("/api/v1/policies/{id}");

    // What is written is tried before it is saved, over what was decided.
    desk.decided("account", "create").await;
    desk.write(&policy("account", "create", &json!([]))).await;
    desk.read(".check-state", "It can be saved").await;
    desk.keep("policy").await;
    desk.click("#try-draft").await;
    desk.click("#simulate").await;
    desk.read("#simulation", "decisions would be another one").await;
    desk.read("#simulation tbody", "account.create").await;
    desk.read("#simulation tbody", "Denied").await;
    desk.keep("policy-simulated").await;
    assert_eq!(desk.ask(Method::GET, &kept, Value::Null).await["version"], json!(1), "nothing was saved");
    desk.click(&format!(".tabs a[href='{path}']")).await;
    desk.read(".code-picture", "\"create\"").await;
    desk.click("#save-policy").await;
    desk.read("#status", "Saved as version 2").await;
    desk.read(".page-head", "Version 2").await;

    // Somebody is faster: what differs is shown.
    desk.write(&policy("account", "export", &json!([]))).await;
    desk.ask(Method::PATCH, &kept, json!({"priority": 3})).await;
    desk.click("#save-policy").await;
    desk.read(".dialog", "Somebody changed this meanwhile").await;
    desk.read(".dialog .diff-gone", "\"priority\": 3").await;
    desk.keep("policy-conflict").await;
    desk.click("#keep-mine").await;
    desk.read("#status", "Saved as version 4").await;

    desk.click(".tabs a[href$='/versions']").await;
    desk.click("tr[data-key='1'] .cell-actions button").await;
    desk.read("#version-diff .diff-gone", "203.0.113.0/24").await;
    desk.read("#version-diff .diff-new", "\"export\"").await;
    desk.keep("policy-versions").await;
    desk.click("tr[data-key='1'] .cell-actions button:last-child").await;
    desk.read(".dialog", "Roll NightShift back to version 1?").await;
    desk.click("#confirm-yes").await;
    desk.read("#status", "version 1 said, as version 5").await;
    let now = desk.ask(Method::GET, &kept, Value::Null).await;
    assert_eq!(now["version"], json!(5));
    assert_eq!(now["rules"]["conditions"], json!([{"env.ip": "in 203.0.113.0/24"}]));

    desk.click(".tabs a[href$='/assignments']").await;
    desk.read("#reach", "it is for everyone").await;
    desk.click("#assign-policy").await;
    desk.read(".dialog .check-list", "auditor").await;
    desk.fill(".dialog input[type=search]", "audit").await;
    desk.click(".dialog button[type=submit]").await;
    desk.read("tbody", "auditor").await;
    desk.read("#reach", "for those here alone").await;
    desk.keep("policy-assignments").await;

    // A deny is not switched by a slip.
    desk.click("#switch-policy").await;
    desk.read(".dialog", "Disable NightShift?").await;
    desk.click("#confirm-yes").await;
    desk.read("h1", "Disabled").await;

    desk.click(".tabs a[href$='/test']").await;
    desk.click("#tab-test .form button[type=submit]").await;
    desk.read(".explanation", "May account.delete").await;
    desk.keep("policy-explained").await;

    desk.click("#delete-policy").await;
    desk.click("#confirm-yes").await;
    desk.read("#page-title", "Policies").await;
    desk.read("#status", "The policy NightShift is gone").await;
    desk.leave().await;
}

#[actix_web::test]
async fn the_editor_is_used_by_keyboard_and_holds_nobody() {
    let Some(desk) = Desk::of(&["administrator"]).await else { return };
    desk.open("/console/policies/new?example=empty").await;
    desk.see(".attribute").await;
    desk.tab_to(".code-field").await;
    desk.press(Key::Tab).await;
    assert_ne!(desk.focus().await, json!("code-field"), "who only passes is not held");
    desk.write("{}").await;
    desk.press(Key::Left).await;
    desk.press(Key::Enter).await;
    desk.press(Key::Tab).await;
    let text = "return document.querySelector('.code-field').value";
    assert_eq!(desk.script(text, vec![]).await, json!("{\n    \n}"));
    desk.press(Key::Escape).await;
    desk.press(Key::Tab).await;
    assert_ne!(desk.focus().await, json!("code-field"));

    // An attribute goes to where a condition belongs.
    desk.open("/console/policies/new?example=own").await;
    desk.tab_to(".attribute[title='Insert user.email']").await;
    desk.press(Key::Enter).await;
    desk.press("x").await;
    let conditions = "return JSON.parse(document.querySelector('.code-field').value).rules.conditions";
    let expected = json!([{"booking.customer_id": "== user.id", "user.email": "x"}]);
    assert_eq!(desk.script(conditions, vec![]).await, expected);
    desk.leave().await;
}

#[actix_web::test]
async fn who_may_only_see_changes_nothing() {
    let Some(desk) = Desk::of(&["auditor"]).await else { return };
    let policy = json!({"name": "P", "target": {"resource": "role", "action": "read"}, "rules": {"effect": "allow"}});
    let id = desk.ask(Method::POST, "/api/v1/policies", policy).await["id"].as_str().unwrap().to_owned();
    desk.open("/console/policies").await;
    desk.read("tbody", "role.read").await;
    desk.see("#new-policy[aria-disabled]").await;
    desk.open(&format!("/console/policies/{id}")).await;
    desk.see(".code-read-only").await;
    desk.see("#switch-policy[aria-disabled]").await;
    desk.read(".callout", "needed: policy.update").await;
    desk.keep("policy-read-only").await;
    desk.leave().await;
}

#[actix_web::test]
async fn who_may_not_see_them_is_told_so() {
    let Some(desk) = Desk::of(&["member"]).await else { return };
    for (path, needed) in [("policies", "policy.read"), ("audit", "audit.read")] {
        desk.open(&format!("/console/{path}")).await;
        desk.read(".alert", &format!("You may not do this; needed: {needed}")).await;
    }
    desk.leave().await;
}
