//! `/oauth2/token`.

use std::time::Duration;

use serde_json::json;
use tenantry_db::TenantScope;
use tenantry_idp::clients::AuthMethod;
use tenantry_idp::keys::rotation;
use tenantry_jose::{Algorithm, Expected, KeySet, SigningKey, left_half_hash, verify};
use tenantry_types::Clock as _;

use crate::support::{
    AUDIENCE, Browser, REDIRECT_URI, Reply, SECRET, TestIdp, VERIFIER, authorization, claims, http, other_tenant,
};

const FORM: &str = "application/x-www-form-urlencoded";

async fn published_keys(idp: &TestIdp) -> KeySet {
    let document = http().get(idp.url("/oauth2/jwks")).send().await.unwrap().json().await.unwrap();
    KeySet::from_jwks(&document).unwrap()
}

#[actix_web::test]
async fn a_code_gives_tokens_that_say_who_signed_in_and_how() {
    let idp = TestIdp::start().await;
    let tokens = idp.tokens().await;
    assert_eq!(tokens["token_type"], "Bearer");
    assert_eq!(tokens["expires_in"], 900);
    assert_eq!(tokens["scope"], "email openid profile");

    let keys = published_keys(&idp).await;
    let access = tokens["access_token"].as_str().unwrap();
    let expected = Expected::new(&["at+jwt"], Some(&idp.issuer), Some(&[AUDIENCE]), idp.clock.now());
    let jwt = verify(access, &keys, &expected).unwrap();
    assert_eq!(jwt.text("sub"), Some(idp.user.as_str()));
    assert_eq!(jwt.text("client_id"), Some("app"));
    assert_eq!(jwt.text("tenant_id"), Some(idp.tenant.id.as_str()));
    assert_eq!(jwt.text("scope"), Some("email openid profile"));
    assert!(jwt.text("jti").is_some() && jwt.text("sid").is_some());
    assert!(jwt.claims.get("roles").is_none(), "roles are said only where they are asked for");
    assert!(jwt.claims["exp"].is_i64() && jwt.claims["iat"].is_i64());

    let id_token = tokens["id_token"].as_str().unwrap();
    let expected = Expected::new(&["JWT"], Some(&idp.issuer), Some(&["app"]), idp.clock.now());
    let id = verify(id_token, &keys, &expected).unwrap();
    assert_eq!(id.text("nonce"), Some("the nonce"));
    assert_eq!(id.text("at_hash"), Some(left_half_hash(Algorithm::Es256, access).as_str()));
    assert_eq!(id.claims["amr"], json!(["pwd"]));
    assert_eq!(id.text("sid"), jwt.text("sid"));
    assert!(id.seconds("auth_time").is_some());
}

#[actix_web::test]
async fn answers_are_never_cached() {
    let idp = TestIdp::start().await;
    let good = idp.exchange(&idp.code().await).await;
    let bad = idp.exchange("no code").await;
    for reply in [good, bad] {
        assert_eq!(reply.headers["cache-control"], "no-store");
        assert_eq!(reply.headers["pragma"], "no-cache");
    }
}

#[actix_web::test]
async fn roles_are_in_the_token_that_asks_for_them() {
    let idp = TestIdp::start().await;
    let code = Browser::new().sign_in(&idp, &authorization(&[("scope", "openid roles api")])).await["code"].clone();
    let tokens = idp.exchange(&code).await.body;
    assert_eq!(claims(tokens["access_token"].as_str().unwrap())["roles"], json!(["administrator"]));
}

#[actix_web::test]
async fn a_code_is_good_once_and_its_replay_takes_back_what_it_gave() {
    let idp = TestIdp::start().await;
    let code = idp.code().await;
    let tokens = idp.exchange(&code).await.body;
    let access = tokens["access_token"].as_str().unwrap();
    let userinfo = || async {
        http().get(idp.url("/oauth2/userinfo")).bearer_auth(access).send().await.unwrap().status().as_u16()
    };
    assert_eq!(userinfo().await, 200);
    assert_eq!(idp.exchange(&code).await.error(), (400, "invalid_grant"));
    assert_eq!(userinfo().await, 401);
    let refreshed = idp.refresh(tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed.error(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn a_code_is_for_its_client_its_address_and_its_verifier_only() {
    let idp = TestIdp::start().await;
    idp.add_client(|_| {}).await;
    let other_verifier = "a".repeat(43);
    for (name, wrong) in [
        ("client_id", "added"),
        ("redirect_uri", "https://app.example.com/callback/"),
        ("redirect_uri", "https://app.example.com/other"),
        ("code_verifier", other_verifier.as_str()),
    ] {
        let code = idp.code().await;
        let mut params = vec![
            ("grant_type", "authorization_code"),
            ("client_id", "app"),
            ("code", &code),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", VERIFIER),
        ];
        params.iter_mut().find(|(known, _)| *known == name).unwrap().1 = wrong;
        assert_eq!(idp.token(&params).await.error(), (400, "invalid_grant"), "{name}={wrong}");
    }
}

#[actix_web::test]
async fn a_wrong_verifier_uses_the_code_up_but_another_client_cannot() {
    let idp = TestIdp::start().await;
    idp.add_client(|_| {}).await;
    let code = idp.code().await;
    let with = |client_id, verifier| {
        [
            ("grant_type", "authorization_code"),
            ("client_id", client_id),
            ("code", code.as_str()),
            ("redirect_uri", REDIRECT_URI),
            ("code_verifier", verifier),
        ]
    };
    assert_eq!(idp.token(&with("added", VERIFIER)).await.error(), (400, "invalid_grant"));
    assert_eq!(idp.exchange(&code).await.status, 200, "a stranger's try does not spoil the code");
    let code = idp.code().await;
    let wrong = "b".repeat(43);
    let mut params = with("app", &wrong);
    params[2].1 = &code;
    assert_eq!(idp.token(&params).await.error(), (400, "invalid_grant"));
    assert_eq!(idp.exchange(&code).await.error(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn codes_and_refresh_tokens_expire() {
    let idp = TestIdp::start().await;
    let code = idp.code().await;
    idp.advance(60);
    assert_eq!(idp.exchange(&code).await.error(), (400, "invalid_grant"));

    let tokens = idp.tokens().await;
    idp.advance(14 * 86_400);
    assert_eq!(idp.refresh(tokens["refresh_token"].as_str().unwrap()).await.error(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn a_refresh_token_is_rotated_and_its_reuse_ends_the_family() {
    let idp = TestIdp::start().await;
    let first = idp.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    let second = idp.refresh(&first).await;
    let second_token = second.text("refresh_token").to_owned();
    assert_ne!(first, second_token);
    assert!(second.body["id_token"].is_string());
    assert!(claims(second.text("id_token")).get("nonce").is_none(), "a refresh does not repeat the nonce");

    let again = idp.refresh(&first).await;
    assert_eq!(again.text("refresh_token"), second_token, "within the grace the same successor");
    idp.advance(11);
    assert_eq!(idp.refresh(&first).await.error(), (400, "invalid_grant"));
    assert_eq!(idp.refresh(&second_token).await.error(), (400, "invalid_grant"), "the whole family is gone");
}

#[actix_web::test]
async fn a_used_token_is_reuse_at_once_when_its_successor_was_used() {
    let idp = TestIdp::start().await;
    let first = idp.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    let second = idp.refresh(&first).await.text("refresh_token").to_owned();
    let third = idp.refresh(&second).await.text("refresh_token").to_owned();
    assert_eq!(idp.refresh(&first).await.error(), (400, "invalid_grant"));
    assert_eq!(idp.refresh(&third).await.error(), (400, "invalid_grant"));
}

#[actix_web::test]
async fn sixty_four_refreshes_at_once_make_one_successor() {
    let idp = TestIdp::start().await;
    let first = idp.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    let replies = futures_util::future::join_all((0..64).map(|_| idp.refresh(&first))).await;
    let mut successors: Vec<String> = replies.iter().map(|reply| reply.text("refresh_token").to_owned()).collect();
    successors.sort();
    successors.dedup();
    assert_eq!(successors.len(), 1, "one family, one successor");
    assert_eq!(idp.refresh(&successors[0]).await.status, 200);
}

#[actix_web::test]
async fn sixty_four_exchanges_of_one_code_give_tokens_once_at_most() {
    let idp = TestIdp::start().await;
    let code = idp.code().await;
    let replies = futures_util::future::join_all((0..64).map(|_| idp.exchange(&code))).await;
    let good: Vec<_> = replies.iter().filter(|reply| reply.status == 200).collect();
    assert_eq!(good.len(), 1);
    let refreshed = idp.refresh(good[0].text("refresh_token")).await;
    assert_eq!(refreshed.error(), (400, "invalid_grant"), "the replays took it back");
}

#[actix_web::test]
async fn a_refresh_narrows_but_never_widens_the_scope() {
    let idp = TestIdp::start().await;
    let token = idp.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    let with = |token: String, scope: &'static str| {
        let idp = &idp;
        async move {
            let params =
                [("grant_type", "refresh_token"), ("client_id", "app"), ("refresh_token", &token), ("scope", scope)];
            idp.token(&params).await
        }
    };
    let narrowed = with(token.clone(), "openid").await;
    assert_eq!(narrowed.text("scope"), "openid");
    let next = narrowed.text("refresh_token").to_owned();
    assert_eq!(with(next.clone(), "openid api").await.error(), (400, "invalid_scope"));
    assert_eq!(with(next, "").await.text("scope"), "email openid profile", "the grant keeps what was granted");
}

#[actix_web::test]
async fn a_refresh_token_is_for_its_client_only() {
    let idp = TestIdp::start().await;
    idp.add_client(|_| {}).await;
    let token = idp.tokens().await["refresh_token"].as_str().unwrap().to_owned();
    let params = [("grant_type", "refresh_token"), ("client_id", "added"), ("refresh_token", &token)];
    assert_eq!(idp.token(&params).await.error(), (400, "invalid_grant"));
    assert_eq!(idp.refresh(&token).await.status, 200);
}

#[actix_web::test]
async fn a_machine_gets_a_token_of_its_own() {
    let idp = TestIdp::start().await;
    let params = |secret, scope| {
        [("grant_type", "client_credentials"), ("client_id", "machine"), ("client_secret", secret), ("scope", scope)]
    };
    let reply = idp.token(&params(SECRET, "")).await;
    assert_eq!(reply.status, 200, "{}", reply.body);
    assert_eq!(reply.text("scope"), "tenant_settings.read tenant_settings.update");
    assert!(reply.body.get("refresh_token").is_none() && reply.body.get("id_token").is_none());
    let token = claims(reply.text("access_token"));
    assert_eq!((&token["sub"], &token["client_id"]), (&json!("machine"), &json!("machine")));
    assert_eq!(token["aud"], AUDIENCE);
    assert_eq!(idp.token(&params(SECRET, "tenant_settings.read")).await.text("scope"), "tenant_settings.read");
    for scope in ["openid", "api", "tenant_settings.delete", "bad\"scope"] {
        assert_eq!(idp.token(&params(SECRET, scope)).await.error(), (400, "invalid_scope"), "{scope}");
    }
    assert_eq!(idp.token(&params("wrong", "")).await.error(), (401, "invalid_client"));
}

#[actix_web::test]
async fn a_client_uses_the_method_that_it_registered_and_one_only() {
    let idp = TestIdp::start().await;
    let grant = ("grant_type", "client_credentials");
    let url = idp.url("/oauth2/token");
    let basic = http().post(&url).basic_auth("machine", Some(SECRET)).form(&[grant]);
    let reply = Reply::of(basic.send().await.unwrap()).await;
    assert_eq!(reply.error(), (401, "invalid_client"), "registered for the body");
    assert!(reply.headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
    let both = http().post(&url).basic_auth("machine", Some(SECRET)).form(&[
        grant,
        ("client_id", "machine"),
        ("client_secret", SECRET),
    ]);
    assert_eq!(Reply::of(both.send().await.unwrap()).await.error(), (400, "invalid_request"));
    let none = idp.token(&[grant, ("client_id", "machine")]).await;
    assert_eq!(none.error(), (401, "invalid_client"), "a confidential client is not a public one");
    assert_eq!(idp.token(&[grant, ("client_id", "nobody")]).await.error(), (401, "invalid_client"));
    assert_eq!(idp.token(&[grant, ("client_id", "app")]).await.error(), (400, "unauthorized_client"));
}

#[actix_web::test]
async fn a_client_can_sign_who_it_is_once_with_each_assertion() {
    let idp = TestIdp::start().await;
    let key = SigningKey::generate(Algorithm::Es256).unwrap();
    let jwks = [&key].into_iter().collect::<KeySet>().to_jwks();
    idp.add_client(|client| {
        client.client_id = "signer".parse().unwrap();
        client.auth_method = AuthMethod::PrivateKeyJwt;
        client.jwks = Some(jwks);
        client.grant_types = [tenantry_idp::clients::GrantType::ClientCredentials].into();
        client.redirect_uris = vec![];
        client.scope = "tenant_settings.read".parse().unwrap();
    })
    .await;
    let now = idp.clock.now().unix_seconds();
    let good = json!({ "iss": "signer", "sub": "signer", "aud": idp.issuer, "jti": "1", "exp": now + 60, "iat": now });
    let present = |assertion: String| {
        let idp = &idp;
        async move {
            idp.token(&[
                ("grant_type", "client_credentials"),
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", &assertion),
            ])
            .await
        }
    };
    let assertion = key.sign_jwt("JWT", &good).unwrap();
    assert_eq!(present(assertion.clone()).await.status, 200);
    assert_eq!(present(assertion).await.error(), (401, "invalid_client"), "used before");
    for (name, value) in [
        ("aud", json!("https://evil.example")),
        ("sub", json!("app")),
        ("exp", json!(now - 3600)),
        ("exp", json!(now + 86_400)),
        ("exp", json!(1e300)),
        ("iat", json!(1e300)),
        ("jti", json!(null)),
    ] {
        let mut wrong = good.clone();
        wrong["jti"] = json!(format!("{name}{value}"));
        wrong[name] = value.clone();
        let reply = present(key.sign_jwt("JWT", &wrong).unwrap()).await;
        assert_eq!(reply.error(), (401, "invalid_client"), "{name}={value}");
    }
    let stranger = SigningKey::generate(Algorithm::Es256).unwrap();
    let mut fresh = good.clone();
    fresh["jti"] = json!("2");
    assert_eq!(present(stranger.sign_jwt("JWT", &fresh).unwrap()).await.error(), (401, "invalid_client"));
}

#[actix_web::test]
async fn malformed_requests_are_told_apart() {
    let idp = TestIdp::start().await;
    let url = idp.url("/oauth2/token");
    let send = |content_type: &'static str, body: &'static str| {
        let url = url.clone();
        async move {
            let request = http().post(url).header("content-type", content_type).body(body);
            Reply::of(request.send().await.unwrap()).await
        }
    };
    let invalid = (400, "invalid_request");
    assert_eq!(send(FORM, "grant_type=a&grant_type=a&client_id=app").await.error(), invalid);
    assert_eq!(send(FORM, "client_id=app").await.error(), invalid);
    assert_eq!(send("application/json", "{}").await.error(), invalid);
    assert_eq!(send(FORM, "grant_type=password&client_id=app").await.error(), (400, "unsupported_grant_type"));
    assert_eq!(send(FORM, "grant_type=authorization_code&client_id=app&code=x").await.error(), invalid);
    assert_eq!(
        send(FORM, "grant_type=refresh_token&client_id=app&refresh_token=x").await.error(),
        (400, "invalid_grant")
    );
    assert_eq!(send(FORM, "").await.error(), (401, "invalid_client"));
    let in_query = http().post(format!("{url}?client_secret=x")).form(&[("grant_type", "client_credentials")]);
    assert_eq!(Reply::of(in_query.send().await.unwrap()).await.error(), invalid);
    assert_eq!(send(FORM, "grant_type=client_credentials&client_id=app").await.error(), (400, "unauthorized_client"));
    assert_eq!(http().get(&url).send().await.unwrap().status(), 405);
}

#[actix_web::test]
async fn a_rotated_secret_overlaps_with_the_one_before() {
    let idp = TestIdp::start().await;
    let (scope, now) = (idp.scope(), idp.clock.now());
    let hash = tenantry_types::Sha256Hash::of("new secret");
    let until = now + Duration::from_secs(60);
    idp.db
        .write(move |conn| tenantry_idp::clients::store::replace_secret(conn, scope, "machine", &hash, until, now))
        .await
        .unwrap();
    let with = |secret| [("grant_type", "client_credentials"), ("client_id", "machine"), ("client_secret", secret)];
    assert_eq!(idp.token(&with(SECRET)).await.status, 200);
    assert_eq!(idp.token(&with("new secret")).await.status, 200);
    idp.advance(61);
    assert_eq!(idp.token(&with(SECRET)).await.status, 401);
    assert_eq!(idp.token(&with("new secret")).await.status, 200);
}

#[actix_web::test]
async fn only_origins_of_clients_may_call_with_scripts() {
    let idp = TestIdp::start().await;
    let preflight = |origin: &'static str| {
        let url = idp.url("/oauth2/token");
        async move {
            let request = http()
                .request(reqwest::Method::OPTIONS, url)
                .header("origin", origin)
                .header("access-control-request-method", "POST");
            request.send().await.unwrap().headers().get("access-control-allow-origin").cloned()
        }
    };
    assert_eq!(preflight("https://app.example.com").await.unwrap(), "https://app.example.com");
    assert!(preflight("https://evil.example").await.is_none());
}

#[actix_web::test]
async fn keys_are_rotated_by_themselves_once_they_have_signed_for_long_enough() {
    let idp = TestIdp::start().await;
    let other = other_tenant(&idp, "other").await;
    let rotate = async || rotation::rotate_due(&idp.db, &idp.maker, &idp.config).await.unwrap();
    assert_eq!(rotate().await, 0);
    idp.advance(90 * 86_400 + 1);
    // Two replicas at once: one of them does it.
    let (first, second) = futures_util::join!(rotate(), rotate());
    assert_eq!(first + second, 2, "both tenants once");
    assert_eq!(rotate().await, 0, "the new key has not signed for long");
    assert_eq!(published_keys(&idp).await.len(), 2);
    let scope = TenantScope::system(other, "test");
    let keyring = idp.maker.keyring.clone();
    let now = idp.clock.now();
    let theirs = idp.db.read(move |conn| tenantry_idp::keys::store::load(conn, scope, &keyring, now)).await.unwrap();
    assert_eq!(theirs.keys().len(), 2);
    assert!(theirs.keys()[1].signs_from > now, "published before it signs");
    idp.advance(86_400);
    assert_eq!(published_keys(&idp).await.len(), 1, "the old one is gone when nothing that it signed is good");
}

#[actix_web::test]
async fn a_rotation_of_keys_is_seen_by_clients_before_it_signs() {
    let idp = TestIdp::start().await;
    let before = idp.tokens().await;
    let plan =
        tenantry_idp::keys::RotationPlan::new(idp.clock.now(), Duration::from_secs(600), Duration::from_secs(3_600));
    let (scope, maker) = (idp.scope(), idp.maker.clone());
    idp.db.write(move |conn| tenantry_idp::keys::store::rotate(conn, scope, &maker, plan)).await.unwrap();
    assert_eq!(published_keys(&idp).await.len(), 2);
    let kid = |tokens: &serde_json::Value| {
        let token = tokens["access_token"].as_str().unwrap().to_owned();
        tenantry_jose::peek(&token).unwrap().header.key_id().unwrap().to_owned()
    };
    assert_eq!(kid(&idp.tokens().await), kid(&before));
    idp.advance(600);
    let after = idp.tokens().await;
    assert_ne!(kid(&after), kid(&before));
    let userinfo = http().get(idp.url("/oauth2/userinfo")).bearer_auth(before["access_token"].as_str().unwrap());
    assert_eq!(userinfo.send().await.unwrap().status(), 200, "tokens of the old key are still good");
}
