//! What is remembered of a request, and what comes of a repeat.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tenantry_types::{Envelope, InputError, Problem, Sha256Hash};
use tenantry_web::problems::IntoProblem;

/// Whether a request names itself, so that a repeat of it is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Once {
    /// It does not: every repeat counts.
    Unkeyed,
    /// It does.
    Keyed {
        /// Of the caller and their key.
        key: Sha256Hash,
        /// Of the method, the target and the content.
        request: Sha256Hash,
    },
}

/// Why a request with a key is refused.
#[derive(Debug, thiserror::Error)]
pub enum IdempotencyError {
    /// The header is not a key.
    #[error("Idempotency-Key must be one text of 1 to 255 visible ASCII characters")]
    Malformed,
    /// The key was used for something else.
    #[error("this Idempotency-Key was used for another request: take a new one")]
    OtherRequest,
    /// The first request is still under way.
    #[error("a request with this Idempotency-Key is under way: ask again in a moment")]
    UnderWay,
}

impl IntoProblem for IdempotencyError {
    fn problem(&self) -> Problem {
        let kind = match self {
            Self::Malformed => Problem::malformed_request(),
            Self::OtherRequest => Problem::invalid_input()
                .with_kind("/problems/idempotency-key-reused", "The Idempotency-Key was used for another request")
                .with_errors(vec![InputError::new("Idempotency-Key", "reused", self.to_string())]),
            Self::UnderWay => Problem::conflict()
                .with_kind("/problems/request-under-way", "A request with this Idempotency-Key is under way"),
        };
        kind.with_detail(self.to_string())
    }
}

tenantry_web::problem_response!(IdempotencyError);

/// The answer to a change, in a form that can be kept and given again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Names the version of what is there now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    /// Where what was made is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
    /// The content; a 204 has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Value>,
    /// Whether this is the first answer given again.
    #[serde(skip)]
    pub is_repeat: bool,
}

impl Answer {
    /// 200 with this.
    pub fn ok<T: Serialize>(data: T) -> Self {
        Self::with(200, data)
    }

    /// 201 with what was made, which is found at `location`.
    pub fn created<T: Serialize>(location: String, data: T) -> Self {
        Self { location: Some(location), ..Self::with(201, data) }
    }

    /// 202: it will be done.
    pub fn accepted<T: Serialize>(data: T) -> Self {
        Self::with(202, data)
    }

    /// 204: it is done, and there is nothing to say.
    pub const fn no_content() -> Self {
        Self { status: 204, etag: None, location: None, body: None, is_repeat: false }
    }

    /// The same, with the version of what is there now.
    #[must_use]
    pub fn with_etag(mut self, etag: &str) -> Self {
        self.etag = Some(etag.to_owned());
        self
    }

    fn with<T: Serialize>(status: u16, data: T) -> Self {
        // What the API shows has a form in JSON; were it otherwise, the answer would be empty.
        let body = serde_json::to_value(Envelope::new(data)).ok();
        Self { status, etag: None, location: None, body, is_repeat: false }
    }
}
