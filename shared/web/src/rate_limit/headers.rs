//! What an answer says of the limits (draft-ietf-httpapi-ratelimit-headers, structured fields of RFC 9651).

use std::fmt::Write as _;

use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use actix_web::{HttpResponse, ResponseError};
use tenantry_types::Problem;

use super::gcra::{Limit, Reading};
use super::key::Kind;
use super::limiter::Tab;
use crate::problems::{IntoProblem, respond};

static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the limit for each {} is reached: {requests} requests in {seconds} seconds", kind.as_str())]
pub struct RateLimited {
    /// Which limit.
    pub kind: Kind,
    /// What it allows to this caller now,
    pub requests: u32,
    /// in so many seconds.
    pub seconds: u32,
    /// Seconds until a request would be let through.
    pub retry_after: u64,
}

impl IntoProblem for RateLimited {
    fn problem(&self) -> Problem {
        Problem::too_many_requests().with_detail(self.to_string())
    }
}

impl ResponseError for RateLimited {
    fn status_code(&self) -> StatusCode {
        StatusCode::TOO_MANY_REQUESTS
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = respond(self);
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(self.retry_after));
        response
    }
}

/// The values of `RateLimit-Policy` for callers whose limits are those of the configuration, made once.
#[derive(Debug)]
pub(super) struct Policies {
    quotas: [u32; 4],
    /// By which kinds are counted, a bit for each.
    values: Box<[Option<HeaderValue>]>,
}

impl Policies {
    pub(super) fn new(limits: &[Option<Limit>; 4]) -> Self {
        let quotas = limits.map(|limit| limit.map_or(0, |limit| limit.requests));
        let value = |kinds: usize| {
            let counted = Kind::ALL.into_iter().filter(|kind| kinds & (1 << *kind as usize) != 0);
            let stated = counted.filter_map(|kind| Some((kind, limits[kind as usize].as_ref()?)));
            policy(stated.map(|(kind, limit)| (kind, limit.requests, limit.seconds)))
        };
        Self { quotas, values: (0..16).map(value).collect() }
    }
}

/// `"address";q=1200;w=60, "user";q=600;w=60`. Only words of ours and numbers ever get in.
fn policy(stated: impl Iterator<Item = (Kind, u32, u32)>) -> Option<HeaderValue> {
    let mut text = String::new();
    for (kind, quota, window) in stated {
        let separator = if text.is_empty() { "" } else { ", " };
        let _ = write!(text, "{separator}\"{}\";q={quota};w={window}", kind.as_str());
    }
    if text.is_empty() { None } else { text.try_into().ok() }
}

impl Tab {
    /// Says where the caller stands, with the limit that is nearest to its end.
    pub(super) fn write_to(&self, headers: &mut HeaderMap, policies: &Policies) {
        let readings = || Kind::ALL.into_iter().filter_map(|kind| Some((kind, self.readings[kind as usize]?)));
        // Of several that are as near the last, which is the most personal one.
        let nearest = match self.refused {
            Some(refused) => readings().find(|(kind, _)| *kind == refused),
            None => readings().rev().min_by_key(|(_, reading)| reading.remaining),
        };
        let Some((kind, Reading { remaining, reset, .. })) = nearest else { return };
        let mut text = String::with_capacity(32);
        let _ = write!(text, "\"{}\";r={remaining};t={reset}", kind.as_str());
        if let Ok(value) = text.try_into() {
            headers.insert(RATE_LIMIT.clone(), value);
        }
        let is_usual = readings().all(|(kind, reading)| reading.quota == policies.quotas[kind as usize]);
        let value = if is_usual {
            let kinds = readings().fold(0, |kinds, (kind, _)| kinds | 1 << kind as usize);
            policies.values.get(kinds).cloned().flatten()
        } else {
            policy(readings().map(|(kind, reading)| (kind, reading.quota, reading.window)))
        };
        if let Some(value) = value {
            headers.insert(RATE_LIMIT_POLICY.clone(), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::RateLimitsConfig;
    use super::*;

    fn written(tab: &Tab) -> (String, String) {
        let config = RateLimitsConfig::default();
        let policies = Policies::new(&[config.address, config.tenant, config.client, config.user].map(Limit::new));
        let mut headers = HeaderMap::new();
        tab.write_to(&mut headers, &policies);
        let value = |name: &HeaderName| headers.get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        (value(&RATE_LIMIT), value(&RATE_LIMIT_POLICY))
    }

    #[test]
    fn the_limit_that_is_nearest_to_its_end_is_named() {
        let reading = |quota, remaining| Some(Reading { quota, window: 60, remaining, reset: 7 });
        let mut tab = Tab { readings: [reading(1_200, 5), None, None, None], ..Tab::default() };
        assert_eq!(written(&tab), (r#""address";r=5;t=7"#.into(), r#""address";q=1200;w=60"#.into()));
        tab.readings = [reading(1_200, 5), reading(60_000, 50), reading(6_000, 5), reading(600, 5)];
        let policy = r#""address";q=1200;w=60, "tenant";q=60000;w=60, "client";q=6000;w=60, "user";q=600;w=60"#;
        assert_eq!(written(&tab), (r#""user";r=5;t=7"#.into(), policy.into()));
        tab.refused = Some(Kind::Tenant);
        assert_eq!(written(&tab).0, r#""tenant";r=50;t=7"#);
        assert_eq!(written(&Tab::default()), (String::new(), String::new()));
    }
}
