//! Identifiers.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::str::FromStr;

use uuid::Uuid;

use crate::{Clock, ParseError, Random};

/// The identifier of one `E`: a UUID of version 7 (RFC 9562 §5.7), so rows sort by when they were made.
///
/// Kept as its 36 characters, because that is how it is stored, logged and sent; two types of id never mix.
#[cfg_attr(feature = "diesel", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
#[cfg_attr(feature = "diesel", diesel(sql_type = diesel::sql_types::Text))]
pub struct Id<E> {
    text: [u8; 36],
    of: PhantomData<fn() -> E>,
}

impl<E> Id<E> {
    /// A new identifier that nobody else has.
    pub fn new(clock: &dyn Clock, random: &dyn Random) -> Self {
        let mut bytes = [0_u8; 10];
        random.fill(&mut bytes);
        Self::from_uuid(uuid::Builder::from_unix_timestamp_millis(clock.now().unix_millis(), &bytes).into_uuid())
    }

    /// From a UUID of any version: for identifiers that others made.
    pub fn from_uuid(uuid: Uuid) -> Self {
        let mut text = [0_u8; 36];
        uuid.hyphenated().encode_lower(&mut text);
        Self { text, of: PhantomData }
    }

    /// The 36 characters, in lower case.
    pub fn as_str(&self) -> &str {
        // Only ASCII is ever put in; the empty text is never seen.
        std::str::from_utf8(&self.text).unwrap_or_default()
    }
}

impl<E> Clone for Id<E> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<E> Copy for Id<E> {}

impl<E> PartialEq for Id<E> {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<E> Eq for Id<E> {}

impl<E> PartialOrd for Id<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Id<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.text.cmp(&other.text)
    }
}

impl<E> Hash for Id<E> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl<E> fmt::Debug for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<E> fmt::Display for Id<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<E> FromStr for Id<E> {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        if text.len() != 36 {
            return Err(ParseError::new("must be a UUID"));
        }
        Uuid::try_parse(text).map(Self::from_uuid).map_err(|_| ParseError::new("must be a UUID"))
    }
}

impl<E> serde::Serialize for Id<E> {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de, E> serde::Deserialize<'de> for Id<E> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

crate::stored_as_text!(Id<E>, E);

impl<E> utoipa::PartialSchema for Id<E> {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, Type};
        ObjectBuilder::new().schema_type(Type::String).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid))).into()
    }
}

impl<E> utoipa::ToSchema for Id<E> {
    fn name() -> std::borrow::Cow<'static, str> {
        "Uuid".into()
    }
}

macro_rules! ids {
    ($($(#[$doc:meta])* $alias:ident of $marker:ident;)*) => {$(
        $(#[$doc])*
        pub type $alias = Id<$marker>;
        #[doc = concat!("What a [`", stringify!($alias), "`] is the id of.")]
        #[derive(Debug)]
        pub enum $marker {}
    )*};
}

ids! {
    /// A tenant: the same id at both services.
    TenantId of Tenant;
    /// A login domain of a tenant.
    DomainId of Domain;
    /// A user: the `sub` of tokens.
    UserId of User;
    /// The row of a registered client (its public name is its `client_id`).
    ClientRowId of Client;
    /// A signed-in browser: the `sid` of tokens.
    SessionId of Session;
    /// What a user granted to a client at one time; all tokens that came of it carry it.
    GrantId of Grant;
    /// A signing key.
    KeyId of Key;
    /// A decision over access, as it was logged.
    AccessLogId of AccessLog;
    /// An entry of the audit trail.
    AuditId of Audit;
    /// A security event: the `jti` of its token.
    EventId of Event;
    /// A message waiting to leave.
    OutboxId of Outbox;
    /// A signed-in browser of the console.
    ConsoleSessionId of ConsoleSession;
    /// A note to all replicas that something changed.
    SignalId of Signal;
    /// A permission that a tenant has added.
    PermissionId of Permission;
    /// A role.
    RoleId of Role;
    /// That somebody has a role.
    RoleAssignmentId of RoleAssignment;
    /// A group of users.
    GroupId of Group;
    /// A policy.
    PolicyId of Policy;
    /// That a policy is for somebody.
    PolicyAssignmentId of PolicyAssignment;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SystemClock, SystemRandom};

    #[test]
    fn is_a_uuid_of_version_seven_that_sorts_by_time() {
        let first = UserId::new(&SystemClock, &SystemRandom);
        assert_eq!(Uuid::parse_str(first.as_str()).unwrap().get_version_num(), 7);
        assert_eq!(first.as_str().to_uppercase().parse(), Ok(first));
        assert!("{0190b2c4-0000-7000-8000-000000000000}".parse::<UserId>().is_err());
        assert!("0190b2c400007000800000000000000 0000".parse::<UserId>().is_err());
        assert_eq!(serde_json::to_string(&first).unwrap(), format!("\"{first}\""));
    }
}
