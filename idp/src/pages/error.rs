//! Errors that a person sees.

use serde::Serialize;

use super::{Language, ReturnLink};

/// Context of `error.html`.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorPage<'a> {
    /// The language of the page.
    pub language: Language,
    /// The tenant, where it is known.
    pub tenant_name: Option<&'a str>,
    /// What happened, in a few words.
    pub title: &'a str,
    /// What it means and what to do next.
    pub message: &'a str,
    /// The error's name for developers, such as `invalid_request`.
    pub code: Option<&'a str>,
    /// Under which the log knows this request.
    pub request_id: &'a str,
    /// The way back to a client that is known to be genuine. Never the redirect URI of the failed request itself.
    pub return_to: Option<ReturnLink<'a>>,
}
