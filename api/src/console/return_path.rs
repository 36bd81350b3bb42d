//! Where in the console somebody was before they signed in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tenantry_types::ParseError;

use super::pages::Section;

/// The longest one that is kept.
const MAX: usize = 512;

/// A page of the console, to come back to: never another place (RFC 9700 §4.11).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct ReturnPath(String);

impl ReturnPath {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ReturnPath {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = ParseError::new("must be a page of the console");
        let (path, _) = text.split_once('?').unwrap_or((text, ""));
        // Nothing that a browser reads in another way than it stands here (WHATWG URL §4.4).
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~/?&=%+:,".contains(&b);
        let mut segments = path.split('/');
        let is_there = segments.next() == Some("")
            && segments.next() == Some("console")
            && segments.next().is_some_and(|section| Section::of_segment(section).is_some())
            && segments.all(|segment| !matches!(segment, "" | "." | "..") && !segment.contains('%'));
        if is_there && text.len() <= MAX && text.bytes().all(is_plain) { Ok(Self(text.to_owned())) } else { Err(wrong) }
    }
}

impl TryFrom<String> for ReturnPath {
    type Error = ParseError;

    fn try_from(text: String) -> Result<Self, ParseError> {
        text.parse()
    }
}

impl From<ReturnPath> for String {
    fn from(path: ReturnPath) -> Self {
        path.0
    }
}

impl fmt::Display for ReturnPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_leads_to_a_page_of_the_console_and_nowhere_else() {
        for good in [
            "/console/users",
            "/console/users/0190b2c4-0000-7000-8000-000000000001",
            "/console/users?search=a%20b&status=active",
            "/console/policies/1/versions/2",
        ] {
            assert_eq!(good.parse::<ReturnPath>().map(String::from).ok().as_deref(), Some(good));
        }
        for bad in [
            "",
            "/",
            "/console",
            "/console/",
            "/console/sign-out",
            "/console/callback",
            "/console/assets/x",
            "/console/api/v1/me",
            "//evil.example/console/users",
            "/\\evil.example",
            "https://evil.example/console/users",
            "/console/users/../../docs",
            "/console/users/%2e%2e/x",
            "/console/users//evil.example",
            "/console/users#x",
            "/console/users?a=\"",
            "/console/users?a=\r\nSet-Cookie: x",
            "/console/users@evil.example",
            "console/users",
            &format!("/console/users?{}", "x".repeat(512)),
        ] {
            assert!(bad.parse::<ReturnPath>().is_err(), "{bad:?}");
        }
    }
}
