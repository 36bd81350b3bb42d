//! The sign-in form.

use std::time::Duration;

use serde::Serialize;

use super::Language;

/// Context of `sign_in.html`.
///
/// Has no `Debug`: it holds a CSRF token.
#[derive(Clone, Serialize)]
pub struct SignInPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// The tenant whose account is asked for.
    pub tenant_name: &'a str,
    /// The client that the person is on the way to.
    pub client_name: &'a str,
    /// Path that the form is posted to.
    pub form_action: &'a str,
    /// Names the interaction; sent as `interaction`.
    pub interaction: &'a str,
    /// Proves that the form came from this page; sent as `csrf`.
    pub csrf: &'a str,
    /// What the name field holds at first: `login_hint`, or what was entered before the error.
    pub username: Option<&'a str>,
    /// Why the page is shown again.
    #[serde(skip)]
    pub error: Option<SignInError>,
}

/// Why a sign-in did not succeed. Says the same for unknown accounts and wrong passwords.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInError {
    /// Name and password do not belong together.
    InvalidCredentials,
    /// Too many attempts.
    Throttled {
        /// When the next attempt will be looked at.
        retry_after_seconds: u64,
    },
    /// More sign-ins at once than the service can check.
    Busy,
    /// The interaction, or the form's CSRF token, was no longer good; the page shown is a new one.
    SessionExpired,
}

/// What the template sees: the page, and its error in words.
#[derive(Serialize)]
pub(super) struct SignInView<'a> {
    #[serde(flatten)]
    page: &'a SignInPage<'a>,
    message: Option<String>,
    wrong_credentials: bool,
}

impl<'a> SignInPage<'a> {
    pub(super) fn view(&'a self) -> SignInView<'a> {
        let words = self.language.words();
        let message = self.error.map(|error| match error {
            SignInError::InvalidCredentials => words.sign_in.invalid_credentials.to_owned(),
            SignInError::Throttled { retry_after_seconds } => {
                let wait = words.duration.format(Duration::from_secs(retry_after_seconds));
                words.sign_in.throttled.replace("{wait}", &wait)
            }
            SignInError::Busy => words.sign_in.busy.to_owned(),
            SignInError::SessionExpired => words.sign_in.session_expired.to_owned(),
        });
        SignInView { page: self, message, wrong_credentials: self.error == Some(SignInError::InvalidCredentials) }
    }
}
