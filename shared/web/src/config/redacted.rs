//! A configuration for the eyes of an operator, without its secrets.

use serde_json::Value as Json;

use super::Configuration;

/// The values in force as JSON. Secrets show as `[redacted]`, passwords in URLs as `***`.
///
/// # Errors
/// Only for a type that cannot be serialised to JSON at all.
pub fn redacted_json<T: Configuration>(config: &T) -> Result<Json, serde_json::Error> {
    serde_json::to_value(config)
}

/// The same as TOML; keys that are not set are left out.
///
/// # Errors
/// Only for a type that cannot be serialised to JSON at all.
pub fn redacted_toml<T: Configuration>(config: &T) -> Result<String, serde_json::Error> {
    let mut values = redacted_json(config)?;
    drop_nulls(&mut values);
    toml::to_string(&values).map_err(serde::ser::Error::custom)
}

fn drop_nulls(value: &mut Json) {
    if let Json::Object(members) = value {
        members.retain(|_, member| !member.is_null());
        members.values_mut().for_each(drop_nulls);
    }
}
