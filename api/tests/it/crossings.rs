//! What crosses between the services, when either breaks off in between.

use std::process::Command;

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantry_testing::ServiceProcess;
use tenantry_types::Clock as _;

use crate::fake_management::Fault;
use crate::support::{TestApi, client};

/// The service as a process, on the database and the keys of the test.
fn process(api: &TestApi) -> (ServiceProcess, String) {
    let port = tenantry_testing::free_port();
    let url = format!("http://localhost:{port}");
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry-api"));
    command.arg("serve").env_clear();
    command.env("TENANTRY_API__HTTP__LISTEN", format!("127.0.0.1:{port}"));
    command.env("TENANTRY_API__HTTP__PUBLIC_URL", &url);
    command.env("TENANTRY_API__RESOURCE__IDENTIFIER", &api.url);
    command.env("TENANTRY_API__IDP__URL", api.idp.url());
    command.env("TENANTRY_API__DATABASE__URL", api.database.url().to_string());
    command.env("TENANTRY_API__KEYRING__PATH", &api.config.keyring.path);
    command.env("TENANTRY_API__IDP__MANAGEMENT__KEY_FILE", &api.config.idp.management.key_file);
    command.env("TENANTRY_API__METRICS__LISTEN", "127.0.0.1:0");
    (ServiceProcess::start(command), url)
}

fn body(number: usize) -> Value {
    json!({"name": format!("Tenant {number}"), "slug": format!("tenant-{number}"),
        "admin_email": format!("admin@tenant{number}.example"), "admin_password": "long enough to be"})
}

/// Processes are killed while they make tenants, and the provider fails before and after it has done its part: a repeat
/// under the same key makes each tenant exactly once, on both sides, under one id.
#[actix_web::test]
async fn tenants_are_made_once_whatever_is_killed() {
    let api = TestApi::start().await;
    let management = &api.idp.state().management;
    let mut claims = api.idp.user_claims("platform", &api.url);
    let token = api.idp.sign("platform", &claims);
    let rounds = 6;
    for number in 0..rounds {
        let (mut service, url) = process(&api);
        management.fail_next([[Fault::Before], [Fault::After]][number % 2].clone());
        let request = client().post(format!("{url}/api/v1/tenants")).bearer_auth(&token);
        let request = request.header("Idempotency-Key", format!("key-{number}")).json(&body(number)).send();
        // It is killed at some moment of the request.
        let asked = management.requests.lock().unwrap().len();
        let killed = async {
            while management.requests.lock().unwrap().len() == asked && number % 3 != 0 {
                tokio::task::yield_now().await;
            }
            service.kill();
        };
        let _ = futures_util::future::join(request, killed).await;
    }
    management.faults.lock().unwrap().clear();
    // Leases of the dead end, however long all this took.
    api.clock.advance(std::time::Duration::from_secs(60 * 60));
    // The same person, whose keys they are.
    let now = api.clock.now().unix_seconds();
    (claims["iat"], claims["exp"]) = (now.into(), (now + 600).into());
    let token = api.idp.sign("platform", &claims);
    for number in 0..rounds {
        let request = api.request(reqwest::Method::POST, "/api/v1/tenants").bearer_auth(&token);
        let request = request.header("Idempotency-Key", format!("key-{number}"));
        let response = request.json(&body(number)).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::CREATED, "{number}");
    }
    let here = api.texts("SELECT id AS value FROM tenants WHERE slug LIKE 'tenant-%' ORDER BY id").await;
    let there: Vec<String> = management.tenants.lock().unwrap().keys().cloned().collect();
    assert_eq!(here, there);
    assert_eq!(here.len(), rounds);
    assert_eq!(api.count("audit_entries WHERE action = 'tenant.create'").await, i64::try_from(rounds).unwrap());
    assert_eq!(api.count("tenants WHERE status <> 'active'").await, 0);
}
