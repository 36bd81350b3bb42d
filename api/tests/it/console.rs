//! `/console`: signing in at the identity provider and out again, and what an attacker would try on the way.

use std::sync::atomic::Ordering;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_query;
use diesel::sql_types::Text;
use reqwest::StatusCode;
use serde_json::json;
use tenantry_db::DbError;
use tenantry_testing::markup::Markup;
use url::Url;

use crate::browser::{Browser, location, page};
use crate::support::{TestApi, problem};

const SESSION: &str = "tenantry-console";
const SIGN_IN: &str = "tenantry-console-sign-in";

async fn overview(api: &TestApi, browser: &Browser) -> Markup {
    page(browser.get(&format!("{}/console", api.url)).await, StatusCode::OK).await
}

fn is_signed_in(page: &Markup) -> bool {
    page.by_id("subject").is_some()
}

fn error_code(page: &Markup) -> String {
    page.all("code").next().map(|code| code.text.clone()).unwrap_or_default()
}

async fn rows(api: &TestApi, query: &'static str) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        value: String,
    }
    let rows = api.database.open().await.read(move |conn| Ok::<_, DbError>(sql_query(query).load::<Row>(conn)?)).await;
    rows.unwrap().into_iter().map(|row| row.value).collect()
}

#[actix_web::test]
async fn signing_in_and_out() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    let landing = overview(&api, &browser).await;
    assert!(!is_signed_in(&landing) && landing.by_id("sign-in").is_some());

    browser.sign_in(&api).await;
    let overview_page = overview(&api, &browser).await;
    let text = |id: &str| overview_page.by_id(id).unwrap().text.clone();
    assert_eq!(text("name"), "Ada Lovelace");
    assert_eq!(text("tenant-slug"), "demo");
    assert_eq!(text("tenant-id"), api.idp.tenant("demo").id.as_str());
    assert_eq!(text("issuer"), api.idp.issuer("demo"));
    let items: Vec<&str> = overview_page.all("li").map(|item| item.text.trim()).collect();
    for item in ["administrator", "openid", "profile", "email", "roles", "offline_access", "api"] {
        assert!(items.contains(&item), "{item} in {items:?}");
    }

    let csrf = overview_page.value("csrf").unwrap().to_owned();
    let out = browser.post(&format!("{}/console/sign-out", api.url), &[("csrf", &csrf)]).await;
    let end_session = Url::parse(&location(&out)).unwrap();
    assert!(end_session.as_str().starts_with(&format!("{}/oauth2/end_session?", api.idp.issuer("demo"))));
    let parameter =
        |name: &str| end_session.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
    assert_eq!(parameter("post_logout_redirect_uri"), Some(format!("{}/console/signed-out", api.url)));
    assert_eq!(parameter("client_id").as_deref(), Some("tenantry-console"));
    let hint = tenantry_jose::peek(&parameter("id_token_hint").unwrap()).unwrap();
    assert_eq!(hint.claims["sub"], json!(text("subject")));

    assert_eq!(browser.cookie(SESSION), None);
    assert!(!is_signed_in(&overview(&api, &browser).await));
    let signed_out = page(browser.get(&format!("{}/console/signed-out", api.url)).await, StatusCode::OK).await;
    assert!(signed_out.by_id("sign-in-again").is_some());
    assert_eq!(rows(&api, "SELECT id AS value FROM console_sessions").await, Vec::<String>::new());
}

#[actix_web::test]
async fn the_request_to_the_provider_is_complete() {
    let api = TestApi::start().await;
    let response = Browser::new().get(&format!("{}/console/sign-in", api.url)).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap().to_owned();
    assert!(cookie.contains("; HttpOnly; SameSite=Lax; Path=/console; Max-Age=900"), "{cookie}");
    let url = Url::parse(&location(&response)).unwrap();
    assert!(url.as_str().starts_with(&format!("{}/oauth2/authorize?", api.idp.issuer("demo"))));
    let parameter = |name: &str| url.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
    assert_eq!(parameter("response_type"), "code");
    assert_eq!(parameter("client_id"), "tenantry-console");
    assert_eq!(parameter("redirect_uri"), format!("{}/console/callback", api.url));
    assert_eq!(parameter("scope"), "openid profile email roles offline_access api");
    assert_eq!(parameter("code_challenge_method"), "S256");
    for random in ["code_challenge", "state", "nonce"] {
        assert_eq!(parameter(random).len(), 43, "{random}");
        assert!(!cookie.contains(&parameter(random)), "{random} is not readable in the cookie");
    }
}

#[actix_web::test]
async fn a_stronger_sign_in_can_be_asked_for() {
    let api = TestApi::start().await;
    let asked = async |more: &str| Browser::new().get(&format!("{}/console/sign-in?tenant=demo{more}", api.url)).await;
    let parameters = |url: &str| {
        let url = Url::parse(url).unwrap();
        let get = |name: &str| url.query_pairs().find(|(n, _)| n == name).map(|(_, value)| value.into_owned());
        (get("acr_values"), get("max_age"))
    };
    let stronger = location(&asked("&acr_values=urn:tenantry:acr:mfa&max_age=300").await);
    assert_eq!(parameters(&stronger), (Some("urn:tenantry:acr:mfa".to_owned()), Some("300".to_owned())));
    for nonsense in ["", "&acr_values=a%20b&max_age=-1", "&acr_values=%22%3E&max_age=soon"] {
        assert_eq!(parameters(&location(&asked(nonsense).await)), (None, None), "{nonsense}");
    }
}

#[actix_web::test]
async fn tokens_stay_here_and_are_sealed() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    browser.sign_in(&api).await;
    let secret = browser.cookie(SESSION).unwrap();
    assert_eq!(secret.len(), 43);
    let stored = rows(&api, "SELECT CONCAT(secret_hash, ' ', tokens) AS value FROM console_sessions").await;
    assert!(!stored[0].contains(&secret));
    // A JWE of five parts, and nothing of a JWT.
    let (_, tokens) = stored[0].split_once(' ').unwrap();
    assert_eq!(tokens.split('.').count(), 5);
}

#[actix_web::test]
async fn an_answer_counts_only_for_the_browser_that_asked() {
    let api = TestApi::start().await;
    let (victim, attacker) = (Browser::new(), Browser::new());
    // The attacker's own answer, opened in a browser that began nothing, or something else.
    let callback = attacker.sign_in_up_to_callback(&api).await;
    let refused = page(victim.get(&callback).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(error_code(&refused), "sign_in_expired");
    victim.sign_in_up_to_callback(&api).await;
    let refused = page(victim.get(&callback).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(error_code(&refused), "state_mismatch");
    // What was begun is over after an answer, also a wrong one.
    assert_eq!(victim.cookie(SIGN_IN), None);
    assert_eq!(victim.cookie(SESSION), None);
    // A cookie of the attacker's making opens nothing.
    victim.set_cookie(SIGN_IN, "eyJhbGciOiJkaXIifQ....");
    let refused = page(victim.get(&callback).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(error_code(&refused), "sign_in_expired");
}

#[actix_web::test]
async fn an_answer_counts_once() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    let callback = browser.sign_in_up_to_callback(&api).await;
    let began = browser.cookie(SIGN_IN).unwrap();
    browser.get(&callback).await;
    page(browser.get(&callback).await, StatusCode::BAD_REQUEST).await;
    // Even with the cookie of then, the provider does not take the code again.
    browser.set_cookie(SIGN_IN, &began);
    let refused = page(browser.get(&callback).await, StatusCode::BAD_GATEWAY).await;
    assert_eq!(error_code(&refused), "invalid_response");
}

#[actix_web::test]
async fn a_sign_in_takes_a_quarter_of_an_hour_at_most() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    let callback = browser.sign_in_up_to_callback(&api).await;
    api.clock.advance(Duration::from_secs(15 * 60 + 1));
    let refused = page(browser.get(&callback).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(error_code(&refused), "sign_in_expired");
}

#[actix_web::test]
async fn answers_of_other_issuers_are_noticed() {
    let api = TestApi::start().await;
    for (iss, code) in [
        (None, "issuer_mismatch"),
        (Some("https://evil.example/t/demo"), "issuer_mismatch"),
        (Some(""), "issuer_mismatch"),
    ] {
        let browser = Browser::new();
        api.idp.state().answer.lock().unwrap().insert("iss".to_owned(), iss.map(str::to_owned));
        let callback = browser.sign_in_up_to_callback(&api).await;
        let refused = page(browser.get(&callback).await, StatusCode::BAD_REQUEST).await;
        assert_eq!(error_code(&refused), code, "{iss:?}");
    }
}

#[actix_web::test]
async fn parameters_come_once_and_code_has_to() {
    let api = TestApi::start().await;
    for change in ["&state=x", "&code=x", "&iss=x", "&%63ode=y"] {
        let browser = Browser::new();
        let callback = browser.sign_in_up_to_callback(&api).await;
        let refused = page(browser.get(&format!("{callback}{change}")).await, StatusCode::BAD_REQUEST).await;
        assert_eq!(error_code(&refused), "invalid_request", "{change}");
    }
    let browser = Browser::new();
    api.idp.state().answer.lock().unwrap().insert("code".to_owned(), None);
    let callback = browser.sign_in_up_to_callback(&api).await;
    let refused = page(browser.get(&callback).await, StatusCode::BAD_REQUEST).await;
    assert_eq!(error_code(&refused), "invalid_request");
}

#[actix_web::test]
async fn errors_of_the_provider_are_shown_and_never_repeated() {
    let api = TestApi::start().await;
    let hostile = "<script>alert(1)</script>";
    for (error, status, code) in [
        ("access_denied", StatusCode::FORBIDDEN, "access_denied"),
        ("server_error", StatusCode::BAD_GATEWAY, "server_error"),
        (hostile, StatusCode::BAD_GATEWAY, "unknown_error"),
    ] {
        let browser = Browser::new();
        *api.idp.state().refusal.lock().unwrap() = Some(error.to_owned());
        api.idp.state().answer.lock().unwrap().insert("error_description".to_owned(), Some(hostile.to_owned()));
        let callback = browser.sign_in_up_to_callback(&api).await;
        let response = browser.get(&callback).await;
        let shown = page(response, status).await;
        assert_eq!(error_code(&shown), code);
        assert_eq!(browser.cookie(SESSION), None);
    }
    // The error page is no way to send anybody elsewhere, nor to say something to them.
    let response = Browser::new().get(&format!("{}/console/callback?error={hostile}&state=x", api.url)).await;
    assert!(!response.text().await.unwrap().contains("alert"));
}

#[actix_web::test]
async fn id_tokens_are_checked() {
    let api = TestApi::start().await;
    let now = tenantry_types::Clock::now(&*api.clock).unix_seconds();
    for change in [
        json!({"nonce": "other"}),
        json!({"iss": "https://evil.example"}),
        json!({"aud": "other-client"}),
        json!({"aud": ["tenantry-console", "other-client"]}),
        json!({"exp": now - 1}),
        json!({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
        json!({"sub": "0190b2c4-0000-7000-8000-000000000001"}),
    ] {
        *api.idp.state().id_claims.lock().unwrap() = change.clone();
        let browser = Browser::new();
        let callback = browser.sign_in_up_to_callback(&api).await;
        let refused = page(browser.get(&callback).await, StatusCode::BAD_GATEWAY).await;
        assert_eq!(error_code(&refused), "invalid_response", "{change}");
        assert_eq!(browser.cookie(SESSION), None);
    }
    assert_eq!(rows(&api, "SELECT id AS value FROM console_sessions").await, Vec::<String>::new());
}

#[actix_web::test]
async fn the_session_cookie_is_new_for_each_sign_in() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    // A cookie that was planted is not taken over.
    browser.set_cookie(SESSION, "planted");
    let landing = browser.get(&format!("{}/console", api.url)).await;
    assert!(landing.headers()["set-cookie"].to_str().unwrap().contains("Max-Age=0"));
    browser.set_cookie(SESSION, "planted");
    browser.sign_in(&api).await;
    let first = browser.cookie(SESSION).unwrap();
    assert_ne!(first, "planted");
    browser.sign_in(&api).await;
    let second = browser.cookie(SESSION).unwrap();
    assert_ne!(first, second);
    let old = Browser::new();
    old.set_cookie(SESSION, &first);
    assert!(!is_signed_in(&overview(&api, &old).await), "the session of before is over");
    // Two cookies of the name: one was planted.
    let both = Browser::new();
    both.set_cookie("x", &format!("1; {SESSION}={second}; {SESSION}=planted"));
    assert!(!is_signed_in(&overview(&api, &both).await));
}

#[actix_web::test]
async fn signing_out_needs_the_form() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    browser.sign_in(&api).await;
    let url = format!("{}/console/sign-out", api.url);
    for form in [&[][..], &[("csrf", "x")], &[("csrf", "")]] {
        let refused = page(browser.post(&url, form).await, StatusCode::FORBIDDEN).await;
        assert_eq!(error_code(&refused), "form_expired");
    }
    problem(browser.get(&url).await, StatusCode::METHOD_NOT_ALLOWED).await;
    // The form of one session is nothing to another.
    let other = Browser::new();
    other.sign_in(&api).await;
    let csrf = overview(&api, &other).await.value("csrf").unwrap().to_owned();
    page(browser.post(&url, &[("csrf", &csrf)]).await, StatusCode::FORBIDDEN).await;
    assert!(is_signed_in(&overview(&api, &browser).await));
}

#[actix_web::test]
async fn signing_out_works_while_the_provider_is_away() {
    let api = TestApi::start_with(|config| config.idp.refresh_seconds = 10).await;
    let browser = Browser::new();
    browser.sign_in(&api).await;
    let csrf = overview(&api, &browser).await.value("csrf").unwrap().to_owned();
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    let out = browser.post(&format!("{}/console/sign-out", api.url), &[("csrf", &csrf)]).await;
    // What the provider said of itself is still known.
    assert!(location(&out).contains("/oauth2/end_session?"));
    assert!(!is_signed_in(&overview(&api, &browser).await));
}

#[actix_web::test]
async fn sessions_end_by_themselves() {
    let api = TestApi::start().await;
    let (idle, steady) = (Browser::new(), Browser::new());
    idle.sign_in(&api).await;
    steady.sign_in(&api).await;
    for _ in 0..12 * 60 / 59 {
        api.clock.advance(Duration::from_secs(59 * 60));
        assert!(is_signed_in(&overview(&api, &steady).await));
    }
    assert!(!is_signed_in(&overview(&api, &idle).await), "an hour without use");
    api.clock.advance(Duration::from_secs(59 * 60));
    assert!(!is_signed_in(&overview(&api, &steady).await), "twelve hours in all");
    assert_eq!(rows(&api, "SELECT id AS value FROM console_sessions").await, Vec::<String>::new());
}

#[actix_web::test]
async fn tokens_are_renewed_once_however_many_ask() {
    let api = TestApi::start_with(|config| config.http.workers = 2).await;
    let browser = Browser::new();
    browser.sign_in(&api).await;
    let lifetime = u64::try_from(crate::fake_idp::ACCESS_TOKEN_SECONDS).unwrap();
    for round in 1..=3 {
        api.clock.advance(Duration::from_secs(lifetime));
        let url = format!("{}/console", api.url);
        let answers = futures_util::future::join_all((0..8).map(|_| browser.get(&url))).await;
        for answer in answers {
            assert!(is_signed_in(&page(answer, StatusCode::OK).await));
        }
        assert_eq!(api.idp.state().refreshes.load(Ordering::SeqCst), round);
    }
    // The name, which the renewed ID token does not have, stays.
    assert_eq!(overview(&api, &browser).await.by_id("name").unwrap().text, "Ada Lovelace");
}

#[actix_web::test]
async fn what_the_provider_ends_is_over() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    browser.sign_in(&api).await;
    // Its refresh tokens are gone with its keys and people.
    api.idp.state().forget_refresh_tokens();
    api.clock.advance(Duration::from_secs(600));
    assert!(!is_signed_in(&overview(&api, &browser).await));
    assert_eq!(browser.cookie(SESSION), None);
}

#[actix_web::test]
async fn a_renewal_cannot_change_who_it_is() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    browser.sign_in(&api).await;
    *api.idp.state().id_claims.lock().unwrap() = json!({"sub": "0190b2c4-0000-7000-8000-000000000001"});
    api.clock.advance(Duration::from_secs(600));
    page(browser.get(&format!("{}/console", api.url)).await, StatusCode::BAD_GATEWAY).await;
}

#[actix_web::test]
async fn while_the_provider_is_away_nobody_is_signed_out() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    browser.sign_in(&api).await;
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    assert!(is_signed_in(&overview(&api, &browser).await), "the token is still good");
    api.clock.advance(Duration::from_secs(600));
    let later = page(browser.get(&format!("{}/console", api.url)).await, StatusCode::SERVICE_UNAVAILABLE).await;
    assert_eq!(error_code(&later), "temporarily_unavailable");
    api.idp.state().is_down.store(false, Ordering::SeqCst);
    assert!(is_signed_in(&overview(&api, &browser).await));
}

#[actix_web::test]
async fn tenants_that_are_not_there_are_said_to_be() {
    let api = TestApi::start().await;
    let browser = Browser::new();
    for (tenant, status) in [
        ("missing", StatusCode::NOT_FOUND),
        ("No%20Slug", StatusCode::NOT_FOUND),
        ("..%2F..%2Fadmin", StatusCode::NOT_FOUND),
        ("%3Cscript%3E", StatusCode::NOT_FOUND),
    ] {
        let response = browser.get(&format!("{}/console/sign-in?tenant={tenant}", api.url)).await;
        let landing = page(response, status).await;
        assert!(landing.by_id("tenant-error").is_some());
        assert_eq!(browser.cookie(SIGN_IN), None);
    }
    api.idp.state().is_down.store(true, Ordering::SeqCst);
    let response = browser.get(&format!("{}/console/sign-in?tenant=demo", api.url)).await;
    page(response, StatusCode::SERVICE_UNAVAILABLE).await;
}

#[actix_web::test]
async fn over_tls_cookies_are_bound_to_the_host() {
    let api = TestApi::start_with(|config| config.http.public_url = "https://api.example.com".parse().unwrap()).await;
    let local = format!("http://{}", api.handle.address());
    let response = Browser::new().get(&format!("{local}/console/sign-in")).await;
    let cookie = response.headers()["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-tenantry-console-sign-in="), "{cookie}");
    assert!(cookie.ends_with("; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=900"), "{cookie}");
    assert!(response.headers().contains_key("strict-transport-security"));
}

#[actix_web::test]
async fn assets_are_there_and_cached_for_ever() {
    let api = TestApi::start().await;
    let landing = overview(&api, &Browser::new()).await;
    let paths: Vec<String> = landing.all("link").filter_map(|link| link.attribute("href").map(str::to_owned)).collect();
    assert!(!paths.is_empty());
    for path in paths {
        let response = api.get(&path).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        assert!(response.headers()["cache-control"].to_str().unwrap().contains("immutable"));
    }
    problem(api.get("/console/assets/console.css").await, StatusCode::NOT_FOUND).await;
}
