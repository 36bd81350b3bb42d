//! Who the client is when proxies stand between.
//!
//! A proxy appends the address that connected to it, so the list is true from the right for as long as each
//! address to the right of it is a proxy of ours. The walk stops at the first address that is not: everything further
//! left was written by that client.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use actix_web::http::header::{self, HeaderMap, HeaderName};
use ipnet::IpNet;

use super::host::Scheme;
use crate::config::{ForwardingHeaders, HttpConfig};

static X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
static X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
static X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
/// Proxies of ours that a request can pass through; more are not looked at.
const MOST_HOPS: usize = 16;

/// The networks whose forwarding headers are believed.
#[derive(Debug, Clone)]
pub(super) struct TrustedProxies {
    networks: Vec<IpNet>,
    headers: ForwardingHeaders,
    trust_host: bool,
}

/// Where a request really came from, and what the client asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Forwarded {
    pub(super) client: IpAddr,
    pub(super) scheme: Scheme,
    /// What the client named, if a proxy said so; as it was sent.
    pub(super) host: Option<String>,
}

/// What one proxy said about the connection it took.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Hop {
    address: Option<IpAddr>,
    scheme: Option<Scheme>,
    host: Option<String>,
}

impl TrustedProxies {
    pub(super) fn new(config: &HttpConfig) -> Self {
        Self {
            networks: config.trusted_proxies.clone(),
            headers: config.forwarding_headers,
            trust_host: config.trust_forwarded_host,
        }
    }

    pub(super) fn resolve(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Forwarded {
        let peer = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip().to_canonical());
        let mut found = Forwarded { client: peer, scheme: Scheme::Http, host: None };
        if !self.trusts(peer) {
            return found;
        }
        let hops = match self.headers {
            ForwardingHeaders::XForwarded => x_forwarded(headers),
            ForwardingHeaders::Forwarded => forwarded(headers),
        };
        for hop in hops {
            found.scheme = hop.scheme.unwrap_or(found.scheme);
            if self.trust_host && hop.host.is_some() {
                found.host = hop.host;
            }
            // `unknown` and obfuscated addresses end the walk: the last one known is all there is.
            let Some(address) = hop.address else { break };
            found.client = address;
            if !self.trusts(address) {
                break;
            }
        }
        found
    }

    fn trusts(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.contains(&address))
    }
}

/// Takes out what was read or not believed, so that nothing further in can be led astray by it (actix's own
/// `ConnectionInfo` believes everybody).
pub(super) fn strip(headers: &mut HeaderMap) {
    for name in [&header::FORWARDED, &X_FORWARDED_FOR, &X_FORWARDED_PROTO, &X_FORWARDED_HOST] {
        if headers.contains_key(name) {
            headers.remove(name);
        }
    }
}

/// The values of a header that is a list, from the right.
fn from_the_right<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines: Vec<&str> = headers.get_all(name).map(|line| line.to_str().unwrap_or_default()).collect();
    lines.into_iter().rev().flat_map(|line| line.rsplit(',')).map(str::trim).take(MOST_HOPS)
}

fn x_forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let mut schemes = from_the_right(headers, &X_FORWARDED_PROTO);
    let mut hosts = from_the_right(headers, &X_FORWARDED_HOST);
    let mut hops: Vec<Hop> = from_the_right(headers, &X_FORWARDED_FOR)
        .map(|address| Hop {
            address: parse_address(address),
            scheme: schemes.next().and_then(Scheme::parse),
            host: hosts.next().filter(|host| !host.is_empty()).map(str::to_owned),
        })
        .collect();
    if hops.is_empty() {
        hops.push(Hop {
            address: None,
            scheme: schemes.next().and_then(Scheme::parse),
            host: hosts.next().map(str::to_owned),
        });
    }
    hops
}

/// `Forwarded: for=192.0.2.60;proto=https;host=a, for="[2001:db8::1]:4711"` (RFC 7239 §4), from the right.
fn forwarded(headers: &HeaderMap) -> Vec<Hop> {
    let lines: Vec<&str> = headers.get_all(header::FORWARDED).map(|l| l.to_str().unwrap_or_default()).collect();
    let elements = lines.into_iter().rev().flat_map(|line| {
        let mut elements = split_outside_quotes(line, ',');
        elements.reverse();
        elements
    });
    elements.take(MOST_HOPS).map(forwarded_element).collect()
}

fn forwarded_element(element: &str) -> Hop {
    let mut hop = Hop::default();
    for pair in split_outside_quotes(element, ';') {
        let Some((name, value)) = pair.split_once('=') else { continue };
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|v| v.strip_suffix('"')).unwrap_or(value);
        match name.trim().to_ascii_lowercase().as_str() {
            "for" => hop.address = parse_address(value),
            "proto" => hop.scheme = Scheme::parse(value),
            "host" => hop.host = Some(value.to_owned()),
            _ => {}
        }
    }
    hop
}

fn split_outside_quotes(text: &str, separator: char) -> Vec<&str> {
    let (mut quoted, mut escaped) = (false, false);
    text.split(move |c| {
        let separates = c == separator && !quoted;
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ => {}
        }
        separates
    })
    .collect()
}

/// An address, alone or with a port: `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `[2001:db8::1]:80`.
fn parse_address(text: &str) -> Option<IpAddr> {
    let address = text
        .parse::<IpAddr>()
        .ok()
        .or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()))
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())?;
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn resolve(
        kind: ForwardingHeaders,
        trust_host: bool,
        peer: &str,
        lines: &[(&str, &str)],
    ) -> (String, Scheme, Option<String>) {
        let proxies = TrustedProxies {
            networks: vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()],
            headers: kind,
            trust_host,
        };
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap());
        }
        let found = proxies.resolve(Some(format!("{peer}:4711").parse().unwrap()), &headers);
        strip(&mut headers);
        assert!(headers.is_empty());
        (found.client.to_string(), found.scheme, found.host)
    }

    fn x(peer: &str, lines: &[(&str, &str)]) -> (String, Scheme, Option<String>) {
        resolve(ForwardingHeaders::XForwarded, true, peer, lines)
    }

    const FOR: &str = "x-forwarded-for";
    const PROTO: &str = "x-forwarded-proto";
    const HOST: &str = "x-forwarded-host";

    #[test]
    fn strangers_are_not_believed() {
        let spoofed = [(FOR, "1.2.3.4"), (PROTO, "https"), (HOST, "evil.example"), ("forwarded", "for=1.2.3.4")];
        assert_eq!(x("203.0.113.9", &spoofed), ("203.0.113.9".into(), Scheme::Http, None));
    }

    #[test]
    fn the_walk_stops_at_the_first_stranger() {
        let one = [(FOR, "198.51.100.7"), (PROTO, "https"), (HOST, "id.example.com")];
        assert_eq!(x("10.0.0.1", &one), ("198.51.100.7".into(), Scheme::Https, Some("id.example.com".into())));
        let spoofed = [(FOR, "1.2.3.4, 198.51.100.7, 10.0.0.2"), (PROTO, "https")];
        assert_eq!(x("10.0.0.1", &spoofed).0, "198.51.100.7");
        let lines = [(FOR, "1.2.3.4"), (FOR, "198.51.100.7")];
        assert_eq!(x("10.0.0.1", &lines).0, "198.51.100.7", "several lines are one list");
        assert_eq!(x("10.0.0.1", &[(FOR, "10.0.0.3, 10.0.0.2")]).0, "10.0.0.3", "all are ours: the first");
        assert_eq!(x("10.0.0.1", &[(FOR, "1.2.3.4, garbage, 10.0.0.2")]).0, "10.0.0.2", "garbage ends it");
        assert_eq!(x("10.0.0.1", &[(FOR, "198.51.100.7:5000")]).0, "198.51.100.7");
        assert_eq!(x("[::ffff:10.0.0.1]", &[(FOR, "::ffff:198.51.100.7")]).0, "198.51.100.7", "mapped addresses");
        assert_eq!(x("[fd00::1]", &[(FOR, "[2001:db8::7]:443")]).0, "2001:db8::7");
        assert_eq!(x("10.0.0.1", &[(PROTO, "https")]), ("10.0.0.1".into(), Scheme::Https, None));
        assert_eq!(x("10.0.0.1", &[]), ("10.0.0.1".into(), Scheme::Http, None));
    }

    #[test]
    fn what_a_client_wrote_left_of_the_truth_is_ignored() {
        let found = x(
            "10.0.0.1",
            &[(FOR, "1.2.3.4, 198.51.100.7"), (PROTO, "https, http"), (HOST, "evil.example, id.example.com")],
        );
        assert_eq!(found, ("198.51.100.7".into(), Scheme::Http, Some("id.example.com".into())));
    }

    #[test]
    fn the_host_is_believed_only_when_asked_to() {
        let lines = [(FOR, "198.51.100.7"), (HOST, "evil.example")];
        assert_eq!(resolve(ForwardingHeaders::XForwarded, false, "10.0.0.1", &lines).2, None);
    }

    #[test]
    fn only_the_kind_that_the_proxies_write_is_read() {
        let both = [(FOR, "198.51.100.7"), ("forwarded", "for=1.2.3.4")];
        assert_eq!(x("10.0.0.1", &both).0, "198.51.100.7");
        assert_eq!(resolve(ForwardingHeaders::Forwarded, true, "10.0.0.1", &both).0, "1.2.3.4");
    }

    #[test]
    fn rfc_7239() {
        let f = |value| resolve(ForwardingHeaders::Forwarded, true, "10.0.0.1", &[("forwarded", value)]);
        assert_eq!(
            f("for=1.2.3.4, For=\"[2001:db8::7]:4711\";proto=https;host=\"id.example.com:8443\";by=10.0.0.1"),
            ("2001:db8::7".into(), Scheme::Https, Some("id.example.com:8443".into()))
        );
        assert_eq!(f("for=198.51.100.7;proto=https, for=10.0.0.2;proto=http").1, Scheme::Https);
        assert_eq!(f("for=unknown").0, "10.0.0.1");
        assert_eq!(f("for=\"_hidden, for=1.2.3.4\"").0, "10.0.0.1", "a comma in quotes separates nothing");
        assert_eq!(f("nonsense").0, "10.0.0.1");
    }
}
