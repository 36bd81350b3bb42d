//! People of several tenants: they sign in where they are guests with the account that they have at home.

use std::collections::HashMap;

use serde_json::{Value, json};
use tenantry_db::{Connection, DbError};
use tenantry_types::TenantId;

use crate::management::{Managed, new_id};
use crate::support::{Browser, PASSWORD, Page, Reply, authorization, claims, http, other_tenant};

/// A tenant `guests`, of which Ada of `acme` is a member with the role `guest`, and another, `others`, of which she is not.
/// Whatever is asked of an issuer is asked of `guests`.
struct House {
    managed: Managed,
    home: String,
    guests: TenantId,
    others: TenantId,
}

impl House {
    async fn new() -> Self {
        let mut managed = Managed::start().await;
        let home = managed.idp.issuer.clone();
        let guests = other_tenant(&managed.idp, "guests").await;
        let others = other_tenant(&managed.idp, "others").await;
        managed.idp.issuer = format!("{}/t/guests", managed.idp.base);
        let house = Self { managed, home, guests, others };
        house.let_in(house.managed.idp.user.as_str()).await;
        house
    }

    fn person(&self, id: &str) -> String {
        format!("/tenants/{}/users/{id}", self.guests)
    }

    fn member(&self, id: &str) -> String {
        format!("/tenants/{}/members/{id}", self.guests)
    }

    fn ada(&self) -> &str {
        self.managed.idp.user.as_str()
    }

    /// Makes somebody a member with the role `guest`.
    async fn let_in(&self, id: &str) {
        let made = self.managed.put(&self.member(id), json!({})).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let roles = json!({"version": 1, "names": ["guest"]});
        assert_eq!(self.managed.put(&format!("{}/roles", self.person(id)), roles).await.status, 200);
    }

    /// Adds somebody to a tenant; their id.
    async fn add(&self, tenant: TenantId, email: &str, username: &str, password: &str) -> String {
        let id = new_id();
        let body = json!({"email": email, "username": username, "password": password});
        let made = self.managed.put(&format!("/tenants/{tenant}/users/{id}"), body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        id
    }

    /// What the page answers to a name and a password.
    async fn try_to_sign_in(&self, username: &str, password: &str) -> (Browser, Page) {
        let mut browser = Browser::new();
        let page = browser.authorize(&self.managed.idp, &everything()).await;
        let page = browser.submit_sign_in(&self.managed.idp, &page, username, password).await;
        (browser, page)
    }

    async fn can_sign_in(&self, username: &str, password: &str) -> bool {
        self.try_to_sign_in(username, password).await.1.status == 303
    }

    /// Somebody signed in, and what the client got for it.
    async fn sign_in(&self, username: &str) -> (Browser, Value) {
        let (mut browser, page) = self.try_to_sign_in(username, PASSWORD).await;
        let page = browser.follow_ours(&self.managed.idp, page).await;
        let tokens = self.managed.idp.exchange(&page.answer()["code"]).await;
        assert_eq!(tokens.status, 200, "{}", tokens.body);
        (browser, tokens.body)
    }

    async fn is_signed_in(&self, browser: &mut Browser) -> bool {
        let page = browser.authorize(&self.managed.idp, &authorization(&[])).await;
        !page.html.contains("id=\"sign-in\"")
    }

    async fn refresh(&self, tokens: &Value) -> Reply {
        self.managed.idp.refresh(tokens["refresh_token"].as_str().unwrap()).await
    }

    async fn userinfo(&self, tokens: &Value) -> Reply {
        let token = tokens["access_token"].as_str().unwrap();
        Reply::of(http().get(self.managed.idp.url("/oauth2/userinfo")).bearer_auth(token).send().await.unwrap()).await
    }

    /// Nothing of what was given at `guests` is worth anything.
    async fn assert_out(&self, browser: &mut Browser, tokens: &Value, unused_code: &str) {
        assert_eq!(self.refresh(tokens).await.error(), (400, "invalid_grant"));
        assert_eq!(self.userinfo(tokens).await.status, 401);
        assert_eq!(self.managed.idp.exchange(unused_code).await.error(), (400, "invalid_grant"));
        assert!(!self.is_signed_in(browser).await);
    }

    async fn code(&self, browser: &mut Browser) -> String {
        browser.authorize(&self.managed.idp, &authorization(&[])).await.answer()["code"].clone()
    }

    /// The kinds of the events of `guests` since it was made, each with whether it is about Ada and whether about one session.
    async fn told(&self) -> Vec<String> {
        let events = self.managed.events(self.guests).await;
        events.into_iter().map(|(kind, _)| kind).filter(|kind| !kind.starts_with("tenant")).collect()
    }

    async fn rows(&self, sql: &'static str) -> i64 {
        use diesel::{QueryableByName, RunQueryDsl as _, sql_query, sql_types::BigInt};
        #[derive(QueryableByName)]
        struct Count {
            #[diesel(sql_type = BigInt)]
            value: i64,
        }
        let work = move |conn: &mut Connection| Ok::<_, DbError>(sql_query(sql).get_result::<Count>(conn)?.value);
        self.managed.idp.db.read(work).await.unwrap()
    }
}

fn everything() -> Vec<(String, String)> {
    authorization(&[("scope", "openid profile email roles")])
}

#[actix_web::test]
async fn a_member_signs_in_with_the_account_that_they_have_at_home() {
    let house = House::new().await;
    for name in ["ada", "ADA@acme.example"] {
        let (mut browser, tokens) = house.sign_in(name).await;
        let access = claims(tokens["access_token"].as_str().unwrap());
        assert_eq!(access["iss"], house.managed.idp.issuer);
        assert_eq!((&access["sub"], &access["tenant_id"]), (&json!(house.ada()), &json!(house.guests)));
        assert_eq!(access["roles"], json!(["guest"]), "and not those at home");
        let id = claims(tokens["id_token"].as_str().unwrap());
        assert_eq!((&id["iss"], &id["sub"], &id["nonce"]), (&access["iss"], &access["sub"], &json!("the nonce")));
        assert_eq!(id["tenant_id"], json!(house.guests));

        let info = house.userinfo(&tokens).await;
        assert_eq!(info.status, 200, "{}", info.body);
        assert_eq!((&info.body["email"], &info.body["given_name"]), (&json!("ada@acme.example"), &json!("Ada")));
        assert_eq!((&info.body["roles"], &info.body["tenant_id"]), (&json!(["guest"]), &json!(house.guests)));
        let renewed = house.refresh(&tokens).await;
        assert_eq!(renewed.status, 200, "{}", renewed.body);
        assert_eq!(claims(renewed.text("access_token"))["roles"], json!(["guest"]));
        assert!(house.is_signed_in(&mut browser).await, "single sign-on");

        // Signed in here and nowhere else.
        let sessions = house.managed.get(&format!("/tenants/{}/sessions", house.guests)).await;
        assert_eq!(sessions.body["data"][0]["user_id"], house.ada());
        assert_eq!(house.managed.get(&house.managed.acme("/sessions")).await.body["data"], json!([]));
    }
    // Roles that are given here are in the next token.
    let (_, tokens) = house.sign_in("ada").await;
    let roles = json!({"version": 2, "names": ["guest", "editor"]});
    house.managed.put(&format!("{}/roles", house.person(house.ada())), roles).await;
    let renewed = house.refresh(&tokens).await;
    assert_eq!(claims(renewed.text("access_token"))["roles"], json!(["editor", "guest"]));
}

#[actix_web::test]
async fn a_member_allows_a_client_what_it_asks_for_and_signs_out() {
    let house = House::new().await;
    let body = json!({
        "name": "Partner", "token_endpoint_auth_method": "none", "grant_types": ["authorization_code"],
        "redirect_uris": [crate::support::REDIRECT_URI], "scope": "openid profile",
    });
    let made = house.managed.put(&format!("/tenants/{}/clients/partner", house.guests), body).await;
    assert_eq!(made.status, 201, "{}", made.body);
    let idp = &house.managed.idp;
    let request = authorization(&[("client_id", "partner"), ("scope", "openid profile")]);
    let mut browser = Browser::new();
    let page = browser.authorize(idp, &request).await;
    let page = browser.submit_sign_in(idp, &page, "ada", PASSWORD).await;
    let page = browser.follow_ours(idp, page).await;
    assert!(page.html.contains("id=\"allow\"") && page.html.contains("Ada Lovelace"), "{}", page.html);
    let page = browser.submit_consent(idp, &page, "allow").await;
    let page = browser.follow_ours(idp, page).await;
    assert!(page.answer().contains_key("code"));
    assert!(browser.authorize(idp, &request).await.answer().contains_key("code"), "it is remembered");

    let page = browser.get(&idp.url("/oauth2/end_session")).await;
    assert!(page.html.contains("Ada Lovelace"));
    let form = page.markup().hidden_values();
    browser.post(&idp.url("/oauth2/end_session"), &form).await;
    assert!(!house.is_signed_in(&mut browser).await);
}

#[actix_web::test]
async fn a_member_of_one_tenant_gets_nothing_at_another() {
    let mut house = House::new().await;
    let (browser, tokens) = house.sign_in("ada").await;
    let unused = house.code(&mut browser.clone()).await;
    let guests = house.managed.idp.issuer.clone();
    for elsewhere in [format!("{}/t/others", house.managed.idp.base), house.home.clone()] {
        house.managed.idp.issuer = elsewhere;
        let mut carried: HashMap<String, String> = browser.cookies.clone();
        let slug = house.managed.idp.issuer.rsplit('/').next().unwrap().to_owned();
        carried.extend(browser.cookies.iter().map(|(name, value)| (name.replace("guests", &slug), value.clone())));
        let mut thief = Browser { cookies: carried };
        assert!(!house.is_signed_in(&mut thief).await, "a session is its tenant's");
        assert_eq!(house.refresh(&tokens).await.error(), (400, "invalid_grant"));
        assert_eq!(house.managed.idp.exchange(&unused).await.error(), (400, "invalid_grant"));
        assert_eq!(house.userinfo(&tokens).await.status, 401);
    }
    house.managed.idp.issuer = format!("{}/t/others", house.managed.idp.base);
    assert!(!house.can_sign_in("ada", PASSWORD).await);
    assert!(!house.can_sign_in("ada@acme.example", PASSWORD).await);
    let theirs = house.managed.get(&format!("/tenants/{}/sessions", house.others)).await;
    assert_eq!(theirs.body["data"], json!([]));
    house.managed.idp.issuer = guests;
    assert_eq!(house.refresh(&tokens).await.status, 200, "nothing of that did harm");
}

#[actix_web::test]
async fn whoever_is_a_member_no_more_is_signed_out_at_once() {
    let house = House::new().await;
    let (mut browser, tokens) = house.sign_in("ada").await;
    let unused = house.code(&mut browser).await;
    assert_eq!(house.managed.delete(&house.member(house.ada())).await.status, 204);
    house.assert_out(&mut browser, &tokens, &unused).await;
    assert!(!house.can_sign_in("ada", PASSWORD).await);
    assert_eq!(house.told().await, ["membership-created", "user-updated", "session-revoked", "membership-deleted"]);
    assert_eq!(house.rows("SELECT COUNT(*) AS value FROM sessions").await, 0);
    // At home nothing changed, and whoever is let in again begins anew.
    assert_eq!(house.managed.kinds().await, Vec::<String>::new());
    house.let_in(house.ada()).await;
    house.assert_out(&mut browser, &tokens, &unused).await;
    house.sign_in("ada").await;
}

#[actix_web::test]
async fn an_account_that_is_switched_off_at_home_is_out_everywhere() {
    let house = House::new().await;
    let (mut browser, tokens) = house.sign_in("ada").await;
    let unused = house.code(&mut browser).await;
    let at_home = house.managed.acme(&format!("/users/{}", house.ada()));
    house.managed.patch(&at_home, json!({"status": "suspended"})).await;
    house.assert_out(&mut browser, &tokens, &unused).await;
    assert!(!house.can_sign_in("ada", PASSWORD).await);
    assert_eq!(house.told().await, ["membership-created", "user-updated", "account-disabled", "session-revoked"]);
    let events = house.managed.events(house.guests).await;
    assert!(events.last().unwrap().1.get("sid").is_none(), "all of them");
    house.managed.patch(&at_home, json!({"status": "active"})).await;
    assert!(!house.is_signed_in(&mut browser).await, "what has ended stays so");
    assert_eq!(house.refresh(&tokens).await.error(), (400, "invalid_grant"));
    house.sign_in("ada").await;

    house.managed.patch(&at_home, json!({"password": "another password, and long"})).await;
    assert_eq!(house.told().await[5..], ["credential-change", "session-revoked"]);
    assert!(!house.can_sign_in("ada", PASSWORD).await);
    assert!(house.can_sign_in("ada", "another password, and long").await);

    let (mut browser, page) = house.try_to_sign_in("ada", "another password, and long").await;
    browser.follow_ours(&house.managed.idp, page).await;
    assert_eq!(house.managed.delete(&at_home).await.status, 204);
    assert!(!house.is_signed_in(&mut browser).await);
    assert_eq!(house.told().await[7..], ["session-revoked", "membership-deleted"]);
    assert_eq!(house.rows("SELECT COUNT(*) AS value FROM memberships").await, 0);
}

#[actix_web::test]
async fn guest_tenants_hear_of_a_password_what_the_home_hears() {
    let house = House::new().await;
    let acme = house.managed.idp.tenant.id;
    let also = format!("/tenants/{}/members/{}", house.others, house.ada());
    assert_eq!(house.managed.put(&also, json!({})).await.status, 201);
    let bob = house.add(acme, "bob@acme.example", "bob", PASSWORD).await;
    house.let_in(&bob).await;
    let (mut browser, tokens) = house.sign_in("ada").await;
    let unused = house.code(&mut browser).await;
    let (mut his, his_tokens) = house.sign_in("bob").await;
    let places = [acme, house.guests, house.others];
    let mut known = Vec::new();
    for place in places {
        known.push(house.managed.events(place).await.len());
    }

    let at_home = house.managed.acme(&format!("/users/{}", house.ada()));
    for password in [json!("another password, and long"), Value::Null, json!("a third password, and long")] {
        let changed = house.managed.patch(&at_home, json!({"password": password})).await;
        assert_eq!(changed.status, 200, "{}", changed.body);
    }
    let expected = [
        ("credential-change", json!("update")),
        ("session-revoked", Value::Null),
        ("credential-change", json!("delete")),
        ("session-revoked", Value::Null),
        ("credential-change", json!("create")),
    ];
    for (place, known) in places.into_iter().zip(known) {
        let events = house.managed.events(place).await;
        let heard: Vec<_> =
            events[known..].iter().map(|(kind, told)| (kind.as_str(), told["change_type"].clone())).collect();
        assert_eq!(heard, expected, "at {place}");
    }
    house.assert_out(&mut browser, &tokens, &unused).await;
    let counted = r#"SELECT COUNT(*) AS value FROM audit_entries WHERE action = 'user.set_password'
        AND detail LIKE '%"grants":1%' AND detail LIKE '%"sessions":1%'"#;
    assert_eq!(house.rows(counted).await, 1, "what ended at a guest tenant is counted at home");
    assert!(house.is_signed_in(&mut his).await, "nothing of anybody else ended");
    assert_eq!(house.refresh(&his_tokens).await.status, 200);
}

#[actix_web::test]
async fn a_tenant_that_is_switched_off_lets_nobody_in_anywhere() {
    for status in ["suspended", "inactive"] {
        let house = House::new().await;
        // Somebody else who lives there, and somebody who does not.
        let acme = house.managed.idp.tenant.id;
        let bob = house.add(acme, "bob@acme.example", "bob", PASSWORD).await;
        house.let_in(&bob).await;
        let eve = house.add(house.guests, "eve@guests.example", "eve", PASSWORD).await;
        let (mut browser, tokens) = house.sign_in("ada").await;
        let unused = house.code(&mut browser).await;
        let (mut hers, _) = house.sign_in("eve").await;
        house.managed.patch(&house.managed.acme(""), json!({"status": status})).await;
        house.assert_out(&mut browser, &tokens, &unused).await;
        for name in ["ada", "bob@acme.example"] {
            assert!(!house.can_sign_in(name, PASSWORD).await, "{name}");
        }
        assert!(house.is_signed_in(&mut hers).await, "{eve} lives here");
        let revoked = house.told().await.into_iter().filter(|kind| kind == "session-revoked").count();
        assert_eq!(revoked, 2, "of Ada and of Bob");
        house.managed.patch(&house.managed.acme(""), json!({"status": "active"})).await;
        assert!(!house.is_signed_in(&mut browser).await);
        assert_eq!(house.refresh(&tokens).await.error(), (400, "invalid_grant"));
        house.sign_in("ada").await;
    }
}

#[actix_web::test]
async fn whoever_lives_in_a_tenant_wins_over_members_of_the_same_name() {
    let house = House::new().await;
    let own = house.add(house.guests, "ada@acme.example", "somebody", "the resident's own password").await;
    assert!(!house.can_sign_in("ada@acme.example", PASSWORD).await, "the address stands for who lives here");
    let (mut browser, page) = house.try_to_sign_in("ada@acme.example", "the resident's own password").await;
    let page = browser.follow_ours(&house.managed.idp, page).await;
    let tokens = house.managed.idp.exchange(&page.answer()["code"]).await;
    assert_eq!(claims(tokens.text("access_token"))["sub"], own);
    // Under a name that is theirs alone the member is still let in.
    house.sign_in("ada").await;
}

#[actix_web::test]
async fn of_members_of_the_same_name_the_owner_of_the_address_wins_and_then_the_older_one() {
    let house = House::new().await;
    let others = house.others;
    // Somebody of another house takes Ada's address for a handle: she is not kept out by it.
    let thief = house.add(others, "thief@others.example", "ada@acme.example", "the thief's password").await;
    house.let_in(&thief).await;
    house.sign_in("ada@acme.example").await;
    assert!(!house.can_sign_in("ada@acme.example", "the thief's password").await);
    assert!(house.can_sign_in("thief@others.example", "the thief's password").await);
    // Both have the handle `ada`: whoever was let in first has it here.
    let namesake = house.add(others, "ada@others.example", "ada", "the namesake's password").await;
    house.managed.idp.advance(1);
    house.let_in(&namesake).await;
    house.sign_in("ada").await;
    assert!(!house.can_sign_in("ada", "the namesake's password").await);
    assert!(house.can_sign_in("ada@others.example", "the namesake's password").await);
    house.managed.delete(&house.member(house.ada())).await;
    assert!(house.can_sign_in("ada", "the namesake's password").await);
}

#[actix_web::test]
async fn guesses_through_several_tenants_are_guesses_at_one_account() {
    let mut house = House::new().await;
    for _ in 0..6 {
        assert_eq!(house.try_to_sign_in("ada", "wrong").await.1.status, 401);
    }
    let guests = std::mem::replace(&mut house.managed.idp.issuer, house.home.clone());
    assert_eq!(house.try_to_sign_in("ada", "wrong").await.1.status, 429, "at home");
    house.managed.idp.issuer = format!("{}/t/others", house.managed.idp.base);
    assert_eq!(house.try_to_sign_in("ada", "wrong").await.1.status, 401, "who is not known here is another account");
    house.managed.idp.issuer = guests;
    house.managed.idp.advance(60);
    assert!(house.can_sign_in("ada", PASSWORD).await);
}

#[actix_web::test]
async fn a_hash_of_weaker_parameters_is_replaced_at_home() {
    let house = House::new().await;
    let strong = house.managed.idp.replica(|config| config.passwords.argon2_passes = 2).await;
    let idp = &house.managed.idp;
    let (mut browser, form) = (Browser::new(), {
        let mut browser = Browser::new();
        let page = browser.authorize(idp, &authorization(&[])).await;
        (browser, page)
    });
    browser.cookies = form.0.cookies;
    let mut values = form.1.markup().hidden_values();
    values.extend([("username".into(), "ada".into()), ("password".into(), PASSWORD.into())]);
    let host = idp.base.trim_start_matches("http://").to_owned();
    let url = format!("http://{strong}/t/guests/sign-in");
    assert_eq!(browser.post_with(&url, &values, &[("host", &host)]).await.status, 303);
    let replaced = "SELECT COUNT(*) AS value FROM password_credentials WHERE hash LIKE '%t=2%'";
    assert_eq!(house.rows(replaced).await, 1);
    house.sign_in("ada").await;
}

#[actix_web::test]
async fn the_database_refuses_whoever_is_neither_at_home_nor_a_guest() {
    let house = House::new().await;
    let (ada, acme) = (house.managed.idp.user, house.managed.idp.tenant.id);
    let (guests, others) = (house.guests, house.others);
    let run = |sql: String| {
        use diesel::RunQueryDsl as _;
        let work = move |conn: &mut Connection| Ok::<_, DbError>(diesel::sql_query(&sql).execute(conn)?);
        house.managed.idp.db.write(work)
    };
    let consent = |tenant: TenantId| {
        format!(
            "INSERT INTO consents (tenant_id, user_id, client_id, scope, granted_at) \
             SELECT '{tenant}', '{ada}', id, 'openid', created_at FROM clients WHERE tenant_id = '{tenant}' LIMIT 1"
        )
    };
    let subject = |guest: &str| {
        format!(
            "INSERT INTO subjects (tenant_id, user_id, home_tenant_id, guest_tenant_id) \
             VALUES ('{others}', '{ada}', '{acme}', {guest})"
        )
    };
    run(consent(guests)).await.unwrap();
    run(consent(others)).await.unwrap_err();
    // A row that says that she is a guest needs the membership, whatever tenant it names.
    for guest in ["NULL".to_owned(), format!("'{others}'"), format!("'{guests}'"), format!("'{acme}'")] {
        run(subject(&guest)).await.unwrap_err();
    }
    run(format!("DELETE FROM memberships WHERE user_id = '{ada}'")).await.unwrap();
    run(consent(guests)).await.unwrap_err();
    assert_eq!(house.rows("SELECT COUNT(*) AS value FROM consents").await, 0);
}
