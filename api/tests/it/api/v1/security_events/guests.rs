//! People of another tenant.

use super::*;

#[actix_web::test]
async fn somebody_of_another_tenant_is_a_guest_here() {
    let api = TestApi::start().await;
    let home = api.idp.add_tenant("home");
    let id = UserId::new(&*api.clock, &SystemRandom);
    let person = id.to_string();
    let mut guest = account(&api, &person, "guest@home.example", "active", 1);
    guest["tenant_id"] = json!(home.id);
    api.accounts.add(home.id, id, "guest@home.example");
    api.accounts.invite(api.idp.tenant("demo").id, id).await.unwrap();
    tell(&api, &event(&api, &person, &format!("{OWN}membership-created"), &json!({"user": guest}))).await;
    assert_eq!(api.texts("SELECT home_tenant_id AS value FROM users").await, [home.id.to_string()]);
}

/// Somebody was let in, dismissed and let in again before the event of their going came.
#[actix_web::test]
async fn a_guest_who_was_let_in_again_stays_when_the_event_of_their_going_is_late() {
    let api = TestApi::start().await;
    let admin = api.administrator();
    api.id_of(&admin).await;
    let (home, tenant) = (api.idp.add_tenant("home"), api.idp.tenant("demo").id);
    let id = UserId::new(&*api.clock, &SystemRandom);
    api.accounts.add(home.id, id, "guest@home.example");
    let path = format!("/api/v1/users/{id}/membership");
    api.done_as(&admin, Method::PUT, &path, &Value::Null).await;
    let gone = async || {
        let event = event(&api, id.as_str(), &format!("{OWN}membership-deleted"), &json!({}));
        tell(&api, &event).await;
        within(Duration::from_secs(30), async || api.count("account_doubts").await == 0).await;
        api.count("users WHERE home_tenant_id IS NOT NULL").await
    };
    assert_eq!(gone().await, 1);
    // What was issued to them before is refused all the same.
    assert_eq!(api.count("revocations").await, 1);
    api.accounts.dismiss(tenant, id).await.unwrap();
    assert_eq!(gone().await, 0);
}
