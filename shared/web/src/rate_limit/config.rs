//! `[rate_limits]`: how many requests somebody may make.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::config::Violation;

/// How many requests somebody may make.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RateLimitsConfig {
    /// Whether requests are counted at all.
    pub enabled: bool,
    /// For each address that requests come from: an IPv4 address, or an IPv6 network of 64 bits. Behind a reverse proxy it
    /// is the client's own only with `http.trusted_proxies`.
    pub address: LimitConfig,
    /// For all callers of a tenant together.
    pub tenant: LimitConfig,
    /// For each client of a tenant, whoever uses it.
    pub client: LimitConfig,
    /// For each user, through whatever client.
    pub user: LimitConfig,
}

impl Default for RateLimitsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            address: LimitConfig::per_minute(1_200),
            tenant: LimitConfig::per_minute(60_000),
            client: LimitConfig::per_minute(6_000),
            user: LimitConfig::per_minute(1_200),
        }
    }
}

/// One limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LimitConfig {
    /// Requests in `seconds`, in the long run. 0 switches this limit off.
    pub requests: u32,
    /// The time that `requests` are for.
    #[schemars(range(min = 1, max = 86_400))]
    pub seconds: u32,
    /// Requests that may come at once after a time of quiet; at most `requests`. Not set: as many as `requests`.
    #[schemars(range(min = 1))]
    pub burst: Option<u32>,
}

impl LimitConfig {
    /// So many requests a minute, all of them at once if need be.
    pub const fn per_minute(requests: u32) -> Self {
        Self { requests, seconds: 60, burst: None }
    }

    fn validate(self, kind: &str) -> Option<Violation> {
        let most = u64::from(self.seconds) * 1_000_000;
        if self.requests == 0 {
            None
        } else if u64::from(self.requests) > most {
            Some(Violation::new(&format!("{kind}.requests"), "must not be more than a million a second"))
        } else if self.burst.is_some_and(|burst| !(1..=self.requests).contains(&burst)) {
            Some(Violation::new(&format!("{kind}.burst"), "must be at least 1 and not more than requests"))
        } else {
            None
        }
    }
}

impl Default for LimitConfig {
    fn default() -> Self {
        Self::per_minute(1_200)
    }
}

impl RateLimitsConfig {
    /// The rules between these values.
    pub fn validate(&self) -> Vec<Violation> {
        [("address", self.address), ("tenant", self.tenant), ("client", self.client), ("user", self.user)]
            .into_iter()
            .filter_map(|(kind, limit)| limit.validate(kind))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_that_lets_nobody_through_is_a_mistake() {
        assert!(RateLimitsConfig::default().validate().is_empty());
        let user = |requests, seconds, burst| {
            RateLimitsConfig { user: LimitConfig { requests, seconds, burst }, ..RateLimitsConfig::default() }
                .validate()
        };
        assert!(user(0, 60, Some(0)).is_empty(), "switched off");
        assert!(user(10, 60, None).is_empty() && user(10, 60, Some(10)).is_empty());
        assert_eq!(user(10, 60, Some(0))[0].key, "user.burst");
        assert_eq!(user(10, 60, Some(11))[0].key, "user.burst");
        assert_eq!(user(2_000_001, 2, None)[0].key, "user.requests");
    }
}
