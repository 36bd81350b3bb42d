//! From the JSON that a client sent to settings, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::str::FromStr as _;

use serde_json::Value;
use tenantry_types::InputError;

use super::model::{Branding, FeatureFlags, FlagName, Limits, MfaPolicy, Security, Settings};
use crate::access::policy::limit;
use crate::input::{Errors, Object};

impl Settings {
    /// Reads settings. What is left out is not set, or has its default.
    ///
    /// # Errors
    /// Everything that is wrong, at once.
    pub fn parse(value: Value) -> Result<Self, Vec<InputError>> {
        let errors = Errors::default();
        let mut body = Object::new(value, "", &errors);
        let settings = Self {
            branding: branding(body.object("branding")),
            security: security(body.object("security")),
            feature_flags: feature_flags(body.object("feature_flags")),
            limits: limits(body.object("limits")),
        };
        body.finish();
        errors.unless_any(settings)
    }
}

fn branding(mut object: Object) -> Branding {
    let branding = Branding {
        display_name: object.text("display_name", str::parse),
        logo_url: object.text("logo_url", str::parse),
        primary_color: object.text("primary_color", str::parse),
        support_email: object.text("support_email", str::parse),
    };
    object.finish();
    branding
}

fn security(mut object: Object) -> Security {
    let default = Security::default();
    let security = Security {
        session_idle_minutes: object.whole_number("session_idle_minutes", 5..=1440, default.session_idle_minutes),
        session_absolute_hours: object.whole_number("session_absolute_hours", 1..=720, default.session_absolute_hours),
        mfa: object.text("mfa", MfaPolicy::from_str).unwrap_or(default.mfa),
        password_min_length: object.whole_number("password_min_length", 8..=64, default.password_min_length),
    };
    if security.session_idle_minutes > security.session_absolute_hours * 60 {
        object.refuse("session_idle_minutes", "range", "must not be longer than session_absolute_hours");
    }
    object.finish();
    security
}

fn feature_flags(mut object: Object) -> FeatureFlags {
    let mut flags = BTreeMap::new();
    for (name, value) in object.rest() {
        match (FlagName::from_str(&name), value) {
            (Ok(name), Value::Bool(value)) => {
                flags.insert(name, value);
            }
            (Ok(_), _) => object.refuse(&name, "type", "must be true or false"),
            (Err(error), _) => object.refuse(&name, "invalid", format!("the name {error}")),
        }
    }
    if flags.len() > FeatureFlags::MAX {
        object.refuse_itself("too_many", format!("must have at most {} members", FeatureFlags::MAX));
    }
    FeatureFlags(flags)
}

fn limits(mut object: Object) -> Limits {
    let mut limits = BTreeMap::new();
    for (name, value) in object.rest() {
        match limit(&name, &value) {
            Ok(_) => drop(limits.insert(name, value)),
            Err(error) => object.refuse(&name, "invalid", error),
        }
    }
    if limits.len() > Limits::MAX {
        object.refuse_itself("too_many", format!("must have at most {} members", Limits::MAX));
    }
    Limits(limits)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn wrong(value: Value) -> Vec<(String, String)> {
        let errors = Settings::parse(value).unwrap_err();
        errors.into_iter().map(|error| (error.pointer, error.code.into_owned())).collect()
    }

    #[test]
    fn nothing_is_the_defaults() {
        assert_eq!(Settings::parse(json!({})).unwrap(), Settings::default());
        let nulls = json!({"branding": {"display_name": null}});
        assert_eq!(Settings::parse(nulls).unwrap(), Settings::default());
    }

    #[test]
    fn what_is_read_is_what_is_shown() {
        let value = json!({
            "branding": {"display_name": "Acme", "logo_url": "https://a.example/l.svg", "primary_color": "#00ff00",
                         "support_email": "help@a.example"},
            "security": {"session_idle_minutes": 5, "session_absolute_hours": 720, "mfa": "required",
                         "password_min_length": 64},
            "feature_flags": {"a": true, "b.c": false},
            "limits": {"auto_approve": "100.00 EUR", "guests": 12, "notice": "24h", "open": true, "city": "Pune"},
        });
        let settings = Settings::parse(value.clone()).unwrap();
        assert_eq!(serde_json::to_value(&settings).unwrap(), value);
        assert!(settings.feature_flags.is_on(&"a".parse().unwrap()));
        assert!(!settings.feature_flags.is_on(&"b.c".parse().unwrap()));
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let value = json!({
            "branding": {"display_name": " ", "logo_url": "http://a", "primary_color": 7, "suport_email": "x"},
            "security": {"session_idle_minutes": 1441, "mfa": "sometimes", "password_min_length": 7.5},
            "feature_flags": {"Bad": true, "good": "yes", "a/b": 1},
            "limits": {"Bad": 1, "a": [], "b": 1.234_567_8, "c": "x".repeat(201)},
            "colour": {},
        });
        let expected = [
            ("/branding/display_name", "invalid"),
            ("/branding/logo_url", "invalid"),
            ("/branding/primary_color", "type"),
            ("/branding/suport_email", "unknown"),
            ("/security/session_idle_minutes", "range"),
            ("/security/mfa", "invalid"),
            ("/security/password_min_length", "range"),
            ("/feature_flags/Bad", "invalid"),
            ("/feature_flags/a~1b", "invalid"),
            ("/feature_flags/good", "type"),
            ("/limits/Bad", "invalid"),
            ("/limits/a", "invalid"),
            ("/limits/b", "invalid"),
            ("/limits/c", "invalid"),
            ("/colour", "unknown"),
        ];
        let found = wrong(value);
        let found: Vec<_> = found.iter().map(|(pointer, code)| (pointer.as_str(), code.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn values_must_fit_each_other() {
        let value = json!({"security": {"session_idle_minutes": 61, "session_absolute_hours": 1}});
        assert_eq!(wrong(value), [("/security/session_idle_minutes".to_owned(), "range".to_owned())]);
    }

    #[test]
    fn what_is_not_an_object_is_refused_where_it_stands() {
        for value in [json!(null), json!([]), json!("x"), json!(1e300)] {
            assert_eq!(wrong(value)[0], (String::new(), "type".to_owned()));
        }
        assert_eq!(wrong(json!({"security": []}))[0].0, "/security");
        assert_eq!(wrong(json!({"security": {"session_idle_minutes": 1e300}}))[0].1, "range");
    }

    #[test]
    fn flags_are_bounded() {
        let flags = |count: usize| json!({"feature_flags": (0..count).map(|n| (format!("f{n}"), json!(true))).collect::<serde_json::Map<_, _>>()});
        assert!(Settings::parse(flags(100)).is_ok());
        assert_eq!(wrong(flags(101)), [("/feature_flags".to_owned(), "too_many".to_owned())]);
    }
}
