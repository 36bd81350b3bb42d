//! Domains of tenants.

use std::net::Ipv4Addr;
use std::sync::Arc;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tenantry_api::idp::{ClientKeyFile, IdpClient};
use tenantry_api::signals::Signals;
use tenantry_api::startup::management_client;
use tenantry_api::state::Api;
use tenantry_api::tenants::domains::{Recheck, Verifier};
use tenantry_api::tenants::tasks::Tasks;
use tenantry_jose::Keyring;
use tenantry_types::{Clock, SystemRandom};
use tenantry_web::listing::Cursors;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{TENANTS, data, make, send};
use crate::dns::NameServer;
use crate::fake_management::Fault;
use crate::support::{TestApi, client, problem};

const LOGIN: &str = "login.acme.example";

async fn start(names: &NameServer) -> TestApi {
    let address = names.address;
    TestApi::start_with(move |config| config.domains.name_servers = vec![address]).await
}

async fn add(api: &TestApi, id: &str, token: &str) -> Value {
    let body = json!({ "domain": LOGIN });
    let response = send(api, Method::POST, &format!("{TENANTS}/{id}/domains"), token, &body).await;
    assert_eq!(response.status(), StatusCode::CREATED);
    data(response).await
}

fn publish(names: &NameServer, domain: &Value) {
    let verification = &domain["verification"];
    names.set_text(verification["dns_name"].as_str().unwrap(), verification["token"].as_str().unwrap());
}

async fn verify(api: &TestApi, id: &str, token: &str) -> reqwest::Response {
    send(api, Method::POST, &format!("{TENANTS}/{id}/domains/{LOGIN}/verify"), token, &json!({})).await
}

#[actix_web::test]
async fn a_domain_is_added_as_the_plan_says() {
    let api = TestApi::start().await;
    let id = make(&api).await;
    let (token, path) = (api.administrator_of(&id, "acme"), format!("{TENANTS}/{id}/domains"));
    let body = json!({"domain": "Auth.Acme.Example.com", "is_primary": false});
    // Of one that is not there nobody has seen a version.
    problem(send(&api, Method::PUT, &path, &token, &body).await, StatusCode::PRECONDITION_FAILED).await;
    let request = api.request(Method::PUT, &path).bearer_auth(&token).json(&body);
    let added = data(request.send().await.unwrap()).await;
    assert_eq!(
        (&added["message"], &added["domain"]),
        (&json!("Domain added successfully"), &json!("auth.acme.example.com"))
    );
    let again = data(
        send(&api, Method::PUT, &path, &token, &json!({"domain": "auth.acme.example.com", "is_primary": true})).await,
    )
    .await;
    assert_eq!(again["is_primary"], true);
    let all = data(api.get_as(&path, &token).await).await;
    let primary: Vec<&Value> = all.as_array().unwrap().iter().filter(|domain| domain["is_primary"] == true).collect();
    assert_eq!((all.as_array().unwrap().len(), primary.len()), (2, 1));
    problem(send(&api, Method::POST, &path, &token, &body).await, StatusCode::CONFLICT).await;
    let wrong = problem(
        send(&api, Method::POST, &path, &token, &json!({"domain": "10.0.0.1", "is_primary": 1})).await,
        StatusCode::UNPROCESSABLE_ENTITY,
    )
    .await;
    assert_eq!(wrong["errors"].as_array().unwrap().len(), 2);
    let missing = problem(api.get_as(&format!("{path}/other.example"), &token).await, StatusCode::NOT_FOUND).await;
    assert!(missing["type"].as_str().unwrap().ends_with("/problems/domain-not-found"));
    // Nothing that is not verified reaches the identity provider.
    assert!(api.idp.state().management.domains.lock().unwrap().is_empty());
}

#[actix_web::test]
async fn a_record_shows_whose_a_domain_is() {
    let names = NameServer::start().await;
    let api = start(&names).await;
    let id = make(&api).await;
    let token = api.administrator_of(&id, "acme");
    let domain = add(&api, &id, &token).await;
    let early = problem(verify(&api, &id, &token).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert!(early["type"].as_str().unwrap().ends_with("/problems/domain-not-verified"));
    assert!(early["detail"].as_str().unwrap().contains("_tenantry-challenge.login.acme.example"), "{early}");
    publish(&names, &domain);
    let verified = data(verify(&api, &id, &token).await).await;
    assert_eq!(verified["is_verified"], true);
    let there = || api.idp.state().management.domains.lock().unwrap().clone();
    assert_eq!(there().into_iter().collect::<Vec<_>>(), [((id.clone(), LOGIN.to_owned()), false)]);

    let primary =
        send(&api, Method::POST, &format!("{TENANTS}/{id}/domains/{LOGIN}/primary"), &token, &json!({})).await;
    assert_eq!(data(primary).await["is_primary"], true);
    assert_eq!(there().into_values().collect::<Vec<_>>(), [true]);
    let shown = data(api.get_as(&format!("{TENANTS}/{id}"), &token).await).await;
    assert_eq!(shown["domain"], LOGIN);

    let path = format!("{TENANTS}/{id}/domains/{LOGIN}");
    for _ in 0..2 {
        assert_eq!(send(&api, Method::DELETE, &path, &token, &json!({})).await.status(), StatusCode::NO_CONTENT);
    }
    assert!(there().is_empty());
}

#[actix_web::test]
async fn a_verified_domain_belongs_to_one_tenant() {
    let names = NameServer::start().await;
    let api = start(&names).await;
    let id = make(&api).await;
    let (token, other) = (api.administrator_of(&id, "acme"), api.administrator());
    // A row of the other tenant comes with its first request.
    assert_eq!(api.get_as("/api/v1/me", &other).await.status(), StatusCode::OK);
    let demo = api.idp.tenant("demo").id;
    let (ours, theirs) = (add(&api, &id, &token).await, add(&api, demo.as_str(), &other).await);
    publish(&names, &ours);
    assert_eq!(verify(&api, &id, &token).await.status(), StatusCode::OK);
    // At that host, only that tenant is served.
    let at_host =
        |token: &str| client().get(format!("{}/api/v1/me", api.url)).header("Host", LOGIN).bearer_auth(token).send();
    assert_eq!(at_host(&token).await.unwrap().status(), StatusCode::OK);
    problem(at_host(&other).await.unwrap(), StatusCode::MISDIRECTED_REQUEST).await;

    // It has another owner, who publishes what they were to, and not what the old one was to.
    publish(&names, &theirs);
    assert_eq!(verify(&api, demo.as_str(), &other).await.status(), StatusCode::OK);
    let there: Vec<_> = api.idp.state().management.domains.lock().unwrap().keys().cloned().collect();
    assert_eq!(there, [(demo.to_string(), LOGIN.to_owned())]);
    let path = format!("{TENANTS}/{id}/domains/{LOGIN}");
    assert_eq!(data(api.get_as(&path, &token).await).await["is_verified"], false);
    super::until(|| async { at_host(&other).await.unwrap().status() == StatusCode::OK }).await;
    problem(at_host(&token).await.unwrap(), StatusCode::MISDIRECTED_REQUEST).await;
    let trail = "SELECT tenant_id AS value FROM audit_entries WHERE action = 'tenant_domain.verify'";
    let told = api.texts(trail).await;
    assert_eq!((told.len(), told.iter().filter(|tenant| **tenant == id).count()), (3, 2), "both trails tell of it");
}

#[actix_web::test]
async fn a_domain_stays_with_whom_still_shows_that_it_is_theirs() {
    let names = NameServer::start().await;
    names.set_host(LOGIN, Ipv4Addr::LOCALHOST);
    let api = start(&names).await;
    let id = make(&api).await;
    let (token, other) = (api.administrator_of(&id, "acme"), api.administrator());
    assert_eq!(api.get_as("/api/v1/me", &other).await.status(), StatusCode::OK);
    let demo = api.idp.tenant("demo").id;
    let (ours, theirs) = (add(&api, &id, &token).await, add(&api, demo.as_str(), &other).await);
    publish(&names, &ours);
    assert_eq!(verify(&api, &id, &token).await.status(), StatusCode::OK);
    // A file of somebody else on a server that the name leads to.
    let file = theirs["verification"]["token"].as_str().unwrap();
    let port = web_server(ok(file)).await;
    let mut config = api.config.clone();
    (config.domains.http_port, config.domains.allow_private_addresses) = (port, true);
    let replica = api.replica(config).await;
    let url = format!("{replica}{TENANTS}/{demo}/domains/{LOGIN}/verify");
    let ask = async || client().post(&url).bearer_auth(&other).send().await.unwrap();
    problem(ask().await, StatusCode::CONFLICT).await;
    names.remove_text("_tenantry-challenge.login.acme.example");
    assert_eq!(ask().await.status(), StatusCode::OK);
    assert_eq!(api.count("tenant_domains WHERE verified_domain IS NOT NULL AND method = 'http'").await, 1);
}

#[actix_web::test]
async fn what_the_provider_gave_to_another_tenant_is_not_verified() {
    let names = NameServer::start().await;
    let api = start(&names).await;
    let id = make(&api).await;
    let token = api.administrator_of(&id, "acme");
    publish(&names, &add(&api, &id, &token).await);
    api.idp.state().management.domains.lock().unwrap().insert(("other".to_owned(), LOGIN.to_owned()), true);
    // However often it is asked for under one key.
    let path = format!("{TENANTS}/{id}/domains/{LOGIN}/verify");
    for _ in 0..2 {
        let request =
            api.request(Method::POST, &path).bearer_auth(&token).header("Idempotency-Key", "one").json(&json!({}));
        let refused = problem(request.send().await.unwrap(), StatusCode::CONFLICT).await;
        assert_eq!(refused["errors"][0]["pointer"], "/domain");
        assert_eq!(api.count("tenant_domains WHERE verified_domain IS NOT NULL").await, 0);
    }
    let trail =
        "SELECT actor_kind AS value FROM audit_entries WHERE action = 'tenant_domain.verify' ORDER BY actor_kind";
    assert_eq!(api.texts(trail).await, ["system", "system", "user", "user"], "there and back again");
    // Away: it is verified here, and there as soon as it is back.
    api.idp.state().management.domains.lock().unwrap().clear();
    api.idp.state().management.fail_next([Fault::Before]);
    assert_eq!(verify(&api, &id, &token).await.status(), StatusCode::OK);
    assert!(api.idp.state().management.domains.lock().unwrap().is_empty());
    api.clock.advance(std::time::Duration::from_secs(60));
    super::until(|| async { api.idp.state().management.domains.lock().unwrap().len() == 1 }).await;
}

/// Answers every request with this.
async fn web_server(answer: String) -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 2048];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    port
}

async fn by_file(answer: impl Fn(&str) -> String, allow_private: bool) -> StatusCode {
    let names = NameServer::start().await;
    names.set_host(LOGIN, Ipv4Addr::LOCALHOST);
    let api = start(&names).await;
    let id = make(&api).await;
    let token = api.administrator_of(&id, "acme");
    let domain = add(&api, &id, &token).await;
    let port = web_server(answer(domain["verification"]["token"].as_str().unwrap())).await;
    let mut config = api.config.clone();
    config.domains.http_port = port;
    config.domains.allow_private_addresses = allow_private;
    let replica = api.replica(config).await;
    let url = format!("{replica}{TENANTS}/{id}/domains/{LOGIN}/verify");
    client().post(url).bearer_auth(&token).send().await.unwrap().status()
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
}

#[actix_web::test]
async fn a_file_shows_whose_a_domain_is() {
    assert_eq!(by_file(|token| ok(&format!("{token}\n")), true).await, StatusCode::OK);
}

#[actix_web::test]
async fn no_file_is_asked_for_within_our_own_walls_or_followed_elsewhere() {
    assert_eq!(by_file(ok, false).await, StatusCode::UNPROCESSABLE_ENTITY);
    let elsewhere = |_: &str| {
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
    };
    assert_eq!(by_file(elsewhere, true).await, StatusCode::UNPROCESSABLE_ENTITY);
    let long = |token: &str| ok(&format!("{token}{}", " ".repeat(10_000)));
    assert_eq!(by_file(long, true).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(by_file(|_| ok("something else"), true).await, StatusCode::UNPROCESSABLE_ENTITY);
}

#[actix_web::test]
async fn a_domain_that_does_not_show_it_any_more_is_lost_after_a_while() {
    let names = NameServer::start().await;
    let api = start(&names).await;
    let id = make(&api).await;
    let token = api.administrator_of(&id, "acme");
    let domain = add(&api, &id, &token).await;
    names.set_host(LOGIN, Ipv4Addr::LOCALHOST);
    publish(&names, &domain);
    assert_eq!(verify(&api, &id, &token).await.status(), StatusCode::OK);

    let (db, clock) = (api.database.open().await, Arc::clone(&api.clock) as Arc<dyn Clock>);
    let random = Arc::new(SystemRandom);
    let keyring = Keyring::load(&api.config.keyring.path).unwrap();
    let state = Api {
        signals: Signals::new(db.clone(), db.clone(), Arc::clone(&clock)),
        cursors: Cursors::new(keyring.derive("test")),
        requests: keyring.derive("test"),
        db,
        clock: Arc::clone(&clock),
        random: random.clone(),
    };
    let idp = IdpClient::new(api.config.idp.url.clone(), None, Arc::clone(&clock)).unwrap();
    assert!(ClientKeyFile::load(&api.config.idp.management.key_file).unwrap().is_some());
    let management = management_client(&api.config, idp, clock, random).unwrap();
    let day = std::time::Duration::from_secs(24 * 60 * 60);
    let recheck =
        Recheck::new(Tasks::new(state, management, keyring), Verifier::new(&api.config.domains).unwrap(), day);
    let verified = || api.count("tenant_domains WHERE verified_domain IS NOT NULL");
    let next_day = || api.clock.advance(day + std::time::Duration::from_secs(1));

    next_day();
    recheck.look().await.unwrap();
    names.remove_text("_tenantry-challenge.login.acme.example");
    for still in [1, 1, 0] {
        next_day();
        recheck.look().await.unwrap();
        assert_eq!(verified().await, still);
    }
    assert!(api.idp.state().management.domains.lock().unwrap().is_empty());
}
