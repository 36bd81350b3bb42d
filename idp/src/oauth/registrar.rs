//! oxide-auth's view of a client that is already loaded.

use std::borrow::Cow;
use std::sync::OnceLock;

use oxide_auth::primitives::registrar::{
    BoundClient, ClientUrl, ExactUrl, PreGrant, RegisteredUrl, Registrar, RegistrarError,
};
use oxide_auth::primitives::scope::Scope;
use tenantry_types::ScopeSet;

use crate::clients::Client;

/// A registrar that knows one client, and which scopes it may ask for in the flow at hand.
pub struct OneClient<'a> {
    /// The client.
    pub client: &'a Client,
    /// What it may ask for here.
    pub allowed: &'a ScopeSet,
    /// What it gets when it asks for nothing.
    pub default: &'a ScopeSet,
}

/// What stands in for a redirect URI where a flow has none. Parsed once: it goes through every token of a machine.
fn no_redirect() -> Result<&'static RegisteredUrl, RegistrarError> {
    static URL: OnceLock<Option<RegisteredUrl>> = OnceLock::new();
    let parse = || "urn:ietf:wg:oauth:2.0:oob".parse::<ExactUrl>().ok().map(RegisteredUrl::Exact);
    URL.get_or_init(parse).as_ref().ok_or(RegistrarError::PrimitiveError)
}

impl OneClient<'_> {
    /// Binds the client without a redirect URI: for flows that redirect nobody.
    pub fn bind_without_redirect(&self) -> Result<BoundClient<'static>, RegistrarError> {
        Ok(BoundClient {
            client_id: Cow::Owned(self.client.client_id.as_str().to_owned()),
            redirect_uri: Cow::Borrowed(no_redirect()?),
        })
    }
}

impl Registrar for OneClient<'_> {
    /// The redirect URI must be there and match a registered one by our rule: oxide-auth's own exact match takes
    /// fragments, and its rule for loopback ports does not know the literal addresses (RFC 8252 §7.3).
    fn bound_redirect<'a>(&self, bound: ClientUrl<'a>) -> Result<BoundClient<'a>, RegistrarError> {
        let requested = bound.redirect_uri.ok_or(RegistrarError::Unspecified)?;
        let registered = self.client.redirect_uris.iter().any(|uri| uri.matches(requested.as_str()));
        if bound.client_id != self.client.client_id.as_str() || !registered {
            return Err(RegistrarError::Unspecified);
        }
        Ok(BoundClient {
            client_id: bound.client_id,
            redirect_uri: Cow::Owned(RegisteredUrl::Exact(requested.into_owned())),
        })
    }

    /// All of what is asked for must be allowed: nothing is left out in silence.
    fn negotiate(&self, client: BoundClient<'_>, scope: Option<Scope>) -> Result<PreGrant, RegistrarError> {
        let allowed: Option<Scope> = match scope {
            Some(scope) => {
                let all_allowed = scope.iter().all(|one| self.allowed.contains(one));
                all_allowed.then_some(scope)
            }
            None => self.default.as_str().parse().ok(),
        };
        Ok(PreGrant {
            client_id: client.client_id.into_owned(),
            redirect_uri: client.redirect_uri.into_owned(),
            scope: allowed.ok_or(RegistrarError::Unspecified)?,
        })
    }

    /// Never asked: the client is authenticated before the machine starts, in ways that oxide-auth does not know.
    fn check(&self, _: &str, _: Option<&[u8]>) -> Result<(), RegistrarError> {
        Err(RegistrarError::PrimitiveError)
    }
}

/// The scopes of a grant in our own form.
pub fn scope_set(scope: &Scope) -> ScopeSet {
    scope.iter().collect()
}
