//! The roles that the identity provider tells of, before anybody gives somebody any here.

use super::*;
use crate::support::problem;

const SOON: Duration = Duration::from_secs(30);
const NOTHING: &Value = &Value::Null;

/// Somebody whom the identity provider has, and who was never here.
fn somebody(api: &TestApi) -> UserId {
    let id = UserId::new(&*api.clock, &SystemRandom);
    api.accounts.add(api.idp.tenant("demo").id, id, &format!("{id}@b.example"));
    id
}

/// What an event tells of somebody with these roles in this version, as they were at this second of the day.
fn with_roles(api: &TestApi, id: UserId, version: i64, roles: &[&str], second: u8) -> Value {
    let mut account = account(api, id.as_str(), &format!("{id}@b.example"), "active", second);
    (account["roles"], account["roles_version"]) = (json!(roles), version.into());
    account
}

async fn hear(api: &TestApi, id: UserId, version: i64, roles: &[&str], second: u8) {
    let payload = json!({"user": with_roles(api, id, version, roles, second)});
    tell(api, &event(api, id.as_str(), &format!("{OWN}user-updated"), &payload)).await;
}

/// The names of the roles that somebody has here by themselves, in order.
async fn roles_here(api: &TestApi, admin: &str, id: UserId) -> Vec<String> {
    let user = api.done_as(admin, Method::GET, &format!("/api/v1/users/{id}"), NOTHING).await;
    let mut names: Vec<String> =
        user["roles"].as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap().to_owned()).collect();
    names.sort_unstable();
    names
}

async fn role_id(api: &TestApi, admin: &str, name: &str) -> Value {
    let roles = api.done_as(admin, Method::GET, "/api/v1/roles", NOTHING).await;
    roles.as_array().unwrap().iter().find(|role| role["name"] == name).unwrap()["id"].clone()
}

async fn give(api: &TestApi, admin: &str, id: UserId, role: &str) {
    let body = json!({"role_id": role_id(api, admin, role).await});
    api.done_as(admin, Method::POST, &format!("/api/v1/users/{id}/roles"), &body).await;
}

/// A token of somebody that names these roles.
fn token_of(api: &TestApi, id: UserId, roles: &[&str]) -> String {
    let mut claims = api.idp.user_claims("demo", &api.url);
    (claims["sub"], claims["roles"]) = (json!(id), json!(roles));
    api.idp.sign("demo", &claims)
}

/// The roles that whoever comes with this token has.
async fn roles_of_caller(api: &TestApi, token: &str) -> Value {
    api.done_as(token, Method::GET, ME, NOTHING).await["roles"].clone()
}

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[actix_web::test]
async fn a_role_that_is_given_before_first_sight_leaves_those_of_the_provider() {
    let api = TestApi::start().await;
    let (admin, id, demo) = (api.administrator(), somebody(&api), api.idp.tenant("demo").id);
    api.accounts.put_roles(demo, id, 0, &["member", "Elsewhere"]);
    // Before anybody has come, the tenant has no roles either.
    hear(&api, id, 0, &["member", "Elsewhere"], 1).await;
    assert_eq!(roles_here(&api, &admin, id).await, ["member"]);
    assert_eq!(api.count("user_roles WHERE assigned_by IS NOT NULL").await, 0);
    let told = "SELECT changes AS value FROM audit_entries WHERE actor_id = 'identity-provider'";
    assert!(api.texts(told).await[0].contains("member"), "the trail says so");

    give(&api, &admin, id, "auditor").await;
    let both = Some((1, names(&["auditor", "member"])));
    within(SOON, async || api.accounts.roles_in(demo, id) == both).await;
    // Whatever their token names.
    for roles in [&["auditor"][..], &["auditor", "member"], &["administrator"]] {
        assert_eq!(roles_of_caller(&api, &token_of(&api, id, roles)).await, json!(["auditor", "member"]));
    }
}

#[actix_web::test]
async fn a_group_before_first_sight_leaves_them_too() {
    let api = TestApi::start().await;
    let (admin, id, demo) = (api.administrator(), somebody(&api), api.idp.tenant("demo").id);
    api.id_of(&admin).await;
    api.accounts.put_roles(demo, id, 7, &["member"]);
    hear(&api, id, 7, &["member"], 1).await;
    let group = api.done_as(&admin, Method::POST, "/api/v1/groups", &json!({"name": "Front desk"})).await;
    let at = format!("/api/v1/groups/{}", group["id"].as_str().unwrap());
    let auditor = role_id(&api, &admin, "auditor").await;
    api.done_as(&admin, Method::PUT, &format!("{at}/roles/{}", auditor.as_str().unwrap()), NOTHING).await;
    api.done_as(&admin, Method::PUT, &format!("{at}/members/{id}"), NOTHING).await;
    // Once for the member, and perhaps once more for what the group gives.
    let both = names(&["member", "auditor"]);
    let is_told = |(version, roles): (i64, _)| version > 7 && roles == both;
    within(SOON, async || api.accounts.roles_in(demo, id).is_some_and(is_told)).await;
    assert_eq!(roles_of_caller(&api, &token_of(&api, id, &["auditor"])).await, json!(["auditor", "member"]));
}

/// The event is of an earlier membership, and at home they are more than here.
#[actix_web::test]
async fn a_guest_keeps_the_roles_of_the_membership_that_they_have() {
    let api = TestApi::start().await;
    let (admin, home, demo) = (api.administrator(), api.idp.add_tenant("home").id, api.idp.tenant("demo").id);
    api.id_of(&admin).await;
    let (first, second) = (UserId::new(&*api.clock, &SystemRandom), UserId::new(&*api.clock, &SystemRandom));
    for id in [first, second] {
        api.accounts.add(home, id, &format!("{id}@home.example"));
        api.accounts.put_roles(home, id, 9, &["administrator"]);
    }
    // Let in elsewhere, and told of.
    api.accounts.invite(demo, first).await.unwrap();
    api.accounts.put_roles(demo, first, 3, &["member"]);
    let mut guest = with_roles(&api, first, 8, &["administrator"], 1);
    guest["tenant_id"] = json!(home);
    let created = event(&api, first.as_str(), &format!("{OWN}membership-created"), &json!({"user": guest}));
    tell(&api, &created).await;
    within(SOON, async || api.count("account_doubts").await == 0).await;
    assert_eq!(roles_here(&api, &admin, first).await, ["member"]);
    give(&api, &admin, first, "auditor").await;
    let both = Some((4, names(&["auditor", "member"])));
    within(SOON, async || api.accounts.roles_in(demo, first) == both).await;
    assert_eq!(api.accounts.roles_in(home, first), Some((9, names(&["administrator"]))));

    // Let in here.
    let invited = api.done_as(&admin, Method::PUT, &format!("/api/v1/users/{second}/membership"), NOTHING).await;
    assert_eq!(invited["roles"], json!([]), "what they are at home they are not here");
    assert_eq!(roles_of_caller(&api, &token_of(&api, second, &[])).await, json!([]));
}

#[actix_web::test]
async fn what_is_told_of_a_guest_who_is_being_looked_up_is_looked_up_again() {
    let api = TestApi::start().await;
    let (admin, home, demo) = (api.administrator(), api.idp.add_tenant("home").id, api.idp.tenant("demo").id);
    api.id_of(&admin).await;
    let asked = async |times: usize| {
        within(SOON, async || api.accounts.asked.load(Ordering::SeqCst) == times).await;
    };
    asked(1).await;
    let id = UserId::new(&*api.clock, &SystemRandom);
    api.accounts.add(home, id, "guest@home.example");
    api.accounts.invite(demo, id).await.unwrap();
    api.accounts.is_slow.send_replace(true);
    for (times, version, role) in [(2, 1, "member"), (2, 2, "auditor")] {
        api.accounts.put_roles(demo, id, version, &[role]);
        let mut guest = with_roles(&api, id, version, &[role], 1);
        guest["tenant_id"] = json!(home);
        tell(&api, &event(&api, id.as_str(), &format!("{OWN}user-updated"), &json!({"user": guest}))).await;
        asked(times).await;
    }
    // The answer of before the second comes after it.
    api.accounts.is_slow.send_replace(false);
    within(SOON, async || api.count("account_doubts").await == 0).await;
    assert_eq!(roles_here(&api, &admin, id).await, ["auditor"]);
}

#[actix_web::test]
async fn the_roles_of_a_membership_that_has_ended_are_not_those_of_the_next() {
    let api = TestApi::start().await;
    let (admin, home, demo) = (api.administrator(), api.idp.add_tenant("home").id, api.idp.tenant("demo").id);
    api.id_of(&admin).await;
    let id = UserId::new(&*api.clock, &SystemRandom);
    api.accounts.add(home, id, "guest@home.example");
    api.accounts.invite(demo, id).await.unwrap();
    api.accounts.put_roles(demo, id, 3, &["auditor"]);
    api.done_as(&admin, Method::PUT, &format!("/api/v1/users/{id}/membership"), NOTHING).await;
    assert_eq!(roles_here(&api, &admin, id).await, ["auditor"]);
    // Dismissed and let in again by somebody else.
    api.accounts.dismiss(demo, id).await.unwrap();
    api.accounts.invite(demo, id).await.unwrap();
    tell(&api, &event(&api, id.as_str(), &format!("{OWN}membership-deleted"), &json!({}))).await;
    assert_eq!(roles_here(&api, &admin, id).await, [""; 0]);
    within(SOON, async || api.count("account_doubts").await == 0).await;
    assert_eq!(roles_here(&api, &admin, id).await, [""; 0]);
    assert_eq!(api.count("users WHERE home_tenant_id IS NOT NULL AND roles_told IS NOT NULL").await, 1);
}

#[actix_web::test]
async fn an_administrator_who_was_never_here_is_nobodys_to_take_over() {
    let api = TestApi::start().await;
    let (admin, boss, demo) = (api.administrator(), somebody(&api), api.idp.tenant("demo").id);
    api.id_of(&admin).await;
    let permissions = ["account.read", "account.update"];
    let helpdesk = json!({"name": "helpdesk", "role_family": "Internal", "permissions": permissions});
    api.done_as(&admin, Method::POST, "/api/v1/roles", &helpdesk).await;
    let helper = api.user(&["helpdesk"], "api");
    hear(&api, boss, 0, &["administrator"], 1).await;
    let at = format!("/api/v1/users/{boss}");
    let body = json!({"password": "anotherPassword1"});
    let told = problem(api.send_as(&helper, Method::PATCH, &at, &body).await, StatusCode::FORBIDDEN).await;
    assert_eq!(told["type"], format!("{}/problems/holds-more", api.url));
    assert_eq!(api.accounts.get(demo, boss.as_str()).get("password"), None);
    api.done_as(&admin, Method::PATCH, &at, &body).await;
}

#[actix_web::test]
async fn an_administrator_who_was_never_here_is_one_who_is_left() {
    let api = TestApi::start().await;
    let (admin, other) = (api.administrator(), somebody(&api));
    let id = api.id_of(&admin).await;
    let at = format!("/api/v1/users/{id}");
    let told = problem(api.send_as(&admin, Method::DELETE, &at, NOTHING).await, StatusCode::CONFLICT).await;
    assert_eq!(told["type"], format!("{}/problems/last-administrator", api.url));
    hear(&api, other, 0, &["administrator"], 1).await;
    assert_eq!(api.send_as(&admin, Method::DELETE, &at, NOTHING).await.status(), StatusCode::NO_CONTENT);
}

#[actix_web::test]
async fn what_was_told_of_older_roles_changes_nothing() {
    let api = TestApi::start().await;
    let (admin, id) = (api.administrator(), somebody(&api));
    let held = async |expected: &[&str]| assert_eq!(roles_here(&api, &admin, id).await, expected);
    hear(&api, id, 2, &["auditor"], 2).await;
    held(&["auditor"]).await;
    // An older version, also with a newer profile; the same version, as it was before.
    hear(&api, id, 1, &["administrator"], 1).await;
    hear(&api, id, 1, &["administrator"], 3).await;
    hear(&api, id, 2, &["administrator"], 2).await;
    held(&["auditor"]).await;
    // A newer one counts, also with an older profile; the same version again is the newest word on it.
    hear(&api, id, 3, &["provider"], 1).await;
    held(&["provider"]).await;
    hear(&api, id, 3, &["member"], 3).await;
    held(&["member"]).await;
    hear(&api, id, 4, &[], 4).await;
    held(&[]).await;
    // Nor does a token that is older than what was told.
    assert_eq!(roles_of_caller(&api, &token_of(&api, id, &["auditor"])).await, json!([]));
    hear(&api, id, 5, &["member"], 5).await;
    give(&api, &admin, id, "auditor").await;
    hear(&api, id, 9, &["administrator"], 9).await;
    held(&["auditor", "member"]).await;
}

#[actix_web::test]
async fn what_an_event_that_was_lost_would_have_told_is_asked_for() {
    let api = TestApi::start().await;
    let (admin, id) = (api.administrator(), somebody(&api));
    api.id_of(&admin).await;
    hear(&api, id, 0, &[], 1).await;
    api.accounts.put_roles(api.idp.tenant("demo").id, id, 1, &["auditor"]);
    let token = token_of(&api, id, &["auditor", "administrator"]);
    within(SOON, async || roles_of_caller(&api, &token).await == json!(["auditor"])).await;
    assert_eq!(roles_here(&api, &admin, id).await, ["auditor"]);
}
