//! Both programs, each in a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use serde_json::Value;
use tempfile::TempDir;
use tenantry_db::{Db, DbError};
use tenantry_testing::{ServiceProcess, TestDatabase, free_port};

/// The program of this service, and beside it that of the identity provider: `cargo test --workspace` builds both.
const API: &str = env!("CARGO_BIN_EXE_tenantry-api");

/// Both services on their databases.
pub struct Services {
    pub idp: Service,
    pub api: Service,
    _folder: TempDir,
}

/// One service, which runs or does not.
pub struct Service {
    pub url: String,
    _database: TestDatabase,
    db: Db,
    program: PathBuf,
    folder: PathBuf,
    variables: Vec<(String, String)>,
    process: Mutex<Option<ServiceProcess>>,
}

impl Services {
    pub async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let api = program("TENANTRY_API_PROGRAM").unwrap_or_else(|| PathBuf::from(API));
        let beside = Path::new(API).with_file_name("tenantry-idp");
        let idp = program("TENANTRY_IDP_PROGRAM").unwrap_or(beside);
        assert!(idp.exists(), "{} is not there: cargo build -p tenantry-idp", idp.display());
        let (idp_port, api_port) = (free_port(), free_port());
        let (idp_url, api_url) = (format!("http://localhost:{idp_port}"), format!("http://localhost:{api_port}"));
        let idp_variables = [
            ("HTTP__LISTEN", format!("127.0.0.1:{idp_port}")),
            ("HTTP__PUBLIC_URL", idp_url.clone()),
            ("HTTP__WORKERS", "2".to_owned()),
            ("METRICS__LISTEN", "127.0.0.1:0".to_owned()),
            ("KEYS__KEY_ENCRYPTION_FILE", folder.path().join("idp.keys.json").display().to_string()),
            ("PASSWORDS__ARGON2_MEMORY_KIB", "64".to_owned()),
            ("PASSWORDS__ARGON2_PASSES", "1".to_owned()),
            ("TOKENS__AUDIENCE", api_url.clone()),
            ("TOKENS__ACCESS_TOKEN_SECONDS", "86400".to_owned()),
            ("CONSOLE__URL", api_url.clone()),
            ("EVENTS__PUSH_URL", format!("{api_url}/api/v1/security-events")),
        ];
        let api_variables = [
            ("HTTP__LISTEN", format!("127.0.0.1:{api_port}")),
            ("HTTP__PUBLIC_URL", api_url.clone()),
            ("HTTP__WORKERS", "2".to_owned()),
            ("METRICS__LISTEN", "127.0.0.1:0".to_owned()),
            ("IDP__URL", idp_url.clone()),
            ("IDP__MANAGEMENT__KEY_FILE", folder.path().join("client.pem").display().to_string()),
            ("KEYRING__PATH", folder.path().join("api.key").display().to_string()),
            // Everything comes from one address and a few clients.
            ("RATE_LIMITS__ENABLED", "false".to_owned()),
        ];
        let idp = Service::new(idp, "TENANTRY_IDP__", &idp_variables, idp_url, folder.path()).await;
        let api = Service::new(api, "TENANTRY_API__", &api_variables, api_url, folder.path()).await;
        let services = Self { idp, api, _folder: folder };
        services.introduce().await;
        services.idp.serve().await;
        services.api.serve().await;
        services
    }

    /// Makes this service a client of the platform tenant, as `make run` does.
    async fn introduce(&self) {
        self.idp.run(&["migrate"]).await;
        self.api.run(&["migrate"]).await;
        self.idp.run(&["tenant", "create", "--slug", "platform", "--name", "Platform", "--platform"]).await;
        let keys = self.api.run(&["keys", "client"]).await;
        let file = self.api.folder.join("client.jwks");
        std::fs::write(&file, keys).unwrap();
        let scope = "admin.read admin.tenants admin.users admin.clients";
        let mut arguments = vec!["client", "create", "--tenant", "platform", "--name", "API", "--type", "machine"];
        arguments.extend(["--client-id", "tenantry-api", "--auth-method", "private_key_jwt", "--scope", scope]);
        arguments.extend(["--jwks-file", file.to_str().unwrap()]);
        self.idp.run(&arguments).await;
    }

    /// Registers a machine, and gives a token of it.
    pub async fn machine(&self, tenant: &str, id: &str, scope: &str) -> String {
        let mut arguments = vec!["client", "create", "--tenant", tenant, "--name", "Machine", "--type", "machine"];
        arguments.extend(["--client-id", id, "--scope", scope, "--json"]);
        let client: Value = serde_json::from_str(&self.idp.run(&arguments).await).unwrap();
        let request = crate::support::client()
            .post(format!("{}/t/{tenant}/oauth2/token", self.idp.url))
            .basic_auth(id, client["client_secret"].as_str())
            .form(&[("grant_type", "client_credentials"), ("scope", scope)]);
        let answer: Value = request.send().await.unwrap().json().await.unwrap();
        answer["access_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
    }
}

fn program(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|path| !path.is_empty()).map(PathBuf::from)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
}

impl Service {
    async fn new(program: PathBuf, prefix: &str, own: &[(&str, String)], url: String, folder: &Path) -> Self {
        let database = TestDatabase::create().await;
        let own = own.iter().map(|(key, value)| (format!("{prefix}{key}"), value.clone()));
        let at = (format!("{prefix}DATABASE__URL"), database.url().to_string());
        let variables = own.chain([at]).collect();
        let db = database.open().await;
        Self { url, _database: database, db, program, folder: folder.to_owned(), variables, process: Mutex::default() }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.args(arguments).current_dir(&self.folder).env_clear();
        command.envs(self.variables.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Runs a command to its end, and gives what it prints.
    pub async fn run(&self, arguments: &[&str]) -> String {
        let mut command = self.command(arguments);
        command.stdin(Stdio::null());
        let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{arguments:?}: {text}{}", String::from_utf8_lossy(&output.stderr));
        text
    }

    /// Serves, once it listens.
    pub async fn serve(&self) {
        let command = self.command(&["serve"]);
        let process = tokio::task::spawn_blocking(move || ServiceProcess::start(command)).await.unwrap();
        *self.process.lock().unwrap() = Some(process);
    }

    /// Ends it without warning.
    pub fn kill(&self) {
        self.process.lock().unwrap().take().unwrap().kill();
    }

    /// What it has written to its log since it was started last.
    pub fn log(&self) -> String {
        self.process.lock().unwrap().as_ref().map(ServiceProcess::log).unwrap_or_default()
    }

    /// What a query finds in its column `value`.
    pub async fn texts(&self, query: &str) -> Vec<String> {
        let query = query.to_owned();
        let rows = self.db.read(move |conn| Ok::<_, DbError>(sql_query(&query).load::<Row>(conn)?)).await;
        rows.unwrap().into_iter().map(|row| row.value).collect()
    }

    /// The rows of a table, which can have a `WHERE` after its name.
    pub async fn count(&self, table: &str) -> usize {
        let found = self.texts(&format!("SELECT concat(COUNT(*), '') AS value FROM {table}")).await;
        found[0].parse().unwrap()
    }

    /// Does this to the rows.
    pub async fn execute(&self, statement: &'static str) {
        self.db.write(move |conn| Ok::<_, DbError>(sql_query(statement).execute(conn)?)).await.unwrap();
    }
}
