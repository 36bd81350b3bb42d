//! URLs under which a service is reached.

use std::str::FromStr;

use url::Url;

use crate::ParseError;

/// Scheme, host and port, as browsers send them in `Origin` (RFC 6454): no path, no trailing slash, default port left out.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct Origin(String);

impl Origin {
    /// The origin of a URL; `None` where it has none of its own (`data:`, custom schemes).
    pub fn of(url: &Url) -> Option<Self> {
        let origin = url.origin();
        origin.is_tuple().then(|| Self(origin.ascii_serialization()))
    }

    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong = || ParseError::new("must be an origin like https://app.example.com");
        let url = Url::parse(text).map_err(|_| wrong())?;
        let origin = Self::of(&url).ok_or_else(wrong)?;
        if origin.0 == text { Ok(origin) } else { Err(wrong()) }
    }
}

crate::text_serde!(Origin);
crate::stored_as_text!(Origin);

/// The address under which clients reach a service: `http(s)`, no query, fragment or user, no trailing slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct PublicUrl {
    /// Without a slash at the end, which `url` has where there is no path.
    text: String,
    url: Url,
}

impl PublicUrl {
    /// The address as text, to which paths are added.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The address as a parsed URL.
    pub const fn url(&self) -> &Url {
        &self.url
    }

    /// Host, and port where it is not the scheme's own: what the `Host` header says.
    pub fn authority(&self) -> String {
        let url = &self.url;
        let host = url.host_str().unwrap_or_default();
        url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }

    /// Whether it is reached over TLS.
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// Whether only this machine can reach it.
    pub fn is_loopback(&self) -> bool {
        match self.url.host() {
            Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
            Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
            None => false,
        }
    }
}

impl FromStr for PublicUrl {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let wrong =
            || ParseError::new("must be an address like https://id.example.com, without query, fragment or user");
        let url = Url::parse(text).map_err(|_| wrong())?;
        let good = matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !good {
            return Err(wrong());
        }
        let text = url.as_str().trim_end_matches('/').to_owned();
        let url = Url::parse(&text).map_err(|_| wrong())?;
        Ok(Self { text, url })
    }
}

crate::text_serde!(PublicUrl);
crate::stored_as_text!(PublicUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn public_urls_are_clean() {
        let url: PublicUrl = "HTTP://LocalHost:8080/".parse().unwrap();
        assert_eq!(url.as_str(), "http://localhost:8080");
        assert_eq!(url.authority(), "localhost:8080");
        assert!(url.is_loopback() && !url.is_https());
        for bad in [
            "",
            "localhost",
            "ftp://a",
            "http://u@a",
            "http://u:p@a",
            "http://a?b",
            "http://a#b",
            "javascript:alert(1)",
        ] {
            assert!(bad.parse::<PublicUrl>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn origins_are_exact() {
        assert!("https://app.example.com".parse::<Origin>().is_ok());
        for bad in [
            "https://app.example.com/",
            "https://app.example.com:443",
            "HTTPS://app.example.com",
            "null",
            "*",
            "app.example.com",
        ] {
            assert!(bad.parse::<Origin>().is_err(), "{bad:?}");
        }
    }
}
