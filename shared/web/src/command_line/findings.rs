//! `doctor`: what keeps a service from working, one check a line.

use std::process::ExitCode;

use serde::Serialize;
use serde_json::json;

use super::Output;

/// What came of a check.
#[derive(Debug, Serialize)]
pub struct Finding {
    check: &'static str,
    ok: bool,
    detail: String,
}

impl Finding {
    /// What a check found: what is there, or what is missing and how to mend it.
    pub fn of(check: &'static str, result: Result<String, String>) -> Self {
        let ok = result.is_ok();
        Self { check, ok, detail: result.unwrap_or_else(|reason| reason) }
    }
}

/// Shows all findings; a failure when one is.
pub fn report(findings: &[Finding], output: Output) -> ExitCode {
    let ok = findings.iter().all(|finding| finding.ok);
    output.result(&json!({ "ok": ok, "checks": findings }), || {
        let line = |f: &Finding| format!("{} {:<20} {}", if f.ok { "ok  " } else { "FAIL" }, f.check, f.detail);
        findings.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
