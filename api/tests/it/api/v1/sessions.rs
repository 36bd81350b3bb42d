//! `/api/v1/sessions` and `/api/v1/users/me/sessions`: what people are signed in to is seen and ended as they may.

use std::sync::atomic::Ordering;

use futures_util::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_types::{SessionId, SystemClock, SystemRandom};

use super::policies::{NOTHING, made, role};
use crate::fake_management::Fault;
use crate::support::{TestApi, client, problem};

const SESSIONS: &str = "/api/v1/sessions";
const OWN: &str = "/api/v1/users/me/sessions";

/// Somebody who is signed in with a browser.
struct Person {
    id: String,
    sid: String,
    token: String,
}

/// Somebody with these roles and this scope, who is known from then on, and the session of their token.
async fn signed_in(api: &TestApi, roles: &[&str], scope: &str) -> Person {
    let mut claims = api.idp.user_claims("demo", &api.url);
    claims["roles"] = roles.into();
    let id = claims["sub"].as_str().unwrap().to_owned();
    api.id_of(&api.idp.sign("demo", &claims)).await;
    claims["scope"] = scope.into();
    let sid = claims["sid"].as_str().unwrap().to_owned();
    api.idp.add_session("demo", &id, &sid, &json!({}));
    Person { id, sid, token: api.idp.sign("demo", &claims) }
}

/// Another session of the same person.
fn another(api: &TestApi, person: &Person, about: &Value) -> Person {
    let sid = SessionId::new(&SystemClock, &SystemRandom).to_string();
    let mut claims = api.idp.user_claims("demo", &api.url);
    (claims["sub"], claims["sid"]) = (person.id.as_str().into(), sid.as_str().into());
    api.idp.add_session("demo", &person.id, &sid, about);
    Person { id: person.id.clone(), sid, token: api.idp.sign("demo", &claims) }
}

async fn shown(api: &TestApi, token: &str, path: &str) -> Vec<String> {
    let sessions = api.done_as(token, Method::GET, path, NOTHING).await;
    sessions.as_array().unwrap().iter().map(|session| session["id"].as_str().unwrap().to_owned()).collect()
}

async fn end(api: &TestApi, token: &str, path: &str) -> reqwest::Response {
    api.send_as(token, Method::DELETE, path, NOTHING).await
}

fn kind(problem: &Value) -> &str {
    problem["type"].as_str().unwrap().rsplit('/').next().unwrap()
}

#[actix_web::test]
async fn sessions_are_listed_with_who_is_signed_in() {
    let api = TestApi::start().await;
    let admin = signed_in(&api, &["administrator"], "api").await;
    let member = signed_in(&api, &["member"], "api").await;
    api.execute("UPDATE users SET given_name = 'Grace', family_name = 'Hopper', email = 'grace@demo.example'").await;
    let sessions = api.done_as(&admin.token, Method::GET, SESSIONS, NOTHING).await;
    assert_eq!(
        sessions[0]["user"],
        json!({"id": member.id, "email": "grace@demo.example", "display_name": "Grace Hopper"})
    );
    for (name, value) in [
        ("id", json!(member.sid)),
        ("acr", json!("urn:tenantry:acr:password")),
        ("amr", json!(["pwd"])),
        ("address", json!("192.0.2.17")),
        ("user_agent", json!("Some browser")),
        ("current", json!(false)),
    ] {
        assert_eq!(sessions[0][name], value, "{sessions}");
    }
    assert!(["authenticated_at", "last_used_at", "expires_at"].iter().all(|name| sessions[0][name].is_string()));
    assert_eq!((&sessions[1]["id"], &sessions[1]["current"]), (&json!(admin.sid), &json!(true)));

    // Page by page, and of one person.
    let third = another(&api, &member, &json!({}));
    let first: Value = api.get_as(&format!("{SESSIONS}?limit=2"), &admin.token).await.json().await.unwrap();
    let next = first["page"]["next"].as_str().unwrap();
    assert_eq!(first["data"].as_array().unwrap().len(), 2);
    assert_eq!(shown(&api, &admin.token, &format!("{SESSIONS}?limit=2&cursor={next}")).await, [admin.sid.as_str()]);
    let hers = shown(&api, &admin.token, &format!("{SESSIONS}?user={}", member.id)).await;
    assert_eq!(hers, [third.sid.as_str(), member.sid.as_str()]);
    for query in [format!("user={}&cursor={next}", member.id), "user=x".to_owned(), "state=y".to_owned()] {
        let wrong = api.get_as(&format!("{SESSIONS}?{query}"), &admin.token).await;
        problem(wrong, StatusCode::UNPROCESSABLE_ENTITY).await;
    }
    // Who may see the trail may see who is signed in, and ends nothing.
    let auditor = signed_in(&api, &["auditor"], "api").await;
    assert_eq!(shown(&api, &auditor.token, SESSIONS).await.len(), 4);
    let refused = end(&api, &auditor.token, &format!("{SESSIONS}/{}", member.sid)).await;
    problem(refused, StatusCode::FORBIDDEN).await;
    problem(api.get_as(SESSIONS, &member.token).await, StatusCode::FORBIDDEN).await;
    let machine = api.machine("session.read");
    assert_eq!(shown(&api, &machine, SESSIONS).await.len(), 4);
}

#[actix_web::test]
async fn a_session_that_is_ended_is_refused_at_once_and_nothing_else_is() {
    let api = TestApi::start().await;
    let admin = signed_in(&api, &["administrator"], "api").await;
    let member = signed_in(&api, &["member"], "api").await;
    let other = another(&api, &member, &json!({}));
    let at = format!("{SESSIONS}/{}", member.sid);
    let request = |key: &str| {
        let request = api.request(Method::DELETE, &at).bearer_auth(&admin.token).header("Idempotency-Key", key);
        async move { request.send().await.unwrap() }
    };
    assert_eq!(request("once").await.status(), StatusCode::NO_CONTENT);
    problem(api.get_as("/api/v1/me", &member.token).await, StatusCode::UNAUTHORIZED).await;
    assert_eq!(api.get_as("/api/v1/me", &other.token).await.status(), StatusCode::OK);
    assert_eq!(request("once").await.status(), StatusCode::NO_CONTENT, "a repeat gets the same answer");
    let gone = problem(request("twice").await, StatusCode::NOT_FOUND).await;
    assert_eq!(kind(&gone), "session-not-found");
    let ended = format!("DELETE /tenants/{}/sessions/{}", api.idp.tenant("demo").id, member.sid);
    assert_eq!(api.idp.state().management.writes(), [ended]);

    let entries = api.done_as(&admin.token, Method::GET, "/api/v1/audit/entries?action=session.revoke", NOTHING).await;
    let entries = entries.as_array().unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0]["target"], json!({"kind": "session", "id": member.sid}));
    assert_eq!(entries[0]["actor"]["id"], admin.id.as_str());
    assert_eq!(api.count("revocations").await, 1);
    let nobody = SessionId::new(&SystemClock, &SystemRandom);
    problem(end(&api, &admin.token, &format!("{SESSIONS}/{nobody}")).await, StatusCode::NOT_FOUND).await;
    let twice = api.request(Method::DELETE, &at).bearer_auth(&admin.token).header("Idempotency-Key", " ");
    problem(twice.send().await.unwrap(), StatusCode::BAD_REQUEST).await;
}

#[actix_web::test]
async fn somebody_is_signed_out_everywhere() {
    let api = TestApi::start().await;
    let admin = signed_in(&api, &["administrator"], "api").await;
    let member = signed_in(&api, &["member"], "api").await;
    let other = another(&api, &member, &json!({}));
    let bystander = signed_in(&api, &["member"], "api").await;
    let at = format!("/api/v1/users/{}/sessions", member.id);
    assert_eq!(end(&api, &admin.token, &at).await.status(), StatusCode::NO_CONTENT);
    for token in [&member.token, &other.token] {
        problem(api.get_as("/api/v1/me", token).await, StatusCode::UNAUTHORIZED).await;
    }
    assert_eq!(api.get_as("/api/v1/me", &bystander.token).await.status(), StatusCode::OK);
    assert_eq!(shown(&api, &admin.token, &format!("{SESSIONS}?user={}", member.id)).await, Vec::<String>::new());
    // They sign in again.
    api.clock.advance(std::time::Duration::from_secs(1));
    let again = another(&api, &member, &json!({}));
    assert_eq!(api.get_as("/api/v1/me", &again.token).await.status(), StatusCode::OK);
    let path = "/api/v1/audit/entries?action=session.revoke";
    let admin = another(&api, &admin, &json!({}));
    let entries = api.done_as(&admin.token, Method::GET, path, NOTHING).await;
    assert_eq!(entries[0]["target"], json!({"kind": "account", "id": member.id}));
    let nobody = format!("/api/v1/users/{}/sessions", SessionId::new(&SystemClock, &SystemRandom));
    let gone = problem(end(&api, &admin.token, &nobody).await, StatusCode::NOT_FOUND).await;
    assert_eq!(kind(&gone), "user-not-found");
}

#[actix_web::test]
async fn nobody_signs_out_somebody_who_holds_more() {
    let api = TestApi::start().await;
    let admin = signed_in(&api, &["administrator"], "api").await;
    role(&api, &admin.token, "helpdesk", &["session.*", "tenant_settings.read"]).await;
    let desk = signed_in(&api, &["helpdesk"], "api").await;
    let member = signed_in(&api, &["member"], "api").await;
    for path in [format!("{SESSIONS}/{}", admin.sid), format!("/api/v1/users/{}/sessions", admin.id)] {
        let refused = problem(end(&api, &desk.token, &path).await, StatusCode::FORBIDDEN).await;
        assert_eq!(kind(&refused), "holds-more");
    }
    assert_eq!(api.get_as("/api/v1/me", &admin.token).await.status(), StatusCode::OK);
    assert_eq!(api.idp.state().management.writes(), Vec::<String>::new());
    let hers = end(&api, &desk.token, &format!("{SESSIONS}/{}", member.sid)).await;
    assert_eq!(hers.status(), StatusCode::NO_CONTENT);
    // A token for less holds less than the person does.
    let narrow = api.idp.sign("demo", &{
        let mut claims = api.idp.user_claims("demo", &api.url);
        (claims["sub"], claims["scope"]) = (admin.id.as_str().into(), "session.*".into());
        claims
    });
    let other = signed_in(&api, &["member"], "api").await;
    let refused = problem(end(&api, &narrow, &format!("{SESSIONS}/{}", other.sid)).await, StatusCode::FORBIDDEN).await;
    assert_eq!(kind(&refused), "holds-more");
    // One's own go anyway.
    let own = end(&api, &desk.token, &format!("{SESSIONS}/{}", desk.sid)).await;
    assert_eq!(own.status(), StatusCode::NO_CONTENT);
    problem(api.get_as("/api/v1/me", &desk.token).await, StatusCode::UNAUTHORIZED).await;
}

#[actix_web::test]
async fn sessions_are_seen_and_ended_as_policies_say() {
    let api = TestApi::start().await;
    let admin = signed_in(&api, &["administrator"], "api").await;
    role(&api, &admin.token, "helpdesk", &["session.*", "tenant_settings.read"]).await;
    let desk = signed_in(&api, &["helpdesk"], "api").await;
    let member = signed_in(&api, &["member"], "api").await;
    let strong = another(&api, &member, &json!({"acr": "urn:tenantry:acr:mfa", "amr": ["pwd", "otp"]}));
    let inside = another(&api, &member, &json!({"address": "10.1.2.3"}));
    let boss = signed_in(&api, &["member"], "api").await;
    let denied = |name: &str, condition: Value| {
        let mut condition = condition;
        condition["user.role"] = json!("helpdesk");
        json!({"name": name, "target": {"resource": "session", "action": "*"},
            "rules": {"effect": "deny", "conditions": [condition]}})
    };
    for policy in [
        denied("Strong", json!({"session.acr": "urn:tenantry:acr:mfa"})),
        denied("Boss", json!({"session.user_id": boss.id})),
        denied("Inside", json!({"session.address": "in 10.0.0.0/8"})),
    ] {
        made(&api, &admin.token, &policy).await;
    }
    let seen = shown(&api, &desk.token, SESSIONS).await;
    assert_eq!(seen, [member.sid.as_str(), desk.sid.as_str(), admin.sid.as_str()]);
    for hidden in [&strong, &inside, &boss] {
        let refused = end(&api, &desk.token, &format!("{SESSIONS}/{}", hidden.sid)).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert_eq!(api.get_as("/api/v1/me", &hidden.token).await.status(), StatusCode::OK);
    }
    let everywhere = end(&api, &desk.token, &format!("/api/v1/users/{}/sessions", boss.id)).await;
    assert_eq!(everywhere.status(), StatusCode::FORBIDDEN);
    let allowed = end(&api, &desk.token, &format!("{SESSIONS}/{}", member.sid)).await;
    assert_eq!(allowed.status(), StatusCode::NO_CONTENT);
    assert_eq!(shown(&api, &admin.token, SESSIONS).await.len(), 5);
}

#[actix_web::test]
async fn people_see_and_end_their_own_sessions_and_no_others() {
    let api = TestApi::start().await;
    let member = signed_in(&api, &[], "session.read session.revoke").await;
    let other = signed_in(&api, &["administrator"], "api").await;
    let phone = another(&api, &member, &json!({}));
    let sessions = api.done_as(&member.token, Method::GET, OWN, NOTHING).await;
    let seen: Vec<_> = sessions.as_array().unwrap().iter().map(|one| (&one["id"], &one["current"])).collect();
    assert_eq!(seen, [(&json!(phone.sid), &json!(false)), (&json!(member.sid), &json!(true))]);
    let first: Value = api.get_as(&format!("{OWN}?limit=1"), &member.token).await.json().await.unwrap();
    let cursor = format!("{OWN}?limit=1&cursor={}", first["page"]["next"].as_str().unwrap());
    assert_eq!(shown(&api, &member.token, &cursor).await, [member.sid.as_str()]);
    problem(api.get_as(&cursor, &other.token).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    let user = api.get_as(&format!("{OWN}?user={}", other.id), &member.token).await;
    problem(user, StatusCode::UNPROCESSABLE_ENTITY).await;

    let theirs = problem(end(&api, &member.token, &format!("{OWN}/{}", other.sid)).await, StatusCode::NOT_FOUND).await;
    assert_eq!(kind(&theirs), "session-not-found");
    assert_eq!(end(&api, &member.token, &format!("{OWN}/{}", phone.sid)).await.status(), StatusCode::NO_CONTENT);
    problem(api.get_as("/api/v1/me", &phone.token).await, StatusCode::UNAUTHORIZED).await;
    assert_eq!(api.get_as("/api/v1/me", &other.token).await.status(), StatusCode::OK);
    // The one that it is done with as well.
    assert_eq!(end(&api, &member.token, &format!("{OWN}/{}", member.sid)).await.status(), StatusCode::NO_CONTENT);
    problem(api.get_as("/api/v1/me", &member.token).await, StatusCode::UNAUTHORIZED).await;

    let weak = signed_in(&api, &["administrator"], "openid profile").await;
    for (method, path) in [(Method::GET, OWN.to_owned()), (Method::DELETE, format!("{OWN}/{}", weak.sid))] {
        let refused = problem(api.send_as(&weak.token, method.clone(), &path, NOTHING).await, StatusCode::FORBIDDEN);
        assert_eq!(kind(&refused.await), "insufficient-scope");
        let machine = api.machine("session.*");
        let nobody = problem(api.send_as(&machine, method, &path, NOTHING).await, StatusCode::NOT_FOUND).await;
        assert_eq!(kind(&nobody), "user-not-found");
    }
}

#[actix_web::test]
async fn while_the_provider_is_away_nobody_is_signed_out() {
    let api = TestApi::start().await;
    let admin = signed_in(&api, &["administrator"], "api").await;
    let member = signed_in(&api, &["member"], "api").await;
    let paths = [
        format!("{SESSIONS}/{}", member.sid),
        format!("/api/v1/users/{}/sessions", member.id),
        format!("{OWN}/{}", admin.sid),
    ];
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    for path in &paths {
        let away = end(&api, &admin.token, path).await;
        assert_eq!(away.headers()["retry-after"], "2");
        problem(away, StatusCode::SERVICE_UNAVAILABLE).await;
    }
    for path in [SESSIONS, OWN] {
        problem(api.get_as(path, &admin.token).await, StatusCode::SERVICE_UNAVAILABLE).await;
    }
    api.idp.state().is_down.store(false, Ordering::SeqCst);
    assert_eq!(api.count("revocations").await, 0);
    assert_eq!(api.count("audit_entries WHERE action = 'session.revoke'").await, 0);
    assert_eq!(api.get_as("/api/v1/me", &member.token).await.status(), StatusCode::OK);

    // It breaks off when it is asked to end the session: the same key tries again.
    api.idp.state().management.fail_next([Fault::Before]);
    let keyed = |key: &str| {
        let request = client().delete(format!("{}{}", api.url, paths[1])).bearer_auth(&admin.token);
        let request = request.header("Idempotency-Key", key.to_owned());
        async move { request.send().await.unwrap().status() }
    };
    assert_eq!(keyed("key").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(api.get_as("/api/v1/me", &member.token).await.status(), StatusCode::OK);
    assert_eq!(keyed("key").await, StatusCode::NO_CONTENT);
    problem(api.get_as("/api/v1/me", &member.token).await, StatusCode::UNAUTHORIZED).await;
}

#[actix_web::test]
async fn of_several_at_once_one_ends_it() {
    let api = TestApi::start().await;
    let admin = signed_in(&api, &["administrator"], "api").await;
    let member = signed_in(&api, &["member"], "api").await;
    let at = format!("{SESSIONS}/{}", member.sid);
    let answers = join_all((0..4).map(|_| end(&api, &admin.token, &at))).await;
    for answer in answers {
        assert!(matches!(answer.status(), StatusCode::NO_CONTENT | StatusCode::NOT_FOUND), "{}", answer.status());
    }
    problem(api.get_as("/api/v1/me", &member.token).await, StatusCode::UNAUTHORIZED).await;
    assert_eq!(api.count("revocations").await, 1);
}

#[actix_web::test]
async fn without_a_database_nobody_is_told_who_is_signed_in() {
    let api = TestApi::start().await;
    let admin = signed_in(&api, &["administrator"], "api").await;
    assert_eq!(shown(&api, &admin.token, SESSIONS).await.len(), 1);
    api.execute("ALTER TABLE users RENAME TO elsewhere").await;
    let away = problem(api.get_as(SESSIONS, &admin.token).await, StatusCode::INTERNAL_SERVER_ERROR).await;
    assert!(!away.to_string().contains("users"), "{away}");
}
