//! Why a request does not reach its handler.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use actix_web::{HttpResponse, ResponseError};
use tenantry_db::DbError;
use tenantry_types::Problem;
use tenantry_web::problems::{IntoProblem, ProblemResponse, respond};

use super::policy::Stronger;
use crate::authn::{AuthnError, Challenge, TenantStatus};
use crate::input::database_problem;

/// Why a request does not reach its handler.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// It is not known who is calling.
    #[error(transparent)]
    Authn(#[from] AuthnError),
    /// The token is for less than is needed.
    #[error("the access token has no scope that allows {0}")]
    InsufficientScope(&'static str),
    /// The roles of the person do not allow it.
    #[error("your roles do not allow {0}")]
    Forbidden(&'static str),
    /// They may not even see it, so it is not there for them.
    #[error("{0}")]
    Hidden(&'static str),
    /// It would be allowed after a stronger or more recent sign-in.
    #[error("{what} needs {how}", what = .0, how = sign_in(.1))]
    StepUp(&'static str, Stronger),
    /// The tenant is not in use.
    #[error("the tenant is {}", in_words(*.0))]
    TenantNotActive(TenantStatus),
    /// The tenant has switched this part of the service off.
    #[error("the module {0} is switched off for this tenant")]
    ModuleDisabled(&'static str),
    /// The host that was asked belongs to another tenant than the token.
    #[error("this host belongs to another tenant than the access token")]
    OtherTenantsHost,
    /// The query names another tenant than the token.
    #[error("the parameter tenant names another tenant than that of the access token")]
    OtherTenantNamed,
    /// It cannot be found out whether they may.
    #[error(transparent)]
    Database(#[from] DbError),
}

impl AccessError {
    /// What goes into `WWW-Authenticate`.
    pub fn challenge(&self) -> Option<Challenge> {
        // RFC 6750 §3.1 has one reason for both: the token gives less privilege than is needed. The scope is only named
        // where asking for it would help.
        let scope = match self {
            Self::Authn(error) => return error.challenge(),
            Self::InsufficientScope(scope) => Some(*scope),
            Self::Forbidden(_) | Self::OtherTenantNamed => None,
            Self::StepUp(_, stronger) => {
                return Some(Challenge {
                    error: Some("insufficient_user_authentication"),
                    description: Some(self.to_string()),
                    acr_values: (!stronger.acr_values.is_empty()).then(|| stronger.acr_values.join(" ")),
                    max_age: stronger.max_age,
                    ..Challenge::default()
                });
            }
            // No other token would do, whatever it is for.
            Self::TenantNotActive(_) => {
                return Some(Challenge { description: Some(self.to_string()), ..Challenge::default() });
            }
            Self::Hidden(_) | Self::ModuleDisabled(_) | Self::OtherTenantsHost | Self::Database(_) => return None,
        };
        let (error, description) = (Some("insufficient_scope"), Some(self.to_string()));
        Some(Challenge { error, description, scope, ..Challenge::default() })
    }
}

impl IntoProblem for AccessError {
    fn problem(&self) -> Problem {
        match self {
            Self::Authn(error) => error.problem(),
            Self::InsufficientScope(_) => Problem::forbidden()
                .with_kind("/problems/insufficient-scope", "The access token is not enough")
                .with_detail(self.to_string()),
            Self::Forbidden(_) => Problem::forbidden().with_detail(self.to_string()),
            Self::Hidden(_) => Problem::not_found().with_detail(self.to_string()),
            // RFC 9470 §3.
            Self::StepUp(..) => Problem::unauthorized()
                .with_kind("/problems/insufficient-user-authentication", "Another sign-in is needed")
                .with_detail(self.to_string()),
            Self::TenantNotActive(status) => {
                let problem = Problem::forbidden().with_detail(self.to_string());
                match status {
                    TenantStatus::Suspended => {
                        problem.with_kind("/problems/tenant-suspended", "The tenant is suspended")
                    }
                    _ => problem.with_kind("/problems/tenant-inactive", "The tenant is not in use"),
                }
            }
            Self::ModuleDisabled(_) => Problem::not_found()
                .with_kind("/problems/module-disabled", "The module is switched off")
                .with_detail(self.to_string()),
            Self::OtherTenantsHost => Problem::misdirected_request().with_detail(self.to_string()),
            Self::OtherTenantNamed => Problem::forbidden()
                .with_kind("/problems/other-tenant", "Another tenant was named")
                .with_detail(self.to_string()),
            Self::Database(error) => database_problem(error),
        }
    }
}

/// What sign-in is needed, in words.
fn sign_in(Stronger { acr_values, max_age }: &Stronger) -> String {
    let way = if acr_values.is_empty() {
        "a sign-in".to_owned()
    } else {
        format!("a sign-in by one of these ways: {}", acr_values.join(", "))
    };
    max_age.map_or(way.clone(), |seconds| format!("{way}, at most {seconds} seconds ago"))
}

const fn in_words(status: TenantStatus) -> &'static str {
    match status {
        TenantStatus::Provisioning => "being set up",
        TenantStatus::Active => "in use",
        TenantStatus::Inactive => "switched off",
        TenantStatus::Suspended => "suspended",
    }
}

/// Makes an answer of an error that may be a refusal, which keeps its challenge (RFC 6750 §3).
pub trait MayRefuse: IntoProblem {
    /// The refusal, if it is one.
    fn refusal(&self) -> Option<&AccessError>;
}

/// Implements `ResponseError` for errors that [may be a refusal](MayRefuse).
#[macro_export]
macro_rules! refusable_response {
    ($type:ty) => {
        impl ::actix_web::ResponseError for $type {
            fn status_code(&self) -> ::actix_web::http::StatusCode {
                ::tenantry_web::problems::ProblemResponse::from(::tenantry_web::problems::IntoProblem::problem(self))
                    .status()
            }
            fn error_response(&self) -> ::actix_web::HttpResponse {
                match $crate::access::MayRefuse::refusal(self) {
                    Some(refusal) => ::actix_web::ResponseError::error_response(refusal),
                    None => $crate::access::with_challenge(::tenantry_web::problems::respond(self), self),
                }
            }
        }
    };
}

/// An answer with the challenge that belongs to a 403 for a reason of the feature's own (RFC 6750 §3.1: the token gives less
/// privilege than is needed).
pub fn with_challenge(mut response: HttpResponse, reason: &impl fmt::Display) -> HttpResponse {
    if response.status() == StatusCode::FORBIDDEN {
        let (error, description) = (Some("insufficient_scope"), Some(reason.to_string()));
        let challenge = Challenge { error, description, ..Challenge::default() };
        if let Ok(value) = HeaderValue::from_str(&challenge.header_value()) {
            response.headers_mut().insert(WWW_AUTHENTICATE, value);
        }
    }
    response
}

/// Stands in the extensions of an answer that says that the caller may not.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refused;

impl ResponseError for AccessError {
    fn status_code(&self) -> StatusCode {
        ProblemResponse::from(self.problem()).status()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = respond(self);
        if matches!(self, Self::Forbidden(_) | Self::Hidden(_) | Self::InsufficientScope(_) | Self::StepUp(..)) {
            response.extensions_mut().insert(Refused);
        }
        let headers = response.headers_mut();
        if let Some(challenge) = self.challenge()
            && let Ok(value) = HeaderValue::from_str(&challenge.header_value())
        {
            headers.insert(WWW_AUTHENTICATE, value);
        }
        if matches!(self, Self::Authn(AuthnError::Missing))
            && let Ok(value) = HeaderValue::from_str(&Challenge::dpop().header_value())
        {
            headers.append(WWW_AUTHENTICATE, value);
        }
        if self.status_code() == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
