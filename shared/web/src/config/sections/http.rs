//! `[http]`: where the service listens and what it takes from clients.

use std::net::{Ipv4Addr, SocketAddr};

use ipnet::IpNet;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tenantry_types::PublicUrl;

use super::Mode;
use crate::config::Violation;

/// Where the service listens, what it is called from outside, and what it takes from clients.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HttpConfig {
    /// The address and port to listen on. Port 0 takes any free one.
    pub listen: SocketAddr,
    /// The address under which clients reach the service; it decides issuers, links and cookies. Must be
    /// `https` in production, except on loopback.
    #[schemars(with = "String")]
    pub public_url: PublicUrl,
    /// Worker threads. 0 means one for each processor.
    #[schemars(range(min = 0, max = 512))]
    pub workers: usize,
    /// The networks of the reverse proxies in front, as `10.0.0.0/8`. Forwarding headers of anybody else are
    /// ignored.
    #[schemars(with = "Vec<String>")]
    pub trusted_proxies: Vec<IpNet>,
    /// Which headers the trusted proxies set. The other kind is ignored, since proxies pass on what they do
    /// not know, and a client could write it.
    pub forwarding_headers: ForwardingHeaders,
    /// Whether the trusted proxies also set `X-Forwarded-Host` (or `host=` in `Forwarded`). Leave it off when they
    /// pass the `Host` header through: a client could then name any host.
    pub trust_forwarded_host: bool,
    /// Connections that one worker holds open; more wait in the listener's queue.
    #[schemars(range(min = 1))]
    pub max_connections: usize,
    /// The largest body of a request, in bytes, where a route does not say otherwise.
    #[schemars(range(min = 1024))]
    pub body_limit: usize,
    /// The largest header section of a request, in bytes (at most 131072, and at most 96 headers).
    #[schemars(range(min = 1024, max = 131_072))]
    pub header_limit: usize,
    /// The longest path and query of a request, in bytes.
    #[schemars(range(min = 256, max = 65_535))]
    pub uri_limit: usize,
    /// Seconds in which a client must send the header section of a request.
    #[schemars(range(min = 1, max = 3600))]
    pub header_timeout: u64,
    /// Seconds in which a client must send the body of a request.
    #[schemars(range(min = 1, max = 3600))]
    pub body_timeout: u64,
    /// Seconds after which a request that is not answered is given up with a 503.
    #[schemars(range(min = 1, max = 3600))]
    pub request_timeout: u64,
    /// Seconds in which a client must take some of an answer that waits for it.
    #[schemars(range(min = 1, max = 3600))]
    pub write_timeout: u64,
    /// Seconds that an idle connection is kept open for the next request.
    #[schemars(range(min = 1, max = 3600))]
    pub keep_alive: u64,
    /// Seconds that a stopping service gives to requests in flight.
    #[schemars(range(min = 0, max = 3600))]
    pub shutdown_timeout: u64,
}

/// Which headers tell where a request came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ForwardingHeaders {
    /// `X-Forwarded-For`, `X-Forwarded-Proto`, `X-Forwarded-Host`.
    #[default]
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl HttpConfig {
    /// The defaults of a service that is at home on `http://localhost:{port}`.
    ///
    /// # Panics
    /// Never: the address is right for every port.
    pub fn on_port(port: u16) -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
            #[allow(clippy::expect_used, reason = "the text is right for every port")]
            public_url: format!("http://localhost:{port}").parse().expect("a public URL"),
            workers: 0,
            trusted_proxies: Vec::new(),
            forwarding_headers: ForwardingHeaders::default(),
            trust_forwarded_host: false,
            max_connections: 10_000,
            body_limit: 256 * 1024,
            header_limit: 32 * 1024,
            uri_limit: 8 * 1024,
            header_timeout: 10,
            body_timeout: 20,
            request_timeout: 30,
            write_timeout: 30,
            keep_alive: 75,
            shutdown_timeout: 30,
        }
    }

    /// The rules between these values.
    pub fn validate(&self, mode: Mode) -> Vec<Violation> {
        let mut violations = Vec::new();
        if mode.is_production() && !self.public_url.is_https() && !self.public_url.is_loopback() {
            violations.push(Violation::new("public_url", "must be https in production, except on loopback"));
        }
        if self.request_timeout < self.body_timeout {
            violations.push(Violation::new("request_timeout", "must not be shorter than http.body_timeout"));
        }
        if self.trust_forwarded_host && self.trusted_proxies.is_empty() {
            violations.push(Violation::new("trust_forwarded_host", "has no meaning without http.trusted_proxies"));
        }
        if self.trusted_proxies.iter().any(|net| net.prefix_len() == 0) {
            violations.push(Violation::new(
                "trusted_proxies",
                "must not hold the whole address space: anybody could then claim any address",
            ));
        }
        violations
    }
}

impl Default for HttpConfig {
    fn default() -> Self {
        Self::on_port(8080)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn production_refuses_plain_http_off_loopback() {
        let mut config = HttpConfig { public_url: "http://id.example.com".parse().unwrap(), ..HttpConfig::default() };
        assert!(config.validate(Mode::Development).is_empty());
        let violations = config.validate(Mode::Production);
        assert_eq!(violations.len(), 1);
        assert_eq!(violations[0].key, "public_url");

        for good in ["https://id.example.com", "http://localhost:8080", "http://127.0.0.1", "http://[::1]:80"] {
            config.public_url = good.parse().unwrap();
            assert!(config.validate(Mode::Production).is_empty(), "{good}");
        }
    }

    #[test]
    fn proxies_are_never_everybody() {
        let config = HttpConfig { trusted_proxies: vec!["0.0.0.0/0".parse().unwrap()], ..HttpConfig::default() };
        assert_eq!(config.validate(Mode::Development)[0].key, "trusted_proxies");
    }
}
