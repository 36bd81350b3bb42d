//! OpenID Connect, from the side of the relying party.

use std::fmt::Display;
use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use openidconnect::core::{
    CoreAuthenticationFlow, CoreClient, CoreErrorResponseType, CoreIdToken, CoreIdTokenVerifier, CoreTokenResponse,
    CoreUserInfoClaims,
};
use openidconnect::{
    AccessTokenHash, AuthenticationContextClass, AuthorizationCode, ClaimsVerificationError, ClientId, CsrfToken,
    EndSessionUrl, EndpointMaybeSet, EndpointNotSet, EndpointSet, ErrorResponse, HttpRequest, IssuerUrl, LogoutRequest,
    Nonce, OAuth2TokenResponse as _, PkceCodeChallenge, PkceCodeVerifier, PostLogoutRedirectUrl,
    ProviderMetadataWithLogout, RedirectUrl, RefreshToken, RequestTokenError, Scope, SignatureVerificationError,
    SubjectIdentifier, TokenResponse as _,
};
use secrecy::{ExposeSecret as _, SecretString};
use tenantry_types::{Clock, PublicUrl, Random, Slug, UtcTime, random_token};
use url::Url;

use super::ConsoleError;
use super::model::{PendingSignIn, Tokens};
use crate::idp::{IdpClient, IdpError};

/// What is asked for: who it is, a refresh token, and everything that the person may do here. `openid` is added by the
/// library.
const SCOPES: &[&str] = &["profile", "email", "roles", "offline_access", "api"];

/// How long what a provider says of itself is believed.
const METADATA_LIFETIME: Duration = Duration::from_secs(300);

/// Providers that are remembered.
const CAPACITY: u64 = 1_000;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// The console as a client of every tenant.
pub(super) struct RelyingParty {
    idp: IdpClient,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    client_id: ClientId,
    redirect_uri: RedirectUrl,
    post_logout_redirect_uri: PostLogoutRedirectUrl,
    providers: Cache<String, Arc<Provider>>,
}

/// One issuer, as it describes itself.
struct Provider {
    client: Client,
    end_session: Option<EndSessionUrl>,
}

/// What a sign-in or a renewal gave, after everything that can be checked was.
pub(super) struct Granted {
    pub(super) subject: String,
    pub(super) tokens: Tokens,
}

/// How strong and how new a sign-in is asked for (RFC 9470 §4): what the API has asked for, by way of the browser. Whether it
/// was given, the API looks up in the token.
#[derive(Debug, Default)]
pub(super) struct Strength {
    /// `acr_values`.
    pub(super) acr: Option<String>,
    /// `max_age`.
    pub(super) max_age: Option<Duration>,
}

impl Strength {
    /// Reads both. What is no value of theirs is left out.
    pub(super) fn of(acr: Option<&str>, max_age: Option<&str>) -> Self {
        let is_plain =
            |text: &&str| text.len() <= 200 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._:/".contains(&b));
        let seconds = max_age.and_then(|text| text.parse::<u32>().ok());
        Self {
            acr: acr.filter(is_plain).map(str::to_owned),
            max_age: seconds.map(|seconds| Duration::from_secs(seconds.into())),
        }
    }
}

/// What came of a renewal.
pub(super) enum Renewal {
    /// New tokens.
    Granted(Box<Granted>),
    /// The provider ended it: the person has to sign in again.
    Ended,
}

impl RelyingParty {
    pub(super) fn new(
        idp: IdpClient,
        public_url: &PublicUrl,
        client_id: String,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Self, url::ParseError> {
        Ok(Self {
            idp,
            clock,
            random,
            client_id: ClientId::new(client_id),
            redirect_uri: RedirectUrl::new(format!("{}/console/callback", public_url.as_str()))?,
            post_logout_redirect_uri: PostLogoutRedirectUrl::new(format!(
                "{}/console/signed-out",
                public_url.as_str()
            ))?,
            providers: Cache::builder().max_capacity(CAPACITY).time_to_live(METADATA_LIFETIME).build(),
        })
    }

    /// The issuer of a tenant.
    pub(super) fn issuer_of(&self, tenant: &Slug) -> String {
        format!("{}/t/{tenant}", self.idp.public_url().as_str())
    }

    /// Where to send the browser, and what to remember until it comes back.
    pub(super) async fn begin(&self, tenant: Slug, asked: &Strength) -> Result<(Url, PendingSignIn), ConsoleError> {
        let issuer = self.issuer_of(&tenant);
        let provider = self.provider(&issuer).await?;
        let secret = || random_token(&*self.random).expose_secret().to_owned();
        let (state, nonce, verifier) = (CsrfToken::new(secret()), Nonce::new(secret()), secret());
        let challenge = PkceCodeChallenge::from_code_verifier_sha256(&PkceCodeVerifier::new(verifier.clone()));
        let mut request = provider
            .client
            .authorize_url(CoreAuthenticationFlow::AuthorizationCode, move || state, move || nonce)
            .add_scopes(SCOPES.iter().map(|scope| Scope::new((*scope).to_owned())))
            .set_pkce_challenge(challenge);
        if let Some(class) = &asked.acr {
            request = request.add_auth_context_value(AuthenticationContextClass::new(class.clone()));
        }
        if let Some(age) = asked.max_age {
            request = request.set_max_age(age);
        }
        let (url, state, nonce) = request.url();
        let (state, nonce) = (state.into_secret(), nonce.secret().clone());
        let pending =
            PendingSignIn { tenant, issuer, state, nonce, verifier, started_at: self.clock.now(), return_to: None };
        Ok((url, pending))
    }

    /// Exchanges the code of a sign-in, and checks what it gives.
    pub(super) async fn complete(&self, pending: &PendingSignIn, code: String) -> Result<Granted, ConsoleError> {
        let provider = self.provider(&pending.issuer).await?;
        let http = |request: HttpRequest| self.idp.call(request);
        let response = provider
            .client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(provider_fault)?
            .set_pkce_verifier(PkceCodeVerifier::new(pending.verifier.clone()))
            .request_async(&http)
            .await
            .map_err(token_fault)?;
        let mut granted =
            self.checked(&pending.issuer, &response, Some(&Nonce::new(pending.nonce.clone())), None).await?;
        if granted.tokens.name.is_none() {
            granted.tokens.name = self.name_of(&provider, &response, &granted.subject).await;
        }
        Ok(granted)
    }

    /// Exchanges a refresh token for new tokens.
    pub(super) async fn renew(&self, issuer: &str, subject: &str, old: &Tokens) -> Result<Renewal, ConsoleError> {
        let Some(refresh_token) = old.refresh_token() else { return Ok(Renewal::Ended) };
        let provider = self.provider(issuer).await?;
        let http = |request: HttpRequest| self.idp.call(request);
        let refresh_token = RefreshToken::new(refresh_token.to_owned());
        let request = provider.client.exchange_refresh_token(&refresh_token).map_err(provider_fault)?;
        let response = match request.request_async(&http).await {
            Ok(response) => response,
            Err(RequestTokenError::ServerResponse(refusal)) if ends_the_grant(refusal.error()) => {
                return Ok(Renewal::Ended);
            }
            Err(error) => return Err(token_fault(error)),
        };
        let mut granted = self.checked(issuer, &response, None, Some((subject, old))).await?;
        if granted.tokens.name.is_none() {
            granted.tokens.name.clone_from(&old.name);
        }
        Ok(Renewal::Granted(Box::new(granted)))
    }

    /// Where to send the browser to end the session at the provider as well; `None` when it has no such place.
    pub(super) async fn end_session(&self, issuer: &str, id_token: &str) -> Result<Option<Url>, ConsoleError> {
        let provider = self.provider(issuer).await?;
        let Some(end_session) = provider.end_session.clone() else { return Ok(None) };
        let mut request = LogoutRequest::from(end_session)
            .set_client_id(self.client_id.clone())
            .set_post_logout_redirect_uri(self.post_logout_redirect_uri.clone());
        if let Ok(id_token) = id_token.parse::<CoreIdToken>() {
            request = request.set_id_token_hint(&id_token);
        }
        Ok(Some(request.http_get_url()))
    }

    async fn provider(&self, issuer: &str) -> Result<Arc<Provider>, ConsoleError> {
        let discover = async {
            let http = |request: HttpRequest| self.idp.call(request);
            let url = IssuerUrl::new(issuer.to_owned()).map_err(provider_fault)?;
            let metadata =
                ProviderMetadataWithLogout::discover_async(url, &http).await.map_err(|error| match error {
                    openidconnect::DiscoveryError::Request(error) => error.into(),
                    other => provider_fault(other),
                })?;
            let end_session = metadata.additional_metadata().end_session_endpoint.clone();
            let client = CoreClient::from_provider_metadata(metadata, self.client_id.clone(), None)
                .set_redirect_uri(self.redirect_uri.clone());
            Ok::<_, ConsoleError>(Arc::new(Provider { client, end_session }))
        };
        if let Some(provider) = self.providers.get(issuer).await {
            return Ok(provider);
        }
        let provider = discover.await?;
        self.providers.insert(issuer.to_owned(), Arc::clone(&provider)).await;
        Ok(provider)
    }

    /// Checks a token response. `nonce` is that of a sign-in, `before` what a renewal must not change.
    async fn checked(
        &self,
        issuer: &str,
        response: &CoreTokenResponse,
        nonce: Option<&Nonce>,
        before: Option<(&str, &Tokens)>,
    ) -> Result<Granted, ConsoleError> {
        let id_token = match (response.id_token(), before) {
            (Some(token), _) => token,
            // OpenID Connect Core §12.2: a renewal may come without one; the old one stays.
            (None, Some((subject, old))) => {
                let tokens = self.tokens(response, old.id_token().to_owned(), old.id_expires_at, old.name.clone());
                return Ok(Granted { subject: subject.to_owned(), tokens: with_old_refresh_token(tokens, Some(old)) });
            }
            (None, None) => return Err(provider_fault("there is no ID token")),
        };
        let mut provider = self.provider(issuer).await?;
        let mut verified = self.verify(&provider, id_token, response, nonce);
        if matches!(&verified, Err(Rejection::UnknownKey)) {
            // Perhaps the key is newer than what is remembered.
            self.providers.invalidate(issuer).await;
            provider = self.provider(issuer).await?;
            verified = self.verify(&provider, id_token, response, nonce);
        }
        let identity = verified.map_err(|rejection| match rejection {
            Rejection::UnknownKey => provider_fault("the ID token was signed with an unknown key"),
            Rejection::Other(reason) => ConsoleError::Provider(reason),
        })?;
        if before.is_some_and(|(subject, _)| subject != identity.subject) {
            return Err(provider_fault("the renewed ID token is of another subject"));
        }
        let tokens = self.tokens(response, id_token.to_string(), identity.expires_at, identity.name);
        Ok(Granted { subject: identity.subject, tokens: with_old_refresh_token(tokens, before.map(|(_, old)| old)) })
    }

    fn tokens(
        &self,
        response: &CoreTokenResponse,
        id_token: String,
        id_expires_at: UtcTime,
        name: Option<String>,
    ) -> Tokens {
        let access_token = SecretString::from(response.access_token().secret().as_str());
        let refresh_token = response.refresh_token().map(|token| SecretString::from(token.secret().as_str()));
        let expires_at = response.expires_in().map(|time| self.clock.now() + time);
        Tokens::new(&access_token, refresh_token.as_ref(), id_token, expires_at, id_expires_at, name)
    }

    /// OpenID Connect Core §3.1.3.7: signature, `iss`, `aud`, `azp`, `exp`, `nonce`; and `at_hash` (§3.1.3.8).
    fn verify(
        &self,
        provider: &Provider,
        id_token: &CoreIdToken,
        response: &CoreTokenResponse,
        nonce: Option<&Nonce>,
    ) -> Result<Identity, Rejection> {
        let clock = Arc::clone(&self.clock);
        let verifier = provider.client.id_token_verifier().set_time_fn(move || clock.now().to_datetime());
        let claims = match nonce {
            Some(nonce) => id_token.claims(&verifier, nonce),
            // A renewed ID token need not repeat it (§12.2).
            None => id_token.claims(&verifier, |_: Option<&Nonce>| Ok(())),
        }?;
        if let Some(expected) = claims.access_token_hash() {
            check_hash(id_token, &verifier, response, expected)?;
        }
        let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
        let username = claims.preferred_username().map(|name| name.as_str().to_owned());
        Ok(Identity {
            subject: claims.subject().as_str().to_owned(),
            name: name.or(username),
            expires_at: UtcTime::from_datetime(claims.expiration()),
        })
    }

    /// What the person is called. Nothing depends on it, so a failure leaves it open.
    async fn name_of(&self, provider: &Provider, response: &CoreTokenResponse, subject: &str) -> Option<String> {
        let http = |request: HttpRequest| self.idp.call(request);
        let subject = SubjectIdentifier::new(subject.to_owned());
        let request = provider.client.user_info(response.access_token().clone(), Some(subject)).ok()?;
        let claims: CoreUserInfoClaims = match request.request_async(&http).await {
            Ok(claims) => claims,
            Err(error) => {
                tracing::warn!(%error, "the name of a person could not be learned");
                return None;
            }
        };
        let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str().to_owned());
        name.or_else(|| claims.preferred_username().map(|name| name.as_str().to_owned()))
            .or_else(|| claims.email().map(|email| email.as_str().to_owned()))
    }
}

struct Identity {
    subject: String,
    name: Option<String>,
    expires_at: UtcTime,
}

enum Rejection {
    UnknownKey,
    Other(String),
}

impl From<ClaimsVerificationError> for Rejection {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey) => {
                Self::UnknownKey
            }
            other => Self::Other(format!("ID token: {other}")),
        }
    }
}

/// The access token is the one that the ID token was issued with.
fn check_hash(
    id_token: &CoreIdToken,
    verifier: &CoreIdTokenVerifier<'_>,
    response: &CoreTokenResponse,
    expected: &AccessTokenHash,
) -> Result<(), Rejection> {
    let wrong = |_| Rejection::Other("ID token: the hash of the access token cannot be computed".to_owned());
    let algorithm = id_token.signing_alg().map_err(|error| wrong(error.to_string()))?;
    let key = id_token.signing_key(verifier).map_err(|error| wrong(error.to_string()))?;
    let hash = AccessTokenHash::from_token(response.access_token(), algorithm, key)
        .map_err(|error| wrong(error.to_string()))?;
    if hash == *expected {
        Ok(())
    } else {
        Err(Rejection::Other("ID token: it was issued with another access token".to_owned()))
    }
}

/// RFC 6749 §6: without a new refresh token, the old one stays good.
fn with_old_refresh_token(tokens: Tokens, old: Option<&Tokens>) -> Tokens {
    match old {
        Some(old) => tokens.or_refresh_token_of(old),
        None => tokens,
    }
}

/// RFC 6749 §5.2: the token is used up, revoked or expired, or the client is not known any more. Other refusals may pass.
const fn ends_the_grant(error: &CoreErrorResponseType) -> bool {
    use CoreErrorResponseType::{InvalidClient, InvalidGrant, UnauthorizedClient};
    matches!(error, InvalidGrant | InvalidClient | UnauthorizedClient)
}

fn provider_fault(reason: impl Display) -> ConsoleError {
    ConsoleError::Provider(format!("{reason}"))
}

/// What the token endpoint did instead of giving tokens. Its description is for the log.
fn token_fault<T: ErrorResponse + Display + 'static>(error: RequestTokenError<IdpError, T>) -> ConsoleError {
    match error {
        RequestTokenError::Request(error) => error.into(),
        other => provider_fault(other),
    }
}
