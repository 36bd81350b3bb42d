//! What the service tells those who operate it: a line of the log is of one tenant's request and holds no secret, and
//! metrics are of no tenant at all.

use std::collections::BTreeMap;
use std::process::Command;

use serde_json::{Value, json};
use tenantry_testing::{ServiceProcess, free_port};

use super::Tenant;
use super::operations::{leaves, operations};
use crate::browser::{Browser, location};
use crate::support::{TestApi, client};

const PASSWORD: &str = "a-password-that-nobody-should-read";

/// The service as a process on the database and the keys of the test, with all that it can say in its log.
fn process(api: &TestApi, url: &str, metrics: u16) -> ServiceProcess {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry-api"));
    command.arg("serve").env_clear();
    for (name, value) in [
        ("HTTP__LISTEN", url.replace("http://localhost", "127.0.0.1")),
        ("HTTP__PUBLIC_URL", url.to_owned()),
        ("IDP__URL", api.idp.url().to_owned()),
        ("DATABASE__URL", api.database.url().to_string()),
        ("KEYRING__PATH", api.config.keyring.path.display().to_string()),
        ("IDP__MANAGEMENT__KEY_FILE", api.config.idp.management.key_file.display().to_string()),
        ("METRICS__LISTEN", format!("127.0.0.1:{metrics}")),
        ("RATE_LIMITS__ENABLED", "false".to_owned()),
        ("TELEMETRY__FORMAT", "json".to_owned()),
        ("TELEMETRY__FILTER", "debug".to_owned()),
    ] {
        command.env(format!("TENANTRY_API__{name}"), value);
    }
    ServiceProcess::start(command)
}

/// Whose each request was, by its id, and every secret that was sent, given or kept.
#[derive(Default)]
struct Told {
    requests: BTreeMap<String, usize>,
    secrets: Vec<String>,
}

/// An example with the name of the tenant wherever there is text, and a password where there is one.
fn personal(example: &Value, tenant: &Tenant) -> Value {
    let mut body = example.clone();
    let pointers: Vec<String> = leaves(example).into_iter().map(|(pointer, _)| pointer).collect();
    for pointer in pointers {
        let leaf = body.pointer_mut(&pointer).unwrap();
        if let Some(text) = leaf.as_str() {
            let name = pointer.rsplit('/').next().unwrap_or_default();
            *leaf = match name {
                _ if name.contains("password") => json!(PASSWORD),
                _ if text.contains('@') => json!(tenant.email().replace('@', "-new@")),
                "name" | "description" | "first_name" | "display_name" => json!(format!("{} new", tenant.marker)),
                _ => continue,
            };
        }
    }
    body
}

#[actix_web::test]
async fn a_line_of_the_log_is_of_one_tenant_and_metrics_are_of_none() {
    let api = TestApi::start().await;
    let tenants = [Tenant::furnish(&api, "amber").await, Tenant::furnish(&api, "birch").await];
    let (url, metrics) = (format!("http://localhost:{}", free_port()), free_port());
    let service = process(&api, &url, metrics);
    let mut told = Told::default();
    let mut tokens = Vec::new();
    for tenant in &tenants {
        let mut claims = api.idp.user_claims(tenant.slug, &url);
        claims["sub"] = json!(api.id_of(&tenant.token).await);
        tokens.push(api.idp.sign(tenant.slug, &claims));
    }
    for operation in operations(&api).await {
        for (at, tenant) in tenants.iter().enumerate() {
            let body = operation.content.as_ref().map(|(_, example)| personal(example, tenant));
            let key = format!("key-of-{}-{}", tenant.slug, told.requests.len());
            let path = operation.path_to(&tenant.things);
            // What a query holds is somebody's as well.
            let path = format!("{path}?search={}", tenant.marker);
            for path in [path.split('?').next().unwrap(), &path] {
                let request = operation.request_for_any(&api, &tokens[at], path, body.as_ref());
                let mut request = request.header("Idempotency-Key", &key).build().unwrap();
                let at_service = request.url().as_str().replace(&api.url, &url);
                *request.url_mut() = at_service.parse().unwrap();
                let response = client().execute(request).await.unwrap();
                told.requests.insert(response.headers()["x-request-id"].to_str().unwrap().to_owned(), at);
                response.bytes().await.unwrap();
            }
            told.secrets.push(key);
        }
    }
    assert!(told.requests.len() > 200);
    // The last part of a token is enough to know it by.
    told.secrets.extend(tokens.iter().map(|token| token.rsplit('.').next().unwrap().to_owned()));
    told.secrets.extend([PASSWORD.to_owned()]);
    told.secrets.extend(sign_in(&url).await);
    for file in [&api.config.keyring.path, &api.config.idp.management.key_file] {
        let text = std::fs::read_to_string(file).unwrap();
        let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"+/_-=".contains(letter));
        told.secrets.extend(words.filter(|word| word.len() >= 32).map(str::to_owned));
    }
    told.secrets.extend((1..9).map(|number| format!("management-{number}")));

    let shown = client().get(format!("http://127.0.0.1:{metrics}/metrics")).send().await.unwrap();
    let shown = shown.text().await.unwrap();
    assert!(shown.contains("/api/v1/roles/{role_id}"), "{shown}");
    let (status, log) = service.stop();
    assert!(status.success(), "{log}");
    told.check(&log, &tenants);
    for tenant in &tenants {
        let of_tenant = tenant.ids().chain([&tenant.marker]).map(String::as_str).chain([tenant.slug]);
        for text in of_tenant.chain(told.secrets.iter().map(String::as_str)) {
            assert!(!shown.contains(text), "{text} is in the metrics");
        }
    }
    assert!(!shown.contains("example.com") && !shown.contains("demo"));
}

/// Signs in at the console. Gives what must stay between the browser and the two services.
async fn sign_in(url: &str) -> Vec<String> {
    let browser = Browser::new();
    let to_provider = location(&browser.get(&format!("{url}/console/sign-in?tenant=demo")).await);
    let back = location(&client().get(&to_provider).send().await.unwrap());
    let done = browser.get(&back).await;
    assert_eq!(location(&done), "/console");
    let values = |url: &str| {
        let url = url::Url::parse(url).unwrap();
        let secret = ["code", "state", "nonce", "code_challenge"];
        let pairs = url.query_pairs().filter(move |(name, _)| secret.contains(&&**name));
        pairs.map(|(_, value)| value.into_owned()).collect::<Vec<_>>()
    };
    let mut secrets = [values(&to_provider), values(&back)].concat();
    secrets.extend(browser.cookies());
    assert!(secrets.len() >= 5, "{secrets:?}");
    secrets
}

impl Told {
    fn check(&self, log: &str, tenants: &[Tenant; 2]) {
        let mut lines = [0, 0];
        for line in log.lines() {
            for secret in &self.secrets {
                assert!(!line.contains(secret.as_str()), "{secret} is in {line}");
            }
            let Ok(parsed) = serde_json::from_str::<Value>(line) else { panic!("{line}") };
            let of = parsed["request_id"].as_str().and_then(|id| self.requests.get(id));
            for (at, tenant) in tenants.iter().enumerate() {
                // What nobody has asked for, like the sealing of the trail, names tenants by their ids alone.
                let texts = tenant.ids().filter(|id| of.is_some() || **id != tenant.id);
                if of != Some(&at) {
                    for text in texts.chain([&tenant.marker]) {
                        assert!(!line.contains(text.as_str()), "{text} is in {line}");
                    }
                }
            }
            if let Some(at) = of {
                lines[*at] += 1;
            }
        }
        assert!(lines.iter().all(|count| *count > 100), "{lines:?}");
    }
}
