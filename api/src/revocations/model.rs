//! Which tokens are refused.

use std::time::Duration;

use tenantry_types::{SessionId, TenantId, UserId, UtcTime, text_enum};

/// The longest that an access token may be good for. The identity provider allows no more, and a token that claims more is
/// refused, so that a revocation need not be remembered for longer.
pub const LONGEST_TOKEN_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a revocation is remembered: the longest life, with room for clocks that are apart.
const REMEMBERED_FOR: Duration = Duration::from_secs(25 * 60 * 60);

text_enum! {
    /// What a revocation is about.
    pub(super) enum RevocationKind {
        /// Everybody in the tenant, programs too.
        Tenant = "tenant",
        /// One person.
        User = "user",
        /// One session of a person.
        Session = "session",
    }
}

/// Whose tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Revoked {
    /// Those of everybody in the tenant, programs too.
    Tenant,
    /// Those of one person.
    User(UserId),
    /// Those of one session.
    Session(SessionId),
}

/// Tokens that are refused: those issued at this time or before. Times of tokens are whole seconds: one that was issued
/// in the same second is refused, because it may have been issued before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Revocation {
    /// Of which tenant.
    pub tenant_id: TenantId,
    /// Whose.
    pub whose: Revoked,
    /// Tokens that were issued later are good.
    pub not_before: UtcTime,
}

/// What of a token says whether it is revoked.
#[derive(Debug, Clone, Copy)]
pub struct TokenFacts {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The person; none for a program that acts for itself.
    pub user: Option<UserId>,
    /// The session that it was issued in.
    pub session: Option<SessionId>,
    /// When.
    pub issued_at: UtcTime,
}

impl Revocation {
    /// When nothing is left that it concerns.
    pub fn expires_at(&self) -> UtcTime {
        self.not_before + REMEMBERED_FOR
    }

    pub(super) fn kind(&self) -> RevocationKind {
        match self.whose {
            Revoked::Tenant => RevocationKind::Tenant,
            Revoked::User(_) => RevocationKind::User,
            Revoked::Session(_) => RevocationKind::Session,
        }
    }

    /// The id of whoever it is about.
    pub(super) fn target(&self) -> String {
        match self.whose {
            Revoked::Tenant => self.tenant_id.to_string(),
            Revoked::User(id) => id.to_string(),
            Revoked::Session(id) => id.to_string(),
        }
    }

    /// From what is stored; `None` for what is not the id of anything.
    pub(super) fn of(tenant_id: TenantId, kind: RevocationKind, target: &str, not_before: UtcTime) -> Option<Self> {
        let whose = match kind {
            RevocationKind::Tenant => Revoked::Tenant,
            RevocationKind::User => Revoked::User(target.parse().ok()?),
            RevocationKind::Session => Revoked::Session(target.parse().ok()?),
        };
        Some(Self { tenant_id, whose, not_before })
    }

    /// The whole of it as the subject of a signal, so that whoever hears it need not ask.
    pub(super) fn note(&self) -> String {
        format!("{}/{}/{}", self.kind().as_str(), self.target(), self.not_before.unix_micros())
    }

    /// From the subject of a signal.
    pub(super) fn from_note(tenant_id: TenantId, note: &str) -> Option<Self> {
        let mut parts = note.split('/');
        let (kind, target, time) = (parts.next()?.parse().ok()?, parts.next()?, parts.next()?.parse().ok()?);
        Self::of(tenant_id, kind, target, UtcTime::from_unix_micros(time)?).filter(|_| parts.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use tenantry_types::{SystemClock, SystemRandom};

    use super::*;

    #[test]
    fn a_note_says_all_of_it() {
        let tenant_id = TenantId::new(&SystemClock, &SystemRandom);
        let not_before = UtcTime::from_unix_micros(1_700_000_000_123_456).unwrap();
        for whose in [
            Revoked::Tenant,
            Revoked::User(UserId::new(&SystemClock, &SystemRandom)),
            Revoked::Session(SessionId::new(&SystemClock, &SystemRandom)),
        ] {
            let revocation = Revocation { tenant_id, whose, not_before };
            assert_eq!(Revocation::from_note(tenant_id, &revocation.note()), Some(revocation));
        }
        for nonsense in ["", "user", "user/x/1", "king/x/1", "tenant/x/-1", "tenant/x/1/2"] {
            assert_eq!(Revocation::from_note(tenant_id, nonsense), None, "{nonsense}");
        }
    }
}
