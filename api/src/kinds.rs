//! The kinds of things that policies can speak of: what is known of each. What can be done to them is what their routes
//! need; further actions are named here where the routes are still to come.

use crate::access::policy::Type::{Bool, Money, Number, Set, Text, Time};
use crate::access::{Kind, Routes};

/// Adds the kinds to those that the routes name.
pub fn describe(routes: &mut Routes) {
    for kind in KINDS {
        routes.describe(*kind);
    }
}

const CREATED: (&str, crate::access::policy::Type, &str) = ("created_at", Time, "when it was made");

const KINDS: &[Kind] = &[
    Kind {
        name: "account",
        actions: &["create", "read", "update", "delete"],
        attributes: &[
            ("id", Text, "the id of the person"),
            ("status", Text, "active, inactive, banned, hold, pending or suspended"),
            ("email", Text, "the e-mail address"),
            ("email_verified", Bool, "whether it is known to be theirs"),
            ("roles", Set, "the names of their roles"),
            ("groups", Set, "the names of their groups"),
            CREATED,
        ],
    },
    Kind {
        name: "role",
        actions: &["create", "read", "update", "delete", "assign"],
        attributes: &[
            ("id", Text, "its id"),
            ("name", Text, "its name"),
            ("family", Text, "Provider, Internal or Customer"),
            ("is_system", Bool, "whether every tenant has it"),
            CREATED,
        ],
    },
    Kind {
        name: "group",
        actions: &["create", "read", "update", "delete"],
        attributes: &[("id", Text, "its id"), ("name", Text, "its name"), CREATED],
    },
    Kind { name: "permission", actions: &["create", "read", "delete"], attributes: &[] },
    Kind { name: "audit", actions: &["read", "export"], attributes: &[] },
    Kind { name: "access_log", actions: &["read"], attributes: &[] },
    Kind {
        name: "booking",
        actions: &["create", "read", "update", "cancel", "confirm", "complete"],
        attributes: &[
            ("id", Text, "its id"),
            ("reference", Text, "what people call it"),
            ("status", Text, "how it stands"),
            ("scheduled_time", Time, "when it begins"),
            ("end_time", Time, "when it ends"),
            ("amount", Money, "what it costs"),
            ("guests", Number, "how many come"),
            ("customer_id", Text, "the person that it is for"),
            ("provider_id", Text, "who provides it"),
            CREATED,
        ],
    },
];
