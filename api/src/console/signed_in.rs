//! Who is signed in in a browser, as the API would take it.

use super::sessions::SignedIn;
use super::{Console, ConsoleError};
use crate::access::{AccessError, Authority, Decision, Permission};
use crate::authn::{AuthnError, Principal};

/// Why a token is not taken.
enum NotTaken {
    /// It is not good any more: another one may be.
    Over(AuthnError),
    /// It cannot be checked now.
    Unknown(ConsoleError),
}

impl Console {
    /// Who holds the secret of a session, with a token that is good. One that is not is renewed once; where that does not
    /// help because the person, their session or their tenant was switched off, the session is over.
    pub(super) async fn signed_in(&self, secret: &str) -> Result<Option<(SignedIn, Principal)>, ConsoleError> {
        let Some(found) = self.sessions.find(secret).await? else { return Ok(None) };
        match self.taken(&found).await {
            Ok(principal) => return Ok(Some((found, principal))),
            Err(NotTaken::Unknown(error)) => return Err(error),
            Err(NotTaken::Over(_)) => {}
        }
        let Some(renewed) = self.sessions.renewed(found.session).await? else { return Ok(None) };
        match self.taken(&renewed).await {
            Ok(principal) => Ok(Some((renewed, principal))),
            Err(NotTaken::Unknown(error)) => Err(error),
            Err(NotTaken::Over(AuthnError::Revoked)) => {
                self.sessions.end(&renewed.session).await?;
                Ok(None)
            }
            Err(NotTaken::Over(error)) => Err(ConsoleError::Token(error)),
        }
    }

    /// Whose token that is, if the API takes it.
    async fn taken(&self, signed_in: &SignedIn) -> Result<Principal, NotTaken> {
        let token = signed_in.tokens.access_token();
        let principal = self.authenticator.authenticate(token).await.map_err(|error| match error {
            AuthnError::Unavailable(_) | AuthnError::TooManyIssuers => NotTaken::Unknown(ConsoleError::Token(error)),
            error => NotTaken::Over(error),
        })?;
        match self.control.authority(&principal, None).await {
            Err(AccessError::Authn(error)) => Err(NotTaken::Over(error)),
            Err(AccessError::Database(error)) => Err(NotTaken::Unknown(error.into())),
            // What else is wrong, such as with the tenant, is no fault of the token.
            Ok(_) | Err(_) => Ok(principal),
        }
    }

    /// Whatever they may do to something at least, by name: what the pages offer.
    pub(super) fn permissions(&self, authority: &Authority) -> Vec<&'static str> {
        let may = |name: &&'static str| authority.decide_for_some(Permission::new(name)) == Decision::Allow;
        self.control.built_in().iter().copied().filter(may).collect()
    }
}
