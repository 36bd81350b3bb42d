//! The values both services speak in: identifiers, times, names, scopes, problem documents.
//!
//! Nothing here knows a web framework or a database. With the feature `diesel` the types say how they are
//! stored (see [`stored`]), generically over every backend, without pulling one in.

mod clock;
mod email;
mod hash;
mod host;
mod id;
pub mod problem;
mod random;
mod response;
mod scope;
mod slug;
pub mod stored;
mod time;
mod uri;

pub use clock::{Clock, ManualClock, SystemClock};
pub use email::EmailAddress;
pub use hash::Sha256Hash;
pub use host::DomainName;
pub use id::*;
pub use problem::{InputError, Problem};
pub use random::{Random, RandomAhead, SystemRandom, random_token};
pub use response::{Envelope, Page};
pub use scope::{Scope, ScopeSet};
pub use slug::Slug;
pub use stored::JsonText;
pub use time::UtcTime;
pub use uri::{Origin, PublicUrl};

#[doc(hidden)]
pub use serde as __serde;

/// Why a text is not the value it should be: one sentence for the person who sent it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ParseError(pub std::borrow::Cow<'static, str>);

impl ParseError {
    /// A refusal in words that are known beforehand.
    pub const fn new(reason: &'static str) -> Self {
        Self(std::borrow::Cow::Borrowed(reason))
    }
}

/// Serde through `as_str` and `FromStr`, for types that are texts on the wire.
#[macro_export]
macro_rules! text_serde {
    ($type:ty) => {
        impl $crate::__serde::Serialize for $type {
            fn serialize<S: $crate::__serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
        impl<'de> $crate::__serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::__serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str> as $crate::__serde::Deserialize>::deserialize(deserializer)?;
                text.parse().map_err($crate::__serde::de::Error::custom)
            }
        }
        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
