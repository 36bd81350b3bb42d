//! Whom a limit is for.

use std::borrow::Cow;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use tenantry_types::{TenantId, UserId};

/// What a limit is for. What is refused is held against whoever is known to be responsible: the user; the client where it
/// acts on its own behalf; the address as long as nobody is known. A tenant is never held responsible, nor is a client for
/// its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The address that requests come from.
    Address,
    /// All callers of a tenant.
    Tenant,
    /// A client of a tenant.
    Client,
    /// A user in a tenant.
    User,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Address, Self::Tenant, Self::Client, Self::User];

    /// Its name in headers, keys and texts.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Tenant => "tenant",
            Self::Client => "client",
            Self::User => "user",
        }
    }
}

/// Who calls, once that is known.
#[derive(Debug, Clone, Copy)]
pub struct Caller<'a> {
    /// Where.
    pub tenant: TenantId,
    /// Through which client.
    pub client_id: &'a str,
    /// Who; `None` for a client on its own behalf.
    pub user: Option<UserId>,
}

impl<'a> Caller<'a> {
    pub(super) fn keys(&self) -> impl Iterator<Item = Key<'a>> {
        let common = [Key::Tenant(self.tenant), Key::Client(self.tenant, Cow::Borrowed(self.client_id))];
        common.into_iter().chain(self.user.map(|user| Key::User(self.tenant, user)))
    }

    /// Whom refusals are held against.
    pub(super) fn responsible(&self) -> Key<'a> {
        match self.user {
            Some(user) => Key::User(self.tenant, user),
            None => Key::Client(self.tenant, Cow::Borrowed(self.client_id)),
        }
    }
}

/// One counter.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key<'a> {
    Address(Network),
    Tenant(TenantId),
    Client(TenantId, Cow<'a, str>),
    User(TenantId, UserId),
}

impl Key<'_> {
    pub(super) const fn kind(&self) -> Kind {
        match self {
            Self::Address(_) => Kind::Address,
            Self::Tenant(_) => Kind::Tenant,
            Self::Client(..) => Kind::Client,
            Self::User(..) => Kind::User,
        }
    }

    pub(super) fn into_owned(self) -> Key<'static> {
        match self {
            Self::Address(network) => Key::Address(network),
            Self::Tenant(tenant) => Key::Tenant(tenant),
            Self::Client(tenant, client) => Key::Client(tenant, Cow::Owned(client.into_owned())),
            Self::User(tenant, user) => Key::User(tenant, user),
        }
    }
}

/// As it is called in Redis, after a prefix.
impl fmt::Display for Key<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.kind().as_str();
        match self {
            Self::Address(network) => write!(f, "{kind}:{network}"),
            Self::Tenant(tenant) => write!(f, "{kind}:{tenant}"),
            Self::Client(tenant, client) => write!(f, "{kind}:{tenant}:{client}"),
            Self::User(tenant, user) => write!(f, "{kind}:{tenant}:{user}"),
        }
    }
}

/// One IPv4 address, or the /64 that one IPv6 customer has at the least: within it an address costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Network {
    V4(Ipv4Addr),
    /// Its first address.
    V6(Ipv6Addr),
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => Self::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::V4(address) => address.fmt(f),
            Self::V6(first) => write!(f, "{first}/64"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_ipv6_customer_is_one_address() {
        let network = |text: &str| Network::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:ffff:ffff:1"));
        assert_ne!(network("2001:db8:0:1::1"), network("2001:db8:0:2::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("2001:db8::1").to_string(), "2001:db8::/64");
    }
}
