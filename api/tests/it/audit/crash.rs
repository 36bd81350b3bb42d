//! Killed without warning while it seals, and started again.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::prelude::*;
use diesel::sql_query;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tenantry_db::DbError;
use tenantry_testing::{ServiceProcess, TestDatabase, free_port};
use tenantry_types::{Clock as _, ManualClock, SystemClock};
use tokio::sync::Notify;

use super::CountRow;
use crate::fake_idp::FakeIdp;
use crate::support::client;

const ROUNDS: usize = 4;
const TENANTS: [&str; 4] = ["demo", "one", "two", "three"];

fn program(folder: &Path, arguments: &[&str], variables: &[(&str, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry-api"));
    command.current_dir(folder).env_clear().args(arguments).envs(variables.iter().cloned());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// The JSON that a command prints.
async fn told(mut command: Command) -> Value {
    let output = actix_web::rt::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// How many changes of settings the audit trail tells of.
async fn changes(database: &TestDatabase) -> i64 {
    let query = "SELECT COUNT(*) AS value FROM audit_entries WHERE action = 'tenant_settings.update'";
    let db = database.open().await;
    db.read(move |conn| Ok::<_, DbError>(sql_query(query).get_result::<CountRow>(conn)?)).await.unwrap().value
}

#[actix_web::test]
async fn every_acknowledged_change_is_sealed_once() {
    let idp = FakeIdp::start(Arc::new(ManualClock::starting_at(SystemClock.now())));
    TENANTS[1..].iter().for_each(|tenant| drop(idp.add_tenant(tenant)));
    let (database, folder) = (TestDatabase::create().await, tempfile::tempdir().unwrap());
    let port = free_port();
    let url = format!("http://localhost:{port}");
    let variables = [
        ("TENANTRY_API__DATABASE__URL", database.url().to_string()),
        ("TENANTRY_API__HTTP__LISTEN", format!("127.0.0.1:{port}")),
        ("TENANTRY_API__HTTP__PUBLIC_URL", url.clone()),
        ("TENANTRY_API__HTTP__WORKERS", "2".to_owned()),
        ("TENANTRY_API__METRICS__LISTEN", "127.0.0.1:0".to_owned()),
        ("TENANTRY_API__IDP__URL", idp.url().to_owned()),
    ];
    told(program(folder.path(), &["migrate", "--json"], &variables)).await;
    let mut acknowledged = 0;
    for round in 0..ROUNDS {
        // It is killed after another number of changes in each round, and so at another point of the sealer's work.
        let (answered, enough) = (AtomicUsize::new(0), Notify::new());
        let last = 100 + 37 * round;
        let mut process = ServiceProcess::start(program(folder.path(), &["serve"], &variables));
        let writers = TENANTS.map(|tenant| {
            let token = idp.sign(tenant, &idp.user_claims(tenant, &url));
            let settings = format!("{url}/api/v1/tenant/settings");
            let (answered, enough) = (&answered, &enough);
            async move {
                let http = client();
                let mut changed = 0;
                // Until it is killed; each change is another one.
                for number in 0.. {
                    let name = format!("{round} {number}");
                    let put = http.request(Method::PUT, &settings).bearer_auth(&token).header("If-Match", "*");
                    let request = put.json(&json!({ "branding": { "display_name": name } }));
                    match request.send().await {
                        Ok(answer) => changed += i64::from(answer.status().is_success()),
                        Err(_) => break,
                    }
                    if answered.fetch_add(1, Ordering::Relaxed) == last {
                        enough.notify_one();
                    }
                }
                changed
            }
        });
        let end = async {
            enough.notified().await;
            process.kill();
        };
        let (changed, ()) = futures_util::future::join(join_all(writers), end).await;
        acknowledged += changed.iter().sum::<i64>();
    }
    assert!(acknowledged > 0);
    let before = told(program(folder.path(), &["audit", "verify", "--json"], &variables)).await;
    assert_eq!(before["ok"], true, "{before}");
    assert!(before["entries"].as_i64().unwrap() > 0, "the service has sealed by itself: {before}");
    told(program(folder.path(), &["audit", "seal", "--json"], &variables)).await;
    let after = told(program(folder.path(), &["audit", "verify", "--json"], &variables)).await;
    assert_eq!((&after["ok"], &after["waiting"]), (&true.into(), &0.into()), "{after}");
    let known = |report: &Value| report["entries"].as_i64().unwrap() + report["waiting"].as_i64().unwrap();
    assert_eq!(known(&after), known(&before));
    // A change that was under way when the service was killed may have been made, and not acknowledged: one a tenant.
    let made = changes(&database).await;
    let most = acknowledged + i64::try_from(ROUNDS * TENANTS.len()).unwrap();
    assert!((acknowledged..=most).contains(&made), "{acknowledged} {made}");
}
