//! The tables, for both databases: `migrations/api` makes them.

mod provider;

pub use provider::*;

diesel::table! {
    tenants (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        status -> Text,
        wanted_status -> Nullable<Text>,
        version -> BigInt,
        access_generation -> BigInt,
        provider_updated_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    tenant_tasks (tenant_id, kind, subject) {
        tenant_id -> Text,
        kind -> Text,
        subject -> Text,
        generation -> BigInt,
        payload -> Text,
        attempts -> BigInt,
        available_at -> Timestamp,
        leased_until -> Timestamp,
        last_error -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    tenant_domains (id) {
        id -> Text,
        tenant_id -> Text,
        domain -> Text,
        verified_domain -> Nullable<Text>,
        is_primary -> Bool,
        verification_token -> Text,
        method -> Nullable<Text>,
        verified_at -> Nullable<Timestamp>,
        checked_at -> Nullable<Timestamp>,
        failures -> BigInt,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    tenant_modules (tenant_id, module_name) {
        tenant_id -> Text,
        module_name -> Text,
        is_enabled -> Bool,
        config -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    tenant_settings (tenant_id) {
        tenant_id -> Text,
        branding -> Text,
        security -> Text,
        feature_flags -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        limits -> Text,
    }
}

diesel::table! {
    audit_entries (id) {
        id -> Text,
        tenant_id -> Text,
        occurred_at -> Timestamp,
        actor_kind -> Text,
        actor_id -> Text,
        acting_client -> Nullable<Text>,
        action -> Text,
        target_kind -> Text,
        target_id -> Text,
        changes -> Text,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
        actor_tenant_id -> Nullable<Text>,
        acting_party_kind -> Nullable<Text>,
        acting_party_id -> Nullable<Text>,
    }
}

diesel::table! {
    audit_keys (kid) {
        kid -> Text,
        public_jwk -> Text,
        private_key -> Nullable<Text>,
        voucher -> Text,
        created_at -> Timestamp,
        retired_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    audit_chains (tenant_id) {
        tenant_id -> Text,
        batches -> BigInt,
        entries -> BigInt,
        head -> Nullable<Text>,
        pruned_batches -> BigInt,
        pruned_entries -> BigInt,
        pruning -> Nullable<Text>,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    audit_batches (tenant_id, number) {
        tenant_id -> Text,
        number -> BigInt,
        first_position -> BigInt,
        size -> BigInt,
        root -> Text,
        previous -> Nullable<Text>,
        hash -> Text,
        signature -> Text,
        sealed_at -> Timestamp,
    }
}

diesel::table! {
    audit_leaves (tenant_id, position) {
        tenant_id -> Text,
        position -> BigInt,
        batch -> BigInt,
        entry_id -> Text,
        leaf_hash -> Text,
    }
}

diesel::table! {
    audit_unsealed (tenant_id, entry_id) {
        tenant_id -> Text,
        entry_id -> Text,
    }
}

diesel::table! {
    access_logs (tenant_id, created_at, id) {
        id -> Text,
        tenant_id -> Text,
        subject_kind -> Text,
        subject_id -> Text,
        client_id -> Text,
        resource -> Text,
        resource_id -> Nullable<Text>,
        action -> Text,
        decision -> Text,
        reason -> Text,
        policy_id -> Nullable<Text>,
        policy_name -> Nullable<Text>,
        policy_version -> Nullable<BigInt>,
        context -> Text,
        request_id -> Nullable<Text>,
        address -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    outbox (id) {
        id -> Text,
        tenant_id -> Text,
        kind -> Text,
        payload -> Text,
        created_at -> Timestamp,
        available_at -> Timestamp,
        attempts -> BigInt,
        delivered_at -> Nullable<Timestamp>,
        failed_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    console_sessions (id) {
        id -> Text,
        tenant_id -> Text,
        secret_hash -> Text,
        issuer -> Text,
        subject -> Text,
        csrf_token -> Text,
        tokens -> Text,
        created_at -> Timestamp,
        last_used_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    idempotency_keys (tenant_id, key_hash) {
        tenant_id -> Text,
        key_hash -> Text,
        request_hash -> Text,
        answer -> Nullable<Text>,
        created_at -> Timestamp,
        held_until -> Timestamp,
        expires_at -> Timestamp,
        found -> Nullable<Text>,
    }
}

diesel::table! {
    signals (id) {
        id -> Text,
        tenant_id -> Text,
        kind -> Text,
        subject -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    users (tenant_id, id) {
        id -> Text,
        tenant_id -> Text,
        home_tenant_id -> Nullable<Text>,
        username -> Nullable<Text>,
        email -> Nullable<Text>,
        email_normalized -> Nullable<Text>,
        email_verified -> Bool,
        phone -> Nullable<Text>,
        given_name -> Nullable<Text>,
        family_name -> Nullable<Text>,
        display_name -> Nullable<Text>,
        avatar_url -> Nullable<Text>,
        metadata -> Text,
        status -> Text,
        roles_managed -> Bool,
        roles_version -> BigInt,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        profile_as_of -> Nullable<Timestamp>,
        is_withheld -> Bool,
        roles_told -> Nullable<Text>,
    }
}

diesel::table! {
    permissions (id) {
        id -> Text,
        tenant_id -> Text,
        name -> Text,
        resource -> Text,
        action -> Text,
        description -> Nullable<Text>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    roles (id) {
        id -> Text,
        tenant_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        role_family -> Text,
        is_system -> Bool,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    role_permissions (tenant_id, role_id, permission) {
        tenant_id -> Text,
        role_id -> Text,
        permission -> Text,
    }
}

diesel::table! {
    role_parents (tenant_id, role_id, parent_id) {
        tenant_id -> Text,
        role_id -> Text,
        parent_id -> Text,
    }
}

diesel::table! {
    user_roles (id) {
        id -> Text,
        tenant_id -> Text,
        user_id -> Text,
        role_id -> Text,
        assigned_by -> Nullable<Text>,
        expires_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        expiry_told -> Bool,
    }
}

diesel::table! {
    role_reviews (tenant_id) {
        tenant_id -> Text,
        after_user -> Nullable<Text>,
        available_at -> Timestamp,
        created_at -> Timestamp,
    }
}

diesel::table! {
    user_groups (id) {
        id -> Text,
        tenant_id -> Text,
        parent_id -> Nullable<Text>,
        name -> Text,
        description -> Nullable<Text>,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    group_members (tenant_id, group_id, user_id) {
        tenant_id -> Text,
        group_id -> Text,
        user_id -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    group_roles (tenant_id, group_id, role_id) {
        tenant_id -> Text,
        group_id -> Text,
        role_id -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    policies (id) {
        id -> Text,
        tenant_id -> Text,
        name -> Text,
        description -> Nullable<Text>,
        target_json -> Text,
        rules_json -> Text,
        target_resource -> Text,
        target_action -> Text,
        effect -> Text,
        is_enabled -> Bool,
        priority -> BigInt,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    policy_versions (tenant_id, policy_id, version) {
        tenant_id -> Text,
        policy_id -> Text,
        version -> BigInt,
        document -> Text,
        changed_by -> Text,
        created_at -> Timestamp,
    }
}

diesel::table! {
    policy_assignments (id) {
        id -> Text,
        tenant_id -> Text,
        policy_id -> Text,
        assignee_type -> Text,
        assignee_id -> Text,
        created_at -> Timestamp,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    tenants,
    tenant_tasks,
    tenant_domains,
    tenant_modules,
    tenant_settings,
    audit_entries,
    outbox,
    console_sessions,
    idempotency_keys,
    signals,
    users,
    permissions,
    roles,
    role_permissions,
    role_parents,
    user_roles,
    role_reviews,
    user_groups,
    group_members,
    group_roles,
    policies,
    policy_versions,
    policy_assignments,
    audit_chains,
    audit_batches,
    audit_leaves,
    audit_unsealed,
    received_events,
    revocations,
    account_doubts,
    import_leases,
    tenant_origins,
);
