//! Why a request failed, on its way from the handler to the log.

use std::error::Error;
use std::sync::Arc;

use actix_web::HttpResponse;

/// The private side of a 5xx answer. It travels with the answer, is logged once with the request's id, and never
/// leaves the process otherwise.
#[derive(Debug, Clone)]
pub struct Cause(Option<Arc<str>>);

impl Cause {
    /// `error` and everything beneath it.
    pub fn of(error: &dyn Error) -> Self {
        Self(Some(with_causes(error).into()))
    }

    /// A cause that is no error of any type.
    pub fn text(text: &str) -> Self {
        Self(Some(text.into()))
    }

    /// A cause that is in the log already.
    pub(crate) fn logged_before() -> Self {
        Self(None)
    }

    /// Sends the cause along with `response`. For answers that are not made by
    /// [`problems::respond`](crate::problems::respond).
    pub fn attach_to(self, response: &mut HttpResponse) {
        response.extensions_mut().insert(self);
    }

    /// What to log, if it was not logged before.
    pub(super) fn to_log(&self) -> Option<&str> {
        self.0.as_deref()
    }
}

/// `error` and everything beneath it, in one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        let inner_text = inner.to_string();
        // Transparent wrappers repeat what is beneath them.
        if !text.ends_with(&inner_text) {
            text.push_str(": ");
            text.push_str(&inner_text);
        }
        source = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    enum Failure {
        #[error("the tenant cannot be read")]
        Read(#[source] std::io::Error),
        #[error(transparent)]
        Io(std::io::Error),
    }

    #[test]
    fn the_whole_chain_is_told_once() {
        let io = || std::io::Error::other("disk on fire");
        assert_eq!(Cause::of(&Failure::Read(io())).to_log(), Some("the tenant cannot be read: disk on fire"));
        assert_eq!(Cause::of(&Failure::Io(io())).to_log(), Some("disk on fire"));
        assert_eq!(Cause::logged_before().to_log(), None);
    }
}
