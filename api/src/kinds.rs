//! The kinds of things that policies can speak of: what is known of each. What can be done to them is what their routes
//! need; further actions are named here where the routes are still to come.

use crate::access::policy::Type::{Money, Number, Text, Time};
use crate::access::{Kind, Routes};

/// Adds the kinds to those that the routes name.
pub fn describe(routes: &mut Routes) {
    for kind in KINDS {
        routes.describe(*kind);
    }
}

const KINDS: &[Kind] = &[
    Kind { name: "permission", actions: &["create", "read", "delete"], attributes: &[], kept: None },
    Kind { name: "access_log", actions: &["read"], attributes: &[], kept: None },
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
            ("created_at", Time, "when it was made"),
        ],
        kept: None,
    },
];
