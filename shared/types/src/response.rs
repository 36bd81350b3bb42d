//! The frame around what the API answers.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A successful answer: `{"status":"success","data":…}`; a list adds `page`.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Envelope<T> {
    /// Always `success`; failures are problem documents (RFC 9457).
    pub status: Success,
    /// What was asked for.
    pub data: T,
    /// Where a list goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub page: Option<Page>,
}

/// The one value of `status`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Success {
    /// The request did what it asked for.
    Success,
}

/// Where a list goes on.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page {
    /// The cursor of the next page; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// How many entries a page has at most.
    pub limit: u32,
}

impl<T> Envelope<T> {
    /// A successful answer with one thing in it.
    pub fn new(data: T) -> Self {
        Self { status: Success::Success, data, page: None }
    }
}
