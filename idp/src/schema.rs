//! The tables, for both databases: `migrations/idp` makes them.

diesel::table! {
    /// See `migrations/idp`.
    tenants (id) {
        id -> Text,
        slug -> Text,
        name -> Text,
        status -> Text,
        is_platform -> Bool,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    tenant_domains (id) {
        id -> Text,
        tenant_id -> Text,
        domain -> Text,
        is_primary -> Bool,
        verified_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    signing_keys (id) {
        id -> Text,
        tenant_id -> Text,
        kid -> Text,
        algorithm -> Text,
        public_jwk -> Text,
        private_key -> Text,
        created_at -> Timestamp,
        signs_from -> Timestamp,
        published_until -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    users (id) {
        id -> Text,
        tenant_id -> Text,
        username -> Text,
        username_normalized -> Text,
        email -> Text,
        email_normalized -> Text,
        email_verified -> Bool,
        phone -> Nullable<Text>,
        phone_verified -> Bool,
        given_name -> Nullable<Text>,
        family_name -> Nullable<Text>,
        display_name -> Nullable<Text>,
        status -> Text,
        roles_version -> BigInt,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    password_credentials (user_id) {
        user_id -> Text,
        tenant_id -> Text,
        hash -> Text,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    user_roles (tenant_id, user_id, role) {
        tenant_id -> Text,
        user_id -> Text,
        role -> Text,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    clients (id) {
        id -> Text,
        tenant_id -> Text,
        client_id -> Text,
        name -> Text,
        client_uri -> Nullable<Text>,
        auth_method -> Text,
        secret_hash -> Nullable<Text>,
        previous_secret_hash -> Nullable<Text>,
        previous_secret_until -> Nullable<Timestamp>,
        jwks -> Nullable<Text>,
        redirect_uris -> Text,
        post_logout_redirect_uris -> Text,
        grant_types -> Text,
        scope -> Text,
        is_first_party -> Bool,
        is_active -> Bool,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    sessions (id) {
        id -> Text,
        tenant_id -> Text,
        user_id -> Text,
        secret_hash -> Text,
        authenticated_at -> Timestamp,
        acr -> Text,
        amr -> Text,
        address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
        created_at -> Timestamp,
        last_used_at -> Timestamp,
        expires_at -> Timestamp,
        ended_at -> Nullable<Timestamp>,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    consents (tenant_id, user_id, client_id) {
        tenant_id -> Text,
        user_id -> Text,
        client_id -> Text,
        scope -> Text,
        granted_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    grants (id) {
        id -> Text,
        tenant_id -> Text,
        client_id -> Text,
        user_id -> Text,
        session_id -> Nullable<Text>,
        scope -> Text,
        context -> Text,
        generation -> BigInt,
        refresh_hash -> Nullable<Text>,
        rotated_at -> Nullable<Timestamp>,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
        revoked_because -> Nullable<Text>,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    authorization_codes (code_hash) {
        code_hash -> Text,
        tenant_id -> Text,
        client_id -> Text,
        user_id -> Text,
        session_id -> Text,
        redirect_uri -> Text,
        scope -> Text,
        nonce -> Nullable<Text>,
        extensions -> Text,
        context -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        used_at -> Nullable<Timestamp>,
        grant_id -> Nullable<Text>,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    used_assertions (tenant_id, assertion_hash) {
        assertion_hash -> Text,
        tenant_id -> Text,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    audit_entries (id) {
        id -> Text,
        tenant_id -> Text,
        occurred_at -> Timestamp,
        action -> Text,
        actor -> Text,
        target -> Text,
        detail -> Text,
        address -> Nullable<Text>,
        request_id -> Nullable<Text>,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    subjects (tenant_id, user_id) {
        tenant_id -> Text,
        user_id -> Text,
        home_tenant_id -> Text,
        guest_tenant_id -> Nullable<Text>,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    memberships (tenant_id, user_id) {
        tenant_id -> Text,
        user_id -> Text,
        home_tenant_id -> Text,
        roles_version -> BigInt,
        created_at -> Timestamp,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    membership_roles (tenant_id, user_id, role) {
        tenant_id -> Text,
        user_id -> Text,
        role -> Text,
    }
}

diesel::table! {
    /// See `migrations/idp`.
    security_events (id) {
        id -> Text,
        tenant_id -> Text,
        kind -> Text,
        subject_id -> Text,
        payload -> Text,
        request_id -> Nullable<Text>,
        created_at -> Timestamp,
        attempts -> BigInt,
        available_at -> Timestamp,
        delivered_at -> Nullable<Timestamp>,
        failed_at -> Nullable<Timestamp>,
    }
}

diesel::allow_tables_to_appear_in_same_query!(
    tenants,
    tenant_domains,
    signing_keys,
    users,
    password_credentials,
    user_roles,
    clients,
    sessions,
    consents,
    grants,
    authorization_codes,
    used_assertions,
    audit_entries,
    subjects,
    memberships,
    membership_roles,
    security_events,
);
