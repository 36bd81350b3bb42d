//! The access token of this service for the management API.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::json;
use tenantry_types::{Clock, Random, Slug, UtcTime, random_token};
use tokio::sync::Mutex;

use super::{ClientKeyFile, ManagementError};
use crate::idp::{IdpClient, IdpError};

/// What this service does there.
const SCOPE: &str = "admin.read admin.tenants admin.users admin.clients";
/// RFC 7523 §2.2.
const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How long an assertion is good: it is used at once.
const ASSERTION_SECONDS: i64 = 60;
/// A token is replaced this long before its end, so that it does not end on its way.
const BEFORE_THE_END: Duration = Duration::from_secs(30);

#[derive(Debug)]
pub(super) struct Tokens {
    idp: IdpClient,
    issuer: String,
    client_id: String,
    key: ClientKeyFile,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    /// Held while a token is asked for, so that it is done once.
    token: Mutex<Option<Token>>,
}

/// An access token with the time from which it is replaced.
#[derive(Debug, Clone)]
struct Token {
    text: SecretString,
    good_until: UtcTime,
}

/// RFC 6749 §5.1.
#[derive(Deserialize)]
struct TokenAnswer {
    access_token: SecretString,
    #[serde(default)]
    expires_in: u64,
}

impl Tokens {
    pub(super) fn new(
        idp: IdpClient,
        platform: &Slug,
        client_id: &str,
        key: ClientKeyFile,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        let issuer = format!("{}/t/{platform}", idp.public_url().as_str());
        Self { idp, issuer, client_id: client_id.to_owned(), key, clock, random, token: Mutex::default() }
    }

    /// A token that is good for a while.
    pub(super) async fn current(&self) -> Result<SecretString, ManagementError> {
        let mut token = self.token.lock().await;
        if let Some(token) = token.as_ref().filter(|token| self.clock.now() < token.good_until) {
            return Ok(token.text.clone());
        }
        let fresh = self.fetch().await?;
        Ok(token.insert(fresh).text.clone())
    }

    /// A token in the place of one that was refused.
    pub(super) async fn other_than(&self, refused: &SecretString) -> Result<SecretString, ManagementError> {
        let mut token = self.token.lock().await;
        if token.as_ref().is_some_and(|token| token.text.expose_secret() == refused.expose_secret()) {
            *token = None;
        }
        drop(token);
        self.current().await
    }

    async fn fetch(&self) -> Result<Token, ManagementError> {
        let now = self.clock.now();
        let assertion = self.assertion(now)?;
        let form = [
            ("grant_type", "client_credentials"),
            ("scope", SCOPE),
            ("client_assertion_type", ASSERTION_TYPE),
            ("client_assertion", assertion.as_str()),
        ];
        let (status, body) = self.idp.ask_for_token(&self.token_endpoint(), &form).await?;
        if !status.is_success() {
            // `invalid_client` and its like (RFC 6749 §5.2): the code is for the operator.
            let error = serde_json::from_slice::<serde_json::Value>(&body).unwrap_or_default();
            tracing::error!(status = status.as_u16(), error = %error["error"], client = self.client_id, "no access token for the management API");
            return Err(ManagementError::NotLetIn(status.as_u16()));
        }
        let answer: TokenAnswer =
            serde_json::from_slice(&body).map_err(|_| IdpError::Answer("the token answer has another form"))?;
        let lifetime = Duration::from_secs(answer.expires_in).saturating_sub(BEFORE_THE_END);
        Ok(Token { text: answer.access_token, good_until: now + lifetime })
    }

    /// RFC 7523 §3: about this client, by this client, for this issuer, once.
    fn assertion(&self, now: UtcTime) -> Result<String, ManagementError> {
        let issued = now.unix_seconds();
        let claims = json!({
            "iss": self.client_id, "sub": self.client_id, "aud": self.issuer,
            "jti": random_token(&*self.random).expose_secret(), "iat": issued, "exp": issued + ASSERTION_SECONDS,
        });
        let signed = self.key.signing_key().sign_jwt("client-authentication+jwt", &claims);
        signed.map_err(|error| {
            tracing::error!(%error, "the key of the management client does not sign");
            ManagementError::NotSetUp
        })
    }

    fn token_endpoint(&self) -> String {
        format!("{}/oauth2/token", self.issuer)
    }
}
