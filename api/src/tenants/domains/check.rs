//! Whether a domain is the tenant's: looking for what it was to publish.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use reqwest::redirect::Policy;

use super::model::{Domain, Method};
use super::public_address::is_public;
use crate::config::DomainsConfig;

/// How long one look may take.
const TIMEOUT: Duration = Duration::from_secs(4);
/// The largest file that is read: a token and the line end behind it.
const MAX_FILE_BYTES: usize = 256;
/// The addresses of a host that are tried.
const MOST_ADDRESSES: usize = 4;

/// The name servers of this machine are not known.
#[derive(Debug, Clone, thiserror::Error)]
#[error("names cannot be resolved: {0}")]
pub struct VerifierError(Arc<NetError>);

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Finding {
    /// What the tenant was to publish.
    Proven(Method),
    /// Something else, or nothing.
    Absent(String),
    /// It could not be looked at: that says nothing about the domain.
    Unclear(String),
}

/// Looks for what tenants publish. Clones share what was resolved.
#[derive(Debug, Clone)]
pub struct Verifier(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    resolver: TokioResolver,
    http_port: u16,
    allow_private: bool,
}

impl Verifier {
    /// Asks the name servers of the configuration, or those of the system.
    ///
    /// # Errors
    /// [`VerifierError`].
    pub fn new(config: &DomainsConfig) -> Result<Self, VerifierError> {
        let failed = |error| VerifierError(Arc::new(error));
        let mut builder = if config.name_servers.is_empty() {
            TokioResolver::builder_tokio().map_err(failed)?
        } else {
            let servers = config.name_servers.iter().map(|address| name_server(*address)).collect();
            let servers = ResolverConfig::from_parts(None, Vec::new(), servers);
            TokioResolver::builder_with_config(servers, TokioRuntimeProvider::default())
        };
        let options = builder.options_mut();
        options.timeout = Duration::from_secs(2);
        options.attempts = 1;
        // Whoever has just published something wants it to be seen.
        options.cache_size = 0;
        let resolver = builder.build().map_err(failed)?;
        let (http_port, allow_private) = (config.http_port, config.allow_private_addresses);
        Ok(Self(Arc::new(Inner { resolver, http_port, allow_private })))
    }

    /// Looks for the record, and then for the file.
    pub(super) async fn look(&self, domain: &Domain) -> Finding {
        let by_dns = self.within_time(self.look_at_dns(domain)).await;
        if matches!(by_dns, Finding::Proven(_)) {
            return by_dns;
        }
        match (by_dns, self.within_time(self.look_at_http(domain)).await) {
            (_, proven @ Finding::Proven(_)) => proven,
            (Finding::Absent(dns), Finding::Absent(http)) => Finding::Absent(format!("{dns}; {http}")),
            (Finding::Absent(dns) | Finding::Unclear(dns), Finding::Absent(http) | Finding::Unclear(http)) => {
                Finding::Unclear(format!("{dns}; {http}"))
            }
            (proven @ Finding::Proven(_), _) => proven,
        }
    }

    /// Looks again for what has shown whose it is, and for nothing else: what somebody else can publish at another place does
    /// not keep it theirs.
    pub(super) async fn look_again(&self, domain: &Domain) -> Finding {
        match domain.verified {
            Some(Method::Dns) => self.within_time(self.look_at_dns(domain)).await,
            Some(Method::Http) => self.within_time(self.look_at_http(domain)).await,
            None => Finding::Absent("it is not verified".to_owned()),
        }
    }

    async fn within_time(&self, look: impl Future<Output = Finding>) -> Finding {
        let late = || Finding::Unclear("there was no answer in time".to_owned());
        tokio::time::timeout(TIMEOUT, look).await.unwrap_or_else(|_| late())
    }

    async fn look_at_dns(&self, domain: &Domain) -> Finding {
        let name = domain.dns_name();
        let found = match self.0.resolver.txt_lookup(format!("{name}.")).await {
            Ok(found) => found,
            Err(error) if error.is_no_records_found() => return Finding::Absent(format!("{name} has no TXT record")),
            Err(error) => {
                tracing::debug!(%error, name, "a TXT record could not be looked for");
                return Finding::Unclear(format!("{name} could not be resolved"));
            }
        };
        // A text is kept in pieces of up to 255 bytes, which are one text together (RFC 7208 §3.3 says it for SPF).
        let has_token = found.answers().iter().any(|record| match &record.data {
            RData::TXT(text) => text.txt_data.concat() == domain.token.as_bytes(),
            _ => false,
        });
        if has_token {
            Finding::Proven(Method::Dns)
        } else {
            Finding::Absent(format!("no TXT record of {name} is the token"))
        }
    }

    async fn look_at_http(&self, domain: &Domain) -> Finding {
        let host = domain.name.as_str();
        let addresses = match self.0.resolver.lookup_ip(format!("{host}.")).await {
            Ok(found) => found.iter().collect::<Vec<_>>(),
            Err(error) if error.is_no_records_found() => return Finding::Absent(format!("{host} has no address")),
            Err(_) => return Finding::Unclear(format!("{host} could not be resolved")),
        };
        let allowed = |address: &std::net::IpAddr| self.0.allow_private || is_public(*address);
        let addresses: Vec<SocketAddr> = addresses
            .into_iter()
            .filter(allowed)
            .take(MOST_ADDRESSES)
            .map(|address| SocketAddr::new(address, self.0.http_port))
            .collect();
        if addresses.is_empty() {
            return Finding::Absent(format!("{host} has no public address"));
        }
        match self.fetch(domain, &addresses).await {
            Ok(Some(body)) if body.trim_ascii() == domain.token.as_bytes() => Finding::Proven(Method::Http),
            Ok(_) => Finding::Absent(format!("the file at http://{host}{} is not the token", domain.http_path())),
            Err(error) => {
                tracing::debug!(%error, host, "a file could not be asked for");
                Finding::Unclear(format!("http://{host} does not answer"))
            }
        }
    }

    /// The content of the file, which comes from one of these addresses and no other; `None` when there is none.
    async fn fetch(&self, domain: &Domain, addresses: &[SocketAddr]) -> Result<Option<Vec<u8>>, reqwest::Error> {
        let host = domain.name.as_str();
        // A client for this once: it connects to the addresses that were looked at, and follows nothing to others.
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            .resolve_to_addrs(host, addresses)
            .build()?;
        let url = format!("http://{host}:{}{}", self.0.http_port, domain.http_path());
        let mut response = client.get(url).send().await?;
        if response.status() != reqwest::StatusCode::OK {
            return Ok(None);
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await? {
            if body.len() + chunk.len() > MAX_FILE_BYTES {
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body))
    }
}

fn name_server(address: SocketAddr) -> NameServerConfig {
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let connections = vec![at_port(ConnectionConfig::udp()), at_port(ConnectionConfig::tcp())];
    NameServerConfig::new(address.ip(), true, connections)
}
