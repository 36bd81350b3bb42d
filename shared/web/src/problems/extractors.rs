//! actix's own extractors, with problems for errors.

use actix_web::error::{JsonPayloadError, UrlencodedError};
use actix_web::http::StatusCode;
use actix_web::{ResponseError as _, web};
use tenantry_types::{InputError, Problem};

use super::{BodyLimits, ProblemResponse, of_status};
use crate::config::HttpConfig;

/// Sets the limits and error answers of all extractors.
pub(crate) fn configure_extractors(config: &HttpConfig, services: &mut web::ServiceConfig) {
    let limits = BodyLimits { size: config.body_limit, time: std::time::Duration::from_secs(config.body_timeout) };
    services
        .app_data(limits)
        .app_data(web::PayloadConfig::new(limits.size))
        // A path whose parameter cannot be one of ours names nothing that is here.
        .app_data(web::PathConfig::default().error_handler(|_, _| refuse(Problem::not_found())))
        .app_data(web::QueryConfig::default().error_handler(|error, _| {
            let error = InputError::new("query", "invalid", error.to_string());
            refuse(Problem::invalid_input().with_errors(vec![error]))
        }))
        .app_data(web::FormConfig::default().limit(limits.size).error_handler(|error, _| refuse(form(&error))))
        .app_data(web::JsonConfig::default().limit(limits.size).error_handler(|error, _| refuse(json(&error))));
}

fn refuse(problem: Problem) -> actix_web::Error {
    ProblemResponse::from(problem).into()
}

fn form(error: &UrlencodedError) -> Problem {
    match error {
        UrlencodedError::Parse(reason) => {
            Problem::invalid_input().with_errors(vec![InputError::new("", "invalid", reason.to_string())])
        }
        UrlencodedError::ContentType => {
            Problem::unsupported_media_type().with_detail("expected application/x-www-form-urlencoded")
        }
        _ => of_status(error.status_code()),
    }
}

fn json(error: &JsonPayloadError) -> Problem {
    match error {
        JsonPayloadError::ContentType => Problem::unsupported_media_type().with_detail("expected application/json"),
        JsonPayloadError::Overflow { .. } | JsonPayloadError::OverflowKnownLength { .. } => {
            of_status(StatusCode::PAYLOAD_TOO_LARGE)
        }
        _ => of_status(error.status_code()),
    }
}
