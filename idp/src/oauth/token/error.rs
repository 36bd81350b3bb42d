//! How the token endpoint refuses (RFC 6749 §5.2).

use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

use crate::clients::ClientAuthError;
use crate::fault::Fault;
use crate::params::ParamsError;
use tenantry_web::telemetry::Cause;

/// Why no token was given.
#[derive(Debug, thiserror::Error)]
pub enum TokenError {
    /// The request is malformed.
    #[error("{0}")]
    InvalidRequest(String),
    /// The client did not prove who it is.
    #[error("client authentication failed")]
    InvalidClient {
        /// Whether it tried with the `Authorization` header, so that it is challenged there.
        by_header: bool,
    },
    /// The code or the refresh token is not good, or not for this client. The reason goes to the log only.
    #[error("{0}")]
    InvalidGrant(&'static str),
    /// The client may not use this grant.
    #[error("the client may not use this grant type")]
    UnauthorizedClient,
    /// Nobody may.
    #[error("the grant type is not supported")]
    UnsupportedGrantType,
    /// More than was granted, or than the client may ask for.
    #[error("{0}")]
    InvalidScope(&'static str),
    /// A failure on this side.
    #[error(transparent)]
    Fault(#[from] Fault),
}

#[derive(Serialize)]
struct Body<'a> {
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_description: Option<String>,
}

impl TokenError {
    const fn code(&self) -> &'static str {
        match self {
            Self::InvalidRequest(_) => "invalid_request",
            Self::InvalidClient { .. } => "invalid_client",
            Self::InvalidGrant(_) => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope(_) => "invalid_scope",
            Self::Fault(_) => "server_error",
        }
    }
}

impl From<ParamsError> for TokenError {
    fn from(error: ParamsError) -> Self {
        Self::InvalidRequest(error.to_string())
    }
}

impl From<ClientAuthError> for TokenError {
    fn from(error: ClientAuthError) -> Self {
        match error {
            ClientAuthError::SeveralMethods => Self::InvalidRequest(error.to_string()),
            ClientAuthError::Failed { by_header } => Self::InvalidClient { by_header },
            ClientAuthError::Fault(fault) => Self::Fault(fault),
        }
    }
}

impl ResponseError for TokenError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::InvalidClient { .. } => StatusCode::UNAUTHORIZED,
            Self::Fault(fault) => fault.status_code(),
            _ => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        response.insert_header((header::CACHE_CONTROL, "no-store")).insert_header((header::PRAGMA, "no-cache"));
        if matches!(self, Self::InvalidClient { by_header: true }) {
            response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"token\", charset=\"UTF-8\""));
        }
        if let Self::Fault(fault) = self {
            if fault.is_transient() {
                response.insert_header((header::RETRY_AFTER, "1"));
            }
            let mut response = response.json(Body { error: self.code(), error_description: None });
            Cause::of(fault).attach_to(&mut response);
            return response;
        }
        response.json(Body { error: self.code(), error_description: Some(self.to_string()) })
    }
}
