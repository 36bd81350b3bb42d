//! What the identity provider is told of the roles that people hold: the claim `roles` of their tokens.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_api::Application;
use tenantry_api::directory::AccountProvider;
use tenantry_api::roles::claim::RoleReviews;
use tenantry_api::signals::Signals;
use tenantry_api::startup::{MIGRATIONS, Parts};
use tenantry_api::state::Api;
use tenantry_db::{Db, DbError};
use tenantry_jose::Keyring;
use tenantry_testing::TestDatabase;
use tenantry_types::{Clock, ManualClock, SystemClock, SystemRandom, UserId};
use tenantry_web::listing::Cursors;
use tenantry_web::server::Environment;

use crate::fake_accounts::FakeAccounts;
use crate::fake_idp::FakeIdp;
use crate::support::{TestApi, configuration, within};

const NOTHING: &Value = &Value::Null;
const SOON: Duration = Duration::from_secs(30);
/// More people than are looked at in one transaction, three times.
const MANY: usize = 450;

async fn role(api: &TestApi, admin: &str, name: &str, inherits: &[&str]) -> String {
    let body = json!({"name": name, "role_family": "Internal", "permissions": ["role.read"], "inherits": inherits});
    api.done_as(admin, Method::POST, "/api/v1/roles", &body).await["id"].as_str().unwrap().to_owned()
}

async fn group(api: &TestApi, admin: &str, body: &Value) -> String {
    api.done_as(admin, Method::POST, "/api/v1/groups", body).await["id"].as_str().unwrap().to_owned()
}

/// Waits until the provider was told that somebody holds exactly these.
async fn holds(api: &TestApi, user: &str, names: &[&str]) {
    let told = || {
        api.accounts.roles_of(user).map(|(_, mut names)| {
            names.sort_unstable();
            names
        })
    };
    let is_told = within(SOON * 2, async || told().is_some_and(|told| told == names));
    let is_told = tokio::time::timeout(SOON, is_told).await.is_ok();
    assert!(is_told, "{names:?}, not {:?}", told());
}

#[actix_web::test]
async fn roles_come_by_groups_and_by_inheritance_and_go_with_them() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&member).await);
    let (base, other) = (role(&api, &admin, "Base", &[]).await, role(&api, &admin, "Other", &[]).await);
    let senior = role(&api, &admin, "Senior", &[&base]).await;
    let whole = group(&api, &admin, &json!({"name": "Whole"})).await;
    let part = group(&api, &admin, &json!({"name": "Part", "parent_id": whole})).await;
    let path = |rest: String| format!("/api/v1/groups/{rest}");

    api.done_as(&admin, Method::PUT, &path(format!("{part}/members/{user}")), NOTHING).await;
    holds(&api, &user, &["member"]).await;
    // By what the group is a part of, with what it inherits.
    api.done_as(&admin, Method::PUT, &path(format!("{whole}/roles/{senior}")), NOTHING).await;
    holds(&api, &user, &["Base", "Senior", "member"]).await;
    // What a role inherits changes for all who have it.
    let inherits = json!({"inherits": [other]});
    api.done_as(&admin, Method::PATCH, &format!("/api/v1/roles/{senior}"), &inherits).await;
    holds(&api, &user, &["Other", "Senior", "member"]).await;
    // What a group is a part of changes for all who are in it.
    api.done_as(&admin, Method::PATCH, &path(part.clone()), &json!({"parent_id": null})).await;
    holds(&api, &user, &["member"]).await;
    api.done_as(&admin, Method::PUT, &path(format!("{part}/roles/{base}")), NOTHING).await;
    holds(&api, &user, &["Base", "member"]).await;
    // And a group that is gone gives nothing.
    api.done_as(&admin, Method::DELETE, &path(part), NOTHING).await;
    holds(&api, &user, &["member"]).await;
    within(SOON, async || api.count("role_reviews").await == 0).await;
    // A name that changes nothing is not told to anybody.
    let asked = api.accounts.roles_set.load(Ordering::SeqCst);
    api.done_as(&admin, Method::PATCH, &path(whole), &json!({"description": "All of it", "parent_id": null})).await;
    within(SOON, async || api.count("role_reviews").await == 0).await;
    assert_eq!(api.accounts.roles_set.load(Ordering::SeqCst), asked);
}

#[actix_web::test]
async fn that_the_time_of_a_role_is_over_is_told_without_anybody_asking() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (_, user) = (api.id_of(&admin).await, api.id_of(&member).await);
    let guest = role(&api, &admin, "Guest", &[]).await;
    let give = async |until: Duration| {
        let until = (api.clock.now() + until).to_string();
        let body = json!({"role_id": guest, "expires_at": until});
        api.done_as(&admin, Method::POST, &format!("/api/v1/users/{user}/roles"), &body).await;
    };
    give(Duration::from_secs(300)).await;
    holds(&api, &user, &["Guest", "member"]).await;
    api.clock.advance(Duration::from_secs(301));
    holds(&api, &user, &["member"]).await;
    // Given once more, it ends once more; the later version counts.
    give(Duration::from_secs(300)).await;
    holds(&api, &user, &["Guest", "member"]).await;
    let (before, _) = api.accounts.roles_of(&user).unwrap();
    api.clock.advance(Duration::from_secs(301));
    holds(&api, &user, &["member"]).await;
    assert!(api.accounts.roles_of(&user).unwrap().0 > before);
}

/// Somebody who was added here, with their id.
async fn added(api: &TestApi, admin: &str) -> UserId {
    let user = api.done_as(admin, Method::POST, "/api/v1/users", &json!({"email": "john@acme.example"})).await;
    user["id"].as_str().unwrap().parse().unwrap()
}

async fn give(api: &TestApi, admin: &str, user: UserId, role: &str) -> StatusCode {
    let body = json!({"role_id": role});
    api.send_as(admin, Method::POST, &format!("/api/v1/users/{user}/roles"), &body).await.status()
}

#[actix_web::test]
async fn roles_that_are_sent_under_an_older_version_than_the_provider_has_are_sent_again() {
    let api = TestApi::start().await;
    let (admin, demo) = (api.administrator(), api.idp.tenant("demo").id);
    let (user, guest) = (added(&api, &admin).await, role(&api, &admin, "Guest", &[]).await);
    // Another program, or this service before its database was put back to a copy.
    api.accounts.put_roles(demo, user, 5, &["administrator"]);
    assert_eq!(give(&api, &admin, user, &guest).await, StatusCode::OK);
    holds(&api, user.as_str(), &["Guest"]).await;
    assert_eq!(api.accounts.roles_in(demo, user), Some((6, vec!["Guest".to_owned()])));
    assert_eq!(api.accounts.roles_set.load(Ordering::SeqCst), 2);
    // What is taken is not in tokens any more.
    let at = format!("/api/v1/users/{user}/roles/{guest}");
    api.done_as(&admin, Method::DELETE, &at, NOTHING).await;
    holds(&api, user.as_str(), &[]).await;
    assert_eq!(api.accounts.roles_in(demo, user), Some((7, Vec::new())));
    assert_eq!(api.accounts.roles_set.load(Ordering::SeqCst), 3);
}

#[actix_web::test]
async fn two_who_both_set_roles_do_not_answer_each_other_for_ever() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    let (user, guest) = (added(&api, &admin).await, role(&api, &admin, "Guest", &[]).await);
    api.accounts.is_contested.store(true, Ordering::SeqCst);
    assert_eq!(give(&api, &admin, user, &guest).await, StatusCode::OK);
    // The next attempt waits for a time that does not come before the test says so.
    let later = "outbox WHERE kind = 'account.roles_changed' AND attempts = 1 AND delivered_at IS NULL";
    within(SOON, async || api.accounts.roles_set.load(Ordering::SeqCst) == 2).await;
    assert_eq!(api.count(later).await, 1);
    api.accounts.is_contested.store(false, Ordering::SeqCst);
    within(SOON, async || {
        api.clock.advance(Duration::from_secs(10));
        api.accounts.roles_of(user.as_str()).is_some_and(|(_, names)| names == ["Guest"])
    })
    .await;
    assert_eq!(api.accounts.roles_set.load(Ordering::SeqCst), 3);
}

/// Somebody of whom was known, before this service listened to what the provider tells of roles, that they are there.
#[actix_web::test]
async fn whoever_was_known_before_is_looked_up_before_they_are_given_roles() {
    const BACKLOG: &str =
        include_str!("../../../migrations/api/sqlite/2026-11-28-000125_account_doubts_backlog/up.sql");
    let api = TestApi::start().await;
    let (admin, demo) = (api.administrator(), api.idp.tenant("demo").id);
    let (user, guest) = (added(&api, &admin).await, role(&api, &admin, "Guest", &[]).await);
    let boss = api.id_of(&admin).await;
    api.accounts.add(demo, boss.parse().unwrap(), "boss@acme.example");
    api.accounts.put_roles(demo, user, 4, &["administrator"]);
    api.accounts.is_down.store(true, Ordering::SeqCst);
    api.execute("UPDATE users SET roles_told = NULL").await;
    api.execute(BACKLOG).await;
    assert_eq!(api.count("account_doubts").await, 2);
    // To take them over, or to give them what would take the rest from them, one waits.
    assert_eq!(give(&api, &admin, user, &guest).await, StatusCode::SERVICE_UNAVAILABLE);
    let password = json!({"password": "anotherPassword1"});
    let at = format!("/api/v1/users/{user}");
    let changed = api.send_as(&admin, Method::PATCH, &at, &password).await;
    assert_eq!(changed.status(), StatusCode::SERVICE_UNAVAILABLE);
    api.accounts.is_down.store(false, Ordering::SeqCst);
    within(SOON, async || {
        api.clock.advance(Duration::from_secs(30));
        api.count("account_doubts").await == 0
    })
    .await;
    let admin = api.administrator();
    assert_eq!(give(&api, &admin, user, &guest).await, StatusCode::OK);
    let both = Some((5, vec!["Guest".to_owned(), "administrator".to_owned()]));
    within(SOON, async || api.accounts.roles_in(demo, user) == both).await;
}

async fn execute(db: &Db, statement: String) {
    db.write(move |conn| Ok::<_, DbError>(sql_query(&statement).execute(conn)?)).await.unwrap();
}

async fn count(db: &Db, table: &'static str) -> usize {
    let query = format!("SELECT concat(COUNT(*), '') AS value FROM {table}");
    let rows = db.read(move |conn| Ok::<_, DbError>(sql_query(&query).load::<Row>(conn)?)).await.unwrap();
    rows[0].value.parse().unwrap()
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

/// A group of many people has a role, and the service ends after each piece of telling of it: everybody is told of once, and
/// in pieces.
#[actix_web::test]
async fn many_are_told_of_in_pieces_whatever_ends_in_between() {
    let clock = Arc::new(ManualClock::starting_at(SystemClock.now()));
    let idp = FakeIdp::start(Arc::clone(&clock));
    let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let db = database.open().await;
    db.migrate(&MIGRATIONS).await.unwrap();
    let (tenant, now) = (idp.tenant("demo").id, "2026-01-01 00:00:00.000000");
    let [group, role] = ["0190b2c4-0000-7000-8000-00000000000a", "0190b2c4-0000-7000-8000-00000000000b"];
    let people: Vec<String> = (0..MANY).map(|number| format!("0190b2c4-0000-7000-8000-{number:012}")).collect();
    let rows = |row: &dyn Fn(&String) -> String| people.iter().map(row).collect::<Vec<_>>().join(", ");
    let users = rows(&|id| format!("('{id}', '{tenant}', FALSE, '{{}}', 'active', TRUE, 0, 1, '{now}', '{now}')"));
    let members = rows(&|id| format!("('{tenant}', '{group}', '{id}', '{now}')"));
    for statement in [
        format!(
            "INSERT INTO tenants (id, slug, name, status, version, created_at, updated_at) VALUES \
             ('{tenant}', 'demo', 'Demo', 'active', 1, '{now}', '{now}')"
        ),
        format!(
            "INSERT INTO users (id, tenant_id, email_verified, metadata, status, roles_managed, roles_version, version, \
             created_at, updated_at) VALUES {users}"
        ),
        format!(
            "INSERT INTO user_groups (id, tenant_id, name, version, created_at, updated_at) VALUES \
             ('{group}', '{tenant}', 'Front desk', 1, '{now}', '{now}')"
        ),
        format!("INSERT INTO group_members (tenant_id, group_id, user_id, created_at) VALUES {members}"),
        format!(
            "INSERT INTO roles (id, tenant_id, name, role_family, is_system, version, created_at, updated_at) VALUES \
             ('{role}', '{tenant}', 'Reader', 'Internal', FALSE, 1, '{now}', '{now}')"
        ),
        format!(
            "INSERT INTO group_roles (tenant_id, group_id, role_id, created_at) VALUES \
             ('{tenant}', '{group}', '{role}', '{now}')"
        ),
        format!("INSERT INTO role_reviews (tenant_id, available_at, created_at) VALUES ('{tenant}', '{now}', '{now}')"),
    ] {
        execute(&db, statement).await;
    }

    let keyring = Keyring::load_or_create(&folder.path().join("key"), &SystemRandom).unwrap();
    // Each time another replica, of which nothing is left but what it has committed.
    let replica = || {
        let (db, clock) = (db.clone(), Arc::clone(&clock) as Arc<dyn Clock>);
        let signals = Signals::new(db.clone(), db.clone(), Arc::clone(&clock));
        let cursors = Cursors::new(keyring.derive("test"));
        let (requests, random) = (keyring.derive("test"), Arc::new(SystemRandom));
        RoleReviews::new(Api { db, clock, random, cursors, requests, signals })
    };
    let mut told = Vec::new();
    while count(&db, "role_reviews").await > 0 {
        assert!(replica().piece().await.unwrap());
        told.push(count(&db, "outbox WHERE kind = 'account.roles_changed'").await);
    }
    assert!(!replica().piece().await.unwrap(), "nothing is left");
    assert_eq!(told, [200, 400, MANY]);
    assert_eq!(count(&db, "users WHERE roles_version = 1 AND roles_told IS NULL").await, MANY);

    // A service that starts now delivers them.
    let accounts = Arc::new(FakeAccounts::default());
    let parts = Parts { accounts: Some(Arc::clone(&accounts) as Arc<dyn AccountProvider>), ..Parts::default() };
    let environment = Environment { clock: Arc::clone(&clock) as Arc<dyn Clock>, ..Environment::default() };
    let config = configuration(idp.url(), &database, &folder);
    let service = Application::build_with(config, environment, parts).await.unwrap().start();
    let reader = Some((1, vec!["Reader".to_owned()]));
    within(Duration::from_secs(120), async || people.iter().all(|id| accounts.roles_of(id) == reader)).await;
    within(SOON, async || count(&db, "outbox WHERE delivered_at IS NULL").await == 0).await;
    assert_eq!(accounts.roles_set.load(Ordering::SeqCst), MANY, "once each");
    assert_eq!(count(&db, "users WHERE roles_told IS NULL").await, 0);
    service.stop(true).await;
}
