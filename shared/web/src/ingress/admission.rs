//! Reads off a request what is known about it, and refuses what no handler should have to think about.

use std::cell::Cell;
use std::time::Instant;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use tenantry_types::Problem;

use super::NEEDED;
use super::forwarded::{self, TrustedProxies};
use super::host::normalise_host;
use super::trace::hex;
use super::{ClientAddress, ExternalOrigin, RequestContext, RequestId, TraceContext};
use crate::config::HttpConfig;
use crate::problems::ProblemResponse;

/// The rules of admission.
#[derive(Debug)]
pub(super) struct Admission {
    proxies: TrustedProxies,
    header_limit: usize,
    uri_limit: usize,
    /// What an HTTP/1.0 client that names no host is taken to mean.
    own_host: String,
}

impl Admission {
    pub(super) fn new(config: &HttpConfig) -> Self {
        Self {
            proxies: TrustedProxies::new(config),
            header_limit: config.header_limit,
            uri_limit: config.uri_limit,
            own_host: config.public_url.authority(),
        }
    }

    /// The context of `request`, whose forwarding headers are gone afterwards and whose `Host` is what the client
    /// named. Its ids, where it brings none, are made of `random`.
    pub(super) fn admit(&self, request: &mut ServiceRequest, random: [u8; NEEDED]) -> RequestContext {
        let started = Instant::now();
        let headers = request.headers();
        let trace = TraceContext::join_or_start(headers, random);
        let id = RequestId::received(headers).unwrap_or_else(|| {
            // Where the trace starts here, its id names the request too; else the request needs a name of its own.
            let mut digits = [0; 32];
            hex(&random[..16], &mut digits);
            RequestId::made_of(str::from_utf8(&digits).unwrap_or_default())
        });
        let forwarded = self.proxies.resolve(request.peer_addr(), headers);
        let mut refusal = self.oversized(request);
        let host = match self.host(request, &forwarded) {
            Ok(host) => host,
            Err(problem) => {
                refusal.get_or_insert(problem.problem().clone());
                String::new()
            }
        };
        let headers = request.headers_mut();
        forwarded::strip(headers);
        if forwarded.host.is_some()
            && let Ok(value) = HeaderValue::from_str(&host)
        {
            headers.insert(header::HOST, value);
        }
        RequestContext {
            id,
            trace,
            client: ClientAddress(forwarded.client),
            origin: ExternalOrigin { scheme: forwarded.scheme, host },
            started,
            refusal,
            more_time: Cell::default(),
        }
    }

    fn oversized(&self, request: &ServiceRequest) -> Option<Problem> {
        let uri = request.uri();
        let uri_length = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
        if uri_length > self.uri_limit {
            return Some(Problem::uri_too_long().with_detail(format!("at most {} bytes", self.uri_limit)));
        }
        // As on the wire: `name: value\r\n`.
        let length: usize = request.headers().iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        (length > self.header_limit)
            .then(|| Problem::header_fields_too_large().with_detail(format!("at most {} bytes", self.header_limit)))
    }

    /// The host that the client named (RFC 9112 §3.2).
    fn host(&self, request: &ServiceRequest, forwarded: &forwarded::Forwarded) -> Result<String, ProblemResponse> {
        let malformed = |detail| ProblemResponse::from(Problem::malformed_request().with_detail(detail));
        let normalise = |text: &str| {
            normalise_host(text, forwarded.scheme).ok_or_else(|| malformed("the Host header is not a host"))
        };
        let named = single(request.headers())?.map(|value| value.to_str().unwrap_or_default());
        let host = match (named, request.uri().authority()) {
            (Some(named), None) => normalise(named)?,
            // The target names a host too. It counts more, and a difference is an attempt to confuse.
            (Some(named), Some(target)) => {
                let host = normalise(named)?;
                if normalise(target.as_str())? != host {
                    return Err(malformed("the Host header and the request target differ"));
                }
                host
            }
            (None, Some(target)) => normalise(target.as_str())?,
            (None, None) if request.version() <= actix_web::http::Version::HTTP_10 => self.own_host.clone(),
            (None, None) => return Err(malformed("the Host header is missing")),
        };
        forwarded.host.as_deref().map_or(Ok(host), normalise)
    }
}

fn single(headers: &HeaderMap) -> Result<Option<&HeaderValue>, ProblemResponse> {
    let mut values = headers.get_all(header::HOST);
    let first = values.next();
    match values.next() {
        None => Ok(first),
        Some(_) => Err(Problem::malformed_request().with_detail("there is more than one Host header").into()),
    }
}
