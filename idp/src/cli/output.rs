//! How results are shown: for people, or as JSON.

use std::error::Error;
use std::io::{Write as _, stderr, stdout};

use serde::Serialize;

/// How results are shown.
#[derive(Debug)]
pub struct Output {
    /// As JSON.
    pub json: bool,
}

impl Output {
    /// Shows a result: `text` for people, `value` as JSON.
    pub fn result(&self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let line = if self.json { serde_json::to_string(value).unwrap_or_default() } else { text() };
        // A reader that has gone away is no reason to fail.
        let _ = writeln!(stdout(), "{line}");
    }

    /// Shows why a command failed.
    pub fn failure(&self, error: &(dyn Error + 'static)) {
        let line = if self.json {
            serde_json::json!({ "error": error.to_string() }).to_string()
        } else {
            format!("error: {error}")
        };
        let _ = writeln!(stderr(), "{line}");
    }
}
