//! Killed without warning in the middle of the work, and started again.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use serde_json::Value;
use tenantry_db::TenantScope;
use tenantry_idp::oauth::codes::{self, CodeRow};
use tenantry_idp::sessions::Authentication;
use tenantry_idp::{tenants, users};
use tenantry_jose::pkce_s256;
use tenantry_types::{Clock as _, Id, JsonText, Sha256Hash, SystemClock, SystemRandom, random_token};

use crate::cli::Program;
use crate::support::VERIFIER;

const CODES: usize = 500;
const REDIRECT: &str = "http://localhost:3000/callback";

/// What became of one code, as its client saw it.
#[derive(Default, Clone)]
struct Fate {
    code: String,
    /// How often the code gave tokens.
    exchanged: u32,
    /// The refresh tokens that were acknowledged, oldest first.
    tokens: Vec<String>,
}

/// Codes of the demo's user for the demo's public client, as sign-ins would have made them.
async fn make_codes(program: &Program) -> Vec<String> {
    let db = program.database.open().await;
    let codes: Vec<String> = (0..CODES).map(|_| random_token(&SystemRandom).expose_secret().to_owned()).collect();
    let secrets = codes.clone();
    db.write(move |conn| {
        let tenant = tenants::store::find_by_slug(conn, &"demo".parse().unwrap())?.unwrap();
        let scope = TenantScope::system(tenant.id, "test");
        let client = tenantry_idp::clients::store::find(conn, scope, "demo-public")?.unwrap();
        let (user, ..) = users::store::find_for_sign_in(conn, scope, "user@demo.example")?.unwrap();
        let now = SystemClock.now();
        for secret in &secrets {
            let sid = Id::new(&SystemClock, &SystemRandom);
            let context =
                Authentication { auth_time: now.unix_seconds(), acr: "test".into(), amr: vec!["pwd".into()], sid };
            let challenge = format!("{}S", pkce_s256(VERIFIER));
            codes::insert(
                conn,
                CodeRow {
                    code_hash: Sha256Hash::of(secret),
                    tenant_id: tenant.id,
                    client_id: client.row_id,
                    user_id: user,
                    session_id: sid,
                    redirect_uri: REDIRECT.into(),
                    scope: "openid".parse().unwrap(),
                    nonce: None,
                    extensions: JsonText::new(BTreeMap::from([("pkce".to_owned(), challenge)])).unwrap(),
                    context: JsonText::new(context).unwrap(),
                    created_at: now,
                    expires_at: now + Duration::from_secs(600),
                    used_at: None,
                    grant_id: None,
                },
            )?;
        }
        Ok::<_, tenantry_db::DbError>(())
    })
    .await
    .unwrap();
    db.close().await;
    codes
}

struct Client {
    http: reqwest::Client,
    url: String,
}

impl Client {
    async fn send(&self, params: &[(&str, &str)]) -> Option<(u16, Value)> {
        let response = self.http.post(&self.url).form(params).send().await.ok()?;
        let status = response.status().as_u16();
        // A body that breaks off is no acknowledgement.
        Some((status, response.json().await.ok()?))
    }

    async fn exchange(&self, code: &str) -> Option<(u16, Value)> {
        self.send(&[
            ("grant_type", "authorization_code"),
            ("client_id", "demo-public"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    async fn refresh(&self, token: &str) -> Option<(u16, Value)> {
        self.send(&[("grant_type", "refresh_token"), ("client_id", "demo-public"), ("refresh_token", token)]).await
    }

    /// One step of a client's life: the exchange if it has not come through, else a refresh.
    async fn step(&self, mut fate: Fate) -> Fate {
        let answer = match fate.tokens.last() {
            None => self.exchange(&fate.code).await,
            Some(token) => self.refresh(token).await,
        };
        if let Some((200, body)) = answer {
            if fate.tokens.is_empty() {
                fate.exchanged += 1;
            }
            fate.tokens.push(body["refresh_token"].as_str().unwrap().to_owned());
        }
        fate
    }
}

#[actix_web::test]
async fn no_code_or_refresh_token_is_good_twice_and_none_that_was_acknowledged_is_lost() {
    let (mut program, base) = Program::serving_the_demo().await;
    program.variables.push(("TENANTRY_IDP__TOKENS__REFRESH_GRACE_SECONDS".into(), "60".into()));
    let mut fates: Vec<Fate> =
        make_codes(&program).await.into_iter().map(|code| Fate { code, ..Fate::default() }).collect();
    let client = Arc::new(Client {
        http: reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap(),
        url: format!("{base}/t/demo/oauth2/token"),
    });

    // Killed five times, each after about a fifth of 1,000 requests; what was not answered is tried again.
    let mut killed_in_flight = 0;
    for round in 0..5 {
        let mut server = program.serve();
        let answered = Arc::new(std::sync::atomic::AtomicUsize::new(0));
        let work = futures_util::StreamExt::collect::<Vec<Fate>>(futures_util::StreamExt::buffered(
            futures_util::stream::iter(fates.into_iter().map(|fate| {
                let (client, answered) = (Arc::clone(&client), Arc::clone(&answered));
                async move {
                    let fate = client.step(fate).await;
                    answered.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
                    fate
                }
            })),
            16,
        ));
        let killer = async {
            while answered.load(std::sync::atomic::Ordering::SeqCst) < 200 + round * 20 {
                tokio::task::yield_now().await;
            }
            server.kill();
        };
        let ((), after) = futures_util::join!(killer, work);
        killed_in_flight += after.iter().filter(|fate| fate.tokens.len() <= round).count();
        fates = after;
    }
    assert!(killed_in_flight > 0, "the kills came in the middle of the work");

    let _server = program.serve();
    let mut families: HashMap<String, usize> = HashMap::new();
    for (number, fate) in fates.iter().enumerate() {
        assert!(fate.exchanged <= 1, "a code gave tokens twice");
        match fate.tokens.last() {
            Some(newest) => {
                let (status, body) = client.refresh(newest).await.unwrap();
                assert_eq!(status, 200, "an acknowledged refresh token was lost: {body}");
                let next = body["refresh_token"].as_str().unwrap().to_owned();
                assert!(families.insert(next, number).is_none(), "two codes share a family");
                if let [.., before, _] = fate.tokens.as_slice() {
                    let (status, _) = client.refresh(before).await.unwrap();
                    assert_eq!(status, 400, "a used refresh token was good again");
                }
                let (status, _) = client.exchange(&fate.code).await.unwrap();
                assert_eq!(status, 400, "a used code was good again");
            }
            None => {
                let first = client.exchange(&fate.code).await.unwrap().0;
                let second = client.exchange(&fate.code).await.unwrap().0;
                assert!(matches!((first, second), (200 | 400, 400)), "{first} {second}");
            }
        }
    }
}
