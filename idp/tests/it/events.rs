//! Security events: what a receiver gets, whatever happens on the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use actix_web::http::header::{HttpDate, RETRY_AFTER};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use diesel::RunQueryDsl as _;
use reqwest::Method;
use serde_json::{Value, json};
use tenantry_db::DbError;
use tenantry_jose::{Expected, KeySet, verify};
use tenantry_types::Clock;
use tokio::sync::Notify;

use crate::cli::Program;
use crate::management::{Managed, new_id};
use crate::support::{Browser, Reply, authorization, claims, http};

/// What came, and what was answered.
#[derive(Debug, Clone)]
struct Received {
    token: String,
    claims: Value,
    headers: BTreeMap<String, String>,
    status: u16,
}

impl Received {
    fn kind(&self) -> &str {
        let uri = self.claims["events"].as_object().unwrap().keys().next().unwrap();
        uri.rsplit(['/', ':']).next().unwrap()
    }

    fn jti(&self) -> String {
        self.claims["jti"].as_str().unwrap().to_owned()
    }
}

type Decide = Box<dyn Fn(&Value) -> u16 + Send + Sync>;

struct State {
    received: Mutex<Vec<Received>>,
    decide: Mutex<Decide>,
    /// What an answer that it is busy says of when to come again.
    retry_after: Mutex<Option<String>>,
    changed: Notify,
}

/// A receiver of events (RFC 8935) in this process.
struct Receiver {
    url: String,
    state: Arc<State>,
}

async fn receive(request: HttpRequest, body: String, state: web::Data<State>) -> HttpResponse {
    let claims = claims(&body);
    let status = (state.decide.lock().unwrap())(&claims);
    let headers = request.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    state.received.lock().unwrap().push(Received { token: body, claims, headers, status });
    state.changed.notify_waiters();
    let mut response = HttpResponse::build(status.try_into().unwrap());
    let retry_after = state.retry_after.lock().unwrap().clone();
    if let Some(when) = retry_after.filter(|_| matches!(status, 429 | 503)) {
        response.insert_header((RETRY_AFTER, when));
    }
    if status == 400 {
        response.json(json!({"err": "invalid_request", "description": "not this one"}))
    } else {
        response.finish()
    }
}

impl Receiver {
    fn start() -> Self {
        let state = web::Data::new(State {
            received: Mutex::default(),
            decide: Mutex::new(Box::new(|_| 202)),
            retry_after: Mutex::default(),
            changed: Notify::new(),
        });
        let shared = state.clone();
        let server =
            HttpServer::new(move || App::new().app_data(shared.clone()).route("/events", web::post().to(receive)));
        let server = server.workers(1).disable_signals().bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/events", server.addrs()[0]);
        actix_web::rt::spawn(server.run());
        Self { url, state: state.into_inner() }
    }

    fn answer(&self, decide: impl Fn(&Value) -> u16 + Send + Sync + 'static) {
        *self.state.decide.lock().unwrap() = Box::new(decide);
    }

    fn retry_after(&self, when: Option<String>) {
        *self.state.retry_after.lock().unwrap() = when;
    }

    fn received(&self) -> Vec<Received> {
        self.state.received.lock().unwrap().clone()
    }

    /// Waits until what came is enough.
    async fn until(&self, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        loop {
            let changed = self.state.changed.notified();
            let received = self.received();
            if enough(&received) {
                return received;
            }
            let waited = tokio::time::timeout(Duration::from_secs(60), changed).await;
            assert!(waited.is_ok(), "no event came: {:?}", received.iter().map(Received::kind).collect::<Vec<_>>());
        }
    }

    /// The same, while the clock of the service goes on: what waits becomes due.
    async fn in_time(&self, managed: &Managed, enough: impl Fn(&[Received]) -> bool + Copy) -> Vec<Received> {
        let going_on = async {
            loop {
                managed.idp.advance(400);
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::select! {
            received = self.until(enough) => received,
            () = going_on => unreachable!(),
        }
    }

    /// Waits until the worker has sent everything that was due, and has noted the answers: what comes of another tenant after
    /// something that came before is of a later round.
    async fn rounds(&self, managed: &Managed, elsewhere: &str) {
        for _ in 0..2 {
            let before = of_tenant(&self.received(), id_in(elsewhere)).len();
            let (id, email) = (new_id(), format!("{}@x.example", new_id()));
            assert_eq!(managed.put(&format!("{elsewhere}/users/{id}"), json!({"email": email})).await.status, 201);
            self.until(|all| of_tenant(all, id_in(elsewhere)).len() > before).await;
        }
    }

    async fn managed(&self) -> Managed {
        let url = self.url.parse().unwrap();
        Managed::start_with(|config| {
            config.events.push_url = Some(url);
            config.events.authorization = Some("Bearer of the receiver".into());
        })
        .await
    }
}

fn accepted(received: &[Received]) -> Vec<&Received> {
    received.iter().filter(|one| one.status == 202).collect()
}

/// The tenant of a path of the management API.
fn id_in(path: &str) -> &str {
    path.rsplit('/').next().unwrap()
}

fn of_tenant<'a>(received: &'a [Received], tenant: &str) -> Vec<&'a Received> {
    received.iter().filter(|one| one.claims["tenant_id"] == tenant).collect()
}

#[actix_web::test]
async fn every_event_is_a_token_that_the_receiver_can_check() {
    let receiver = Receiver::start();
    let managed = receiver.managed().await;
    let idp = &managed.idp;
    let tenant = new_id();
    let (path, user) = (format!("/tenants/{tenant}"), new_id());
    let administrator = json!({"id": user, "email": "bo@health.example", "password": "a long enough password"});
    managed.put(&path, json!({"slug": "health", "name": "Health", "administrator": administrator})).await;
    managed.patch(&format!("{path}/users/{user}"), json!({"given_name": "Bo", "status": "hold"})).await;
    managed.patch(&format!("{path}/users/{user}"), json!({"status": "active"})).await;
    managed.delete(&format!("{path}/users/{user}")).await;
    managed.patch(&path, json!({"status": "suspended"})).await;
    let expected = [
        "tenant-created",
        "user-created",
        "credential-change",
        "user-updated",
        "account-disabled",
        "session-revoked",
        "account-enabled",
        "account-purged",
        "tenant-updated",
    ];
    let received = receiver.until(|all| of_tenant(all, &tenant).len() == expected.len()).await;
    let events = of_tenant(&received, &tenant);
    assert_eq!(events.iter().map(|event| event.kind()).collect::<Vec<_>>(), expected);

    let issuer = format!("{}/t/health", idp.base);
    let record = format!("{}/.well-known/tenantry/issuer?issuer={issuer}", idp.base);
    let record = Reply::of(http().get(record).send().await.unwrap()).await.body;
    let jwks = Reply::of(http().get(record["jwks_uri"].as_str().unwrap()).send().await.unwrap()).await.body;
    let keys = KeySet::from_jwks(&jwks).unwrap();
    let origin = receiver.url.strip_suffix("/events").unwrap();
    let audience = [origin];
    for event in events {
        let now = idp.clock.now();
        let mut checks = Expected::new(&["secevent+jwt"], Some(&issuer), Some(&audience), now);
        checks.require_expiry = false;
        verify(&event.token, &keys, &checks).unwrap();
        let claims = &event.claims;
        assert!(claims["txn"].is_string() && claims["toe"].is_i64() && claims.get("exp").is_none());
        let about_a_tenant = event.kind().starts_with("tenant");
        let subject = if about_a_tenant {
            json!({"format": "opaque", "id": tenant})
        } else {
            json!({"format": "iss_sub", "iss": issuer, "sub": user})
        };
        assert_eq!(claims["sub_id"], subject);
        assert_eq!(event.headers["content-type"], "application/secevent+jwt");
        assert_eq!(event.headers["accept"], "application/json");
        assert_eq!(event.headers["authorization"], "Bearer of the receiver");
    }
}

#[actix_web::test]
async fn a_sign_out_names_its_session() {
    let receiver = Receiver::start();
    let managed = receiver.managed().await;
    let idp = &managed.idp;
    let mut browser = Browser::new();
    let code = browser.sign_in(idp, &authorization(&[])).await["code"].clone();
    let tokens = idp.exchange(&code).await.body;
    let id_token = tokens["id_token"].as_str().unwrap();
    browser.get(&idp.url(&format!("/oauth2/end_session?id_token_hint={id_token}"))).await;
    let tenant = idp.tenant.id.to_string();
    let received = receiver.until(|all| !of_tenant(all, &tenant).is_empty()).await;
    let event = of_tenant(&received, &tenant)[0];
    assert_eq!(event.kind(), "session-revoked");
    let payload = event.claims["events"].as_object().unwrap().values().next().unwrap();
    assert_eq!(payload["sid"], claims(tokens["access_token"].as_str().unwrap())["sid"]);
    assert_eq!(event.claims["sub_id"]["sub"], json!(idp.user));
}

#[actix_web::test]
async fn while_the_receiver_is_down_events_wait_and_then_come_in_order() {
    let receiver = Receiver::start();
    let managed = receiver.managed().await;
    receiver.until(|all| all.len() == 1).await;
    receiver.answer(|_| 503);
    let tenant = managed.idp.tenant.id.to_string();
    for name in ["one", "two", "three"] {
        managed.new_user(name, json!({})).await;
    }
    receiver.until(|all| of_tenant(all, &tenant).len() == 1).await;
    receiver.in_time(&managed, |all| of_tenant(all, &tenant).len() >= 3).await;
    let tried: BTreeSet<_> = of_tenant(&receiver.received(), &tenant).iter().map(|event| event.jti()).collect();
    assert_eq!(tried.len(), 1, "the later ones wait for the first");
    receiver.answer(|_| 202);
    let received = receiver.in_time(&managed, |all| accepted(all).len() == 4).await;
    let emails: Vec<_> = accepted(&received)[1..]
        .iter()
        .map(|event| event.claims["events"].as_object().unwrap().values().next().unwrap()["user"]["username"].clone())
        .collect();
    assert_eq!(emails, [json!("one"), json!("two"), json!("three")]);
}

#[actix_web::test]
async fn a_busy_receiver_is_asked_again_when_it_says_and_not_for_a_failure() {
    let receiver = Receiver::start();
    let managed = receiver.managed().await;
    let idp = &managed.idp;
    let elsewhere = managed.new_tenant("elsewhere").await;
    receiver.until(|all| of_tenant(all, id_in(&elsewhere)).len() == 1).await;
    let tenant = idp.tenant.id.to_string();
    let answer = |status| {
        let tenant = tenant.clone();
        receiver.answer(move |claims| if claims["tenant_id"] == *tenant { status } else { 202 });
    };
    let came = |all: &[Received]| of_tenant(all, &tenant).len();
    // The date is that of the clock when the event comes the next time, 17 seconds after it might.
    let date = || {
        let seconds = u64::try_from(idp.clock.now().unix_seconds()).unwrap();
        HttpDate::from(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds + 119 + 17 + 120)).to_string()
    };

    receiver.retry_after(Some("120".to_owned()));
    answer(503);
    managed.new_user("one", json!({})).await;
    receiver.until(|all| came(all) == 1).await;
    for (times, (status, next)) in
        [(503, date()), (429, "120".to_owned()), (429, "120".to_owned())].into_iter().enumerate()
    {
        let before = times + 1;
        receiver.rounds(&managed, &elsewhere).await;
        answer(status);
        receiver.retry_after(Some(next));
        idp.advance(119);
        receiver.rounds(&managed, &elsewhere).await;
        assert_eq!(came(&receiver.received()), before, "it asked for more time");
        idp.advance(17);
        receiver.until(|all| came(all) > before).await;
    }

    // The first failure is one second after all that, and the next two seconds.
    receiver.rounds(&managed, &elsewhere).await;
    receiver.retry_after(None);
    for (times, seconds) in [136, 1, 2].into_iter().enumerate() {
        idp.advance(seconds);
        receiver.until(|all| came(all) == times + 5).await;
        receiver.rounds(&managed, &elsewhere).await;
    }
    answer(202);
    idp.advance(4);
    let received = receiver.until(|all| came(all) == 8).await;
    let sent = of_tenant(&received, &tenant);
    assert_eq!(sent.iter().map(|event| event.status).collect::<Vec<_>>(), [503, 503, 429, 429, 429, 429, 429, 202]);
    assert!(sent.iter().all(|event| event.jti() == sent[0].jti()));
}

#[actix_web::test]
async fn a_refused_event_does_not_hold_up_the_next() {
    let receiver = Receiver::start();
    let managed = receiver.managed().await;
    receiver.answer(|claims| if claims["events"].to_string().contains("evil") { 400 } else { 202 });
    let tenant = managed.idp.tenant.id.to_string();
    managed.new_user("evil", json!({})).await;
    managed.new_user("good", json!({})).await;
    let received = receiver.until(|all| of_tenant(all, &tenant).iter().any(|event| event.status == 202)).await;
    let statuses: Vec<_> = of_tenant(&received, &tenant).iter().map(|event| event.status).collect();
    assert_eq!(statuses, [400, 202], "and it is not sent again at once");
    managed.idp.advance(400);
    managed.new_user("third", json!({})).await;
    let received = receiver.until(|all| of_tenant(all, &tenant).len() >= 3).await;
    assert_eq!(received.iter().filter(|event| event.status == 400).count(), 1);
}

#[actix_web::test]
async fn a_refused_event_is_not_lost() {
    let receiver = Receiver::start();
    let managed = receiver.managed().await;
    let is_evil = |event: &Received| event.claims["events"].to_string().contains("evil");
    receiver.answer(|claims| if claims["events"].to_string().contains("evil") { 400 } else { 202 });
    managed.new_user("evil", json!({})).await;
    receiver.until(|all| all.iter().any(is_evil)).await;
    receiver.in_time(&managed, |all| all.iter().filter(|event| is_evil(event)).count() >= 3).await;
    receiver.answer(|_| 202);
    let received = receiver.in_time(&managed, |all| accepted(all).iter().any(|event| is_evil(event))).await;
    let evil: Vec<_> = received.iter().filter(|event| is_evil(event)).collect();
    assert!(evil.iter().all(|event| event.jti() == evil[0].jti()), "it is the same event each time");
    assert_eq!(evil.iter().filter(|event| event.status == 202).count(), 1);
    // What is taken is not sent again: nothing is left to be.
    let left = async || managed.idp.db.read(tenantry_idp::events::store::backlog).await.unwrap();
    for _ in 0..500 {
        if left().await == (0, 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("it is still to be sent: {:?}", left().await);
}

#[actix_web::test]
async fn two_workers_share_the_work_and_keep_the_order() {
    let receiver = Receiver::start();
    let managed = receiver.managed().await;
    for _ in 0..2 {
        managed.idp.replica(|_| {}).await;
    }
    let mut tenants = vec![managed.acme("")];
    for slug in ["one", "two"] {
        tenants.push(managed.new_tenant(slug).await);
    }
    let adding = (0..8).flat_map(|number| tenants.iter().map(move |path| (number, path))).map(|(number, path)| {
        let managed = &managed;
        async move {
            let body = json!({"email": format!("user-{number}@x.example")});
            assert_eq!(managed.put(&format!("{path}/users/{}", new_id()), body).await.status, 201);
        }
    });
    futures_util::future::join_all(adding).await;
    // The platform, two tenants, and 24 people.
    let received = receiver.until(|all| all.len() >= 27).await;
    let ids: BTreeSet<_> = received.iter().map(Received::jti).collect();
    assert_eq!((received.len(), ids.len()), (27, 27), "none twice");
    for path in tenants {
        let ids: Vec<_> = of_tenant(&received, id_in(&path)).iter().map(|event| event.jti()).collect();
        assert!(ids.len() >= 8 && ids.is_sorted(), "{ids:?}");
    }
    assert_eq!(managed.send(Method::GET, "/tenants", None).await.status, 200);
}

#[actix_web::test]
async fn killed_in_between_nothing_is_lost() {
    let receiver = Receiver::start();
    let (mut program, _) = Program::serving_the_demo().await;
    program.variables.push(("TENANTRY_IDP__EVENTS__PUSH_URL".into(), receiver.url.clone()));
    for number in 0..6 {
        let email = format!("user-{number}@demo.example");
        program.json(&["user", "create", "--tenant", "demo", "--email", &email]);
    }
    let db = program.database.open().await;
    // Two tenants, three people of the demo and their passwords, and those that were just made.
    let all_events = 2 + 2 * (3 + 6);
    for kill_after in [2, 6, 12] {
        let mut server = program.serve();
        receiver.until(|all| all.len() >= kill_after).await;
        server.kill();
        // As if the leases of the dead worker had ended.
        let expire = |conn: &mut tenantry_db::Connection| {
            Ok::<_, DbError>(diesel::sql_query("UPDATE security_events SET available_at = created_at").execute(conn)?)
        };
        db.write(expire).await.unwrap();
    }
    let server = program.serve();
    let distinct = |all: &[Received]| all.iter().map(Received::jti).collect::<BTreeSet<_>>().len();
    let received = receiver.until(|all| distinct(all) == all_events).await;
    let mut order: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in &received {
        let ids = order.entry(event.claims["tenant_id"].to_string()).or_default();
        // One that was under way when the worker died may come again, and nothing older.
        assert!(ids.last().is_none_or(|last| *last <= event.jti()));
        ids.push(event.jti());
    }
    let (status, _) = server.stop();
    assert!(status.success());
}
