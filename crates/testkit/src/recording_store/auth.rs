//! The recording ports of authentication.

use std::collections::BTreeSet;
use std::net::IpAddr;

use tillgate_auth_core::ports::{
    ApiKeys, Attempts, Bookmark, Bucket, CountKey, Credential, CredentialKind, Credentials, DeviceKeys, Devices,
    Enrollments, Feed, FeedBatch, FeedCursor, FirstUse, Instance, Instances, KeyState, Keys, KnownNetworks,
    LiveEventBatch, LiveEvents, Node, NodeAcknowledgment, Nodes, PendingKeys, Pins, PrincipalBucket, Roles, Rotation,
    SessionCursor, SessionFilter, SessionOrder, SessionRecord, SessionUse, SessionView, Sessions, SignatureDigest,
    Signatures, StoredKey, Tenants, TillOperator, TokenDisposition, Users, Verifier, WrappedApiKey,
};
use tillgate_auth_core::{AuthTx, DialectName, Session};
use tillgate_domain::{
    ApiKey, ApiKeyId, Audit, BranchId, Device, DeviceId, DeviceKey, EndReason, Enrollment, EnrollmentCompletion,
    EnrollmentDigest, Epoch, Event, FoldedText, Instant, KeyId, NodeId, PendingKey, PrincipalId, Revocations, Role,
    RoleId, Scope, SessionId, Slug, StoreResult, StoredPin, Tenant, TenantId, Thumbprint, Tx, User, UserId,
};
use uuid::Uuid;

use super::{RecordingTx, record_port};

record_port!(AuthTx, sessions: Sessions {
    fn insert(session: &Session) -> ();
    fn find(id: SessionId) -> Option<SessionRecord>;
    fn rotate(id: SessionId, from: i64, to: &Rotation) -> bool;
    fn extend(id: SessionId, generation: i64, expires_at: Option<Instant>, from: Option<IpAddr>) -> bool;
    fn record_uses(uses: &[SessionUse]) -> ();
    fn list_first_uses(id: SessionId) -> Vec<FirstUse>;
    fn record_first_use(id: SessionId, first: FirstUse) -> ();
    fn remove_first_uses(id: SessionId, before: i64) -> ();
    fn list_live_dialects(now: Instant) -> Vec<DialectName>;
    fn list(filter: &SessionFilter, order: SessionOrder, after: Option<SessionCursor>, limit: u32) -> Vec<SessionView>;
    fn find_many(ids: &BTreeSet<SessionId>) -> Vec<SessionView>;
    fn uses_key(key: KeyId, now: Instant) -> bool;
    fn ids_by_key(key: KeyId, now: Instant, limit: u32) -> Vec<SessionId>;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, credentials: Credentials {
    fn find(principal: PrincipalId, kind: CredentialKind) -> Option<Credential>;
    fn claim(principal: PrincipalId, kind: CredentialKind, version: i64, rehashed: Option<&Verifier>, at: Instant) -> bool;
    fn replace(principal: PrincipalId, kind: CredentialKind, version: i64, verifier: &Verifier, at: Instant) -> bool;
});

record_port!(AuthTx, pins: Pins {
    fn find(user: UserId) -> Option<StoredPin>;
    fn set(user: UserId, pin: &StoredPin, at: Instant) -> ();
    fn claim_key(key: KeyId) -> bool;
    fn remove(user: UserId) -> bool;
    fn claim(user: UserId, verifier: &Verifier, rehashed: Option<&StoredPin>, at: Instant) -> bool;
    fn uses_key(key: KeyId) -> bool;
});

record_port!(AuthTx, tenants: Tenants {
    fn find(id: TenantId) -> Option<Tenant>;
    fn find_by_slug(slug: &Slug) -> Option<Tenant>;
});

record_port!(AuthTx, users: Users {
    fn find(id: UserId) -> Option<User>;
    fn find_by_name(tenant: TenantId, name: &FoldedText) -> Option<User>;
    fn find_by_email(email: &FoldedText) -> Option<User>;
    fn claim(id: UserId, epoch: Epoch, at: Instant) -> bool;
    fn clear_password_change_required(id: UserId, at: Instant) -> bool;
    fn list_operators(device: DeviceId, limit: u32) -> Vec<TillOperator>;
});

record_port!(AuthTx, devices: Devices {
    fn find(id: DeviceId) -> Option<Device>;
    fn find_by_name(tenant: TenantId, name: &FoldedText) -> Option<Device>;
    fn claim(id: DeviceId, epoch: Epoch, at: Instant) -> bool;
    fn seat(id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> bool;
    fn pair(id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> bool;
});

record_port!(AuthTx, roles: Roles {
    fn find_many(tenant: TenantId, ids: &[RoleId]) -> Vec<Role>;
});

record_port!(AuthTx, attempts: Attempts {
    fn find_buckets(keys: &[CountKey]) -> Vec<Bucket>;
    fn find_depleted(tenant: TenantId, branch: Option<BranchId>, full_after: Instant, limit: u32) -> Vec<PrincipalBucket>;
    fn take_token(key: CountKey, principal: Option<Uuid>, from: &Bucket, to: &Bucket, at: Instant) -> bool;
    fn settle(key: CountKey, disposition: TokenDisposition, at: Instant) -> ();
    fn block(key: CountKey, until: Instant) -> ();
    fn record_guess(key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> bool;
    fn count_guesses(key: CountKey, since: Instant) -> u32;
    fn clear_failed_logins(principal: Uuid) -> u32;
    fn refill(key: CountKey) -> bool;
    fn sweep(before: Instant, limit: u32) -> u32;
    fn sweep_guesses(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, known_networks: KnownNetworks {
    fn find(principal: Uuid, network: &CountKey) -> Option<Instant>;
    fn record_success(principal: Uuid, network: &CountKey, at: Instant) -> ();
    fn trim(principal: Uuid, keep: u32) -> ();
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, keys: Keys {
    fn list() -> Vec<StoredKey>;
    fn insert(key: &StoredKey) -> bool;
    fn change_state(id: KeyId, from: KeyState, to: KeyState, at: Instant) -> bool;
    fn remove(id: KeyId) -> ();
});

record_port!(AuthTx, feed: Feed {
    fn poll(from: Option<&Bookmark>) -> FeedBatch;
    fn find_end() -> FeedCursor;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, live_events: LiveEvents {
    fn poll(from: Option<&Bookmark>, tenant: Option<TenantId>, limit: u32) -> LiveEventBatch;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, nodes: Nodes {
    fn upsert(node: &Node) -> ();
    fn list_live(since: Instant) -> Vec<Node>;
    fn record_acknowledgment(acknowledgment: &NodeAcknowledgment) -> ();
    fn list_acknowledgments(since: Instant) -> Vec<NodeAcknowledgment>;
    fn find_origin(boot: Uuid) -> Option<Instant>;
    fn mark_left(id: NodeId, at: Instant) -> ();
    fn sweep(before: Instant) -> u32;
});

record_port!(AuthTx, instances: Instances {
    fn find() -> Instance;
    fn newest_instant() -> Option<Instant>;
});

record_port!(AuthTx, api_keys: ApiKeys {
    fn find_by_client_id(client: &str) -> Option<WrappedApiKey>;
    fn list_active_by_user(tenant: TenantId, user: UserId) -> Vec<ApiKey>;
    fn revoke(key: &ApiKey) -> bool;
    fn record_uses(uses: &[(ApiKeyId, Instant)]) -> ();
});

record_port!(AuthTx, signatures: Signatures {
    fn insert_if_new(signature: &SignatureDigest, at: Instant) -> bool;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, enrollments: Enrollments {
    fn find(digest: &EnrollmentDigest) -> Option<Enrollment>;
    fn complete(digest: &EnrollmentDigest, completion: &EnrollmentCompletion) -> bool;
});

record_port!(AuthTx, device_keys: DeviceKeys {
    fn find(tenant: TenantId, thumbprint: &Thumbprint) -> Option<DeviceKey>;
    fn find_current(device: DeviceId) -> Option<DeviceKey>;
    fn insert(key: &DeviceKey) -> bool;
    fn retire(tenant: TenantId, thumbprint: &Thumbprint, at: Instant) -> bool;
    fn record_use(tenant: TenantId, thumbprint: &Thumbprint, at: Instant, recorded_before: Instant) -> ();
});

record_port!(AuthTx, pending_keys: PendingKeys {
    fn insert(key: &PendingKey) -> bool;
    fn find_by_code(code: &EnrollmentDigest) -> Option<PendingKey>;
    fn find_by_device_code(device_code: &EnrollmentDigest) -> Option<PendingKey>;
    fn renew(code: &EnrollmentDigest, device_code: &EnrollmentDigest, expires_at: Instant) -> bool;
    fn record_poll(device_code: &EnrollmentDigest, at: Instant) -> ();
    fn extend(device_code: &EnrollmentDigest, until: Instant) -> ();
    fn count_live(tenant: Option<TenantId>, now: Instant) -> u32;
});

record_port!(AuthTx, revocations: Revocations {
    fn end_session(session: SessionId, why: EndReason, at: Instant) -> bool;
    fn bump_epoch(scope: Scope, why: EndReason, at: Instant) -> Option<Epoch>;
    fn end_permanent(scope: Scope, why: EndReason, at: Instant) -> ();
    fn invalidate(scope: Scope, at: Instant) -> ();
    fn invalidate_all(scopes: &[Scope], at: Instant) -> ();
});

record_port!(AuthTx, audit: Audit {
    fn record(event: &Event) -> ();
});

impl Tx for RecordingTx<'_, dyn AuthTx + '_> {
    fn revocations(&mut self) -> &mut dyn Revocations {
        self
    }

    fn audit(&mut self) -> &mut dyn Audit {
        self
    }
}

impl AuthTx for RecordingTx<'_, dyn AuthTx + '_> {
    fn sessions(&mut self) -> &mut dyn Sessions {
        self
    }

    fn credentials(&mut self) -> &mut dyn Credentials {
        self
    }

    fn pins(&mut self) -> &mut dyn Pins {
        self
    }

    fn tenants(&mut self) -> &mut dyn Tenants {
        self
    }

    fn users(&mut self) -> &mut dyn Users {
        self
    }

    fn devices(&mut self) -> &mut dyn Devices {
        self
    }

    fn roles(&mut self) -> &mut dyn Roles {
        self
    }

    fn attempts(&mut self) -> &mut dyn Attempts {
        self
    }

    fn known_networks(&mut self) -> &mut dyn KnownNetworks {
        self
    }

    fn keys(&mut self) -> &mut dyn Keys {
        self
    }

    fn feed(&mut self) -> &mut dyn Feed {
        self
    }

    fn live_events(&mut self) -> &mut dyn LiveEvents {
        self
    }

    fn nodes(&mut self) -> &mut dyn Nodes {
        self
    }

    fn instances(&mut self) -> &mut dyn Instances {
        self
    }

    fn api_keys(&mut self) -> &mut dyn ApiKeys {
        self
    }

    fn signatures(&mut self) -> &mut dyn Signatures {
        self
    }

    fn enrollments(&mut self) -> &mut dyn Enrollments {
        self
    }

    fn device_keys(&mut self) -> &mut dyn DeviceKeys {
        self
    }

    fn pending_keys(&mut self) -> &mut dyn PendingKeys {
        self
    }
}
