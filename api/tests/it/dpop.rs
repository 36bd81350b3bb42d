//! Tokens that are bound to a key (RFC 9449), and everything that somebody without the key might try.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::{Method, Response, StatusCode};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tenantry_jose::{Algorithm, SigningKey};
use tenantry_types::Clock as _;

use crate::support::{TestApi, challenge, client, problem};

const ME: &str = "/api/v1/me";

/// Somebody whose token is bound to a key.
struct Bound {
    api: TestApi,
    key: Prover,
    token: String,
}

/// A key that proofs are made with.
struct Prover {
    key: SigningKey,
    /// Signs what `key` could not be made to: proofs with their key in the header.
    pair: aws_lc_rs::signature::EcdsaKeyPair,
}

impl Prover {
    fn generate() -> Self {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let der = key.to_pkcs8().unwrap();
        let signing = &aws_lc_rs::signature::ECDSA_P256_SHA256_FIXED_SIGNING;
        let pair = aws_lc_rs::signature::EcdsaKeyPair::from_pkcs8(signing, der.expose_secret());
        Self { key, pair: pair.unwrap() }
    }

    fn jwk(&self) -> Value {
        let jwk = serde_json::to_value(self.key.public_jwk()).unwrap();
        json!({"kty": jwk["kty"], "crv": jwk["crv"], "x": jwk["x"], "y": jwk["y"]})
    }

    fn thumbprint(&self) -> String {
        self.key.verifying_key().thumbprint().to_owned()
    }

    /// A proof with this header and these claims.
    fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let input = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&aws_lc_rs::rand::SystemRandom::new(), input.as_bytes()).unwrap();
        format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

impl Bound {
    async fn start() -> Self {
        let (api, key) = (TestApi::start().await, Prover::generate());
        let mut claims = api.idp.user_claims("demo", &api.url);
        claims["cnf"] = json!({ "jkt": key.thumbprint() });
        let token = api.idp.sign("demo", &claims);
        Self { api, key, token }
    }

    fn header(&self) -> Value {
        json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.jwk()})
    }

    /// What a proof for the request of the tests claims, each time under another name.
    fn claims(&self) -> Value {
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, self.token.as_bytes()));
        json!({"jti": uuid(), "htm": "GET", "htu": format!("{}{ME}", self.api.url),
            "iat": self.api.clock.now().unix_seconds(), "ath": hash})
    }

    fn proof_with(&self, changes: &Value) -> String {
        self.key.sign(&self.header(), &changed(self.claims(), changes))
    }

    fn proof_of(&self, changes: &Value) -> String {
        self.key.sign(&changed(self.header(), changes), &self.claims())
    }

    async fn ask(&self, scheme: &str, token: &str, proofs: &[&str]) -> Response {
        let mut request = self.api.request(Method::GET, ME).header("Authorization", format!("{scheme} {token}"));
        for proof in proofs {
            request = request.header("DPoP", *proof);
        }
        request.send().await.unwrap()
    }

    async fn refused(&self, what: &str, proof: &str) {
        let response = self.ask("DPoP", &self.token, &[proof]).await;
        assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{what}");
        let told = challenge(&response).to_owned();
        assert!(told.starts_with("DPoP ") && told.contains("error=\"invalid_dpop_proof\""), "{what}: {told}");
        assert!(told.contains("algs=\"ES256 EdDSA PS256 RS256\""), "{what}: {told}");
        let refused = problem(response, StatusCode::UNAUTHORIZED).await;
        assert!(refused["type"].as_str().unwrap().ends_with("/invalid-dpop-proof"), "{what}: {refused}");
    }
}

/// A JSON object with some members changed; `null` removes one.
fn changed(mut object: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(name)),
            value => object[name] = value.clone(),
        }
    }
    object
}

fn uuid() -> String {
    use tenantry_types::{SystemClock, SystemRandom, UserId};
    UserId::new(&SystemClock, &SystemRandom).to_string()
}

#[actix_web::test]
async fn a_bound_token_is_good_with_a_proof() {
    let bound = Bound::start().await;
    for changes in [
        json!({}),
        json!({"htu": format!("{}{ME}?page=1#top", bound.api.url)}),
        json!({"htu": format!("{}{ME}", bound.api.url.to_uppercase().replace("HTTP://LOCALHOST", "HTTP://LocalHost"))}),
        json!({"iat": bound.api.clock.now().unix_seconds() - 60}),
        json!({"nonce": "whatever", "more": [1]}),
    ] {
        let proof = bound.proof_with(&changes);
        let response = bound.ask("dpop", &bound.token, &[&proof]).await;
        assert_eq!(response.status(), StatusCode::OK, "{changes}");
    }
    // For each request its own.
    let patch = json!({"htm": "PUT", "htu": format!("{}/api/v1/tenant/settings", bound.api.url)});
    let request = bound.api.request(Method::PUT, "/api/v1/tenant/settings").header("If-Match", "*").json(&json!({}));
    let request = request.header("Authorization", format!("DPoP {}", bound.token));
    let response = request.header("DPoP", bound.proof_with(&patch)).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
}

#[actix_web::test]
async fn whoever_lacks_the_key_cannot_use_the_token() {
    let bound = Bound::start().await;
    let url = &bound.api.url;
    // As a bearer token it is worth nothing, with and without a proof.
    for proofs in [&[][..], &[bound.proof_with(&json!({})).as_str()]] {
        let response = bound.ask("Bearer", &bound.token, proofs).await;
        assert!(challenge(&response).contains("error=\"invalid_token\""), "{}", challenge(&response));
        problem(response, StatusCode::UNAUTHORIZED).await;
    }
    // A token that is bound to nothing is made no better by a proof.
    let plain = bound.api.administrator();
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, plain.as_bytes()));
    let response = bound.ask("DPoP", &plain, &[&bound.proof_with(&json!({ "ath": hash }))]).await;
    assert!(challenge(&response).contains("error=\"invalid_token\""), "{}", challenge(&response));
    problem(response, StatusCode::UNAUTHORIZED).await;

    // No proof, several, and one that was sent before.
    let good = bound.proof_with(&json!({}));
    for proofs in [&[][..], &[good.as_str(), &bound.proof_with(&json!({}))]] {
        problem(bound.ask("DPoP", &bound.token, proofs).await, StatusCode::UNAUTHORIZED).await;
    }
    assert_eq!(bound.ask("DPoP", &bound.token, &[&good]).await.status(), StatusCode::OK);
    bound.refused("it was sent before", &good).await;

    // Somebody else's key, also under the name of the right one.
    let other = Prover::generate();
    let mut header = bound.header();
    header["jwk"] = other.jwk();
    bound.refused("of another key", &other.sign(&header, &bound.claims())).await;
    bound.refused("signed by another key", &other.sign(&bound.header(), &bound.claims())).await;
    let mut secret = bound.key.jwk();
    secret["d"] = json!("AAAA");
    let at = url.rsplit_once(':').unwrap().1;
    for (what, proof) in [
        ("a private key", bound.proof_of(&json!({ "jwk": secret }))),
        ("no key", bound.proof_of(&json!({"jwk": null}))),
        ("a key that is none", bound.proof_of(&json!({"jwk": "AAAA"}))),
        ("a secret", bound.proof_of(&json!({"alg": "HS256", "jwk": {"kty": "oct", "k": "AAAA"}}))),
        ("unsigned", bound.proof_of(&json!({"alg": "none"}))),
        ("another algorithm", bound.proof_of(&json!({"alg": "RS256"}))),
        ("an ordinary token", bound.proof_of(&json!({"typ": "JWT"}))),
        ("an access token", bound.proof_of(&json!({"typ": "at+jwt"}))),
        ("no type", bound.proof_of(&json!({"typ": null}))),
        ("an extension", bound.proof_of(&json!({"crit": ["b64"], "b64": false}))),
        ("another method", bound.proof_with(&json!({"htm": "POST"}))),
        ("a method in small letters", bound.proof_with(&json!({"htm": "get"}))),
        ("another path", bound.proof_with(&json!({"htu": format!("{url}/api/v1/users")}))),
        ("a path that begins so", bound.proof_with(&json!({"htu": format!("{url}{ME}/")}))),
        ("another host", bound.proof_with(&json!({"htu": format!("http://evil.example:{at}{ME}")}))),
        ("another port", bound.proof_with(&json!({"htu": format!("http://localhost:1{ME}")}))),
        ("another scheme", bound.proof_with(&json!({"htu": format!("https://localhost:{at}{ME}")}))),
        ("somebody at the host", bound.proof_with(&json!({"htu": format!("http://a@localhost:{at}{ME}")}))),
        ("no address", bound.proof_with(&json!({"htu": ME}))),
        ("another token", bound.proof_with(&json!({"ath": URL_SAFE_NO_PAD.encode([0; 32])}))),
        ("too old", bound.proof_with(&json!({"iat": bound.api.clock.now().unix_seconds() - 91}))),
        ("of the future", bound.proof_with(&json!({"iat": bound.api.clock.now().unix_seconds() + 31}))),
        ("over", bound.proof_with(&json!({"exp": bound.api.clock.now().unix_seconds() - 31}))),
        ("a name that is too long", bound.proof_with(&json!({"jti": "x".repeat(257)}))),
        ("a name that is empty", bound.proof_with(&json!({"jti": ""}))),
        ("no token at all", "AAAA".to_owned()),
        ("cut off", good.rsplit_once('.').unwrap().0.to_owned() + "."),
    ] {
        bound.refused(what, &proof).await;
    }
    for claim in ["jti", "htm", "htu", "iat", "ath"] {
        for absurd in [json!(null), json!(1e300), json!(-1e300), json!([]), json!({}), json!(true)] {
            bound.refused(claim, &bound.proof_with(&json!({ claim: absurd }))).await;
        }
    }
    // What the client calls the host makes no difference: else whoever was sent a proof could pass it on.
    let evil = bound.proof_with(&json!({"htu": format!("http://evil.example{ME}")}));
    let request = client().get(format!("{url}{ME}")).header("Host", "evil.example").header("DPoP", evil);
    let response = request.header("Authorization", format!("DPoP {}", bound.token)).send().await.unwrap();
    assert!(response.status().is_client_error(), "{}", response.status());
}

#[actix_web::test]
async fn a_proof_counts_once_at_all_replicas() {
    let Ok(redis) = std::env::var("TEST_REDIS_URL") else { return };
    let key = Prover::generate();
    let api = TestApi::start_with(|config| config.redis.url = Some(redis.as_str().into())).await;
    let mut claims = api.idp.user_claims("demo", &api.url);
    claims["cnf"] = json!({ "jkt": key.thumbprint() });
    let bound = Bound { token: api.idp.sign("demo", &claims), api, key };
    let replica = bound.api.replica(bound.api.config.clone()).await;
    let proof = bound.proof_with(&json!({}));
    assert_eq!(bound.ask("DPoP", &bound.token, &[&proof]).await.status(), StatusCode::OK);
    let again = client().get(format!("{replica}{ME}")).header("Authorization", format!("DPoP {}", bound.token));
    let again = again.header("DPoP", proof).send().await.unwrap();
    assert!(challenge(&again).contains("invalid_dpop_proof"));
    problem(again, StatusCode::UNAUTHORIZED).await;
}

#[actix_web::test]
async fn confirmations_that_are_not_understood_are_refused() {
    let bound = Bound::start().await;
    for cnf in [
        json!({"x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({"jkt": bound.key.thumbprint(), "x5t#S256": "bwcK0esc3ACC3DB2Y5_lESsXE8o9ltc05O89jdN-dg2"}),
        json!({"jkt": 1}),
        json!({"jkt": ""}),
        json!({}),
        json!("nonsense"),
        json!(false),
    ] {
        let mut claims = bound.api.idp.user_claims("demo", &bound.api.url);
        claims["cnf"] = cnf.clone();
        let token = bound.api.idp.sign("demo", &claims);
        let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, token.as_bytes()));
        for scheme in ["Bearer", "DPoP"] {
            let response = bound.ask(scheme, &token, &[&bound.proof_with(&json!({ "ath": hash }))]).await;
            assert_eq!(response.status(), StatusCode::UNAUTHORIZED, "{scheme} {cnf}");
        }
    }
    // Whoever sends nothing is told of both ways.
    let response = bound.api.get(ME).await;
    let told: Vec<&str> =
        response.headers().get_all("www-authenticate").iter().map(|one| one.to_str().unwrap()).collect();
    assert_eq!(
        told,
        ["Bearer realm=\"tenantry-api\"", "DPoP realm=\"tenantry-api\", algs=\"ES256 EdDSA PS256 RS256\""]
    );
}
