//! The command line: the real program on a database of its own.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tenantry_testing::{ServiceProcess, TestDatabase, free_port};

/// The program, with a folder and a database of its own.
pub struct Program {
    pub folder: tempfile::TempDir,
    pub database: TestDatabase,
    pub variables: Vec<(String, String)>,
}

impl Program {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database = TestDatabase::create().await;
        let variables = [
            ("DATABASE__URL", database.url().to_string()),
            ("KEYS__KEY_ENCRYPTION_FILE", folder.path().join("keys.json").display().to_string()),
            ("PASSWORDS__ARGON2_MEMORY_KIB", "64".into()),
            ("PASSWORDS__ARGON2_PASSES", "1".into()),
        ]
        .map(|(key, value)| (format!("TENANTRY_IDP__{key}"), value));
        Self { folder, database, variables: variables.to_vec() }
    }

    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry-idp"));
        command.args(arguments).current_dir(self.folder.path()).env_remove("REDIS_URL").stdin(Stdio::null());
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }

    /// A program that is ready to serve the demo at the address that is given back.
    pub async fn serving_the_demo() -> (Self, String) {
        let mut program = Self::new().await;
        let port = free_port();
        let base = format!("http://localhost:{port}");
        for (key, value) in [
            ("HTTP__LISTEN", format!("127.0.0.1:{port}")),
            ("HTTP__PUBLIC_URL", base.clone()),
            ("METRICS__LISTEN", "127.0.0.1:0".into()),
        ] {
            program.variables.push((format!("TENANTRY_IDP__{key}"), value));
        }
        program.json(&["migrate"]);
        program.json(&["demo"]);
        (program, base)
    }

    /// Serves, in a process that ends with the value.
    pub fn serve(&self) -> ServiceProcess {
        ServiceProcess::start(self.command(&["serve"]))
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }

    pub fn json(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }

    fn refusal(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(!output.status.success(), "{arguments:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[actix_web::test]
async fn a_tenant_with_everything_is_made_from_the_command_line() {
    let program = Program::new().await;
    for command in [&["tenant", "list"][..], &["serve"]] {
        assert!(program.refusal(command).contains("tenantry-idp migrate"));
    }
    assert!(!program.json(&["migrate"])["applied"].as_array().unwrap().is_empty());
    assert_eq!(program.json(&["migrate"])["applied"], serde_json::json!([]));

    let made = program.json(&["tenant", "create", "--slug", "acme", "--name", "Acme Ltd"]);
    assert_eq!(made["issuer"], "http://localhost:8080/t/acme");
    assert!(program.refusal(&["tenant", "create", "--slug", "acme", "--name", "Again"]).contains("already"));
    assert!(program.refusal(&["tenant", "create", "--slug", "A b", "--name", "x"]).contains("lower-case"));
    assert_eq!(program.json(&["tenant", "list"])["tenants"][0]["slug"], "acme");

    let tenant = ["--tenant", "acme"];
    let user =
        program.json(&[&["user", "create", "--email", "bob@acme.example", "--role", "member"][..], &tenant].concat());
    assert_eq!(user["username"], "bob@acme.example");
    assert!(user["password"].as_str().unwrap().len() >= 16);
    let again = program.refusal(&[&["user", "create", "--email", "BOB@acme.example"][..], &tenant].concat());
    assert!(again.contains("another user has this"), "{again}");
    program.json(&[&["user", "set-password", "--username", "bob@acme.example"][..], &tenant].concat());
    let nobody = program.refusal(&[&["user", "set-password", "--username", "nobody"][..], &tenant].concat());
    assert!(nobody.contains("no user 'nobody'"), "{nobody}");

    let create = ["client", "create", "--name", "Shop", "--type", "confidential", "--client-id", "shop"];
    let missing = program.refusal(&[&create[..], &tenant].concat());
    assert!(missing.contains("redirect_uris must name at least one"), "{missing}");
    let bad = program.refusal(&[&create[..], &tenant, &["--redirect-uri", "http://shop.example/cb"]].concat());
    assert!(bad.contains("must use https"), "{bad}");
    let client = program.json(
        &[&create[..], &tenant, &["--redirect-uri", "https://shop.example/cb", "--client-uri", "https://shop.example"]]
            .concat(),
    );
    let unsafe_uri = ["client", "create", "--name", "Evil", "--type", "machine", "--client-uri", "javascript:alert(1)"];
    assert!(program.refusal(&[&unsafe_uri[..], &tenant].concat()).contains("client_uri must be an http or https"));
    let rotated = program.json(&[&["client", "rotate-secret", "--client-id", "shop"][..], &tenant].concat());
    assert_ne!(client["client_secret"], rotated["client_secret"]);
    let listed = program.json(&[&["client", "list"][..], &tenant].concat());
    assert_eq!(listed["clients"].as_array().unwrap().len(), 2, "the shop and the console");

    let jwks = program.folder.path().join("jwks.json");
    let key = tenantry_jose::SigningKey::generate(tenantry_jose::Algorithm::Es256).unwrap();
    std::fs::write(&jwks, serde_json::json!({ "keys": [key.public_jwk().as_ref()] }).to_string()).unwrap();
    let scope = "admin.read admin.tenants admin.users admin.clients";
    let management = ["client", "create", "--name", "API", "--type", "machine", "--client-id", "api", "--scope", scope];
    let management =
        [&management[..], &["--auth-method", "private_key_jwt", "--jwks-file", jwks.to_str().unwrap()]].concat();
    let refused = program.refusal(&[&management[..], &tenant].concat());
    assert!(refused.contains("platform tenants"), "{refused}");
    let platform = program.json(&["tenant", "create", "--slug", "platform", "--name", "Platform", "--platform"]);
    assert_eq!(platform["tenant"]["is_platform"], true);
    program.json(&[&management[..], &["--tenant", "platform"]].concat());

    let rotated = program.json(&[&["keys", "rotate"][..], &tenant].concat());
    let keys = program.json(&[&["keys", "list"][..], &tenant].concat());
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    assert_eq!(keys["keys"][1]["kid"], rotated["kid"]);
    assert_eq!(keys["keys"][1]["signs_now"], false);
    assert_eq!(program.json(&["doctor"])["ok"], true);
}

#[actix_web::test]
async fn the_demo_is_made_once_and_kept() {
    let program = Program::new().await;
    program.json(&["migrate"]);
    assert_eq!(program.json(&["demo"])["made"], true);
    let path: PathBuf = program.folder.path().join("data/demo.json");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    let first = std::fs::read_to_string(&path).unwrap();
    let demo: Value = serde_json::from_str(&first).unwrap();
    assert_eq!(demo["issuer"], "http://localhost:8080/t/demo");
    for pointer in [
        "/api",
        "/users/0/username",
        "/users/1/password",
        "/users/0/roles/0",
        "/clients/public/client_id",
        "/clients/public/redirect_uris/1",
        "/clients/confidential/client_secret",
        "/clients/machine/scope",
        "/platform/issuer",
        "/platform/users/0/username",
        "/platform/users/0/password",
    ] {
        assert!(demo.pointer(pointer).is_some_and(Value::is_string), "{pointer}");
    }
    assert_eq!(program.json(&["demo"])["made"], false);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
    std::fs::rename(&path, path.with_extension("json.new")).unwrap();
    assert_eq!(program.json(&["demo"])["made"], false, "a crash before the last step is repaired");
    assert_eq!(std::fs::read_to_string(&path).unwrap(), first);
    std::fs::remove_file(&path).unwrap();
    assert!(program.refusal(&["demo"]).contains("begin anew"));
}

#[actix_web::test]
async fn wrong_settings_stop_the_start_with_their_names() {
    let mut program = Program::new().await;
    std::fs::write(program.folder.path().join("idp.toml"), "[http]\nlissten = \"x\"\n[tokens]\ncode_seconds = 1\n")
        .unwrap();
    let refusal = program.refusal(&["serve", "--config", "idp.toml"]);
    assert!(refusal.contains("lissten") && refusal.contains("idp.toml"), "{refusal}");
    assert!(refusal.contains("tokens.code_seconds"), "all at once: {refusal}");
    program.variables.push(("TENANTRY_IDP__HTTP__WORKERS".into(), "many".into()));
    assert!(program.refusal(&["config", "check"]).contains("TENANTRY_IDP__HTTP__WORKERS"));
}

#[actix_web::test]
async fn production_refuses_what_is_not_safe() {
    let mut program = Program::new().await;
    program.json(&["migrate"]);
    program.json(&["demo"]);
    program.variables.push(("TENANTRY_IDP__MODE".into(), "production".into()));
    program.variables.push(("TENANTRY_IDP__HTTP__PUBLIC_URL".into(), "http://id.example.com".into()));
    std::fs::set_permissions(program.folder.path().join("keys.json"), PermissionsExt::from_mode(0o644)).unwrap();
    let refusal = program.refusal(&["serve"]);
    for key in ["http.public_url", "keys.key_encryption_file", "passwords.argon2_memory_kib"] {
        assert!(refusal.contains(key), "{key}: {refusal}");
    }
}

#[test]
fn the_reference_of_the_configuration_is_up_to_date() {
    let output = Command::new(env!("CARGO_BIN_EXE_tenantry-idp")).args(["config", "reference"]).output().unwrap();
    let reference = String::from_utf8(output.stdout).unwrap();
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/configuration.md");
    let page = std::fs::read_to_string(page).unwrap_or_default();
    assert!(page.contains(reference.trim()), "docs/configuration.md is stale: run `make docs`");
}
