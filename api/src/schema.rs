//! The tables, for both databases: `migrations/api` makes them.

diesel::table! {
    /// See `migrations/api`.
    tenants (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/api`.
    tenant_settings (tenant_id) {
        tenant_id -> Text,
        branding -> Text,
        security -> Text,
        feature_flags -> Text,
        version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/api`.
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
    }
}

diesel::table! {
    /// See `migrations/api`.
    outbox (id) {
        id -> Text,
        tenant_id -> Text,
        kind -> Text,
        payload -> Text,
        created_at -> Timestamp,
        available_at -> Timestamp,
        attempts -> BigInt,
        delivered_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// See `migrations/api`.
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

diesel::allow_tables_to_appear_in_same_query!(tenants, tenant_settings, audit_entries, outbox, console_sessions,);
