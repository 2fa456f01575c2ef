//! The ports of authentication, each call recorded.

use std::net::IpAddr;

use tillgate_auth_core::ports::{
    ApiKeys, Attempts, Bookmark, Bucket, CountKey, Credential, CredentialKind, Credentials, Devices, Feed, FirstUse,
    Instance, Instances, KeyState, Keys, Listed, Look, Node, Nodes, Places, Roles, Rotation, SessionFilter, Sessions,
    Settled, SignatureDigest, Signatures, Standing, StoredKey, Tenants, Use, Users, Verifier, WrappedApiKey,
};
use tillgate_auth_core::{AuthTx, Dialect, Session};
use tillgate_domain::{
    ApiKey, Audit, Device, DeviceId, EndedWhy, Endings, Epoch, Event, Folded, Instant, KeyId, NodeId, PrincipalId,
    Role, RoleId, Scope, SessionId, Slug, Stored, Tenant, TenantId, Tx, User, UserId,
};
use uuid::Uuid;

use super::{RecordingTx, record_port};

record_port!(AuthTx, sessions: Sessions {
    fn insert(session: &Session) -> ();
    fn find(id: SessionId) -> Option<Standing>;
    fn rotate(id: SessionId, from: i64, to: &Rotation) -> bool;
    fn extend(id: SessionId, generation: i64, expires_at: Option<Instant>, from: Option<IpAddr>) -> bool;
    fn note(uses: &[Use]) -> ();
    fn first_uses(id: SessionId) -> Vec<FirstUse>;
    fn note_first_use(id: SessionId, first: FirstUse, settled: Instant) -> bool;
    fn dialects(now: Instant) -> Vec<Dialect>;
    fn list(filter: &SessionFilter, after: Option<SessionId>, limit: u32) -> Vec<Listed>;
    fn names(key: KeyId, now: Instant) -> bool;
    fn under(key: KeyId, now: Instant, limit: u32) -> Vec<SessionId>;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, credentials: Credentials {
    fn find(principal: PrincipalId, kind: CredentialKind) -> Option<Credential>;
    fn claim(principal: PrincipalId, kind: CredentialKind, version: i64, rehashed: Option<&Verifier>, at: Instant) -> bool;
    fn replace(principal: PrincipalId, kind: CredentialKind, version: i64, verifier: &Verifier, at: Instant) -> bool;
});

record_port!(AuthTx, tenants: Tenants {
    fn find(id: TenantId) -> Option<Tenant>;
    fn named(slug: &Slug) -> Option<Tenant>;
});

record_port!(AuthTx, users: Users {
    fn find(id: UserId) -> Option<User>;
    fn named(tenant: TenantId, name: &Folded) -> Option<User>;
    fn mailed(email: &Folded) -> Option<User>;
    fn claim(id: UserId, epoch: Epoch, at: Instant) -> bool;
    fn clear_password_change_required(id: UserId, at: Instant) -> bool;
});

record_port!(AuthTx, devices: Devices {
    fn find(id: DeviceId) -> Option<Device>;
    fn named(tenant: TenantId, name: &Folded) -> Option<Device>;
    fn claim(id: DeviceId, epoch: Epoch, at: Instant) -> bool;
    fn seat(id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> bool;
    fn pair(id: DeviceId, from: Option<SessionId>, to: Option<SessionId>) -> bool;
});

record_port!(AuthTx, roles: Roles {
    fn among(tenant: TenantId, ids: &[RoleId]) -> Vec<Role>;
});

record_port!(AuthTx, attempts: Attempts {
    fn buckets(keys: &[CountKey]) -> Vec<Bucket>;
    fn charge(key: CountKey, principal: Option<Uuid>, from: &Bucket, to: &Bucket, at: Instant) -> bool;
    fn settle(key: CountKey, how: Settled, at: Instant) -> ();
    fn bar(key: CountKey, until: Instant) -> ();
    fn remember(key: CountKey, guess: &CountKey, since: Instant, at: Instant) -> bool;
    fn remembered(key: CountKey, since: Instant) -> u32;
    fn forgive(principal: Uuid) -> u32;
    fn refill(key: CountKey) -> bool;
    fn sweep(before: Instant, limit: u32) -> u32;
    fn sweep_remembered(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, places: Places {
    fn find(principal: Uuid, place: &CountKey) -> Option<Instant>;
    fn note(principal: Uuid, place: &CountKey, at: Instant) -> ();
    fn trim(principal: Uuid, keep: u32) -> ();
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, keys: Keys {
    fn all() -> Vec<StoredKey>;
    fn insert(key: &StoredKey) -> bool;
    fn turn(id: KeyId, from: KeyState, to: KeyState, at: Instant) -> bool;
    fn remove(id: KeyId) -> ();
});

record_port!(AuthTx, feed: Feed {
    fn look(from: Option<&Bookmark>) -> Look;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, nodes: Nodes {
    fn note(node: &Node) -> ();
    fn live(since: Instant) -> Vec<Node>;
    fn origin(boot: Uuid) -> Option<Instant>;
    fn leave(id: NodeId, at: Instant) -> ();
    fn sweep(before: Instant) -> u32;
});

record_port!(AuthTx, instances: Instances {
    fn find() -> Instance;
    fn newest() -> Option<Instant>;
});

record_port!(AuthTx, api_keys: ApiKeys {
    fn named(client: &str) -> Option<WrappedApiKey>;
    fn active_of(tenant: TenantId, user: UserId) -> Vec<ApiKey>;
    fn revoke(key: &ApiKey) -> bool;
});

record_port!(AuthTx, signatures: Signatures {
    fn see(signature: &SignatureDigest, at: Instant) -> bool;
    fn sweep(before: Instant, limit: u32) -> u32;
});

record_port!(AuthTx, endings: Endings {
    fn end(session: SessionId, why: EndedWhy, at: Instant) -> bool;
    fn raise(scope: Scope, why: EndedWhy, at: Instant) -> Option<Epoch>;
    fn sever(scope: Scope, why: EndedWhy, at: Instant) -> ();
    fn touch(scope: Scope, at: Instant) -> ();
    fn touch_each(scopes: &[Scope], at: Instant) -> ();
});

record_port!(AuthTx, audit: Audit {
    fn tell(event: &Event) -> ();
});

impl Tx for RecordingTx<'_, dyn AuthTx + '_> {
    fn endings(&mut self) -> &mut dyn Endings {
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

    fn places(&mut self) -> &mut dyn Places {
        self
    }

    fn keys(&mut self) -> &mut dyn Keys {
        self
    }

    fn feed(&mut self) -> &mut dyn Feed {
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
}
