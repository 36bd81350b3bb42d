//! `/admin/v1/tenants/{tenant_id}/users`.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Managed, new_id, pointers, problem};
use crate::support::{Browser, PASSWORD, TestIdp, authorization, claims};

/// Whether somebody can sign in with this name and password.
async fn can_sign_in(idp: &TestIdp, username: &str, password: &str) -> bool {
    let mut browser = Browser::new();
    let page = browser.authorize(idp, &authorization(&[])).await;
    let page = browser.submit_sign_in(idp, &page, username, password).await;
    page.status == 303
}

#[actix_web::test]
async fn a_person_is_added_signs_in_and_a_repeat_gives_the_same() {
    let managed = Managed::start().await;
    let path = managed.acme(&format!("/users/{}", new_id()));
    let body = json!({
        "email": "Grace@acme.example", "password": PASSWORD, "given_name": "Grace", "family_name": "Hopper",
        "display_name": "Rear Admiral", "phone": "+12025550100", "email_verified": true,
        "roles": {"version": 3, "names": ["member", "front desk", "member"]},
    });
    let made = managed.put(&path, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let user = made.body["data"].clone();
    assert_eq!(user["roles"], json!(["front desk", "member"]));
    assert_eq!((&user["roles_version"], &user["username"]), (&json!(3), &json!("Grace@acme.example")));
    assert_eq!(user["tenant_id"], json!(managed.idp.tenant.id));
    assert!(can_sign_in(&managed.idp, "grace@acme.example", PASSWORD).await);
    assert_eq!(managed.get(&path).await.body["data"], user);

    let mut again = body.clone();
    again["password"] = json!("something else entirely");
    again["given_name"] = json!("Amazing");
    let repeated = managed.put(&path, again).await;
    assert_eq!((repeated.status, &repeated.body["data"]), (200, &user));
    assert!(can_sign_in(&managed.idp, "grace@acme.example", PASSWORD).await, "the password of a repeat is ignored");
    let other = managed.put(&path, json!({"email": "other@acme.example", "username": "other"})).await;
    assert_eq!((problem(&other), pointers(&other)), ((409, "id-taken"), vec!["/email", "/username"]));
    assert_eq!(managed.kinds().await, ["user-created", "credential-change"]);
    assert_eq!(managed.events(managed.idp.tenant.id).await[0].1["user"], user);
}

#[actix_web::test]
async fn everything_wrong_with_a_person_is_told_at_once() {
    let managed = Managed::start().await;
    let path = managed.acme(&format!("/users/{}", new_id()));
    let wrong = json!({
        "email": "x", "username": "a b", "password": "short", "phone": "12", "given_name": "", "status": "dead",
        "email_verified": "yes", "roles": {"names": ["", 1], "more": 1}, "admin": true,
    });
    let expected = [
        "/email",
        "/username",
        "/password",
        "/phone",
        "/given_name",
        "/status",
        "/email_verified",
        "/roles/version",
        "/roles/names/0",
        "/roles/names/1",
        "/roles/more",
        "/admin",
    ];
    let reply = managed.put(&path, wrong).await;
    assert_eq!((reply.status, pointers(&reply)), (422, expected.to_vec()));
    let reply = managed.patch(&path, json!({"email": null, "status": null, "roles": {}})).await;
    assert_eq!(pointers(&reply), ["/email", "/status", "/roles"]);
    let reply = managed.put(&format!("{path}/roles"), json!({"version": -1})).await;
    assert_eq!(pointers(&reply), ["/names", "/version"]);
    let many: Vec<_> = (0..65).map(|number| format!("role {number}")).collect();
    let reply = managed.put(&format!("{path}/roles"), json!({"version": 1, "names": many})).await;
    assert_eq!(pointers(&reply), ["/names"]);
}

#[actix_web::test]
async fn names_are_unique_in_a_tenant_and_ids_everywhere() {
    let managed = Managed::start().await;
    let path = managed.acme(&format!("/users/{}", new_id()));
    let taken = managed.put(&path, json!({"email": "ADA@acme.example", "username": "Ada"})).await;
    assert_eq!((problem(&taken), pointers(&taken)), ((409, "conflict"), vec!["/email", "/username"]));
    let other = managed.new_tenant("other").await;
    let elsewhere = format!("{other}/users/{}", managed.idp.user);
    assert_eq!(managed.get(&elsewhere).await.status, 404, "people of another tenant are not seen");
    assert_eq!(problem(&managed.patch(&elsewhere, json!({"given_name": "x"})).await), (404, "user-not-found"));
    assert_eq!(managed.delete(&elsewhere).await.status, 204);
    assert_eq!(managed.get(&managed.acme(&format!("/users/{}", managed.idp.user))).await.status, 200);
    let stolen = managed.put(&elsewhere, json!({"email": "new@other.example"})).await;
    assert_eq!((problem(&stolen), pointers(&stolen)), ((409, "id-taken"), vec!["/id"]));
    let nowhere = format!("/tenants/{}/users/{}", new_id(), new_id());
    for reply in [
        managed.get(&nowhere).await,
        managed.put(&nowhere, json!({"email": "a@b.example"})).await,
        managed.patch(&nowhere, json!({})).await,
        managed.delete(&nowhere).await,
        managed.put(&format!("{nowhere}/roles"), json!({"version": 1, "names": []})).await,
        managed.delete(&format!("{nowhere}/sessions")).await,
        managed.get(nowhere.rsplit_once('/').unwrap().0).await,
    ] {
        assert_eq!(problem(&reply), (404, "tenant-not-found"));
    }
}

#[actix_web::test]
async fn of_two_at_once_one_adds_the_person() {
    let managed = Managed::start().await;
    let path = managed.acme(&format!("/users/{}", new_id()));
    let body = json!({"email": "twin@acme.example"});
    let replies = join_all((0..4).map(|_| managed.put(&path, body.clone()))).await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201]);
    let body = json!({"email": "rival@acme.example"});
    let replies = join_all((0..4).map(|_| {
        let (managed, body) = (&managed, body.clone());
        async move { managed.put(&managed.acme(&format!("/users/{}", new_id())), body).await }
    }))
    .await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
    let found = managed.get(&managed.acme("/users?email=rival@acme.example")).await.body["data"].clone();
    assert_eq!(found.as_array().unwrap().len(), 1);
    assert_eq!(managed.kinds().await, ["user-created", "user-created"]);
}

#[actix_web::test]
async fn a_person_is_changed_member_by_member() {
    let managed = Managed::start().await;
    let path = managed
        .new_user("grace", json!({"given_name": "Grace", "phone": "+12025550100", "email_verified": true}))
        .await;
    let changed =
        managed.patch(&path, json!({"phone": null, "family_name": "Hopper", "email": "gh@acme.example"})).await;
    assert_eq!(changed.status, 200, "{}", changed.body);
    let user = &changed.body["data"];
    assert_eq!(
        (&user["given_name"], &user["family_name"], &user["phone"]),
        (&json!("Grace"), &json!("Hopper"), &Value::Null)
    );
    assert_eq!(
        (&user["email_verified"], &user["username"]),
        (&json!(false), &json!("grace")),
        "a new address is not verified"
    );
    let taken = managed.patch(&path, json!({"email": "ada@acme.example", "username": "ada"})).await;
    assert_eq!((problem(&taken), pointers(&taken)), ((409, "conflict"), vec!["/email", "/username"]));

    managed.patch(&path, json!({"password": PASSWORD})).await;
    assert!(can_sign_in(&managed.idp, "grace", PASSWORD).await);
    managed.patch(&path, json!({"password": "a new password, and long"})).await;
    assert!(!can_sign_in(&managed.idp, "grace", PASSWORD).await);
    managed.patch(&path, json!({"password": null})).await;
    assert!(!can_sign_in(&managed.idp, "grace", "a new password, and long").await);
    assert_eq!(managed.patch(&path, json!({"password": null, "given_name": "Grace"})).await.status, 200);
    let events = managed.events(managed.idp.tenant.id).await;
    let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds[..3], ["user-created", "user-updated", "credential-change"]);
    let passwords = events.iter().filter(|(kind, _)| kind == "credential-change");
    let changes: Vec<_> = passwords.map(|(_, payload)| payload["change_type"].as_str().unwrap()).collect();
    assert_eq!(changes, ["create", "update", "delete"]);
    let by_address = managed.patch(&path, json!({"username": null})).await;
    assert_eq!(by_address.body["data"]["username"], "gh@acme.example");
    let moved = managed.patch(&path, json!({"email": "hopper@acme.example"})).await;
    assert_eq!(moved.body["data"]["username"], "hopper@acme.example", "whoever signs in by address goes on to do so");
}

#[actix_web::test]
async fn a_change_of_status_ends_sessions_and_refresh_tokens_at_once() {
    let managed = Managed::start().await;
    let idp = &managed.idp;
    let ada = managed.acme(&format!("/users/{}", idp.user));
    let mut browser = Browser::new();
    let code = browser.sign_in(idp, &authorization(&[])).await["code"].clone();
    let tokens = idp.exchange(&code).await.body;
    let unused = browser.sign_in(idp, &authorization(&[])).await["code"].clone();
    let suspended = managed.patch(&ada, json!({"status": "suspended"})).await;
    assert_eq!(suspended.body["data"]["status"], "suspended");
    managed.patch(&ada, json!({"status": "active"})).await;
    let refreshed = idp.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.error(), (400, "invalid_grant"));
    assert_eq!(
        idp.exchange(&unused).await.error(),
        (400, "invalid_grant"),
        "a code that was on its way is good no more"
    );
    let page = browser.authorize(idp, &authorization(&[])).await;
    assert!(page.html.contains("id=\"sign-in\""), "the session is gone too");
    let events = managed.events(idp.tenant.id).await;
    let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    assert_eq!(kinds, ["account-disabled", "session-revoked", "account-enabled"]);
    assert_eq!(events[0].1["reason"], "suspended");
    assert!(events[1].1.get("sid").is_none());
}

#[actix_web::test]
async fn a_new_password_ends_what_was_signed_in_to_by_the_old_one() {
    let managed = Managed::start().await;
    let idp = &managed.idp;
    let ada = managed.acme(&format!("/users/{}", idp.user));
    for (change, sign_in) in [(json!("another long password"), Some("another long password")), (Value::Null, None)] {
        let password = if change.is_null() { "another long password" } else { PASSWORD };
        let mut browser = Browser::new();
        let page = browser.authorize(idp, &authorization(&[])).await;
        let page = browser.submit_sign_in(idp, &page, "ada", password).await;
        let code = browser.follow_ours(idp, page).await.answer()["code"].clone();
        let tokens = idp.exchange(&code).await.body;
        assert_eq!(managed.patch(&ada, json!({ "password": change })).await.status, 200);
        let refreshed = idp.refresh(tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(refreshed.error(), (400, "invalid_grant"));
        let page = browser.authorize(idp, &authorization(&[])).await;
        assert!(page.html.contains("id=\"sign-in\""), "the session is gone too");
        if let Some(password) = sign_in {
            assert!(can_sign_in(idp, "ada", password).await);
        }
    }
    assert_eq!(managed.kinds().await, ["credential-change", "session-revoked", "credential-change", "session-revoked"]);
}

#[actix_web::test]
async fn what_happens_to_a_person_at_home_is_told_wherever_they_are_a_member() {
    let managed = Managed::start().await;
    let grace = managed.new_user("grace", json!({"password": PASSWORD, "status": "active"})).await;
    let id = grace.rsplit('/').next().unwrap();
    let other = managed.new_tenant("other").await;
    let other_id = other.rsplit('/').next().unwrap().parse().unwrap();
    assert_eq!(managed.put(&format!("{other}/members/{id}"), json!({})).await.status, 201);
    for change in
        [json!({"display_name": "G"}), json!({"status": "suspended"}), json!({"password": "another long one"})]
    {
        assert_eq!(managed.patch(&grace, change).await.status, 200);
    }
    managed.delete(&grace).await;
    let events = managed.events(other_id).await;
    let kinds: Vec<_> = events.iter().map(|(kind, _)| kind.as_str()).collect();
    let expected = [
        "tenant-created",
        "membership-created",
        "user-updated",
        "account-disabled",
        "session-revoked",
        "credential-change",
        "session-revoked",
        "session-revoked",
        "membership-deleted",
    ];
    assert_eq!(kinds, expected);
    assert_eq!(events[2].1["user"]["display_name"], "G");
    assert_eq!(events[2].1["user"]["tenant_id"], json!(managed.idp.tenant.id));
}

#[actix_web::test]
async fn a_later_change_is_later_whatever_the_clock_says() {
    let managed = Managed::start().await;
    let grace = managed.new_user("grace", json!({"display_name": "G"})).await;
    let ahead = "UPDATE users SET updated_at = '2099-01-01 00:00:00.000000' WHERE username = 'grace'";
    managed.execute(ahead).await;
    let changed = managed.patch(&grace, json!({"display_name": "H"})).await;
    assert_eq!(changed.body["data"]["updated_at"], "2099-01-01T00:00:00.000001Z");
    managed.put(&format!("{grace}/roles"), json!({"version": 1, "names": ["x"]})).await;
    assert_eq!(managed.get(&grace).await.body["data"]["updated_at"], "2099-01-01T00:00:00.000002Z");
}

#[actix_web::test]
async fn the_newest_version_of_roles_stays_and_is_in_tokens() {
    let managed = Managed::start().await;
    let idp = &managed.idp;
    let roles = managed.acme(&format!("/users/{}/roles", idp.user));
    let put = |version: i64, names: Value| managed.put(&roles, json!({"version": version, "names": names}));
    let shown = |reply: &crate::support::Reply| {
        (reply.body["data"]["roles_version"].clone(), reply.body["data"]["roles"].clone())
    };
    assert_eq!(shown(&put(5, json!(["member", "billing"])).await), (json!(5), json!(["billing", "member"])));
    let late = put(4, json!(["administrator"])).await;
    assert_eq!((late.status, shown(&late)), (200, (json!(5), json!(["billing", "member"]))));
    put(5, json!(["billing", "member"])).await;
    assert_eq!(managed.kinds().await, ["user-updated"], "a repeat leaves no trace");
    assert_eq!(shown(&put(5, json!(["billing"])).await), (json!(5), json!(["billing"])));
    // Released together: the newest wins, whoever comes last.
    let all = join_all((6..14).map(|version| put(version, json!([format!("role {version}")])))).await;
    assert!(all.iter().all(|reply| reply.status == 200));
    let user = managed.get(&managed.acme(&format!("/users/{}", idp.user))).await;
    assert_eq!(shown(&user), (json!(13), json!(["role 13"])));

    let code = Browser::new().sign_in(idp, &authorization(&[("scope", "openid roles")])).await["code"].clone();
    let tokens = idp.exchange(&code).await.body;
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["roles"], json!(["role 13"]));
    assert!(claims(idp.tokens().await["access_token"].as_str().unwrap()).get("roles").is_none());
    let nobody = managed.acme(&format!("/users/{}/roles", new_id()));
    assert_eq!(problem(&managed.put(&nobody, json!({"version": 1, "names": []})).await), (404, "user-not-found"));
}

#[actix_web::test]
async fn a_person_is_removed_with_everything_of_theirs() {
    let managed = Managed::start().await;
    let idp = &managed.idp;
    let tokens = idp.tokens().await;
    let ada = managed.acme(&format!("/users/{}", idp.user));
    assert_eq!(managed.delete(&ada).await.status, 204);
    assert_eq!(managed.delete(&ada).await.status, 204, "a repeat is no fault");
    assert_eq!(problem(&managed.get(&ada).await), (404, "user-not-found"));
    let refreshed = idp.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.error(), (400, "invalid_grant"));
    assert!(!can_sign_in(idp, "ada", PASSWORD).await);
    assert_eq!(managed.kinds().await, ["account-purged"]);
}

#[actix_web::test]
async fn people_are_listed_and_found() {
    let managed = Managed::start().await;
    for name in ["grace", "edsger", "barbara"] {
        managed.new_user(name, json!({"roles": {"version": 1, "names": [name]}})).await;
    }
    managed.new_user("tony", json!({"status": "pending"})).await;
    let first = managed.get(&managed.acme("/users?limit=3")).await;
    let next = first.body["page"]["next"].as_str().unwrap();
    let second = managed.get(&managed.acme(&format!("/users?limit=3&cursor={next}"))).await;
    let names: Vec<_> = [&first, &second]
        .iter()
        .flat_map(|page| page.body["data"].as_array().unwrap())
        .map(|user| (user["username"].as_str().unwrap(), user["roles"][0].as_str().unwrap_or_default()))
        .collect();
    let expected =
        [("ada", "administrator"), ("grace", "grace"), ("edsger", "edsger"), ("barbara", "barbara"), ("tony", "")];
    assert_eq!(names, expected);
    for (query, count) in
        [("email=GRACE@acme.example", 1), ("username=Barbara", 1), ("status=pending", 1), ("status=banned", 0)]
    {
        let found = managed.get(&managed.acme(&format!("/users?{query}"))).await;
        assert_eq!(found.body["data"].as_array().unwrap().len(), count, "{query}");
    }
    let other = managed.new_tenant("other").await;
    assert_eq!(managed.get(&format!("{other}/users")).await.body["data"], json!([]));
    let elsewhere = managed.get(&format!("{other}/users?limit=3&cursor={next}")).await;
    assert_eq!(pointers(&elsewhere), ["cursor"], "a cursor is good for its own list");
    let wrong = managed.get(&managed.acme("/users?email=x&name=y")).await;
    assert_eq!(pointers(&wrong), ["email", "name"]);
}
