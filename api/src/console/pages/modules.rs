//! The scripts of the console: modules that import each other by name, without a build step.

/// Those that every page needs.
const CORE: &[(&str, &str)] = &[
    ("app.js", include_str!("../../../assets/console/app.js")),
    ("api.js", include_str!("../../../assets/console/api.js")),
    ("dialog.js", include_str!("../../../assets/console/dialog.js")),
    ("dom.js", include_str!("../../../assets/console/dom.js")),
    ("form.js", include_str!("../../../assets/console/form.js")),
    ("me.js", include_str!("../../../assets/console/me.js")),
    ("parts.js", include_str!("../../../assets/console/parts.js")),
    ("router.js", include_str!("../../../assets/console/router.js")),
    ("status.js", include_str!("../../../assets/console/status.js")),
    ("table.js", include_str!("../../../assets/console/table.js")),
    ("text.js", include_str!("../../../assets/console/text.js")),
];

/// Those of a section, which are fetched when it is opened.
const SECTIONS: &[(&str, &str)] = &[
    ("audit.js", include_str!("../../../assets/console/audit.js")),
    ("audit-batches.js", include_str!("../../../assets/console/audit-batches.js")),
    ("audit-entry.js", include_str!("../../../assets/console/audit-entry.js")),
    ("audit-proof.js", include_str!("../../../assets/console/audit-proof.js")),
    ("decisions.js", include_str!("../../../assets/console/decisions.js")),
    ("explain.js", include_str!("../../../assets/console/explain.js")),
    ("group.js", include_str!("../../../assets/console/group.js")),
    ("groups.js", include_str!("../../../assets/console/groups.js")),
    ("json-editor.js", include_str!("../../../assets/console/json-editor.js")),
    ("policies.js", include_str!("../../../assets/console/policies.js")),
    ("policy.js", include_str!("../../../assets/console/policy.js")),
    ("policy-assignments.js", include_str!("../../../assets/console/policy-assignments.js")),
    ("policy-editor.js", include_str!("../../../assets/console/policy-editor.js")),
    ("policy-examples.js", include_str!("../../../assets/console/policy-examples.js")),
    ("policy-json.js", include_str!("../../../assets/console/policy-json.js")),
    ("policy-names.js", include_str!("../../../assets/console/policy-names.js")),
    ("policy-new.js", include_str!("../../../assets/console/policy-new.js")),
    ("policy-test.js", include_str!("../../../assets/console/policy-test.js")),
    ("policy-versions.js", include_str!("../../../assets/console/policy-versions.js")),
    ("policy-vocabulary.js", include_str!("../../../assets/console/policy-vocabulary.js")),
    ("text-policies.js", include_str!("../../../assets/console/text-policies.js")),
    ("role.js", include_str!("../../../assets/console/role.js")),
    ("roles.js", include_str!("../../../assets/console/roles.js")),
    ("sessions.js", include_str!("../../../assets/console/sessions.js")),
    ("tenant.js", include_str!("../../../assets/console/tenant.js")),
    ("tenants.js", include_str!("../../../assets/console/tenants.js")),
    ("users.js", include_str!("../../../assets/console/users.js")),
    ("user.js", include_str!("../../../assets/console/user.js")),
    ("user-access.js", include_str!("../../../assets/console/user-access.js")),
    ("users-import.js", include_str!("../../../assets/console/users-import.js")),
];

/// All of them.
pub(super) fn all() -> Vec<(&'static str, &'static str)> {
    CORE.iter().chain(SECTIONS).copied().collect()
}

/// The names of those that every page needs.
pub(super) fn core() -> impl Iterator<Item = &'static str> {
    CORE.iter().map(|(name, _)| *name)
}
