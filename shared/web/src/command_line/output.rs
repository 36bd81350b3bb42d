//! How results are shown: for people, or as JSON for programs.

use std::error::Error;
use std::io::{Write as _, stderr, stdout};
use std::net::SocketAddr;

use serde::Serialize;
use serde_json::json;
use tenantry_types::PublicUrl;

use crate::telemetry::with_causes;

/// How results are shown.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// As JSON.
    pub json: bool,
}

impl Output {
    /// Shows a result: `text` for people, `value` as JSON.
    pub fn result(self, value: &impl Serialize, text: impl FnOnce() -> String) {
        let line = if self.json { serde_json::to_string(value).unwrap_or_default() } else { text() };
        // A reader that has gone away is no reason to fail.
        let _ = writeln!(stdout(), "{}", line.trim_end());
    }

    /// Says that a server accepts connections from now on: whoever started it waits for this line.
    pub fn listening(self, address: SocketAddr, metrics: Option<SocketAddr>, public_url: &PublicUrl) {
        tracing::info!(%address, metrics = metrics.map(tracing::field::display), %public_url, "listening");
        let value = json!({ "listening": address, "metrics": metrics, "public_url": public_url });
        self.result(&value, || format!("listening on http://{address}"));
    }

    /// Says which migrations `migrate` applied.
    pub fn migrated(self, applied: &[String]) {
        self.result(&json!({ "applied": applied }), || match applied.len() {
            0 => "the tables are up to date".to_owned(),
            count => format!("{count} migrations applied:\n  {}", applied.join("\n  ")),
        });
    }

    /// Shows why a command failed, with all causes.
    pub fn failure(self, error: &(dyn Error + 'static)) {
        let text = with_causes(error);
        let line = if self.json { json!({ "error": text }).to_string() } else { format!("error: {text}") };
        let _ = writeln!(stderr(), "{line}");
    }
}
