//! What can go wrong in the console, and what the person in front of it is told.

use actix_web::http::StatusCode;
use tenantry_db::DbError;
use tenantry_jose::KeyringError;

use super::pages::PageError;
use crate::access::AccessError;
use crate::authn::{AuthnError, TenantStatus};
use crate::idp::IdpError;

/// Why a page of the console is an error page.
#[derive(Debug, thiserror::Error)]
pub enum ConsoleError {
    /// A parameter is missing, comes twice or is not what it should be.
    #[error("the request is malformed")]
    Malformed,
    /// There is no such page.
    #[error("the console has no such page")]
    NotFound,
    /// No sign-in is under way in this browser, or not any more.
    #[error("no sign-in is under way in this browser")]
    NotUnderWay,
    /// The answer belongs to another sign-in than the one under way.
    #[error("the state is not that of the sign-in under way")]
    OtherState,
    /// The answer is not from the issuer that was asked (RFC 9207 §2.4).
    #[error("the answer is not from the issuer that was asked")]
    OtherIssuer,
    /// The identity provider answered with an error.
    #[error("the identity provider answered with an error")]
    Refused(ProviderCode),
    /// The identity provider cannot be reached.
    #[error(transparent)]
    Unavailable(IdpError),
    /// What the identity provider gave is not good.
    #[error("the identity provider gave something that is not good: {0}")]
    Provider(String),
    /// The access token that came of the sign-in is not accepted here.
    #[error("the access token of the sign-in is not accepted")]
    Token(#[source] AuthnError),
    /// The tenant is not in use.
    #[error("the tenant is not in use")]
    TenantNotActive(TenantStatus),
    /// More was asked for than the limit allows.
    #[error("too many requests")]
    TooManyRequests,
    /// The form did not come from a page of this session.
    #[error("the form did not come from a page of this session")]
    Forged,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Something sealed could not be made or opened.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A page could not be rendered.
    #[error(transparent)]
    Page(#[from] PageError),
}

impl From<AccessError> for ConsoleError {
    fn from(error: AccessError) -> Self {
        match error {
            AccessError::Authn(error) => Self::Token(error),
            AccessError::Database(error) => Self::Database(error),
            AccessError::TenantNotActive(status) => Self::TenantNotActive(status),
            // Signing in asks for no permission.
            AccessError::InsufficientScope(_)
            | AccessError::Forbidden(_)
            | AccessError::Hidden(_)
            | AccessError::StepUp(..)
            | AccessError::ModuleDisabled(_)
            | AccessError::OtherTenantsHost
            | AccessError::OtherTenantNamed => Self::Forged,
        }
    }
}

/// The face of an error on its page.
pub(super) struct Face {
    pub(super) status: StatusCode,
    pub(super) title: &'static str,
    pub(super) message: &'static str,
    pub(super) code: Option<&'static str>,
}

impl ConsoleError {
    /// What the person is told. Nothing of it comes from the request.
    pub(super) fn face(&self) -> Face {
        const RESTART: &str = "It took too long, was finished already, or was started in another browser. Start again.";
        const ASK_ADMINISTRATORS: &str = "Nobody can sign in to it at the moment. Turn to its administrators; they can ask \
                                          whoever runs this service.";
        let face = |status, title, message, code| Face { status, title, message, code };
        match self {
            Self::Malformed => face(
                StatusCode::BAD_REQUEST,
                "This address is not complete",
                "Something is missing in it, or it was changed on the way. Start again.",
                Some("invalid_request"),
            ),
            Self::NotFound => face(
                StatusCode::NOT_FOUND,
                "There is no such page",
                "The console has none at this address. It may have moved, or the link is not complete.",
                None,
            ),
            Self::NotUnderWay => {
                face(StatusCode::BAD_REQUEST, "The sign-in cannot be continued", RESTART, Some("sign_in_expired"))
            }
            Self::OtherState => {
                face(StatusCode::BAD_REQUEST, "The sign-in cannot be continued", RESTART, Some("state_mismatch"))
            }
            Self::OtherIssuer => face(
                StatusCode::BAD_REQUEST,
                "The sign-in was stopped",
                "The answer did not come from the sign-in service that was asked. Start again.",
                Some("issuer_mismatch"),
            ),
            Self::Refused(ProviderCode::AccessDenied) => face(
                StatusCode::FORBIDDEN,
                "You were not signed in",
                "Access was not allowed. If that was a mistake, sign in again.",
                Some(ProviderCode::AccessDenied.as_str()),
            ),
            Self::Refused(code) => face(
                StatusCode::BAD_GATEWAY,
                "The sign-in service refused",
                "You were not signed in. Try again; if it happens again, tell your administrator.",
                Some(code.as_str()),
            ),
            Self::Unavailable(_) | Self::Token(AuthnError::Unavailable(_) | AuthnError::TooManyIssuers) => face(
                StatusCode::SERVICE_UNAVAILABLE,
                "The sign-in service does not answer",
                "Try again in a few seconds.",
                Some("temporarily_unavailable"),
            ),
            Self::Provider(_) | Self::Token(_) => face(
                StatusCode::BAD_GATEWAY,
                "The sign-in did not work",
                "What the sign-in service answered is not accepted here. Try again; if it happens again, tell your \
                 administrator.",
                Some("invalid_response"),
            ),
            Self::TenantNotActive(TenantStatus::Suspended) => face(
                StatusCode::FORBIDDEN,
                "This organisation is suspended",
                ASK_ADMINISTRATORS,
                Some("tenant_suspended"),
            ),
            Self::TenantNotActive(_) => face(
                StatusCode::FORBIDDEN,
                "This organisation is not in use",
                ASK_ADMINISTRATORS,
                Some("tenant_inactive"),
            ),
            Self::TooManyRequests => face(
                StatusCode::TOO_MANY_REQUESTS,
                "Too many requests",
                "Too many came from your network in a short time. Wait a minute, then try again.",
                Some("too_many_requests"),
            ),
            Self::Forged => face(
                StatusCode::FORBIDDEN,
                "This form is not valid any more",
                "It belongs to another session. Go back to the console and try again.",
                Some("form_expired"),
            ),
            Self::Database(error) if error.is_transient() => {
                face(StatusCode::SERVICE_UNAVAILABLE, "Not available now", "Try again in a few seconds.", None)
            }
            Self::Database(_) | Self::Keyring(_) | Self::Page(_) => face(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Something went wrong on our side",
                "Try again; if it happens again, tell your administrator the request ID.",
                None,
            ),
        }
    }
}

impl From<IdpError> for ConsoleError {
    fn from(error: IdpError) -> Self {
        match error {
            IdpError::Unreachable(_) => Self::Unavailable(error),
            IdpError::Answer(_) | IdpError::Elsewhere => Self::Provider(error.to_string()),
        }
    }
}

tenantry_types::text_enum! {
    /// The errors with which a provider answers an authorization request (RFC 6749 §4.1.2.1, OpenID Connect Core
    /// §3.1.2.6). Others are not repeated: whoever made the link chose them.
    pub enum ProviderCode {
        /// The person or the provider said no.
        AccessDenied = "access_denied",
        /// A parameter is wrong.
        InvalidRequest = "invalid_request",
        /// This client may not do that.
        UnauthorizedClient = "unauthorized_client",
        /// Not this response type.
        UnsupportedResponseType = "unsupported_response_type",
        /// Not these scopes.
        InvalidScope = "invalid_scope",
        /// A fault of the provider.
        ServerError = "server_error",
        /// The provider is too busy.
        TemporarilyUnavailable = "temporarily_unavailable",
        /// It would have to ask something.
        InteractionRequired = "interaction_required",
        /// It would have to ask for a sign-in.
        LoginRequired = "login_required",
        /// It would have to ask which account.
        AccountSelectionRequired = "account_selection_required",
        /// It would have to ask for consent.
        ConsentRequired = "consent_required",
        /// An error that is not one of the above.
        Other = "unknown_error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_not_explained() {
        let face = ConsoleError::Database(DbError::NotFound).face();
        assert_eq!((face.status, face.code), (StatusCode::INTERNAL_SERVER_ERROR, None));
        assert_eq!(ConsoleError::Database(DbError::Busy(String::new())).face().status, StatusCode::SERVICE_UNAVAILABLE);
    }
}
