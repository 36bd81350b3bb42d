//! A token request as oxide-auth's machines see it. The client has been authenticated before, in ways that they do not
//! know: they are given its name and no password.

use std::borrow::Cow;

use oxide_auth::code_grant::accesstoken::{self, Authorization};
use oxide_auth::code_grant::{client_credentials, refresh};

use crate::clients::Client;
use crate::params::Params;

/// A token request as oxide-auth's machines see it.
pub struct CoreParams<'a> {
    /// The client, which has been authenticated.
    pub client: &'a Client,
    /// The parameters of the request.
    pub params: &'a Params,
}

impl CoreParams<'_> {
    fn get(&self, name: &str) -> Option<Cow<'_, str>> {
        self.params.get(name).map(Cow::Borrowed)
    }

    fn name(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.client.client_id.as_str())
    }
}

impl accesstoken::Request for CoreParams<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn code(&self) -> Option<Cow<'_, str>> {
        self.get("code")
    }

    fn authorization(&self) -> Authorization<'_> {
        Authorization::Username(self.name())
    }

    fn client_id(&self) -> Option<Cow<'_, str>> {
        None
    }

    fn redirect_uri(&self) -> Option<Cow<'_, str>> {
        self.get("redirect_uri")
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.get("grant_type")
    }

    fn extension(&self, key: &str) -> Option<Cow<'_, str>> {
        self.get(key)
    }
}

impl refresh::Request for CoreParams<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn refresh_token(&self) -> Option<Cow<'_, str>> {
        self.get("refresh_token")
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.get("scope")
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.get("grant_type")
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((self.name(), Cow::Borrowed(b"")))
    }

    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}

impl client_credentials::Request for CoreParams<'_> {
    fn valid(&self) -> bool {
        true
    }

    fn authorization(&self) -> Option<(Cow<'_, str>, Cow<'_, [u8]>)> {
        Some((self.name(), Cow::Borrowed(b"")))
    }

    fn scope(&self) -> Option<Cow<'_, str>> {
        self.get("scope")
    }

    fn grant_type(&self) -> Option<Cow<'_, str>> {
        self.get("grant_type")
    }

    fn extension(&self, _: &str) -> Option<Cow<'_, str>> {
        None
    }
}
