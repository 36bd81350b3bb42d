//! No tenant but the platform's gets anywhere here, and what is in one tenant is reached through that tenant's paths only:
//! every operation of the OpenAPI document is tried.

use reqwest::Method;
use serde_json::{Value, json};
use tenantry_db::TenantScope;
use tenantry_idp::keys::{KeyError, store};
use tenantry_jose::SigningKey;
use tenantry_types::TenantId;

use super::{ALL, Managed, new_id};
use crate::support::{Reply, claims, http};

/// The operations that reach somebody of another tenant because that is what they are for. This list may only shrink.
const ON_PURPOSE: &[&str] = &["PUT /admin/v1/tenants/{tenant_id}/members/{user_id}"];

struct Operation {
    method: Method,
    path: String,
    example: Option<Value>,
}

/// The operations that need a token; what removes things comes last.
async fn operations(managed: &Managed) -> Vec<Operation> {
    let document = managed.get("/openapi.json").await.body;
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, described) in item.as_object().unwrap() {
            if described["security"].as_array().is_some_and(|needed| !needed.is_empty()) {
                operations.push(Operation {
                    method: method.to_uppercase().parse().unwrap(),
                    path: path.clone(),
                    example: described.pointer("/requestBody/content/application~1json/example").cloned(),
                });
            }
        }
    }
    operations.sort_by_key(|operation| operation.method == Method::DELETE);
    assert!(operations.len() > 20);
    operations
}

impl Operation {
    fn name(&self) -> String {
        format!("{} {}", self.method, self.path)
    }

    async fn send(&self, managed: &Managed, token: &str, path: &str) -> Reply {
        let path = path.strip_prefix("/admin/v1").unwrap();
        managed.send_as(token, self.method.clone(), path, self.example.as_ref()).await
    }
}

/// A tenant with a person, a domain and a client that are called after it.
struct Tenant {
    id: TenantId,
    user: String,
    marker: String,
}

impl Tenant {
    async fn make(managed: &Managed, slug: &str) -> Self {
        let path = managed.new_tenant(slug).await;
        let (user, marker) = (new_id(), format!("known-to-{slug}-only"));
        let person = json!({"email": format!("{marker}@mail.example"), "username": marker, "display_name": marker});
        let client = json!({"name": marker, "token_endpoint_auth_method": "none", "grant_types": ["authorization_code"],
            "redirect_uris": [format!("https://{marker}.example/callback")], "scope": "openid"});
        for (path, body) in [
            (format!("{path}/users/{user}"), person),
            (format!("{path}/domains/{marker}.example"), json!({})),
            (format!("{path}/clients/{marker}"), client),
        ] {
            let made = managed.put(&path, body).await;
            assert_eq!(made.status, 201, "{}", made.body);
        }
        Self { id: path.rsplit('/').next().unwrap().parse().unwrap(), user, marker }
    }

    /// The path in the tenant `at` to what this one has.
    fn path(&self, template: &str, at: TenantId) -> String {
        let path = template.replace("{tenant_id}", at.as_str()).replace("{user_id}", &self.user);
        // Nobody is signed in.
        let path = path.replace("{session_id}", &new_id());
        path.replace("{domain}", &format!("{}.example", self.marker)).replace("{client_id}", &self.marker)
    }

    /// All that there is to read of it.
    async fn picture(&self, managed: &Managed, operations: &[Operation]) -> Vec<String> {
        let mut seen = Vec::new();
        for operation in operations.iter().filter(|operation| operation.method == Method::GET) {
            // What lists all tenants is not of this one.
            if operation.path.contains("{tenant_id}") {
                let reply = operation.send(managed, &managed.token, &self.path(&operation.path, self.id)).await;
                // A problem names its own request.
                let body = if reply.status == 200 { reply.body.to_string() } else { String::new() };
                seen.push(format!("{} {} {body}", operation.path, reply.status));
            }
        }
        assert!(seen.iter().filter(|seen| seen.contains(&self.marker)).count() >= 6, "{seen:?}");
        seen
    }
}

/// What a tenant signs with.
async fn signing_key(managed: &Managed, tenant: TenantId) -> SigningKey {
    let (scope, maker) = (TenantScope::system(tenant, "test"), managed.idp.maker.clone());
    let load = managed.idp.db.write(move |conn| store::load_or_create(conn, scope, &maker));
    let keys: Result<_, KeyError> = load.await;
    keys.unwrap().keys()[0].key.clone()
}

#[actix_web::test]
async fn a_tenant_that_is_not_the_platforms_gets_nowhere() {
    let managed = Managed::start().await;
    let tenant = Tenant::make(&managed, "amber").await;
    let operations = operations(&managed).await;
    let before = tenant.picture(&managed, &operations).await;
    let good = claims(&managed.token);
    let sorted = |scope: &str| scope.split(' ').map(str::to_owned).collect::<std::collections::BTreeSet<_>>();
    assert_eq!(sorted(good["scope"].as_str().unwrap()), sorted(ALL));
    // All that a token needs, but of another tenant's own issuer, of the platform's with that tenant's signature, and of a
    // client that has the name of the operator's.
    let key = signing_key(&managed, managed.idp.tenant.id).await;
    managed.idp.add_client(|client| client.client_id = "api".parse().unwrap()).await;
    let with = |changes: &[(&str, &str)]| {
        let mut claims = good.clone();
        for (name, value) in changes {
            claims[*name] = json!(value);
        }
        key.sign_jwt("at+jwt", &claims).unwrap()
    };
    let (own, acme) = (managed.idp.issuer.as_str(), managed.idp.tenant.id.as_str());
    let tokens = [
        with(&[("iss", own)]),
        with(&[("iss", own), ("tenant_id", acme)]),
        with(&[("iss", own), ("tenant_id", acme), ("sub", "app"), ("client_id", "app")]),
        with(&[]),
        with(&[("tenant_id", acme)]),
    ];
    for operation in &operations {
        let path = tenant.path(&operation.path, tenant.id);
        for token in &tokens {
            let reply = operation.send(&managed, token, &path).await;
            assert_eq!(reply.status, 401, "{}: {}", operation.name(), reply.body);
            assert!(!reply.body.to_string().contains(&tenant.marker), "{}", reply.body);
        }
    }
    assert_eq!(tenant.picture(&managed, &operations).await, before);
}

#[actix_web::test]
async fn what_is_in_one_tenant_is_not_reached_through_another() {
    let managed = Managed::start().await;
    let (one, other) = (Tenant::make(&managed, "amber").await, Tenant::make(&managed, "birch").await);
    let operations = operations(&managed).await;
    let before = one.picture(&managed, &operations).await;
    for operation in operations.iter().filter(|operation| !ON_PURPOSE.contains(&operation.name().as_str())) {
        if !operation.path.contains("{tenant_id}") {
            continue;
        }
        let reply = operation.send(&managed, &managed.token, &one.path(&operation.path, other.id)).await;
        let what = format!("{}: {} {}", operation.name(), reply.status, reply.body);
        assert!(reply.status < 500, "{what}");
        if operation.method == Method::GET {
            // What names the thing of the one is not there; what does not, shows the other's.
            let names = operation.path.matches('{').count() > 1;
            assert_eq!(reply.status == 404, names, "{what}");
            assert!(!reply.body.to_string().contains(&one.marker), "{what}");
        }
    }
    assert_eq!(one.picture(&managed, &operations).await, before);
}

#[actix_web::test]
async fn cursors_are_good_for_the_list_of_one_tenant() {
    let managed = Managed::start().await;
    let (one, other) = (Tenant::make(&managed, "amber").await, Tenant::make(&managed, "birch").await);
    let made =
        managed.put(&format!("/tenants/{}/users/{}", one.id, new_id()), json!({"email": "second@mail.example"})).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let mut cursors = 0;
    for operation in operations(&managed).await.iter().filter(|operation| operation.method == Method::GET) {
        let at = |tenant: &Tenant| format!("{}{}?limit=1", managed.idp.base, tenant.path(&operation.path, tenant.id));
        let get =
            |url: String| async { Reply::of(http().get(url).bearer_auth(&managed.token).send().await.unwrap()).await };
        let page = get(at(&one)).await;
        let Some(cursor) = page.body["page"]["next"].as_str() else { continue };
        assert_eq!(get(format!("{}&cursor={cursor}", at(&one))).await.status, 200);
        if operation.path.contains("{tenant_id}") {
            cursors += 1;
            assert_eq!(get(format!("{}&cursor={cursor}", at(&other))).await.status, 422, "{}", operation.path);
        }
    }
    assert!(cursors >= 1, "{cursors}");
}
