//! `/admin/v1/tenants`.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{Managed, new_id, pointers, problem};
use crate::support::{Browser, Reply, authorization, http};

fn acme_health() -> (Value, String) {
    let id = new_id();
    let body = json!({
        "slug": "health", "name": "Acme Health",
        "administrator": {"id": id, "email": "boss@health.example", "password": "a long enough password", "given_name": "Bo"},
    });
    (body, id)
}

#[actix_web::test]
async fn a_tenant_is_made_with_everything_and_a_repeat_gives_the_same() {
    let managed = Managed::start().await;
    let path = format!("/tenants/{}", new_id());
    let (body, administrator) = acme_health();
    let made = managed.put(&path, body.clone()).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let tenant = &made.body["data"];
    assert_eq!(tenant["issuer"], format!("{}/t/health", managed.idp.base));
    assert_eq!((&tenant["status"], &tenant["is_platform"]), (&json!("active"), &json!(false)));

    let user = managed.get(&format!("{path}/users/{administrator}")).await.body["data"].clone();
    assert_eq!(user["roles"], json!(["administrator"]));
    assert_eq!((&user["username"], &user["email_verified"]), (&json!("boss@health.example"), &json!(false)));
    let discovery = format!("{}/t/health/.well-known/openid-configuration", managed.idp.base);
    assert_eq!(http().get(discovery).send().await.unwrap().status(), 200);

    let mut again = body.clone();
    again["administrator"]["password"] = json!("another long password");
    again["name"] = json!("A name that it had later");
    let repeated = managed.put(&path, again).await;
    assert_eq!((repeated.status, &repeated.body["data"]), (200, tenant));
    let id = tenant["id"].as_str().unwrap().parse().unwrap();
    let kinds: Vec<_> = managed.events(id).await.into_iter().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, ["tenant-created", "user-created", "credential-change"]);

    let mut other = body.clone();
    other["slug"] = json!("wealth");
    let other = managed.put(&path, other).await;
    assert_eq!((problem(&other), pointers(&other)), ((409, "id-taken"), vec!["/slug"]));
    let mut other = body.clone();
    other["administrator"]["email"] = json!("chief@health.example");
    let other = managed.put(&path, other).await;
    assert_eq!((problem(&other), pointers(&other)), ((409, "id-taken"), vec!["/administrator/email"]));
    let taken = managed.put(&format!("/tenants/{}", new_id()), body).await;
    assert_eq!((problem(&taken), pointers(&taken)), ((409, "conflict"), vec!["/slug"]));
}

#[actix_web::test]
async fn everything_wrong_with_a_tenant_is_told_at_once() {
    let managed = Managed::start().await;
    let path = format!("/tenants/{}", new_id());
    let wrong = managed
        .put(
            &path,
            json!({
                "slug": "A b", "status": "gone", "more": 1,
                "administrator": {"email": "nobody", "password": "short", "roles": {}, "phone": "1"},
            }),
        )
        .await;
    let expected = [
        "/slug",
        "/name",
        "/status",
        "/administrator/id",
        "/administrator/roles",
        "/administrator/email",
        "/administrator/password",
        "/administrator/phone",
        "/more",
    ];
    assert_eq!((problem(&wrong), pointers(&wrong)), ((422, "invalid-input"), expected.to_vec()));
    assert_eq!(managed.get(&path).await.status, 404);
    assert_eq!(managed.put("/tenants/not-an-id", json!({})).await.status, 404);
    assert_eq!(managed.put(&path, json!([])).await.status, 422);
    let wrong = managed.patch(&managed.acme(""), json!({"name": null, "status": "x", "slug": "acme"})).await;
    assert_eq!(pointers(&wrong), ["/status", "/name", "/slug"]);
}

#[actix_web::test]
async fn of_two_at_once_one_makes_the_tenant_and_both_get_it() {
    let managed = Managed::start().await;
    let path = format!("/tenants/{}", new_id());
    let (body, _) = acme_health();
    let replies = join_all((0..4).map(|_| managed.put(&path, body.clone()))).await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 201], "{:?}", replies[0].body);
    // Other ids, the same short name.
    let mut body = body;
    body["slug"] = json!("wealth");
    body["administrator"] = Value::Null;
    let replies = join_all((0..4).map(|_| {
        let (managed, body) = (&managed, body.clone());
        async move { managed.put(&format!("/tenants/{}", new_id()), body).await }
    }))
    .await;
    let mut statuses: Vec<_> = replies.iter().map(|reply| reply.status).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409]);
}

#[actix_web::test]
async fn tenants_are_listed_page_by_page_and_cursors_cannot_be_made_up() {
    let managed = Managed::start().await;
    for slug in ["one", "two", "three"] {
        managed.new_tenant(slug).await;
    }
    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = managed.get(&format!("/tenants{query}")).await;
        assert_eq!(page.status, 200, "{}", page.body);
        let data = page.body["data"].as_array().unwrap();
        assert!(data.len() <= 2);
        seen.extend(data.iter().map(|tenant| tenant["slug"].as_str().unwrap().to_owned()));
        let Some(next) = page.body["page"]["next"].as_str() else { break };
        query = format!("?limit=2&cursor={next}");
    }
    assert_eq!(seen.len(), 5, "{seen:?}");
    let found = managed.get("/tenants?slug=two").await.body["data"].clone();
    assert_eq!((found.as_array().unwrap().len(), &found[0]["slug"]), (1, &json!("two")));
    assert_eq!(managed.get("/tenants?status=suspended").await.body["data"], json!([]));

    let cursor = query.rsplit('=').next().unwrap();
    let forged = cursor.replace(&cursor[..1], if cursor.starts_with('A') { "B" } else { "A" });
    for bad in [format!("cursor={forged}"), format!("cursor={cursor}&status=active"), "cursor=x".into()] {
        assert_eq!(pointers(&managed.get(&format!("/tenants?{bad}")).await), ["cursor"], "{bad}");
    }
    let wrong = managed.get("/tenants?limit=201&slug=A&status=x&page=2").await;
    assert_eq!(pointers(&wrong), ["slug", "status", "limit", "page"]);
    assert_eq!(managed.get("/tenants?limit=2&limit=3").await.status, 422);
}

#[actix_web::test]
async fn a_tenant_is_read_again_only_when_it_changed() {
    let managed = Managed::start().await;
    let path = managed.acme("");
    let first = managed.get(&path).await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    let url = format!("{}/admin/v1{path}", managed.idp.base);
    let ask = || async {
        let request = http().get(&url).bearer_auth(&managed.token).header("if-none-match", &tag);
        Reply::of(request.send().await.unwrap()).await.status
    };
    assert_eq!(ask().await, 304);
    let renamed = managed.patch(&path, json!({"name": "Acme Two"})).await;
    assert_eq!((renamed.status, &renamed.body["data"]["name"]), (200, &json!("Acme Two")));
    assert_eq!(ask().await, 200);
    assert_eq!(managed.patch(&path, json!({"name": "Acme Two"})).await.status, 200);
    assert_eq!(managed.kinds().await, ["tenant-updated"], "what changes nothing leaves no trace");
    let missing = managed.get(&format!("/tenants/{}", new_id())).await;
    assert_eq!(problem(&missing), (404, "tenant-not-found"));
    let missing = managed.patch(&format!("/tenants/{}", new_id()), json!({"name": "x"})).await;
    assert_eq!(problem(&missing), (404, "tenant-not-found"));
}

#[actix_web::test]
async fn a_suspended_tenant_is_switched_off_at_once_but_its_keys_stay_published() {
    // What is remembered must not keep the change from being seen.
    let managed = Managed::start_with(|config| config.cache.seconds = 60).await;
    let idp = &managed.idp;
    let tokens = idp.tokens().await;
    let suspended = managed.patch(&managed.acme(""), json!({"status": "suspended"})).await;
    assert_eq!(suspended.body["data"]["status"], "suspended");
    let refreshed = idp.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.status, 404, "{}", refreshed.body);
    let page = Browser::new().authorize(idp, &authorization(&[])).await;
    assert_eq!(page.status, 404);
    assert_eq!(http().get(idp.url("/oauth2/jwks")).send().await.unwrap().status(), 200);
    let record = format!("{}/.well-known/tenantry/issuer?issuer={}", idp.base, idp.issuer);
    let record = Reply::of(http().get(record).send().await.unwrap()).await;
    assert_eq!((record.status, &record.body["tenant"]["status"]), (200, &json!("suspended")));

    managed.patch(&managed.acme(""), json!({"status": "active"})).await;
    let refreshed = idp.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.error(), (400, "invalid_grant"), "grants end with the suspension");
    assert_eq!(managed.kinds().await, ["tenant-updated", "tenant-updated"]);

    let platform = managed.get("/tenants?slug=platform").await.body["data"][0]["id"].clone();
    let refused =
        managed.patch(&format!("/tenants/{}", platform.as_str().unwrap()), json!({"status": "inactive"})).await;
    assert_eq!(problem(&refused), (409, "conflict"));
}
