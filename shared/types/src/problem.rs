//! Problem documents (RFC 9457).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why a request was refused, for machines and people alike (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Problem {
    /// A URL that names the kind of problem and explains it.
    #[serde(rename = "type")]
    pub kind: Cow<'static, str>,
    /// The kind in a few words, the same for every occurrence.
    pub title: Cow<'static, str>,
    /// The HTTP status.
    pub status: u16,
    /// What went wrong this time, for a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The id of the request, to be quoted to those who run the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Every part of the input that is wrong, all at once.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<InputError>,
}

/// One part of the input that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct InputError {
    /// Where: a JSON Pointer (RFC 6901) into the body, or the name of a parameter or header.
    pub pointer: String,
    /// What is wrong, as a word for programs.
    pub code: Cow<'static, str>,
    /// What is wrong, for a person.
    pub detail: String,
}

impl InputError {
    /// One part of the input that is wrong.
    pub fn new(pointer: impl Into<String>, code: &'static str, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), code: code.into(), detail: detail.into() }
    }
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $status:literal, $slug:literal, $title:literal;)*) => {
        impl Problem {
            $($(#[$doc])*
            pub fn $name() -> Self {
                Self::of($status, concat!("/problems/", $slug), $title)
            })*
            /// Every kind there is: its path below the documentation, its status and its title.
            pub const KINDS: &'static [(&'static str, u16, &'static str)] = &[$((concat!("/problems/", $slug), $status, $title),)*];
        }
    };
}

kinds! {
    /// The request could not be read at all.
    malformed_request = 400, "malformed-request", "The request could not be read";
    /// No token, or one that is not good.
    unauthorized = 401, "unauthorized", "Authentication is needed";
    /// The caller may not do this.
    forbidden = 403, "forbidden", "Not allowed";
    /// There is no such thing, or not for this caller.
    not_found = 404, "not-found", "Not found";
    /// The path is there, the method is not.
    method_not_allowed = 405, "method-not-allowed", "Method not allowed";
    /// The body did not arrive in time.
    request_timeout = 408, "request-timeout", "The request took too long to arrive";
    /// It contradicts what is there already.
    conflict = 409, "conflict", "Conflict with what is there";
    /// Somebody changed it meanwhile.
    precondition_failed = 412, "precondition-failed", "Changed meanwhile";
    /// The body is too large.
    content_too_large = 413, "content-too-large", "The content is too large";
    /// The path and query are too long.
    uri_too_long = 414, "uri-too-long", "The address is too long";
    /// The body is not of a type that is understood.
    unsupported_media_type = 415, "unsupported-media-type", "The media type is not supported";
    /// The request was sent to a host that this server does not answer for.
    misdirected_request = 421, "misdirected-request", "This server does not answer for that host";
    /// The body was read but is not right.
    invalid_input = 422, "invalid-input", "The input is not valid";
    /// An update must say which version it changes.
    precondition_required = 428, "precondition-required", "A precondition is required";
    /// Too many requests.
    too_many_requests = 429, "too-many-requests", "Too many requests";
    /// The header section is too large.
    header_fields_too_large = 431, "header-fields-too-large", "The header fields are too large";
    /// A fault on this side. The answer never says more.
    internal = 500, "internal", "Something went wrong on our side";
    /// Something this request needs is not available now.
    unavailable = 503, "unavailable", "Not available now";
}

impl Problem {
    const fn of(status: u16, kind: &'static str, title: &'static str) -> Self {
        Self {
            kind: Cow::Borrowed(kind),
            title: Cow::Borrowed(title),
            status,
            detail: None,
            instance: None,
            errors: Vec::new(),
        }
    }

    /// The same, with what went wrong this time.
    #[must_use]
    pub fn with_detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// The same, with the parts of the input that are wrong.
    #[must_use]
    pub fn with_errors(mut self, errors: Vec<InputError>) -> Self {
        self.errors = errors;
        self
    }

    /// The same, as a more special kind with its own documentation.
    #[must_use]
    pub fn with_kind(mut self, kind: &'static str, title: &'static str) -> Self {
        self.kind = kind.into();
        self.title = title.into();
        self
    }
}
