//! What commands print: text for people, JSON for programs.

use std::error::Error;
use std::io::Write as _;

use serde_json::{Value, json};

/// Where and how commands print.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    json: bool,
}

impl Output {
    pub(super) const fn new(json: bool) -> Self {
        Self { json }
    }

    /// Prints a result to standard output.
    pub(super) fn print(self, text: &str, value: impl FnOnce() -> Value) {
        let line = if self.json { value().to_string() } else { text.trim_end().to_owned() };
        // Nobody reads it: there is nobody to tell.
        let _ = writeln!(std::io::stdout(), "{line}");
    }

    /// Prints why a command failed, with all causes, to standard error.
    pub(super) fn failure(self, error: &dyn Error) {
        let mut text = error.to_string();
        let mut cause = error.source();
        while let Some(next) = cause {
            let more = next.to_string();
            if !text.ends_with(&more) {
                text = format!("{text}: {more}");
            }
            cause = next.source();
        }
        let line = if self.json { json!({ "error": text }).to_string() } else { format!("tenantry-api: {text}") };
        let _ = writeln!(std::io::stderr(), "{line}");
    }
}
