//! Redirect URIs: what may be registered, and what matches.

use std::net::IpAddr;
use std::str::FromStr;

use tenantry_types::ParseError;
use url::{Host, Url};

/// A redirect URI as it was registered. It is compared character by character (RFC 9700 §2.1), except that the port
/// of a loopback address is free (RFC 8252 §7.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    /// For a loopback address: what stands before the port and after it.
    around_port: Option<(String, String)>,
}

impl RedirectUri {
    /// The URI as it was registered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether a client that registered this may use `requested`.
    pub fn matches(&self, requested: &str) -> bool {
        if requested == self.text {
            return true;
        }
        let Some((before, after)) = &self.around_port else { return false };
        let Some(rest) = requested.strip_prefix(before.as_str()) else { return false };
        let port = rest.strip_suffix(after.as_str());
        port.is_some_and(|port| {
            port.is_empty()
                || port.strip_prefix(':').is_some_and(|digits| {
                    !digits.starts_with('0')
                        && digits.bytes().all(|b| b.is_ascii_digit())
                        && digits.parse::<u16>().is_ok_and(|port| port != 0)
                })
        })
    }
}

/// Schemes in which a browser runs or shows what it is given.
const SCRIPT_SCHEMES: &[&str] = &[
    "javascript",
    "data",
    "vbscript",
    "file",
    "blob",
    "about",
    "filesystem",
    "view-source",
    "ws",
    "wss",
    "ftp",
    "mailto",
];

impl FromStr for RedirectUri {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() > 2048
            || text.bytes().any(|b| !(0x21..=0x7e).contains(&b) || matches!(b, b'\\' | b'"' | b'<' | b'>'))
        {
            return Err(ParseError::new("must be printable ASCII without spaces, 2048 characters at most"));
        }
        let url = Url::parse(text).map_err(|_| ParseError::new("must be an absolute URI"))?;
        if text.contains('#') {
            return Err(ParseError::new("must not have a fragment (RFC 6749 §3.1.2)"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(ParseError::new("must not have a user or password"));
        }
        if text.contains('*') {
            return Err(ParseError::new("must not have a wildcard: URIs are compared exactly (RFC 9700 §2.1)"));
        }
        match url.scheme() {
            "https" => check_web(text, &url)?,
            "http" if is_loopback(&url) => check_web(text, &url)?,
            "http" => return Err(ParseError::new("must use https, except for a loopback address (RFC 8252 §7.3)")),
            scheme if SCRIPT_SCHEMES.contains(&scheme) => {
                return Err(ParseError::new("must not use a scheme that browsers run or show themselves"));
            }
            // RFC 8252 §7.1: a private scheme is a reverse domain name, so that its owner can be known.
            scheme if !scheme.contains('.') => {
                return Err(ParseError::new(
                    "must use https, a loopback address, or a private scheme like com.example.app",
                ));
            }
            _ => {}
        }
        Ok(Self { around_port: around_port(text, &url), text: text.to_owned() })
    }
}

/// The text must already be in the form that a browser would make of it: what we compare is what it opens.
fn check_web(text: &str, url: &Url) -> Result<(), ParseError> {
    let authority_ends_with_dot = url.host_str().is_some_and(|host| host.ends_with('.'));
    if authority_ends_with_dot {
        return Err(ParseError::new("must not have a host that ends with a dot"));
    }
    let canonical = url.as_str();
    let same =
        canonical == text || (url.path() == "/" && url.query().is_none() && canonical.trim_end_matches('/') == text);
    if same {
        Ok(())
    } else {
        Err(ParseError::new("must be in its normal form: lower-case host, no default port, no dot segments"))
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        None => false,
    }
}

/// Only the literal addresses: `localhost` may be made to mean something else (RFC 8252 §8.3), so its port is compared.
fn around_port(text: &str, url: &Url) -> Option<(String, String)> {
    let literal =
        matches!(url.host(), Some(Host::Ipv4(_) | Host::Ipv6(_))) && url.scheme() == "http" && is_loopback(url);
    if !literal {
        return None;
    }
    let before = format!("http://{}", url.host_str()?);
    let rest = text.strip_prefix(&before)?;
    let after = match url.port() {
        Some(port) => rest.strip_prefix(&format!(":{port}"))?,
        None => rest,
    };
    Some((before, after.to_owned()))
}

tenantry_types::text_serde!(RedirectUri);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn uri(text: &str) -> RedirectUri {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn only_safe_uris_are_registered() {
        for good in [
            "https://app.example.com/callback",
            "https://app.example.com",
            "https://app.example.com/cb?tenant=1",
            "http://localhost:3000/callback",
            "http://127.0.0.1/callback",
            "http://[::1]:8080/callback",
            "com.example.app:/callback",
            "com.example.app://callback",
        ] {
            assert!(good.parse::<RedirectUri>().is_ok(), "{good}");
        }
        for bad in [
            "",
            "/callback",
            "app.example.com/callback",
            "http://app.example.com/callback",
            "https://app.example.com/callback#fragment",
            "https://app.example.com/callback#",
            "https://user@app.example.com/callback",
            "https://user:pw@app.example.com/callback",
            "https://app.example.com@evil.example/callback",
            "https://App.Example.com/callback",
            "https://app.example.com./callback",
            "https://app.example.com:443/callback",
            "https://app.example.com/a/../callback",
            "https://app.example.com/%2e%2e/callback",
            "https://*.example.com/callback",
            "https://app.example.com\\@evil.example/",
            "https://app.example.com/\r\nSet-Cookie: a=b",
            "https://app.exämple.com/",
            "javascript:alert(1)",
            "JavaScript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "myapp://callback",
            "http://127.0.0.1.evil.example/callback",
            "http://2130706433/callback",
        ] {
            assert!(bad.parse::<RedirectUri>().is_err(), "{bad}");
        }
    }

    #[test]
    fn only_the_port_of_a_literal_loopback_address_is_free() {
        let native = uri("http://127.0.0.1/callback");
        for good in ["http://127.0.0.1/callback", "http://127.0.0.1:1/callback", "http://127.0.0.1:65535/callback"] {
            assert!(native.matches(good), "{good}");
        }
        for bad in [
            "http://127.0.0.1:0/callback",
            "http://127.0.0.1:065/callback",
            "http://127.0.0.1:65536/callback",
            "http://127.0.0.1:80@evil.example/callback",
            "http://127.0.0.1:/callback",
            "http://127.0.0.1.evil.example/callback",
            "http://127.0.0.1:80/callback/",
            "http://127.0.0.1:80/callback?x=1",
            "http://127.0.0.1:80/other/callback",
            "http://127.0.0.2/callback",
            "https://127.0.0.1/callback",
            "http://localhost/callback",
            "http://127.0.0.1:80/Callback",
        ] {
            assert!(!native.matches(bad), "{bad}");
        }
        assert!(uri("http://[::1]:8080/cb").matches("http://[::1]:9/cb"));
        assert!(!uri("http://localhost:3000/cb").matches("http://localhost:3001/cb"));
        assert!(!uri("https://app.example.com/cb").matches("https://app.example.com:8443/cb"));
    }

    proptest! {
        #[test]
        fn never_panics_and_matches_itself(text in "\\PC{0,80}") {
            if let Ok(uri) = text.parse::<RedirectUri>() {
                prop_assert!(uri.matches(&text));
            }
        }

        #[test]
        fn whatever_matches_opens_the_same_host_and_path(
            requested in "http://(127\\.0\\.0\\.1|localhost|a)?[:@/?#.]{0,2}[0-9a-z]{0,6}(/callback)?",
        ) {
            if uri("http://127.0.0.1/callback").matches(&requested) {
                let url = Url::parse(&requested).unwrap();
                prop_assert_eq!(url.host_str(), Some("127.0.0.1"));
                prop_assert_eq!(url.path(), "/callback");
                prop_assert!(url.query().is_none() && url.fragment().is_none());
            }
        }
    }
}
