//! An authorization request that waits for its user.
//!
//! Nothing is stored for a stranger: the request travels through the hosted pages as a token that only we can make, with
//! the time it came, and is checked from the beginning when it returns.

use std::time::Duration;

use actix_web::HttpResponse;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use tenantry_jose::HmacKey;
use tenantry_types::{TenantId, UtcTime};
use url::form_urlencoded;

use crate::fault::Fault;
use crate::login::see_other;
use crate::params::Params;
use crate::state::Idp;
use crate::tenants::Issuer;

/// An authorization request that waits for its user.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Interaction {
    /// The request, as a query.
    pub query: String,
    /// When it came, in microseconds since 1970.
    started_at: i64,
}

/// How long a user may take.
const LIFETIME: Duration = Duration::from_secs(3_600);
/// A request that is longer is refused.
pub const LONGEST_QUERY: usize = 4 * 1_024;

impl Interaction {
    /// A request that came now.
    pub fn begin(params: &Params, now: UtcTime) -> Self {
        Self { query: params.to_query(), started_at: now.unix_micros() }
    }

    /// When it came.
    pub fn started_at(&self) -> UtcTime {
        UtcTime::from_unix_micros(self.started_at).unwrap_or(UtcTime::MAX)
    }

    /// The parameters of the request.
    pub fn params(&self) -> Params {
        Params::parse(self.query.as_bytes()).unwrap_or_default()
    }

    /// The token, for the pages of this tenant only.
    pub fn seal(&self, key: &HmacKey, tenant: TenantId) -> Result<String, serde_json::Error> {
        let payload = URL_SAFE_NO_PAD.encode(serde_json::to_vec(self)?);
        let tag = URL_SAFE_NO_PAD.encode(key.tag(&[tenant.as_str().as_bytes(), payload.as_bytes()]));
        Ok(format!("{payload}.{tag}"))
    }

    /// Reads a token that we made for this tenant, not too long ago.
    pub fn open(token: &str, key: &HmacKey, tenant: TenantId, now: UtcTime) -> Option<Self> {
        let (payload, tag) = token.split_once('.').filter(|_| token.len() <= 4 * LONGEST_QUERY)?;
        let tag = URL_SAFE_NO_PAD.decode(tag).ok()?;
        if !key.verify(&[tenant.as_str().as_bytes(), payload.as_bytes()], &tag) {
            return None;
        }
        let interaction: Self = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        (now.since(interaction.started_at()) < LIFETIME).then_some(interaction)
    }
}

/// Sends the browser to a hosted page, with the request that waits.
pub(super) fn redirect_to_page(
    idp: &Idp,
    issuer: &Issuer,
    page: &str,
    interaction: &Interaction,
) -> Result<HttpResponse, Fault> {
    let token = interaction.seal(&idp.secrets.interaction, issuer.tenant.id)?;
    Ok(redirect_with_interaction(issuer, page, &token))
}

pub(super) fn redirect_with_interaction(issuer: &Issuer, page: &str, token: &str) -> HttpResponse {
    let query = form_urlencoded::Serializer::new(String::new()).append_pair("interaction", token).finish();
    see_other(&issuer.endpoint(&format!("{page}?{query}")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use tenantry_jose::Keyring;
    use tenantry_types::{Clock, Id, SystemClock, SystemRandom};

    #[test]
    fn only_our_own_tokens_of_this_tenant_and_this_hour_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let key = Keyring::load_or_create(&dir.path().join("keys"), &SystemRandom).unwrap().derive("interaction");
        let (tenant, other) = (Id::new(&SystemClock, &SystemRandom), Id::new(&SystemClock, &SystemRandom));
        let now = SystemClock.now();
        let params = Params::parse(b"client_id=a&state=x%20y").unwrap();
        let token = Interaction::begin(&params, now).seal(&key, tenant).unwrap();
        let opened = Interaction::open(&token, &key, tenant, now).unwrap();
        assert_eq!(opened.params().get("state"), Some("x y"));
        assert_eq!(opened.started_at(), now);
        assert!(Interaction::open(&token, &key, other, now).is_none());
        assert!(Interaction::open(&token, &key, tenant, now + LIFETIME).is_none());
        for at in 0..token.len() {
            let mut forged = token.clone().into_bytes();
            forged[at] = if forged[at] == b'A' { b'B' } else { b'A' };
            assert!(Interaction::open(&String::from_utf8(forged).unwrap(), &key, tenant, now).is_none(), "byte {at}");
        }
    }
}
