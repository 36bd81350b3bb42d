//! How the authorization endpoint refuses.

use tenantry_types::text_enum;

use crate::fault::Fault;

text_enum! {
    /// The error codes of RFC 6749 §4.1.2.1 and OpenID Connect Core §3.1.2.6.
    pub enum ErrorCode {
        /// A parameter is missing, wrong or there twice.
        InvalidRequest = "invalid_request",
        /// The client may not use this flow.
        UnauthorizedClient = "unauthorized_client",
        /// The user said no.
        AccessDenied = "access_denied",
        /// Only `code` is known.
        UnsupportedResponseType = "unsupported_response_type",
        /// A scope that the client may not ask for.
        InvalidScope = "invalid_scope",
        /// A failure on this side.
        ServerError = "server_error",
        /// Come back later.
        TemporarilyUnavailable = "temporarily_unavailable",
        /// The user would have to sign in, and must not be asked.
        LoginRequired = "login_required",
        /// The user would have to consent, and must not be asked.
        ConsentRequired = "consent_required",
        /// The user would have to choose an account, and must not be asked.
        AccountSelectionRequired = "account_selection_required",
        /// Request objects are not taken.
        RequestNotSupported = "request_not_supported",
        /// Request objects by reference are not taken.
        RequestUriNotSupported = "request_uri_not_supported",
    }
}

/// A refusal that the client is told at its redirect URI.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", .code.as_str())]
pub struct RedirectError {
    /// The code.
    pub code: ErrorCode,
    /// One sentence for the developer of the client.
    pub description: &'static str,
}

impl RedirectError {
    /// A refusal.
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description }
    }
}

/// Why the authorization endpoint did not go on.
#[derive(Debug, thiserror::Error)]
pub enum AuthorizeError {
    /// Shown to the user: where to send it is not known, or cannot be trusted.
    #[error("{0}")]
    Page(&'static str),
    /// Sent to the client at its redirect URI.
    #[error("{error}")]
    Redirect {
        /// The redirect URI that was checked.
        redirect_uri: String,
        /// The `state` of the request.
        state: Option<String>,
        /// What is wrong.
        error: RedirectError,
    },
    /// A failure on this side.
    #[error(transparent)]
    Fault(#[from] Fault),
}
