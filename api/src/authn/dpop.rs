//! Proofs of possession (RFC 9449): a token that is bound to a key is good together with a proof, made for this request,
//! that whoever sends it has the key.

use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use aws_lc_rs::digest::{Context, SHA256, digest};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use moka::sync::Cache;
use tenantry_jose::{Algorithm, Expected, KeySet, VerifyError, VerifyingKey, peek, verify};
use tenantry_types::{Clock, UtcTime};
use tenantry_web::redis;
use url::Url;

use super::bearer::{Credentials, Scheme};
use super::{AuthnError, Principal};

/// What a proof may be signed with: nothing symmetric (RFC 9449 §11.6).
pub(super) const ALGORITHMS: &[Algorithm] = &[Algorithm::Es256, Algorithm::EdDsa, Algorithm::Ps256, Algorithm::Rs256];
/// The header of the proof.
const HEADER: &str = "DPoP";
/// The media type of proofs (RFC 9449 §4.2).
const TYPES: &[&str] = &["dpop+jwt"];
/// How long ago a proof may have been made.
const MAX_AGE: Duration = Duration::from_secs(60);
/// How far the clocks of the client and this service may be apart.
const LEEWAY: Duration = Duration::from_secs(30);
/// How long a proof is remembered: as long as it would be good, and a little more.
const REMEMBERED_FOR: Duration = Duration::from_secs(150);
/// Proofs that one replica remembers: more than can come in that time.
const MOST_PROOFS: u64 = 500_000;
/// The longest name of a proof.
const LONGEST_ID: usize = 256;

/// Why a proof is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// None, or several.
    #[error("there must be one DPoP header")]
    Count,
    /// It is no token of the right form, or its signature is not that of its key.
    #[error(transparent)]
    Token(#[from] VerifyError),
    /// Its key is none that is good for signatures, or a private one.
    #[error("its key is not a public key of its algorithm")]
    Key,
    /// It was made with another key than the token is bound to.
    #[error("it was made with another key than the token is bound to")]
    OtherKey,
    /// It is for another method, address or token.
    #[error("its claim {0} is missing or not that of this request")]
    Other(&'static str),
    /// It was sent before.
    #[error("it was sent before")]
    Repeated,
}

/// What a proof has to be for.
#[derive(Debug, Clone, Copy)]
struct Request<'a> {
    method: &'a str,
    url: &'a Url,
    token: &'a str,
    /// The thumbprint of the key that the token is bound to (RFC 7638).
    thumbprint: &'a str,
}

/// Checks whether those who send a token that is bound to a key have the key. Clones share what is remembered.
#[derive(Debug, Clone)]
pub struct Possession(Arc<Inner>);

struct Inner {
    /// The address at which clients reach this service. What a request says of it is not believed: who was made to send
    /// their proof to somebody else could be heard out by that one.
    public_url: Url,
    clock: Arc<dyn Clock>,
    /// Proofs that this replica has seen.
    seen: Cache<[u8; 32], ()>,
    /// Where all replicas remember them.
    shared: Option<redis::Pool>,
}

impl std::fmt::Debug for Inner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Possession").field("public_url", &self.public_url.as_str()).finish_non_exhaustive()
    }
}

impl Possession {
    /// For requests to this address. With a Redis all replicas know which proofs were sent.
    pub fn new(public_url: Url, clock: Arc<dyn Clock>, shared: Option<redis::Pool>) -> Self {
        let seen = Cache::builder().max_capacity(MOST_PROOFS).time_to_live(REMEMBERED_FOR).build();
        Self(Arc::new(Inner { public_url, clock, seen, shared }))
    }

    /// Whether the token of the request may be used as it is: plainly when it is bound to nothing, and with a proof for
    /// this request when it is bound to a key (RFC 9449 §7.1).
    ///
    /// # Errors
    /// [`AuthnError::Bound`], [`AuthnError::NotBound`], [`AuthnError::Proof`].
    pub async fn check(
        &self,
        request: &HttpRequest,
        credentials: &Credentials<'_>,
        principal: &Principal,
    ) -> Result<(), AuthnError> {
        let thumbprint = match (credentials.scheme, &principal.bound_to) {
            (Scheme::Bearer, None) => return Ok(()),
            (Scheme::Bearer, Some(_)) => return Err(AuthnError::Bound),
            (Scheme::Dpop, None) => return Err(AuthnError::NotBound),
            (Scheme::Dpop, Some(thumbprint)) => thumbprint,
        };
        let mut proofs = request.headers().get_all(HEADER);
        let proof = proofs.next().and_then(|proof| proof.to_str().ok()).ok_or(ProofError::Count)?;
        if proofs.next().is_some() {
            return Err(ProofError::Count.into());
        }
        let url = self.url_of(request.path());
        let (method, token) = (request.method().as_str(), credentials.token);
        let id = check(proof, Request { method, url: &url, token, thumbprint }, self.0.clock.now())?;
        if self.is_first(id).await { Ok(()) } else { Err(ProofError::Repeated.into()) }
    }

    fn url_of(&self, path: &str) -> Url {
        let mut url = self.0.public_url.clone();
        url.set_path(&format!("{}{path}", self.0.public_url.path().trim_end_matches('/')));
        url
    }

    /// Whether a proof is sent for the first time (RFC 9449 §11.1). While Redis does not answer each replica knows what it
    /// has seen itself.
    async fn is_first(&self, id: [u8; 32]) -> bool {
        if !self.0.seen.entry(id).or_insert(()).is_fresh() {
            return false;
        }
        let Some(pool) = &self.0.shared else { return true };
        let key = format!("api:dpop:{}", URL_SAFE_NO_PAD.encode(id));
        match redis::claim(pool, &key, REMEMBERED_FOR).await {
            Ok(is_first) => is_first,
            Err(error) => {
                tracing::warn!(%error, "proofs of possession are remembered by each replica alone");
                true
            }
        }
    }
}

/// The rules of RFC 9449 §4.3, in turn. Gives what the proof is known by.
fn check(proof: &str, request: Request<'_>, now: UtcTime) -> Result<[u8; 32], ProofError> {
    let header = peek(proof)?.header;
    let algorithm = ALGORITHMS.iter().find(|algorithm| algorithm.as_str() == header.algorithm());
    let algorithm = *algorithm.ok_or(VerifyError::Algorithm)?;
    let key = header.member("jwk").ok_or(ProofError::Key)?;
    let key = VerifyingKey::from_jwk_for(key, algorithm).map_err(|_| ProofError::Key)?;
    if key.thumbprint() != request.thumbprint {
        return Err(ProofError::OtherKey);
    }
    let thumbprint = key.thumbprint().to_owned();
    let keys: KeySet = std::iter::once(key).collect();
    let mut expected = Expected::new(TYPES, None, None, now);
    expected.algorithms = ALGORITHMS;
    expected.leeway = LEEWAY;
    expected.require_expiry = false;
    expected.max_age = Some(MAX_AGE);
    let claims = verify(proof, &keys, &expected)?;
    if claims.text("htm") != Some(request.method) {
        return Err(ProofError::Other("htm"));
    }
    if !claims.text("htu").is_some_and(|url| is_address(url, request.url)) {
        return Err(ProofError::Other("htu"));
    }
    let hash = URL_SAFE_NO_PAD.encode(digest(&SHA256, request.token.as_bytes()));
    if claims.text("ath") != Some(&hash) {
        return Err(ProofError::Other("ath"));
    }
    let id = claims.text("jti").filter(|id| (1..=LONGEST_ID).contains(&id.len())).ok_or(ProofError::Other("jti"))?;
    let mut known_by = Context::new(&SHA256);
    // The thumbprint always has as many letters.
    known_by.update(thumbprint.as_bytes());
    known_by.update(id.as_bytes());
    let mut hash = [0; 32];
    hash.copy_from_slice(known_by.finish().as_ref());
    Ok(hash)
}

/// Whether an address is the one of the request, without query and fragment (RFC 9449 §4.3, with RFC 3986 §6.2).
fn is_address(text: &str, wanted: &Url) -> bool {
    Url::parse(text).is_ok_and(|mut url| {
        url.set_query(None);
        url.set_fragment(None);
        url == *wanted
    })
}
