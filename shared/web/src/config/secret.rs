//! Values that must not be printed.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize, Serializer};

/// What is shown in place of a secret.
pub(super) const REDACTED: &str = "[redacted]";
/// The schema keyword that marks a key whose value is never repeated in a message.
pub(super) const SECRET_KEYWORD: &str = "x-secret";

/// A secret text. Neither `Debug` nor `Serialize` shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(transparent)]
pub struct Secret(SecretString);

impl Secret {
    /// The secret itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl Serialize for Secret {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(REDACTED)
    }
}

impl JsonSchema for Secret {
    fn schema_name() -> Cow<'static, str> {
        "Secret".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", SECRET_KEYWORD: true })
    }
}

/// The URL of a service that may carry a password: `mysql://user:password@host/db`. Printed without it.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct ConnectionUrl(SecretString);

impl ConnectionUrl {
    /// The whole URL, password included, for the one place that connects.
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// The URL with its password and its query (which can carry one too) masked.
    fn masked(&self) -> String {
        let text = self.expose();
        let (text, query) = text.split_once('?').map_or((text, ""), |(before, _)| (before, "?***"));
        let Some((scheme, rest)) = text.split_once("://") else {
            return if text.contains('@') { REDACTED.to_owned() } else { format!("{text}{query}") };
        };
        // The last `@`: an unescaped one in a password must not let the rest of it through.
        let Some((user_info, host)) = rest.rsplit_once('@') else { return format!("{scheme}://{rest}{query}") };
        match user_info.split_once(':') {
            Some((user, _)) => format!("{scheme}://{user}:***@{host}{query}"),
            None => format!("{scheme}://{user_info}@{host}{query}"),
        }
    }
}

impl From<&str> for ConnectionUrl {
    fn from(text: &str) -> Self {
        Self(text.into())
    }
}

impl FromStr for ConnectionUrl {
    type Err = Infallible;
    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(text.into())
    }
}

impl fmt::Display for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.masked())
    }
}

impl fmt::Debug for ConnectionUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnectionUrl({self})")
    }
}

impl Serialize for ConnectionUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for ConnectionUrl {
    fn schema_name() -> Cow<'static, str> {
        "ConnectionUrl".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "uri", SECRET_KEYWORD: true })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used)]
    use super::*;

    #[test]
    fn nothing_prints_a_secret() {
        let secret = Secret::from("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[redacted]\"");
        assert_eq!(secret.expose(), "hunter2");

        for (url, shown) in [
            ("mysql://root:hunter2@db:3306/idp", "mysql://root:***@db:3306/idp"),
            ("redis://:hunter2@cache", "redis://:***@cache"),
            ("mysql://root:hun@ter2@db/idp", "mysql://root:***@db/idp"),
            ("mysql://root:h://unter2@db/idp", "mysql://root:***@db/idp"),
            ("mysql://db/idp?password=hunter2", "mysql://db/idp?***"),
            ("root:hunter2@db", "[redacted]"),
            ("sqlite://data/idp.db", "sqlite://data/idp.db"),
            ("mysql://root@db/idp", "mysql://root@db/idp"),
        ] {
            let parsed = ConnectionUrl::from(url);
            assert_eq!(parsed.to_string(), shown);
            assert_eq!(format!("{parsed:?}"), format!("ConnectionUrl({shown})"));
            assert_eq!(parsed.expose(), url);
        }
    }
}
