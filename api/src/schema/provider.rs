//! What is kept of what is asked of the identity provider, and of what it tells.

diesel::table! {
    received_events (tenant_id, jti) {
        tenant_id -> Text,
        jti -> Text,
        subject -> Text,
        standing -> Text,
        received_at -> Timestamp,
    }
}

diesel::table! {
    revocations (tenant_id, kind, target) {
        tenant_id -> Text,
        kind -> Text,
        target -> Text,
        not_before -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    tenant_origins (tenant_id, origin) {
        tenant_id -> Text,
        origin -> Text,
    }
}

diesel::table! {
    import_leases (tenant_id) {
        tenant_id -> Text,
        owner -> Text,
        leased_until -> Timestamp,
    }
}

diesel::table! {
    account_doubts (tenant_id, user_id) {
        tenant_id -> Text,
        user_id -> Text,
        attempts -> BigInt,
        available_at -> Timestamp,
        created_at -> Timestamp,
        owner -> Nullable<Text>,
        may_end -> Bool,
    }
}
