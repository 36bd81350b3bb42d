//! The authority of a request: host, and port where it is not the scheme's own.

use std::fmt;
use std::net::Ipv6Addr;

/// `http` or `https`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// Plain HTTP.
    Http,
    /// HTTP over TLS.
    Https,
}

impl Scheme {
    /// The scheme as it stands in a URL.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.eq_ignore_ascii_case("https") {
            Some(Self::Https)
        } else if text.eq_ignore_ascii_case("http") {
            Some(Self::Http)
        } else {
            None
        }
    }

    const fn port(self) -> &'static str {
        match self {
            Self::Http => "80",
            Self::Https => "443",
        }
    }
}

/// The scheme and host that the client used, as far as they can be known: from a trusted proxy, or from the
/// request itself. The host is well formed, lower-case and without the scheme's own port; whether it is one of ours is
/// for the service to decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalOrigin {
    /// How the client spoke.
    pub scheme: Scheme,
    /// To whom: `login.example.com`, `localhost:8080`, `[::1]:8080`.
    pub host: String,
}

impl ExternalOrigin {
    /// The host without its port.
    pub fn host_name(&self) -> &str {
        match self.host.rfind(':') {
            Some(colon) if !self.host[colon..].contains(']') => &self.host[..colon],
            _ => &self.host,
        }
    }
}

impl fmt::Display for ExternalOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}", self.scheme.as_str(), self.host)
    }
}

/// `uri-host [":" port]` (RFC 9110 §7.2), normalised; `None` where it is malformed. Percent-encoding and the stranger
/// characters that RFC 3986 allows in names are refused: no client needs them and they confuse what comes after.
pub(super) fn normalise_host(text: &str, scheme: Scheme) -> Option<String> {
    if text.len() > 255 {
        return None;
    }
    let (name, port) = if let Some(rest) = text.strip_prefix('[') {
        let (address, after) = rest.split_once(']')?;
        address.parse::<Ipv6Addr>().ok()?;
        let port = if after.is_empty() { None } else { Some(after.strip_prefix(':')?) };
        (&text[..address.len() + 2], port)
    } else {
        let (name, port) = text.split_once(':').map_or((text, None), |(name, port)| (name, Some(port)));
        let allowed = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if name.is_empty() || name.starts_with('.') || name.contains("..") || !name.bytes().all(allowed) {
            return None;
        }
        (name, port)
    };
    let mut host = name.to_ascii_lowercase();
    if let Some(port) = port {
        let digits = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        if !digits || port.parse::<u16>().is_err() {
            return None;
        }
        if port != scheme.port() {
            host.push(':');
            host.push_str(port);
        }
    }
    Some(host)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn hosts_are_normalised() {
        for (given, scheme, host) in [
            ("Login.Example.COM", Scheme::Https, "login.example.com"),
            ("example.com:443", Scheme::Https, "example.com"),
            ("example.com:443", Scheme::Http, "example.com:443"),
            ("example.com:80", Scheme::Http, "example.com"),
            ("[::1]:8080", Scheme::Http, "[::1]:8080"),
            ("[2001:DB8::1]", Scheme::Http, "[2001:db8::1]"),
            ("my_service:8080", Scheme::Http, "my_service:8080"),
            ("example.com.", Scheme::Http, "example.com."),
        ] {
            assert_eq!(normalise_host(given, scheme).as_deref(), Some(host), "{given}");
        }
    }

    #[test]
    fn malformed_hosts_are_none() {
        for bad in [
            "",
            ":80",
            "a:b",
            "a:",
            "a:65536",
            "a:80:80",
            "a:+80",
            "a b",
            "a/b",
            "a@b",
            "a\\b",
            "a?b",
            "a#b",
            "a,b",
            "a%2eb",
            "<a>",
            "..",
            ".a",
            "a..b",
            "[::1",
            "[::1]x",
            "[::1]:",
            "[zz]",
            "::1",
            "exämple.com",
            &"a".repeat(256),
        ] {
            assert_eq!(normalise_host(bad, Scheme::Http), None, "{bad:?}");
        }
    }

    #[test]
    fn the_port_is_not_part_of_the_name() {
        let origin = |host: &str| ExternalOrigin { scheme: Scheme::Http, host: host.to_owned() };
        assert_eq!(origin("a.example:8080").host_name(), "a.example");
        assert_eq!(origin("a.example").host_name(), "a.example");
        assert_eq!(origin("[::1]:8080").host_name(), "[::1]");
        assert_eq!(origin("[::1]").host_name(), "[::1]");
        assert_eq!(origin("[::1]:8080").to_string(), "http://[::1]:8080");
    }
}
