//! Signing out.

use serde::Serialize;

use super::{Language, ReturnLink};

/// A value that a form carries unseen.
#[derive(Debug, Clone, Serialize)]
pub struct HiddenField<'a> {
    /// Name of the parameter.
    pub name: &'a str,
    /// Its value.
    pub value: &'a str,
}

/// Context of `sign_out.html`. The answer is posted as `decision`: `sign-out` or `stay`.
///
/// Has no `Debug`: it holds a CSRF token.
#[derive(Clone, Serialize)]
pub struct SignOutPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// The tenant whose session ends.
    pub tenant_name: &'a str,
    /// The client that asked for it.
    pub client_name: Option<&'a str>,
    /// The signed-in person: name or username.
    pub user_display: &'a str,
    /// Path that the form is posted to.
    pub form_action: &'a str,
    /// Proves that the form came from this page; sent as `csrf`.
    pub csrf: &'a str,
    /// Parameters of the request that are needed again: `post_logout_redirect_uri`, `state`, `client_id`.
    pub hidden_fields: &'a [HiddenField<'a>],
}

/// Context of `signed_out.html`.
#[derive(Debug, Clone, Serialize)]
pub struct SignedOutPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// The tenant whose session has ended.
    pub tenant_name: &'a str,
    /// The way back to the client.
    pub return_to: Option<ReturnLink<'a>>,
}
