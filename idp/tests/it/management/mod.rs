//! `/admin/v1`. Modules mirror the URLs.

mod access;
mod isolation;
mod resources;
mod sessions;
mod tenants;
mod users;

use diesel::RunQueryDsl as _;
use reqwest::Method;
use serde_json::{Value, json};
use tenantry_db::{Connection, DbError, TenantScope};
use tenantry_idp::Config;
use tenantry_idp::audit::Author;
use tenantry_idp::clients::{self, AuthMethod, GrantType};
use tenantry_idp::provision::{NewTenant, ProvisionError, Provisioner};
use tenantry_idp::tenants::TenantStatus;
use tenantry_types::{Id, Sha256Hash, SystemClock, SystemRandom, TenantId};

use crate::support::{Reply, SECRET, TestIdp, http, new_client};

pub const ALL: &str = "admin.read admin.tenants admin.users admin.clients";

/// An identity provider with a platform tenant, and a program of the operator with all scopes.
pub struct Managed {
    pub idp: TestIdp,
    pub token: String,
}

/// Makes the platform tenant with the client `api`.
pub async fn add_platform(idp: &TestIdp) -> TenantId {
    let provisioner = Provisioner {
        maker: idp.maker.clone(),
        console: idp.config.console.url.clone(),
        public_url: idp.config.http.public_url.clone(),
    };
    let author = Author::operator(idp.clock.clone(), idp.maker.random.clone());
    let new = NewTenant {
        id: new_id().parse().unwrap(),
        slug: "platform".parse().unwrap(),
        name: "Platform".parse().unwrap(),
        status: TenantStatus::Active,
        is_platform: true,
    };
    let mut client = new_client("api");
    client.auth_method = AuthMethod::ClientSecretPost;
    client.secret = Some(Sha256Hash::of(SECRET));
    client.grant_types = [GrantType::ClientCredentials].into();
    client.redirect_uris = vec![];
    client.post_logout_redirect_uris = vec![];
    client.scope = format!("{ALL} tenant_settings.read").parse().unwrap();
    let id = new.id;
    idp.db
        .write(move |conn| {
            let tenant = provisioner.establish(conn, &author, &new)?;
            clients::store::insert(conn, TenantScope::system(tenant.id, "test"), &*author.clock, &client)?;
            Ok::<_, ProvisionError>(())
        })
        .await
        .unwrap();
    id
}

/// What the token endpoint of a tenant answers the client `client`.
pub async fn ask_token(idp: &TestIdp, slug: &str, client: &str, scope: &str) -> Reply {
    let form =
        [("grant_type", "client_credentials"), ("client_id", client), ("client_secret", SECRET), ("scope", scope)];
    let url = format!("{}/t/{slug}/oauth2/token", idp.base);
    Reply::of(http().post(url).form(&form).send().await.unwrap()).await
}

impl Managed {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let idp = TestIdp::start_with(change).await;
        add_platform(&idp).await;
        let token = ask_token(&idp, "platform", "api", ALL).await.text("access_token").to_owned();
        Self { idp, token }
    }

    /// Changes the database behind the server's back.
    pub async fn execute(&self, sql: &'static str) {
        let work = move |conn: &mut Connection| Ok::<_, DbError>(diesel::sql_query(sql).execute(conn)?);
        self.idp.db.write(work).await.unwrap();
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<&Value>) -> Reply {
        self.send_as(&self.token, method, path, body).await
    }

    pub async fn send_as(&self, token: &str, method: Method, path: &str, body: Option<&Value>) -> Reply {
        let mut request = http().request(method, format!("{}/admin/v1{path}", self.idp.base)).bearer_auth(token);
        if let Some(body) = body {
            request = request.json(body);
        }
        Reply::of(request.send().await.unwrap()).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(Method::GET, path, None).await
    }

    #[allow(clippy::needless_pass_by_value, reason = "bodies are written where they are sent")]
    pub async fn put(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PUT, path, Some(&body)).await
    }

    #[allow(clippy::needless_pass_by_value, reason = "bodies are written where they are sent")]
    pub async fn patch(&self, path: &str, body: Value) -> Reply {
        self.send(Method::PATCH, path, Some(&body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(Method::DELETE, path, None).await
    }

    /// A path below the tenant `acme`.
    pub fn acme(&self, path: &str) -> String {
        format!("/tenants/{}{path}", self.idp.tenant.id)
    }

    /// A new tenant; its path.
    pub async fn new_tenant(&self, slug: &str) -> String {
        let path = format!("/tenants/{}", new_id());
        let reply = self.put(&path, json!({"slug": slug, "name": slug})).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        path
    }

    /// A new person of `acme` with this name; the path.
    pub async fn new_user(&self, name: &str, body: Value) -> String {
        let path = self.acme(&format!("/users/{}", new_id()));
        let mut wanted = json!({"email": format!("{name}@acme.example"), "username": name});
        wanted.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        let reply = self.put(&path, wanted).await;
        assert_eq!(reply.status, 201, "{}", reply.body);
        path
    }

    /// The kinds and payloads of the events of a tenant, oldest first, without what their URIs begin with.
    pub async fn events(&self, tenant: TenantId) -> Vec<(String, Value)> {
        let scope = TenantScope::system(tenant, "test");
        let events =
            self.idp.db.read(move |conn| tenantry_idp::events::store::waiting(conn, scope, 1_000)).await.unwrap();
        let short = |kind: &str| kind.rsplit(['/', ':']).next().unwrap().to_owned();
        events.into_iter().map(|event| (short(&event.kind), event.payload.into_inner())).collect()
    }

    /// The kinds of the events of `acme`.
    pub async fn kinds(&self) -> Vec<String> {
        self.events(self.idp.tenant.id).await.into_iter().map(|(kind, _)| kind).collect()
    }
}

pub fn new_id() -> String {
    Id::<()>::new(&SystemClock, &SystemRandom).to_string()
}

/// Where the input was found wrong.
pub fn pointers(reply: &Reply) -> Vec<&str> {
    let errors = reply.body["errors"].as_array().unwrap_or_else(|| panic!("{}", reply.body));
    errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

/// The end of the type of a problem.
pub fn problem(reply: &Reply) -> (u16, &str) {
    (reply.status, reply.body["type"].as_str().unwrap_or_default().rsplit('/').next().unwrap())
}
