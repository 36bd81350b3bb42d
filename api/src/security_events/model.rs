//! What an event tells.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tenantry_types::{SessionId, Slug, TenantId, UserId, UtcTime, text_enum};

use crate::directory::ProviderAccount;

/// More kinds in one token than this are a mistake.
const MOST_KINDS: usize = 8;
/// What the table of received events has room for.
const LONGEST_ID: usize = 254;

const RISC: &str = "https://schemas.openid.net/secevent/risc/event-type/";
const CAEP: &str = "https://schemas.openid.net/secevent/caep/event-type/";
const OWN: &str = "urn:tenantry:event:";

/// A token that does not tell what it should.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the event is malformed: {0}")]
pub struct MalformedEvent(pub &'static str);

/// A security event.
#[derive(Debug, Clone, PartialEq)]
pub struct SecurityEvent {
    /// Names it among all of its issuer's. Those of our provider sort by the order in which they happened.
    pub id: String,
    /// The id of whom it is about.
    pub subject: String,
    /// When it happened.
    pub happened_at: UtcTime,
    /// What. Kinds that are not known here are left out.
    pub happenings: Vec<Happening>,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq)]
pub enum Happening {
    /// This is how somebody's account is now.
    Account(ProviderAccount),
    /// Somebody may not use their account any more, which is so now.
    Disabled(UserId, Option<ProviderAccount>),
    /// Somebody's account, or membership, is gone.
    Departed(UserId),
    /// A session ended, or all of a person's.
    SessionRevoked(UserId, Option<SessionId>),
    /// What somebody proves with who they are is another now, or gone.
    CredentialReplaced(UserId),
    /// This is how the tenant is now.
    Tenant(ProviderTenant),
}

/// A tenant, as the identity provider tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ProviderTenant {
    /// The same id here.
    pub id: TenantId,
    /// Its short name.
    pub slug: Slug,
    /// Its name for people.
    pub name: String,
    /// Only an active tenant can be used.
    pub status: String,
    /// When it changed last: what was told of an older state changes nothing.
    #[serde(default)]
    pub updated_at: Option<UtcTime>,
}

text_enum! {
    /// Where an event leaves whom it is about.
    pub enum Standing {
        /// In the directory.
        Present = "present",
        /// Not in the directory any more.
        Departed = "departed",
        /// As they were.
        Unchanged = "unchanged",
    }
}

impl SecurityEvent {
    /// Reads the claims of a token of `issuer`, which is that of `tenant`.
    ///
    /// # Errors
    /// [`MalformedEvent`].
    pub fn read(mut claims: Map<String, Value>, issuer: &str, tenant: TenantId) -> Result<Self, MalformedEvent> {
        // RFC 8417 §4.1, §4.6: what makes a token of another kind has no place here.
        if claims.contains_key("sub") || claims.contains_key("exp") {
            return Err(MalformedEvent("it has sub or exp, which are of other kinds of tokens"));
        }
        let id = match claims.remove("jti") {
            Some(Value::String(id)) if is_id(&id) => id,
            _ => return Err(MalformedEvent("jti is missing, too long or not visible ASCII")),
        };
        let time = |name: &str| claims.get(name).and_then(Value::as_i64).and_then(UtcTime::from_unix_seconds);
        let issued_at = time("iat").ok_or(MalformedEvent("iat is missing"))?;
        let happened_at = if claims.contains_key("toe") {
            // What happened has happened by the time that it is told.
            time("toe").ok_or(MalformedEvent("toe is not a time"))?.min(issued_at)
        } else {
            issued_at
        };
        let sub_id = claims.remove("sub_id").ok_or(MalformedEvent("sub_id is missing"))?;
        let Some(Value::Object(events)) = claims.remove("events") else {
            return Err(MalformedEvent("events is missing"));
        };
        if events.is_empty() || events.len() > MOST_KINDS {
            return Err(MalformedEvent("events must have one to eight members"));
        }
        let subject = Subject::read(&sub_id, issuer)?;
        let mut happenings = Vec::new();
        for (kind, payload) in events {
            happenings.extend(subject.happening(&kind, payload, tenant)?);
        }
        Ok(Self { id, subject: subject.0, happened_at, happenings })
    }

    /// Where it leaves whom it is about.
    pub fn standing(&self) -> Standing {
        let of = |happening: &Happening| match happening {
            Happening::Departed(_) => Standing::Departed,
            Happening::Account(_) | Happening::Disabled(..) => Standing::Present,
            _ => Standing::Unchanged,
        };
        self.happenings.iter().map(of).find(|standing| *standing != Standing::Unchanged).unwrap_or(Standing::Unchanged)
    }
}

fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Whom it is about (RFC 9493).
struct Subject(String);

#[derive(Deserialize)]
struct AccountPayload {
    user: ProviderAccount,
}

#[derive(Deserialize)]
struct DisabledPayload {
    #[serde(default)]
    user: Option<ProviderAccount>,
}

#[derive(Deserialize)]
struct SessionPayload {
    #[serde(default)]
    sid: Option<SessionId>,
}

#[derive(Deserialize)]
struct CredentialPayload {
    change_type: String,
}

#[derive(Deserialize)]
struct TenantPayload {
    tenant: ProviderTenant,
}

impl Subject {
    fn read(identifier: &Value, issuer: &str) -> Result<Self, MalformedEvent> {
        let text = |name: &str| identifier.get(name).and_then(Value::as_str).unwrap_or_default();
        let id = match text("format") {
            "iss_sub" if text("iss") == issuer => text("sub"),
            "iss_sub" => return Err(MalformedEvent("sub_id is of another issuer")),
            "opaque" => text("id"),
            _ => return Err(MalformedEvent("sub_id has a format that is not known here")),
        };
        if is_id(id) { Ok(Self(id.to_owned())) } else { Err(MalformedEvent("sub_id names nobody")) }
    }

    /// What the member of this name tells; `None` for a kind that is not known here (RFC 8417 §2.2 lets them be).
    fn happening(&self, kind: &str, payload: Value, tenant: TenantId) -> Result<Option<Happening>, MalformedEvent> {
        let (family, name) = split(kind);
        Ok(Some(match (family, name) {
            (OWN, "user-created" | "user-updated" | "membership-created") | (RISC, "account-enabled") => {
                Happening::Account(self.same(parse::<AccountPayload>(payload)?.user)?)
            }
            (RISC, "account-disabled") => {
                let account = parse::<DisabledPayload>(payload)?.user.map(|user| self.same(user)).transpose()?;
                Happening::Disabled(self.user()?, account)
            }
            (RISC, "account-purged") | (OWN, "membership-deleted") => Happening::Departed(self.user()?),
            (CAEP, "session-revoked") => Happening::SessionRevoked(self.user()?, parse::<SessionPayload>(payload)?.sid),
            // CAEP §3.3. Whoever knew the old one may have used it: what was issued on its strength ends. One that is
            // added takes nothing from those that were there.
            (CAEP, "credential-change") => match parse::<CredentialPayload>(payload)?.change_type.as_str() {
                "update" | "revoke" | "delete" => Happening::CredentialReplaced(self.user()?),
                _ => return Ok(None),
            },
            (OWN, "tenant-created" | "tenant-updated") => {
                let told = parse::<TenantPayload>(payload)?.tenant;
                if told.id != tenant || self.0 != tenant.as_str() {
                    return Err(MalformedEvent("it tells of another tenant"));
                }
                Happening::Tenant(told)
            }
            _ => return Ok(None),
        }))
    }

    fn user(&self) -> Result<UserId, MalformedEvent> {
        self.0.parse().map_err(|_| MalformedEvent("sub_id is not the id of a user"))
    }

    /// The account, if it is that of whom the event is about.
    fn same(&self, account: ProviderAccount) -> Result<ProviderAccount, MalformedEvent> {
        if account.id != self.user()? {
            return Err(MalformedEvent("it tells of another user than sub_id names"));
        }
        if account.fits() { Ok(account) } else { Err(MalformedEvent("a member of the user is too long")) }
    }
}

fn split(kind: &str) -> (&'static str, &str) {
    for family in [RISC, CAEP, OWN] {
        if let Some(name) = kind.strip_prefix(family) {
            return (family, name);
        }
    }
    ("", kind)
}

fn parse<T: DeserializeOwned>(payload: Value) -> Result<T, MalformedEvent> {
    serde_json::from_value(payload).map_err(|_| MalformedEvent("its payload is not that of its kind"))
}
