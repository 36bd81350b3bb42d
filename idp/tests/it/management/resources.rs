//! Domains, members and clients of a tenant.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{Managed, new_id, pointers, problem};
use crate::support::{Reply, http};

#[actix_web::test]
async fn a_domain_is_one_tenants_and_leads_to_its_issuer() {
    let managed = Managed::start().await;
    let one = managed.acme("/domains/login.acme.example");
    let made = managed.put(&one, json!({"is_primary": true})).await;
    assert_eq!((made.status, &made.body["data"]["is_primary"]), (201, &json!(true)), "{}", made.body);
    assert_eq!(managed.put(&one, json!({})).await.status, 200);
    let second = managed.put(&managed.acme("/domains/SSO.acme.example"), json!({"is_primary": true})).await;
    assert_eq!(second.body["data"]["domain"], "sso.acme.example");
    assert_eq!(managed.get(&one).await.body["data"]["is_primary"], false, "there is one primary domain");
    let jwks = format!("{}/oauth2/jwks", managed.idp.base);
    let jwks = http().get(jwks).header("host", "login.acme.example").send().await.unwrap();
    assert_eq!(jwks.status(), 200);

    let other = managed.new_tenant("other").await;
    let taken = managed.put(&format!("{other}/domains/login.acme.example"), json!({})).await;
    assert_eq!((problem(&taken), pointers(&taken)), ((409, "conflict"), vec!["/domain"]));
    assert_eq!(problem(&managed.get(&format!("{other}/domains/login.acme.example")).await), (404, "domain-not-found"));
    let wrong = managed.put(&managed.acme("/domains/nonsense"), json!({"is_primary": 1, "more": 1})).await;
    assert_eq!(pointers(&wrong), ["domain", "/is_primary", "/more"]);
    let listed = managed.get(&managed.acme("/domains?limit=1")).await;
    let next = listed.body["page"]["next"].as_str().unwrap();
    let rest = managed.get(&managed.acme(&format!("/domains?cursor={next}"))).await;
    assert_eq!(rest.body["data"][0]["domain"], "sso.acme.example");
    for _ in 0..2 {
        assert_eq!(managed.delete(&one).await.status, 204);
    }
    assert_eq!(managed.get(&one).await.status, 404);
    assert!(managed.kinds().await.iter().all(|kind| kind == "tenant-updated"));
    let nowhere = format!("/tenants/{}/domains/login.x.example", new_id());
    assert_eq!(problem(&managed.put(&nowhere, json!({})).await), (404, "tenant-not-found"));
}

#[actix_web::test]
async fn a_person_of_another_tenant_is_a_member_with_roles_of_their_own() {
    let managed = Managed::start().await;
    let other = managed.new_tenant("other").await;
    let member = format!("{other}/members/{}", managed.idp.user);
    let replies = join_all((0..3).map(|_| managed.put(&member, json!({})))).await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 201]);
    assert_eq!(replies[0].body["data"]["home_tenant_id"], json!(managed.idp.tenant.id));
    let person = format!("{other}/users/{}", managed.idp.user);
    let given = managed.put(&format!("{person}/roles"), json!({"version": 2, "names": ["guest"]})).await;
    assert_eq!((given.status, &given.body["data"]["roles"]), (200, &json!(["guest"])), "{}", given.body);
    let at_home = managed.get(&managed.acme(&format!("/users/{}", managed.idp.user))).await;
    assert_eq!(at_home.body["data"]["roles"], json!(["administrator"]));
    assert_eq!(managed.get(&format!("{other}/users")).await.body["data"], json!([]), "members live elsewhere");
    assert_eq!(managed.get(&format!("{other}/members")).await.body["data"].as_array().unwrap().len(), 1);
    assert_eq!(problem(&managed.patch(&person, json!({})).await), (404, "user-not-found"));

    assert_eq!(
        problem(&managed.put(&managed.acme(&format!("/members/{}", managed.idp.user)), json!({})).await),
        (409, "conflict")
    );
    let nobody = managed.put(&format!("{other}/members/{}", new_id()), json!({})).await;
    assert_eq!(problem(&nobody), (404, "user-not-found"));
    assert_eq!(pointers(&managed.put(&member, json!({"role": "x"})).await), ["/role"]);
    for _ in 0..2 {
        assert_eq!(managed.delete(&member).await.status, 204);
    }
    assert_eq!(managed.get(&person).await.status, 404);
    let id = other.rsplit('/').next().unwrap().parse().unwrap();
    let kinds: Vec<_> = managed.events(id).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(
        kinds,
        ["tenant-created", "membership-created", "user-updated", "session-revoked", "membership-deleted"]
    );
}

#[actix_web::test]
async fn a_client_is_registered_used_changed_and_removed() {
    let managed = Managed::start().await;
    let path = managed.acme("/clients/robot");
    let body = json!({
        "name": "Robot", "token_endpoint_auth_method": "client_secret_post", "grant_types": ["client_credentials"],
        "scope": "tenant_settings.read",
    });
    let made = managed.put(&path, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let secret = made.body["data"]["client_secret"].as_str().unwrap().to_owned();
    let again = managed.put(&path, body.clone()).await;
    assert_eq!((again.status, again.body["data"].get("client_secret")), (200, None));
    let token = |secret: String| {
        let form = [
            ("grant_type", "client_credentials".to_owned()),
            ("client_id", "robot".to_owned()),
            ("client_secret", secret),
        ];
        let request = http().post(managed.idp.url("/oauth2/token")).form(&form);
        async move { Reply::of(request.send().await.unwrap()).await.status }
    };
    assert_eq!(token(secret.clone()).await, 200);
    let rotated =
        managed.send(Method::POST, &format!("{path}/rotate-secret"), Some(&json!({"keep_old_seconds": 0}))).await;
    let new = rotated.body["data"]["client_secret"].as_str().unwrap().to_owned();
    assert_eq!((token(secret).await, token(new.clone()).await), (401, 200));
    let changed = managed.patch(&path, json!({"is_active": false, "name": "Idle"})).await;
    assert_eq!((changed.status, &changed.body["data"]["name"]), (200, &json!("Idle")));
    assert_eq!(token(new.clone()).await, 401);
    managed.patch(&path, json!({"is_active": true})).await;
    assert_eq!(token(new.clone()).await, 200);

    let mut other = body.clone();
    other["token_endpoint_auth_method"] = json!("client_secret_basic");
    let other = managed.put(&path, other).await;
    assert_eq!((problem(&other), pointers(&other)), ((409, "id-taken"), vec!["/token_endpoint_auth_method"]));
    let wrong = managed
        .put(
            &managed.acme("/clients/bad"),
            json!({"grant_types": ["x"], "redirect_uris": ["y"], "client_uri": "z", "q": 1}),
        )
        .await;
    let expected =
        ["/name", "/token_endpoint_auth_method", "/grant_types/0", "/redirect_uris/0", "/client_uri", "/scope", "/q"];
    assert_eq!(pointers(&wrong), expected);
    let mut greedy = body;
    greedy["scope"] = json!("admin.read");
    let greedy = managed.put(&managed.acme("/clients/greedy"), greedy).await;
    assert_eq!((greedy.status, pointers(&greedy)), (422, vec!["/scope"]), "only of platform tenants");
    let listed = managed.get(&managed.acme("/clients?limit=2")).await;
    assert!(listed.body["page"]["next"].is_string());
    let public = managed.send(Method::POST, &managed.acme("/clients/app/rotate-secret"), Some(&json!({}))).await;
    assert_eq!(problem(&public), (409, "conflict"));
    for _ in 0..2 {
        assert_eq!(managed.delete(&path).await.status, 204);
    }
    assert_eq!(problem(&managed.get(&path).await), (404, "client-not-found"));
    assert_eq!(token(new).await, 401);
}
