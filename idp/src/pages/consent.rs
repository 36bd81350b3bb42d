//! The question whether a client may have what it asks for.

use serde::Serialize;

use super::{Language, RequestedScope, WebLink};

/// Context of `consent.html`. The answer is posted as `decision`: `allow` or `deny`.
///
/// Has no `Debug`: it holds a CSRF token.
#[derive(Clone, Serialize)]
pub struct ConsentPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// The tenant whose account it is about.
    pub tenant_name: &'a str,
    /// The client that asks.
    pub client_name: &'a str,
    /// The client's home page, where it registered a proper one.
    pub client_uri: Option<&'a WebLink>,
    /// Host of the redirect URI, so that a person can see who gets the answer.
    pub return_host: Option<&'a str>,
    /// The signed-in person: name or username.
    pub user_display: &'a str,
    /// What is asked for.
    pub scopes: &'a [RequestedScope],
    /// Path that the form is posted to.
    pub form_action: &'a str,
    /// Names the interaction; sent as `interaction`.
    pub interaction: &'a str,
    /// Proves that the form came from this page; sent as `csrf`.
    pub csrf: &'a str,
    /// Path that starts again with another account.
    pub use_another_account: Option<&'a str>,
}
