//! `POST /api/v1/security-events`: what follows from each kind of event, and what is not believed.

mod guests;
mod roles;

use std::sync::atomic::Ordering;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};
use tenantry_api::directory::AccountProvider as _;
use tenantry_types::{Clock as _, OutboxId, SystemRandom, UserId};

use crate::support::{TestApi, challenge, client, within};

const PATH: &str = "/api/v1/security-events";
const ME: &str = "/api/v1/me";
const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const OWN: &str = "urn:tenantry:event:";

/// The claims of an event about somebody, or about the tenant itself.
fn event(api: &TestApi, subject: &str, kind: &str, payload: &Value) -> Value {
    let (issuer, now) = (api.idp.issuer("demo"), api.clock.now().unix_seconds());
    let tenant = api.idp.tenant("demo").id;
    let sub_id = if subject == tenant.as_str() {
        json!({"format": "opaque", "id": subject})
    } else {
        json!({"format": "iss_sub", "iss": issuer, "sub": subject})
    };
    json!({
        "iss": issuer, "aud": api.url, "iat": now, "toe": now, "tenant_id": tenant, "sub_id": sub_id,
        "jti": OutboxId::new(&*api.clock, &SystemRandom), "events": {kind: payload},
    })
}

fn sign(api: &TestApi, claims: &Value) -> String {
    api.idp.tenant("demo").key.sign_jwt("secevent+jwt", claims).unwrap()
}

async fn send(api: &TestApi, token: &str) -> Response {
    let request = api.request(Method::POST, PATH).header("Content-Type", "application/secevent+jwt");
    request.header("Accept", "application/json").body(token.to_owned()).send().await.unwrap()
}

async fn tell(api: &TestApi, claims: &Value) {
    assert_eq!(send(api, &sign(api, claims)).await.status(), StatusCode::ACCEPTED);
}

/// The account of somebody, as it was at this second of the day.
fn account(api: &TestApi, id: &str, email: &str, status: &str, second: u8) -> Value {
    json!({
        "id": id, "tenant_id": api.idp.tenant("demo").id, "username": email, "email": email, "email_verified": true,
        "phone": null, "given_name": "Grace", "family_name": "Hopper", "display_name": null, "status": status,
        "roles": ["member"], "roles_version": 0, "created_at": "2026-01-31T09:30:00Z",
        "updated_at": format!("2026-01-31T09:30:{second:02}Z"),
    })
}

fn claim(token: &str, name: &str) -> String {
    tenantry_jose::peek(token).unwrap().claims[name].as_str().unwrap().to_owned()
}

async fn status(base: &str, token: &str) -> StatusCode {
    client().get(format!("{base}{ME}")).bearer_auth(token).send().await.unwrap().status()
}

/// Asks until the answer is this one.
async fn becomes(base: &str, token: &str, expected: StatusCode) {
    for _ in 0..200 {
        if status(base, token).await == expected {
            return;
        }
        actix_web::rt::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("it is still another than {expected}");
}

#[actix_web::test]
async fn somebody_who_is_disabled_is_refused_by_every_replica() {
    let api = TestApi::start().await;
    let replica = api.replica(api.config.clone()).await;
    let token = api.administrator();
    for base in [&api.url, &replica] {
        assert_eq!(status(base, &token).await, StatusCode::OK);
    }
    let person = claim(&token, "sub");
    let disabled = format!("{RISC}account-disabled");
    let payload = json!({"reason": "suspended", "user": account(&api, &person, "a@b.example", "suspended", 1)});
    tell(&api, &event(&api, &person, &disabled, &payload)).await;

    let response = api.get_as(ME, &token).await;
    assert!(challenge(&response).contains("the access token was revoked"), "at once where it was received");
    becomes(&replica, &token, StatusCode::UNAUTHORIZED).await;
    assert_eq!(api.texts("SELECT status AS value FROM users").await, ["suspended"]);
    // A replica that starts now knows it as well.
    let late = api.replica(api.config.clone()).await;
    assert_eq!(status(&late, &token).await, StatusCode::UNAUTHORIZED);

    // Switched on again: what was issued before stays refused, what is issued from now on is good.
    api.clock.advance(Duration::from_secs(1));
    let payload = json!({"user": account(&api, &person, "a@b.example", "active", 2)});
    tell(&api, &event(&api, &person, &format!("{RISC}account-enabled"), &payload)).await;
    assert_eq!(status(&api.url, &token).await, StatusCode::UNAUTHORIZED);
    let mut claims = api.idp.user_claims("demo", &api.url);
    claims["sub"] = person.into();
    assert_eq!(status(&api.url, &api.idp.sign("demo", &claims)).await, StatusCode::OK);
}

#[actix_web::test]
async fn a_session_that_ends_takes_its_tokens_with_it_and_no_others() {
    let api = TestApi::start().await;
    let replica = api.replica(api.config.clone()).await;
    let mut claims = api.idp.user_claims("demo", &api.url);
    let first = api.idp.sign("demo", &claims);
    claims["sid"] = serde_json::to_value(OutboxId::new(&*api.clock, &SystemRandom)).unwrap();
    let second = api.idp.sign("demo", &claims);
    let (person, session) = (claim(&first, "sub"), claim(&first, "sid"));
    for token in [&first, &second] {
        assert_eq!(status(&replica, token).await, StatusCode::OK);
    }
    let kind = format!("{CAEP}session-revoked");
    let now = api.clock.now().unix_seconds();
    tell(&api, &event(&api, &person, &kind, &json!({"event_timestamp": now, "sid": session}))).await;
    becomes(&replica, &first, StatusCode::UNAUTHORIZED).await;
    assert_eq!(status(&api.url, &first).await, StatusCode::UNAUTHORIZED);
    for base in [&api.url, &replica] {
        assert_eq!(status(base, &second).await, StatusCode::OK);
    }

    // All of them; somebody else and a program are not concerned.
    let (other, machine) = (api.administrator(), api.machine("tenant_settings.read"));
    tell(&api, &event(&api, &person, &kind, &json!({"event_timestamp": now}))).await;
    becomes(&replica, &second, StatusCode::UNAUTHORIZED).await;
    for token in [&other, &machine] {
        assert_eq!(status(&api.url, token).await, StatusCode::OK);
    }
    api.clock.advance(Duration::from_secs(1));
    claims["iat"] = api.clock.now().unix_seconds().into();
    assert_eq!(status(&api.url, &api.idp.sign("demo", &claims)).await, StatusCode::OK, "issued since");
}

#[actix_web::test]
async fn a_tenant_that_is_suspended_is_closed_to_all_and_others_are_not() {
    let api = TestApi::start().await;
    let other = api.idp.add_tenant("other");
    let replica = api.replica(api.config.clone()).await;
    let elsewhere = other.key.sign_jwt("at+jwt", &api.idp.user_claims("other", &api.url)).unwrap();
    let (person, machine) = (api.administrator(), api.machine("tenant_settings.read"));
    for token in [&person, &machine, &elsewhere] {
        assert_eq!(status(&replica, token).await, StatusCode::OK);
    }
    let tenant = api.idp.tenant("demo").id;
    let updated = |status: &str| {
        let tenant = json!({"id": tenant, "slug": "demo", "name": "New name", "status": status, "is_platform": false});
        event(&api, tenant["id"].as_str().unwrap(), &format!("{OWN}tenant-updated"), &json!({ "tenant": tenant }))
    };
    tell(&api, &updated("suspended")).await;
    for token in [&person, &machine] {
        becomes(&replica, token, StatusCode::UNAUTHORIZED).await;
        assert_eq!(status(&api.url, token).await, StatusCode::UNAUTHORIZED);
    }
    assert_eq!(status(&api.url, &elsewhere).await, StatusCode::OK);
    assert_eq!(api.texts("SELECT name AS value FROM tenants WHERE slug = 'demo'").await, ["New name"]);
    let changed = "SELECT changes AS value FROM audit_entries WHERE action = 'tenant.set_status'";
    assert!(api.texts(changed).await[0].contains("New name"), "and the trail says so");

    tell(&api, &updated("active")).await;
    api.clock.advance(Duration::from_secs(1));
    assert_eq!(status(&api.url, &person).await, StatusCode::UNAUTHORIZED);
    assert_eq!(status(&api.url, &api.administrator()).await, StatusCode::OK);
}

#[actix_web::test]
async fn what_was_told_of_an_older_state_of_a_tenant_undoes_nothing() {
    let api = TestApi::start().await;
    let (tenant, token) = (api.idp.tenant("demo").id, api.administrator());
    assert_eq!(status(&api.url, &token).await, StatusCode::OK);
    let updated = |name: &str, status: &str, updated_at: &str| {
        let told = json!({"id": tenant, "slug": "demo", "name": name, "status": status, "updated_at": updated_at});
        event(&api, tenant.as_str(), &format!("{OWN}tenant-updated"), &json!({ "tenant": told }))
    };
    let row = "SELECT CONCAT(name, ' ', status) AS value FROM tenants WHERE slug = 'demo'";
    tell(&api, &updated("Second", "suspended", "2020-01-31T09:30:02Z")).await;
    tell(&api, &updated("First", "active", "2020-01-31T09:30:01Z")).await;
    assert_eq!(api.texts(row).await, ["Second suspended"]);
    tell(&api, &updated("Third", "active", "2020-01-31T09:30:03Z")).await;
    assert_eq!(api.texts(row).await, ["Third active"]);

    // What was asked for here is newer than everything that was told before it.
    let suspend = format!("/api/v1/tenants/{tenant}/suspend");
    api.done_as(&api.platform(), Method::POST, &suspend, &json!({})).await;
    let fresh = api.administrator();
    assert_eq!(status(&api.url, &fresh).await, StatusCode::UNAUTHORIZED, "what was issued until then is refused");
    tell(&api, &updated("Third", "active", "2020-01-31T09:30:04Z")).await;
    assert_eq!(api.texts(row).await, ["Third suspended"]);
}

#[actix_web::test]
async fn another_password_ends_what_the_old_one_was_good_for() {
    let api = TestApi::start().await;
    let token = api.administrator();
    let kind = format!("{CAEP}credential-change");
    let change = |how: &str| {
        event(&api, &claim(&token, "sub"), &kind, &json!({"credential_type": "password", "change_type": how}))
    };
    tell(&api, &change("create")).await;
    assert_eq!(status(&api.url, &token).await, StatusCode::OK, "a first one takes nothing away");
    tell(&api, &change("update")).await;
    assert_eq!(status(&api.url, &token).await, StatusCode::UNAUTHORIZED);
}

#[actix_web::test]
async fn the_directory_says_what_was_told_last_whatever_comes_first() {
    let api = TestApi::start().await;
    let person = UserId::new(&*api.clock, &SystemRandom).to_string();
    let told = |jti: &str, kind: String, payload: Value| {
        let mut claims = event(&api, &person, &kind, &payload);
        claims["jti"] = jti.into();
        claims
    };
    let user = |email: &str, second: u8| json!({"user": account(&api, &person, email, "active", second)});
    let row = "SELECT CONCAT(email_normalized, ' ', given_name, ' ', version) AS value FROM users";
    tell(&api, &told("2", format!("{OWN}user-updated"), user("Second@B.example", 2))).await;
    assert_eq!(api.texts(row).await, ["second@b.example Grace 1"]);
    // One that was overtaken, and one that comes twice.
    tell(&api, &told("1", format!("{OWN}user-created"), user("first@b.example", 1))).await;
    assert_eq!(api.texts(row).await, ["second@b.example Grace 1"]);
    for _ in 0..2 {
        tell(&api, &told("3", format!("{OWN}user-updated"), user("third@b.example", 3))).await;
    }
    assert_eq!(api.texts(row).await, ["third@b.example Grace 2"]);
    assert_eq!(api.count("audit_entries").await, 2);
    assert_eq!(api.count("received_events").await, 3);

    // Gone: what happened before cannot bring them back, what happened since can.
    tell(&api, &told("5", format!("{RISC}account-purged"), json!({}))).await;
    tell(&api, &told("4", format!("{OWN}user-updated"), user("fourth@b.example", 4))).await;
    assert_eq!(api.count("users").await, 0);
    tell(&api, &told("7", format!("{OWN}membership-created"), user("guest@b.example", 7))).await;
    tell(&api, &told("6", format!("{OWN}membership-deleted"), json!({}))).await;
    assert_eq!(api.texts("SELECT email AS value FROM users").await, ["guest@b.example"]);
    tell(&api, &told("8", format!("{OWN}membership-deleted"), json!({}))).await;
    assert_eq!(api.count("users").await, 0);
}

#[actix_web::test]
async fn many_deliveries_of_one_event_at_once_count_once() {
    let api = TestApi::start().await;
    let person = UserId::new(&*api.clock, &SystemRandom).to_string();
    let payload = json!({"user": account(&api, &person, "a@b.example", "active", 1)});
    let token = sign(&api, &event(&api, &person, &format!("{OWN}user-created"), &payload));
    let answers = futures_util::future::join_all((0..8).map(|_| send(&api, &token))).await;
    assert!(answers.iter().all(|answer| answer.status() == StatusCode::ACCEPTED));
    assert_eq!((api.count("users").await, api.count("audit_entries").await), (1, 1));
}

/// What is refused for good: the code of RFC 8935.
async fn refused(api: &TestApi, token: &str, code: &str) {
    let response = send(api, token).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{code}");
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("application/json"));
    let body: Value = response.json().await.unwrap();
    assert_eq!(body["err"], code, "{body}");
    assert!(!body["description"].as_str().unwrap().is_empty());
}

#[actix_web::test]
async fn nothing_but_an_event_of_the_tenant_for_this_service_is_believed() {
    let api = TestApi::start().await;
    let other = api.idp.add_tenant("other");
    let token = api.administrator();
    assert_eq!(status(&api.url, &token).await, StatusCode::OK);
    let person = claim(&token, "sub");
    let good = event(&api, &person, &format!("{CAEP}session-revoked"), &json!({}));
    let now = api.clock.now().unix_seconds();
    let changed = |changes: Value| {
        let mut claims = good.clone();
        for (name, value) in changes.as_object().unwrap() {
            match value {
                Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
                value => claims[name] = value.clone(),
            }
        }
        claims
    };
    for (changes, code) in [
        (json!({"aud": "https://elsewhere.example"}), "invalid_audience"),
        (json!({"aud": null}), "invalid_audience"),
        (json!({"iss": "https://elsewhere.example/t/demo"}), "invalid_issuer"),
        (json!({"iss": null}), "invalid_issuer"),
        (json!({"tenant_id": other.id}), "invalid_issuer"),
        (json!({"tenant_id": null}), "invalid_request"),
        (json!({"iat": now - 2 * 86_400}), "invalid_request"),
        (json!({"iat": null}), "invalid_request"),
        (json!({"jti": null}), "invalid_request"),
        (json!({"jti": "x".repeat(255)}), "invalid_request"),
        (json!({"jti": "ümlaut"}), "invalid_request"),
        (json!({"sub": person}), "invalid_request"),
        (json!({"exp": now + 600}), "invalid_request"),
        (json!({"toe": "yesterday"}), "invalid_request"),
        (json!({"sub_id": null}), "invalid_request"),
        (json!({"sub_id": {"format": "email", "email": "a@b.example"}}), "invalid_request"),
        (json!({"sub_id": {"format": "iss_sub", "iss": api.idp.issuer("other"), "sub": person}}), "invalid_request"),
        (json!({"sub_id": {"format": "iss_sub", "iss": api.idp.issuer("demo"), "sub": "nobody"}}), "invalid_request"),
        (json!({"events": null}), "invalid_request"),
        (json!({"events": {}}), "invalid_request"),
        (json!({"events": {format!("{OWN}user-updated"): {"user": {"id": person}}}}), "invalid_request"),
        (
            json!({"events": {format!("{OWN}tenant-updated"): {"tenant": {"id": other.id, "slug": "other", "name": "x",
            "status": "suspended"}}}}),
            "invalid_request",
        ),
    ] {
        refused(&api, &sign(&api, &changed(changes)), code).await;
    }
    let mut long = account(&api, &person, "a@b.example", "active", 1);
    long["given_name"] = "x".repeat(201).into();
    refused(
        &api,
        &sign(&api, &event(&api, &person, &format!("{OWN}user-updated"), &json!({"user": long}))),
        "invalid_request",
    )
    .await;

    // Keys of others, no key, another type of token, no token.
    refused(&api, &other.key.sign_jwt("secevent+jwt", &good).unwrap(), "invalid_key").await;
    let impostor = other.key.with_kid(api.idp.tenant("demo").key.kid()).unwrap();
    refused(&api, &impostor.sign_jwt("secevent+jwt", &good).unwrap(), "authentication_failed").await;
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = format!("{}.{}.", part(&json!({"alg": "none", "typ": "secevent+jwt"})), part(&good));
    refused(&api, &unsigned, "invalid_key").await;
    refused(&api, &token, "invalid_request").await;
    refused(&api, &api.idp.sign("demo", &good), "invalid_request").await;
    refused(&api, "nonsense", "invalid_request").await;
    refused(&api, &sign(&api, &changed(json!({"events": {"urn:x": "x".repeat(20_000)}}))), "invalid_request").await;
    refused(&api, &"x".repeat(2_000_000), "invalid_request").await;
    // An event is not an access token.
    assert_eq!(status(&api.url, &sign(&api, &good)).await, StatusCode::UNAUTHORIZED);

    let as_json = api.request(Method::POST, PATH).header("Content-Type", "application/json").body(sign(&api, &good));
    assert_eq!(as_json.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    assert_eq!(status(&api.url, &token).await, StatusCode::OK, "nothing came of any of them");
    assert_eq!((api.count("received_events").await, api.count("revocations").await), (0, 0));

    // A kind that is not known here is taken and changes nothing (RFC 8417 §2.2).
    tell(&api, &changed(json!({"events": {"urn:something:new": {}}}))).await;
    assert_eq!((api.count("received_events").await, api.count("revocations").await), (1, 0));
}

#[actix_web::test]
async fn what_cannot_be_checked_or_kept_now_is_to_be_sent_again() {
    let api = TestApi::start().await;
    let person = UserId::new(&*api.clock, &SystemRandom).to_string();
    let token = sign(&api, &event(&api, &person, &format!("{CAEP}session-revoked"), &json!({})));
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    let response = send(&api, &token).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));

    api.idp.state().is_down.store(false, Ordering::SeqCst);
    api.clock.advance(Duration::from_secs(2));
    assert_eq!(send(&api, &token).await.status(), StatusCode::ACCEPTED);
    api.execute("DROP TABLE received_events").await;
    let again = sign(&api, &event(&api, &person, &format!("{CAEP}session-revoked"), &json!({})));
    assert_eq!(send(&api, &again).await.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[actix_web::test]
async fn what_is_too_new_to_be_known_is_to_be_sent_again() {
    let api = TestApi::start().await;
    let person = claim(&api.administrator(), "sub");
    let kind = format!("{CAEP}session-revoked");
    // A tenant that the provider does not tell of yet.
    let mut claims = event(&api, &person, &kind, &json!({}));
    claims["iss"] = api.idp.issuer("fresh").into();
    claims["sub_id"]["iss"] = claims["iss"].clone();
    let of_demo = sign(&api, &claims);
    assert_eq!(send(&api, &of_demo).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    let fresh = api.idp.add_tenant("fresh");
    claims["tenant_id"] = json!(fresh.id);
    let token = fresh.key.sign_jwt("secevent+jwt", &claims).unwrap();
    assert_eq!(send(&api, &token).await.status(), StatusCode::ACCEPTED, "at once, whatever was found before");

    // A clock that is ahead.
    let mut claims = event(&api, &person, &kind, &json!({}));
    claims["iat"] = (api.clock.now().unix_seconds() + 40).into();
    let token = sign(&api, &claims);
    let response = send(&api, &token).await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert!(response.headers().contains_key("retry-after"));
    api.clock.advance(Duration::from_secs(15));
    assert_eq!(send(&api, &token).await.status(), StatusCode::ACCEPTED);

    // A key that cannot be asked for.
    api.idp.rotate("demo");
    let token = sign(&api, &event(&api, &person, &kind, &json!({})));
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    assert_eq!(send(&api, &token).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    api.idp.state().is_down.store(false, Ordering::SeqCst);
    api.clock.advance(Duration::from_secs(10));
    assert_eq!(send(&api, &token).await.status(), StatusCode::ACCEPTED);
}

#[actix_web::test]
async fn strangers_cannot_make_this_service_ask_for_ever() {
    let api = TestApi::start().await;
    let mut statuses = Vec::new();
    for number in 0..60 {
        let mut claims = event(&api, "x", &format!("{CAEP}session-revoked"), &json!({}));
        claims["iss"] = api.idp.issuer(&format!("stranger-{number}")).into();
        statuses.push(send(&api, &sign(&api, &claims)).await.status());
    }
    assert!(statuses.iter().all(|status| *status == StatusCode::SERVICE_UNAVAILABLE), "{statuses:?}");
    let asked = api.idp.state().issuer_lookups.load(Ordering::SeqCst);
    assert!((50..60).contains(&asked), "{asked}");
}

#[actix_web::test]
async fn only_who_knows_the_authorization_is_listened_to() {
    const KNOWN: &str = "Bearer what only the sender knows";
    let api = TestApi::start_with(|config| config.idp.events_authorization = Some(KNOWN.into())).await;
    let token = api.user(&["member"], "api");
    let id = api.id_of(&token).await;
    let told = sign(&api, &event(&api, &id, &format!("{CAEP}session-revoked"), &json!({"event_timestamp": 1})));
    let push = |headers: &[&str]| {
        let mut request = api.request(Method::POST, PATH).header("Content-Type", "application/secevent+jwt");
        for header in headers {
            request = request.header("Authorization", *header);
        }
        request.body(told.clone()).send()
    };
    for headers in [&[][..], &["Bearer what only the sender know"], &["what only the sender knows"], &[KNOWN, KNOWN]] {
        let response = push(headers).await.unwrap();
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{headers:?}");
        assert_eq!(challenge(&response), "Bearer");
        let text = response.text().await.unwrap();
        assert!(!text.contains("only the sender knows"), "{text}");
    }
    assert_eq!(api.count("received_events").await, 0);
    assert_eq!(push(&[KNOWN]).await.unwrap().status(), StatusCode::ACCEPTED);
    assert_eq!(api.count("received_events").await, 1);
}
