//! The modules there are, and what can be set up about each.

use serde::Serialize;
use serde_json::{Map, Value, json};
use tenantry_types::{InputError, UtcTime};
use utoipa::ToSchema;

use crate::access::Module;
use crate::input::{Errors, Object};

/// Definitions of work in steps, and their runs.
pub const WORKFLOWS: Module = Module::new("workflows");
/// Those who provide what the tenant offers.
pub const PROVIDERS: Module = Module::new("providers");
/// Appointments.
pub const BOOKINGS: Module = Module::new("bookings");
/// Messages to people.
pub const NOTIFICATIONS: Module = Module::new("notifications");
/// Pages and files.
pub const CONTENT: Module = Module::new("content");

/// Something that can be set up about a module, with its default.
#[derive(Debug)]
pub(super) struct Setting {
    name: &'static str,
    kind: Kind,
}

/// What values a setting has.
#[derive(Debug)]
enum Kind {
    /// `true` or `false`.
    Switch(bool),
    /// A whole number of this range.
    Number { least: u32, most: u32, default: u32 },
    /// Some of these, each once.
    Several { of: &'static [&'static str], default: &'static [&'static str] },
}

const fn switch(name: &'static str, default: bool) -> Setting {
    Setting { name, kind: Kind::Switch(default) }
}

const fn number(name: &'static str, least: u32, most: u32, default: u32) -> Setting {
    Setting { name, kind: Kind::Number { least, most, default } }
}

/// A module with what can be set up about it.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) module: Module,
    pub(super) description: &'static str,
    settings: &'static [Setting],
}

/// All modules, in the order of their names.
pub(super) const ALL: &[Known] = &[
    Known {
        module: BOOKINGS,
        description: "Appointments",
        settings: &[
            number("slot_minutes", 5, 480, 30),
            number("book_ahead_days", 1, 730, 90),
            number("cancel_before_hours", 0, 720, 24),
            switch("waiting_list", false),
        ],
    },
    Known {
        module: CONTENT,
        description: "Pages and files",
        settings: &[number("max_upload_megabytes", 1, 1024, 25), switch("needs_review", false)],
    },
    Known {
        module: NOTIFICATIONS,
        description: "Messages to people",
        settings: &[
            Setting {
                name: "channels",
                kind: Kind::Several { of: &["email", "in_app", "push", "sms"], default: &["email", "in_app"] },
            },
            number("most_a_day", 1, 1000, 50),
        ],
    },
    Known {
        module: PROVIDERS,
        description: "Those who provide what the tenant offers",
        settings: &[switch("self_registration", false), switch("needs_approval", true)],
    },
    Known {
        module: WORKFLOWS,
        description: "Work in steps",
        settings: &[number("max_running", 1, 100_000, 1_000), number("keep_finished_days", 1, 3650, 365)],
    },
];

impl Known {
    /// The module of this name.
    pub(super) fn named(name: &str) -> Option<&'static Self> {
        ALL.iter().find(|known| known.module.as_str() == name)
    }

    /// What is set up where nothing was said.
    pub(super) fn defaults(&self) -> Value {
        let default = |setting: &Setting| match &setting.kind {
            Kind::Switch(default) => json!(default),
            Kind::Number { default, .. } => json!(default),
            Kind::Several { default, .. } => json!(default),
        };
        let members: Map<String, Value> =
            self.settings.iter().map(|setting| (setting.name.to_owned(), default(setting))).collect();
        Value::Object(members)
    }

    /// What is kept of a module, with the defaults for what has come since.
    pub(super) fn complete(&self, kept: &Value) -> Value {
        let mut whole = self.defaults();
        if let (Some(whole), Some(kept)) = (whole.as_object_mut(), kept.as_object()) {
            for (name, value) in kept {
                if let Some(member) = whole.get_mut(name) {
                    *member = value.clone();
                }
            }
        }
        whole
    }

    fn read(&self, mut object: Object) -> Value {
        let defaults = self.defaults();
        let mut config = Map::new();
        for setting in self.settings {
            let default = defaults.get(setting.name).cloned().unwrap_or_default();
            config.insert(setting.name.to_owned(), setting.read(&mut object, default));
        }
        object.finish();
        Value::Object(config)
    }
}

impl Setting {
    fn read(&self, object: &mut Object, absent: Value) -> Value {
        match &self.kind {
            Kind::Number { least, most, default } => json!(object.whole_number(self.name, *least..=*most, *default)),
            Kind::Switch(_) => match object.value(self.name) {
                None | Some(Value::Null) => absent,
                Some(value @ Value::Bool(_)) => value,
                Some(_) => {
                    object.refuse(self.name, "type", "must be true or false");
                    absent
                }
            },
            Kind::Several { of, .. } => match object.value(self.name) {
                None | Some(Value::Null) => absent,
                Some(Value::Array(items)) => {
                    let good = |item: &Value| item.as_str().is_some_and(|text| of.contains(&text));
                    let is_once = |(at, item): (usize, &Value)| !items.get(..at).unwrap_or_default().contains(item);
                    if items.iter().all(good) && items.iter().enumerate().all(is_once) {
                        return Value::Array(items);
                    }
                    object.refuse(self.name, "invalid", format!("must be some of these, each once: {}", of.join(" ")));
                    absent
                }
                Some(_) => {
                    object.refuse(self.name, "type", "must be a list of texts");
                    absent
                }
            },
        }
    }
}

/// A module as a tenant has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = TenantModule)]
pub(crate) struct ModuleView {
    /// Its name.
    #[schema(example = "bookings")]
    pub(super) name: &'static str,
    /// What it is, for people.
    #[schema(example = "Appointments")]
    pub(super) description: &'static str,
    /// Whether the tenant has it.
    pub(super) is_enabled: bool,
    /// How it is set up.
    pub(super) config: Value,
    /// When that changed last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(super) updated_at: Option<UtcTime>,
}

/// What a request says about a module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Whether the tenant has it.
    pub(super) is_enabled: bool,
    /// How it is set up.
    pub(super) config: Value,
}

/// Reads the body of a request about a module.
pub(super) fn parse(known: &Known, value: Value) -> Result<Wanted, Vec<InputError>> {
    let errors = Errors::default();
    let mut body = Object::new(value, "", &errors);
    let is_enabled = match body.value("is_enabled") {
        Some(Value::Bool(value)) => value,
        Some(_) => {
            body.refuse("is_enabled", "type", "must be true or false");
            true
        }
        None => {
            body.refuse("is_enabled", "required", "must be given");
            true
        }
    };
    let config = known.read(body.object("config"));
    body.finish();
    errors.unless_any(Wanted { is_enabled, config })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_defaults_of_every_module_can_be_sent_back() {
        for known in ALL {
            let sent = json!({ "is_enabled": false, "config": known.defaults() });
            assert_eq!(parse(known, sent).unwrap().config, known.defaults());
            assert_eq!(parse(known, json!({ "is_enabled": true })).unwrap().config, known.defaults());
        }
        assert!(ALL.is_sorted_by_key(|known| known.module));
    }

    #[test]
    fn everything_wrong_is_told_at_once() {
        let known = Known::named("notifications").unwrap();
        let sent = json!({"config": {"channels": ["email", "email"], "most_a_day": 0, "colour": 1}, "more": 1});
        let errors = parse(known, sent).unwrap_err();
        let found: Vec<_> = errors.iter().map(|error| (error.pointer.as_str(), &*error.code)).collect();
        let expected = [
            ("/is_enabled", "required"),
            ("/config/channels", "invalid"),
            ("/config/most_a_day", "range"),
            ("/config/colour", "unknown"),
            ("/more", "unknown"),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn what_has_come_since_has_its_default() {
        let known = Known::named("content").unwrap();
        let whole = known.complete(&json!({"needs_review": true, "gone": 1}));
        assert_eq!(whole, json!({"max_upload_megabytes": 25, "needs_review": true}));
    }
}
