//! HTTP to the identity provider: bounded in time and size, without redirects.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use openidconnect::{HttpRequest, HttpResponse};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Method, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tenantry_types::{Clock, PublicUrl, Slug, TenantId};
use tenantry_web::ingress::RequestContext;

/// How long an answer may take, connection included.
const TIMEOUT: Duration = Duration::from_secs(5);

/// How long a connection may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// The largest answer that is read. A JWK Set of 64 RSA keys has 40 kB.
const MAX_ANSWER_BYTES: usize = 256 * 1024;

/// After it could not be reached, callers are told so at once for this long, instead of each waiting in turn.
const PAUSE_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// Why the identity provider did not help.
#[derive(Debug, Clone, thiserror::Error)]
pub enum IdpError {
    /// It could not be reached in time, or answered with a server error.
    #[error("the identity provider cannot be reached: {0}")]
    Unreachable(Arc<str>),
    /// It answered something else than the contract says.
    #[error("the identity provider gave an answer that is not understood: {0}")]
    Answer(&'static str),
    /// An address that does not lie below the configured one.
    #[error("an address is not below that of the identity provider")]
    Elsewhere,
}

/// What the identity provider says about an issuer: `GET /.well-known/tenantry/issuer?issuer=…`.
#[derive(Debug, Clone, Deserialize)]
pub struct IssuerRecord {
    /// The issuer identifier.
    pub issuer: String,
    /// The tenant that it belongs to.
    pub tenant: IssuerTenant,
    /// Where its public keys are.
    pub jwks_uri: String,
    /// The origins of the tenant's clients, as the provider says them.
    #[serde(default)]
    pub allowed_origins: Vec<String>,
}

/// A tenant, as the identity provider knows it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct IssuerTenant {
    /// The same id at both services.
    pub id: TenantId,
    /// Its short name.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// Whether it is in use, by the name of the status; a provider that does not say tells only of those that are.
    #[serde(default)]
    pub status: Option<String>,
    /// Whether it is the operator's own, whose administrators manage the others.
    #[serde(default)]
    pub is_platform: bool,
}

/// Calls the identity provider. Clones share connections.
#[derive(Debug, Clone)]
pub struct IdpClient(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    http: reqwest::Client,
    /// How the outside knows it: what issuers and endpoints begin with.
    public: PublicUrl,
    /// Where it is called, when that is another address.
    internal: Option<PublicUrl>,
    /// The `Host` it expects: that of the public address, whichever way it is called.
    authority: String,
    clock: Arc<dyn Clock>,
    /// In microseconds since 1970.
    unreachable_until: AtomicI64,
}

impl IdpClient {
    /// A client of the provider at `public`, called at `internal` when there is a shorter way.
    ///
    /// # Errors
    /// When TLS cannot be set up on this machine.
    pub fn new(public: PublicUrl, internal: Option<PublicUrl>, clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            // Following a redirect would leave the configured address.
            .redirect(Policy::none())
            // Keys and tokens go straight there, whatever proxy the environment names.
            .no_proxy()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(TIMEOUT)
            .build()?;
        let authority = public.authority();
        let unreachable_until = AtomicI64::new(0);
        Ok(Self(Arc::new(Inner { http, public, internal, authority, clock, unreachable_until })))
    }

    /// The address under which the outside knows the provider.
    pub fn public_url(&self) -> &PublicUrl {
        &self.0.public
    }

    /// The tenant and the keys of an issuer; `None` when the provider has no such issuer.
    ///
    /// # Errors
    /// [`IdpError::Unreachable`], [`IdpError::Answer`].
    pub async fn issuer(&self, issuer: &str) -> Result<Option<IssuerRecord>, IdpError> {
        let mut url = self.0.public.url().clone();
        url.set_path(&format!("{}/.well-known/tenantry/issuer", url.path().trim_end_matches('/')));
        url.query_pairs_mut().append_pair("issuer", issuer);
        let Some(body) = self.get_json(url.as_str()).await? else { return Ok(None) };
        let record: IssuerRecord =
            serde_json::from_value(body).map_err(|_| IdpError::Answer("the issuer record has another form"))?;
        if record.issuer != issuer {
            return Err(IdpError::Answer("the issuer record is of another issuer"));
        }
        Ok(Some(record))
    }

    /// Where the keys of an issuer are called. Those of a login domain are below the tenant's own path as well, where this
    /// service can be sure to reach the provider itself.
    pub fn jwks_uri(&self, record: &IssuerRecord) -> String {
        match self.route(&record.jwks_uri) {
            Ok(_) => record.jwks_uri.clone(),
            Err(_) => format!("{}/t/{}/oauth2/jwks", self.0.public.as_str(), record.tenant.slug),
        }
    }

    /// A JSON document below the provider's address; `None` when it is not there.
    ///
    /// # Errors
    /// As [`Self::issuer`], and [`IdpError::Elsewhere`].
    pub async fn get_json(&self, url: &str) -> Result<Option<Value>, IdpError> {
        let request = self.0.http.request(Method::GET, self.route(url)?).header(ACCEPT, "application/json");
        let (status, _, body) = self.send(request).await?;
        match status {
            StatusCode::OK => serde_json::from_slice(&body).map(Some).map_err(|_| IdpError::Answer("it is not JSON")),
            StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
                Err(IdpError::Unreachable(format!("status {}", status.as_u16()).into()))
            }
            // Not there, or not at this host: what was asked for is not the provider's.
            status if status.is_client_error() => Ok(None),
            _ => Err(IdpError::Answer("the status is not the expected one")),
        }
    }

    /// Sends a request of the relying party; the answer is judged there.
    ///
    /// # Errors
    /// [`IdpError::Unreachable`], [`IdpError::Elsewhere`].
    pub async fn call(&self, request: HttpRequest) -> Result<HttpResponse, IdpError> {
        let url = self.route(&request.uri().to_string())?;
        let (parts, body) = request.into_parts();
        let outgoing = self.0.http.request(parts.method, url).headers(parts.headers).body(body);
        let (status, content_type, body) = self.send(outgoing).await?;
        let mut response = HttpResponse::new(body);
        *response.status_mut() = status;
        if let Some(content_type) = content_type {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        Ok(response)
    }

    /// Sends a request to the management API; the answer is judged there.
    pub(super) async fn manage(
        &self,
        method: &Method,
        url: &str,
        token: &SecretString,
        body: Option<&Value>,
    ) -> Result<(StatusCode, Vec<u8>), IdpError> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()))
            .map_err(|_| IdpError::Answer("the access token cannot stand in a header"))?;
        bearer.set_sensitive(true);
        let request = self.0.http.request(method.clone(), self.route(url)?);
        let mut request = request.header(ACCEPT, "application/json").header(AUTHORIZATION, bearer);
        if let Some(body) = body {
            request = request.json(body);
        }
        let (status, _, body) = self.send(request).await?;
        Ok((status, body))
    }

    /// Sends a request to a token endpoint.
    pub(super) async fn ask_for_token(
        &self,
        url: &str,
        form: &[(&str, &str)],
    ) -> Result<(StatusCode, Vec<u8>), IdpError> {
        let request = self.0.http.request(Method::POST, self.route(url)?).header(ACCEPT, "application/json");
        let (status, _, body) = self.send(request.form(form)).await?;
        Ok((status, body))
    }

    /// Where an address of the provider is really called.
    fn route(&self, url: &str) -> Result<Url, IdpError> {
        let public = self.0.public.as_str();
        let rest = url.strip_prefix(public).filter(|rest| rest.is_empty() || rest.starts_with(['/', '?']));
        let rest = rest.ok_or(IdpError::Elsewhere)?;
        let base = self.0.internal.as_ref().unwrap_or(&self.0.public).as_str();
        let url = Url::parse(&format!("{base}{rest}")).map_err(|_| IdpError::Elsewhere)?;
        // `..` may have led out again.
        if url.as_str().starts_with(base) { Ok(url) } else { Err(IdpError::Elsewhere) }
    }

    async fn send(
        &self,
        request: reqwest::RequestBuilder,
    ) -> Result<(StatusCode, Option<HeaderValue>, Vec<u8>), IdpError> {
        let now = self.0.clock.now();
        if now.unix_micros() < self.0.unreachable_until.load(Ordering::Relaxed) {
            return Err(IdpError::Unreachable("it could not be reached a moment ago".into()));
        }
        let mut request = request.header(HOST, &self.0.authority);
        for (name, value) in RequestContext::outgoing_trace() {
            request = request.header(name, value);
        }
        let sent = async {
            let mut response = request.send().await?;
            let content_type = response.headers_mut().remove(CONTENT_TYPE);
            let mut body = Vec::new();
            while let Some(chunk) = response.chunk().await? {
                if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                    return Ok(None);
                }
                body.extend_from_slice(&chunk);
            }
            Ok(Some((response.status(), content_type, body)))
        };
        match sent.await {
            Ok(Some(answer)) if !answer.0.is_server_error() => Ok(answer),
            Ok(Some((status, ..))) => Err(IdpError::Unreachable(format!("status {}", status.as_u16()).into())),
            Ok(None) => Err(IdpError::Answer("it is too large")),
            Err(error) => {
                let until = self.0.clock.now() + PAUSE_AFTER_FAILURE;
                self.0.unreachable_until.store(until.unix_micros(), Ordering::Relaxed);
                Err(IdpError::Unreachable(reason(&error).into()))
            }
        }
    }
}

/// The whole chain of causes, without the URL, whose query may hold a secret.
fn reason(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() { "no answer in time".to_owned() } else { "no connection".to_owned() };
    let mut cause = std::error::Error::source(error);
    while let Some(next) = cause {
        text.push_str(": ");
        text.push_str(&next.to_string());
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tenantry_types::SystemClock;

    use super::*;

    fn client(public: &str, internal: Option<&str>) -> IdpClient {
        let internal = internal.map(|url| url.parse().unwrap());
        IdpClient::new(public.parse().unwrap(), internal, Arc::new(SystemClock)).unwrap()
    }

    #[test]
    fn only_addresses_below_the_configured_one_are_called() {
        let client = client("https://id.example.com", None);
        assert!(client.route("https://id.example.com/t/demo/oauth2/jwks").is_ok());
        for elsewhere in [
            "https://id.example.com.evil.example/t/demo",
            "https://id.example.com@evil.example/",
            "https://id.example.com:8443/",
            "http://id.example.com/",
            "http://169.254.169.254/latest/meta-data",
            "//id.example.com/",
            "file:///etc/passwd",
            "",
        ] {
            assert!(matches!(client.route(elsewhere), Err(IdpError::Elsewhere)), "{elsewhere}");
        }
    }

    #[test]
    fn the_internal_address_is_called_in_place_of_the_public_one() {
        let client = client("https://id.example.com", Some("http://idp.internal:8080"));
        let url = client.route("https://id.example.com/t/demo/oauth2/jwks?x=1").unwrap();
        assert_eq!(url.as_str(), "http://idp.internal:8080/t/demo/oauth2/jwks?x=1");
        assert_eq!(client.0.authority, "id.example.com");
        assert!(client.route("http://idp.internal:8080/t/demo").is_err());
    }
}
