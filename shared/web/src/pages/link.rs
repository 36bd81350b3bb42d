//! Links to pages of other people.

use serde::Serialize;
use url::Url;

/// A web address that may be put into `href`: `http` or `https`, with a host, without a user name.
///
/// Escaping makes a value safe as text, not as an address: `javascript:` is well-formed text (WHATWG HTML §2.4.4),
/// and `https://bank.example@evil.example` deceives the eye.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WebLink {
    href: String,
    host: String,
}

impl WebLink {
    /// `None` for what is not such an address. The page then leaves the link out.
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let plain = matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none();
        let host = url.host_str().filter(|_| plain)?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        Some(Self { href: url.into(), host })
    }

    /// The normalised address.
    pub fn href(&self) -> &str {
        &self.href
    }

    /// Host in ASCII form, and the port where it is not the scheme's own: what a person should look at.
    pub fn host(&self) -> &str {
        &self.host
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_become_links() {
        let link = WebLink::parse("HTTPS://Exämple.com:8443/a?b=\"><script>").unwrap();
        assert_eq!(link.host(), "xn--exmple-cua.com:8443");
        assert!(!link.href().contains(['"', '<', '>']), "{}", link.href());
        for bad in [
            "javascript:alert(1)",
            "JaVaScRiPt:alert(1)",
            " \u{1}javascript:alert(1)",
            "java\tscript:alert(1)",
            "javascript://example.com/%0aalert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://example.com/1",
            "https://bank.example@evil.example/",
            "https://:secret@evil.example/",
            "//evil.example",
            "/path",
            "",
        ] {
            assert_eq!(WebLink::parse(bad), None, "{bad:?}");
        }
    }
}
