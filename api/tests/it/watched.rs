//! What leaves an entry in the audit trail although nothing changes: taking much away, and looking into another tenant.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{TestApi, problem};

const NOTHING: &Value = &Value::Null;

/// The entries about something, as whoever may read them sees them.
async fn entries(api: &TestApi, token: &str, query: &str) -> Vec<Value> {
    let path = format!("/api/v1/audit/entries?limit=200&{query}");
    api.done_as(token, Method::GET, &path, NOTHING).await.as_array().unwrap().clone()
}

/// What the one of these entries that tells of a member says of it: they are of one moment, and in any order.
fn told(entries: &[Value], member: &str) -> Value {
    let after = |entry: &Value| entry["changes"][format!("/{member}")]["after"].clone();
    entries.iter().map(after).find(|value| !value.is_null()).unwrap_or_default()
}

#[actix_web::test]
async fn an_export_says_who_took_what_and_how_much() {
    let api = TestApi::start().await;
    let (admin, member) = (api.administrator(), api.user(&["member"], "api"));
    let (id, _) = (api.id_of(&admin).await, api.id_of(&member).await);
    let taken = api.get_as("/api/v1/users/export?format=csv&status=active", &admin).await.text().await.unwrap();
    let rows = taken.lines().count() - 1;
    let both = entries(&api, &admin, "action=account.export").await;
    assert_eq!(both.len(), 2, "{both:?}");
    assert!(both.iter().all(|entry| entry["actor"]["id"] == id));
    assert_eq!(both[0]["request_id"], both[1]["request_id"]);
    assert_eq!(told(&both, "query"), "format=csv&status=active");
    assert_eq!((told(&both, "exported"), told(&both, "is_whole")), (json!(rows), json!(true)));

    let taken = api.get_as("/api/v1/audit/export?action=account.export", &admin).await.text().await.unwrap();
    let both = entries(&api, &admin, "action=audit.export").await;
    assert_eq!(told(&both, "query"), "action=account.export");
    assert_eq!(told(&both, "exported"), json!(taken.lines().count()));
    // Who is refused takes nothing.
    problem(api.get_as("/api/v1/users/export", &member).await, StatusCode::FORBIDDEN).await;
    problem(api.get_as("/api/v1/users/export?format=xml", &admin).await, StatusCode::UNPROCESSABLE_ENTITY).await;
    assert_eq!(entries(&api, &admin, "action=account.export").await.len(), 2);
}

#[actix_web::test]
async fn what_cannot_be_noted_is_not_sent() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    api.execute("DROP TABLE audit_unsealed").await;
    for path in ["/api/v1/users/export", "/api/v1/audit/export"] {
        problem(api.get_as(path, &admin).await, StatusCode::INTERNAL_SERVER_ERROR).await;
    }
}

#[actix_web::test]
async fn a_tenant_sees_that_the_platform_looked_at_it() {
    let api = TestApi::start().await;
    let (admin, platform) = (api.administrator(), api.platform());
    let (_, visitor) = (api.id_of(&admin).await, api.id_of(&platform).await);
    let tenant = api.idp.tenant("demo").id;
    let one = format!("/api/v1/tenants/{tenant}");
    let looks = [
        (one.clone(), "tenant.read", "tenant"),
        (format!("{one}/domains"), "tenant_domain.read", "tenant_domain"),
        (format!("{one}/modules"), "tenant_module.read", "tenant_module"),
        (format!("{one}/config"), "tenant_settings.read", "tenant_settings"),
    ];
    for (path, action, kind) in &looks {
        assert_eq!(api.get_as(path, &platform).await.status(), StatusCode::OK);
        let looked = entries(&api, &admin, &format!("action={action}")).await;
        assert_eq!(looked.len(), 1, "{path}");
        assert_eq!((&looked[0]["actor"]["id"], &looked[0]["target"]["kind"]), (&json!(visitor), &json!(kind)));
        assert_eq!(looked[0]["actor"]["tenant_id"], json!(api.idp.tenant("platform").id));
        // To look at one's own is nothing to tell.
        assert_eq!(api.get_as(path, &admin).await.status(), StatusCode::OK);
        assert_eq!(entries(&api, &admin, &format!("action={action}")).await.len(), 1, "{path}");
    }
    // And nothing is told of what was not shown.
    let other = api.user(&["member"], "api");
    problem(api.get_as(&one, &other).await, StatusCode::FORBIDDEN).await;
    let nobody = "/api/v1/tenants/0190b2c4-0000-7000-8000-000000000001";
    problem(api.get_as(nobody, &platform).await, StatusCode::NOT_FOUND).await;
    assert_eq!(entries(&api, &admin, "action=tenant.read").await.len(), 1);
}
