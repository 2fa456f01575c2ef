//! The tables for diesel's query builder: the columns that exist in both databases, with types that
//! both support. The migrations document each column.
//!
//! Some columns are reserved for planned features, so that no live session has to be migrated:
//! `sessions.kind` and `sessions.parent` (an operator on a till's own session), `credentials.kind`
//! (other secrets than a password), `audit.approver` and the digest of the operation (approval by a
//! second person), `nodes` (offline grants, lag) and `meta.state` (moving a store).
//! `devices.thumbprint` is not used: the keys of devices have the table `device_keys`, which keeps
//! earlier keys, too.
//!
//! Ids are `UUIDv7` that tillgate generates, and times are in milliseconds, in both databases. Row
//! numbers are used only for the order of the feed.

diesel::table! {
    meta (id) {
        id -> BigInt,
        instance -> Nullable<Binary>,
        state -> Text,
    }
}

diesel::table! {
    setup_token (id) {
        id -> BigInt,
        digest -> Binary,
        drawn_at -> BigInt,
    }
}

diesel::table! {
    tenants (id) {
        id -> Binary,
        slug -> Text,
        name -> Text,
        zone -> Text,
        locale -> Text,
        epoch -> BigInt,
        created_at -> BigInt,
        version -> BigInt,
        access_limit -> Nullable<BigInt>,
        idle_limit -> Nullable<BigInt>,
        absolute_limit -> Nullable<BigInt>,
        overlap_limit -> Nullable<BigInt>,
        accent_color -> Nullable<Text>,
        machine_codes -> Bool,
    }
}

diesel::table! {
    branches (id) {
        id -> Binary,
        tenant_id -> Binary,
        name -> Text,
        zone -> Nullable<Text>,
    }
}

diesel::table! {
    roles (id) {
        id -> Binary,
        tenant_id -> Binary,
        name -> Text,
        folded -> Text,
        label -> Text,
        description -> Text,
        rights -> Text,
        environments -> Text,
        built_in -> Bool,
        version -> BigInt,
    }
}

diesel::table! {
    users (id) {
        id -> Binary,
        tenant_id -> Binary,
        name -> Text,
        folded -> Nullable<Text>,
        email -> Nullable<Text>,
        email_folded -> Nullable<Text>,
        display_name -> Text,
        status -> Text,
        feature -> Nullable<Text>,
        epoch -> BigInt,
        last_login_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        version -> BigInt,
        searched -> Text,
        password_change_required -> Bool,
        locale -> Nullable<Text>,
        email_verified_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    devices (id) {
        id -> Binary,
        tenant_id -> Binary,
        name -> Text,
        folded -> Text,
        environment -> Text,
        status -> Text,
        description -> Text,
        preferences -> Text,
        settings -> Text,
        branch_id -> Nullable<Binary>,
        epoch -> BigInt,
        seat_id -> Nullable<Binary>,
        pairing_id -> Nullable<Binary>,
        till_mode -> Bool,
        last_seen_at -> Nullable<BigInt>,
        last_login_at -> Nullable<BigInt>,
        created_at -> BigInt,
        updated_at -> BigInt,
        version -> BigInt,
        searched -> Text,
    }
}

diesel::table! {
    user_roles (user_id, role_id) {
        user_id -> Binary,
        role_id -> Binary,
    }
}

diesel::table! {
    user_devices (user_id, device_id) {
        user_id -> Binary,
        device_id -> Binary,
    }
}

diesel::table! {
    user_device_roles (user_id, device_id, role_id) {
        user_id -> Binary,
        device_id -> Binary,
        role_id -> Binary,
    }
}

diesel::table! {
    device_roles (device_id, role_id) {
        device_id -> Binary,
        role_id -> Binary,
    }
}

diesel::table! {
    credentials (principal_id, kind) {
        principal_id -> Binary,
        principal_kind -> Text,
        kind -> Text,
        device_id -> Nullable<Binary>,
        version -> BigInt,
        verifier -> Text,
        set_at -> BigInt,
        used_at -> Nullable<BigInt>,
        key_id -> Nullable<Binary>,
        due -> Bool,
    }
}

diesel::table! {
    keys (id) {
        id -> Binary,
        kind -> Text,
        algorithm -> Text,
        state -> Text,
        wrapped -> Binary,
        public -> Nullable<Binary>,
        created_at -> BigInt,
        since -> BigInt,
    }
}

diesel::table! {
    sessions (id) {
        id -> Binary,
        tenant_id -> Binary,
        kind -> Text,
        user_id -> Nullable<Binary>,
        device_id -> Nullable<Binary>,
        parent_id -> Nullable<Binary>,
        dialect -> Text,
        terms -> Text,
        generation -> BigInt,
        key_id -> Binary,
        previous_key_id -> Binary,
        used -> BigInt,
        user_epoch -> BigInt,
        device_epoch -> BigInt,
        tenant_epoch -> BigInt,
        methods -> Text,
        proved_at -> BigInt,
        address -> Nullable<Text>,
        rotated_from -> Nullable<Text>,
        thumbprint -> Nullable<Binary>,
        created_at -> BigInt,
        rotated_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        expires_at -> Nullable<BigInt>,
        expires_day -> Nullable<BigInt>,
        ended_at -> Nullable<BigInt>,
        ended_why -> Nullable<Text>,
    }
}

diesel::table! {
    first_uses (session_id, generation) {
        session_id -> Binary,
        generation -> BigInt,
        first_used_at -> BigInt,
    }
}

diesel::table! {
    attempts (key) {
        key -> Binary,
        principal_id -> Nullable<Binary>,
        open -> BigInt,
        opened_at -> Nullable<BigInt>,
        touched_at -> BigInt,
        full_at -> BigInt,
        barred_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    guesses (key, guess) {
        key -> Binary,
        guess -> Binary,
        guessed_at -> BigInt,
    }
}

diesel::table! {
    places (principal_id, place) {
        principal_id -> Binary,
        place -> Binary,
        succeeded_at -> BigInt,
    }
}

diesel::table! {
    nodes (id) {
        id -> Binary,
        applied -> BigInt,
        seen_at -> BigInt,
        boot_id -> Nullable<Binary>,
        origin -> Nullable<BigInt>,
        left_at -> Nullable<BigInt>,
        name -> Nullable<Text>,
        applied_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    audit (id) {
        id -> Binary,
        at -> BigInt,
        tenant_id -> Nullable<Binary>,
        user_id -> Nullable<Binary>,
        device_id -> Nullable<Binary>,
        session_id -> Nullable<Binary>,
        address -> Nullable<Text>,
        action -> Text,
        subject -> Text,
        subject_id -> Nullable<Binary>,
        outcome -> Text,
        details -> Text,
        approver_id -> Nullable<Binary>,
        operation -> Nullable<Binary>,
        sequence -> Nullable<BigInt>,
        previous -> Nullable<Binary>,
        hash -> Nullable<Binary>,
        searched -> Nullable<Text>,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Binary,
        tenant_id -> Binary,
        client_id -> Text,
        wrapped -> Binary,
        name -> Text,
        description -> Text,
        active -> Bool,
        user_id -> Binary,
        device_id -> Binary,
        permissions -> Text,
        created_at -> BigInt,
        version -> BigInt,
        expires_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        previous_wrapped -> Nullable<Binary>,
        previous_until -> Nullable<BigInt>,
    }
}

diesel::table! {
    reset_requests (id) {
        id -> Binary,
        email -> Text,
        tenant_id -> Nullable<Binary>,
        address -> Nullable<Text>,
        asked_at -> BigInt,
        due_at -> BigInt,
        tries -> BigInt,
    }
}

diesel::table! {
    resets (digest) {
        digest -> Binary,
        request_id -> Binary,
        user_id -> Binary,
        email -> Text,
        granted_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    invitations (user_id) {
        user_id -> Binary,
        digest -> Binary,
        created_at -> BigInt,
        expires_at -> BigInt,
        email -> Nullable<Text>,
    }
}

diesel::table! {
    email_verifications (user_id) {
        user_id -> Binary,
        digest -> Binary,
        email -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
    }
}

diesel::table! {
    device_keys (tenant_id, thumbprint) {
        tenant_id -> Binary,
        thumbprint -> Binary,
        device_id -> Binary,
        jwk -> Text,
        algorithm -> Text,
        storage -> Text,
        state -> Text,
        label -> Text,
        app -> Text,
        enrolled_by -> Nullable<Binary>,
        enrolled_at -> BigInt,
        ended_at -> Nullable<BigInt>,
        used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    enrollments (device_id) {
        device_id -> Binary,
        tenant_id -> Binary,
        digest -> Binary,
        replaces_key -> Bool,
        started_by -> Nullable<Binary>,
        created_at -> BigInt,
        expires_at -> BigInt,
        completed_at -> Nullable<BigInt>,
        thumbprint -> Nullable<Binary>,
        session_id -> Nullable<Binary>,
        started_with -> Nullable<Binary>,
        confirms -> Bool,
    }
}

diesel::table! {
    pending_keys (code_digest) {
        code_digest -> Binary,
        poll_digest -> Binary,
        tenant_id -> Binary,
        device_id -> Nullable<Binary>,
        thumbprint -> Binary,
        jwk -> Text,
        algorithm -> Text,
        storage -> Text,
        label -> Text,
        app -> Text,
        address -> Nullable<Text>,
        fingerprint -> Text,
        fingerprint_attempts -> BigInt,
        state -> Text,
        created_at -> BigInt,
        expires_at -> BigInt,
        polled_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    mail_queue (kind, user_id) {
        kind -> Text,
        user_id -> Binary,
        email -> Text,
        requested_at -> BigInt,
        expires_at -> BigInt,
        due_at -> BigInt,
        tries -> BigInt,
    }
}

diesel::joinable!(sessions -> tenants (tenant_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(sessions -> devices (device_id));
diesel::allow_tables_to_appear_in_same_query!(
    meta,
    tenants,
    branches,
    roles,
    users,
    devices,
    user_roles,
    user_devices,
    user_device_roles,
    device_roles,
    credentials,
    keys,
    sessions,
    attempts,
    guesses,
    places,
    nodes,
    audit,
    api_keys
);
